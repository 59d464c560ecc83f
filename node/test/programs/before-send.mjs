// Handles 1,000 events with a `beforeSend`, and ends in the way of MODE right after the last one.
import { isMainThread, parentPort, threadId, Worker } from 'node:worker_threads'
import { init } from 'surehook'
import { clerkEndpoint, handled } from '../support/deliveries.mjs'
import { measureExit, tellExit } from '../support/exit-time.mjs'

const { MODE: mode } = process.env
measureExit()
init({
  beforeSend(attempt) {
    if (attempt.metadata?.thread !== undefined) console.log('judged twice')
    return { ...attempt, metadata: { thread: threadId } }
  },
})

tellExit()

const handleAll = () => {
  const endpoint = clerkEndpoint({ name: `thread-${threadId}` })
  for (let i = 0; i < 1000; i++) handled(endpoint)
}
const again = () => new Worker(new URL(import.meta.url))

if (mode === 'after a worker') {
  if (isMainThread) again().once('exit', handleAll)
} else if (mode === 'past a blocked worker') {
  if (isMainThread) {
    const worker = again()
    worker.once('message', () => { handleAll(); setTimeout(() => worker.terminate(), 1500) })
  } else {
    // Asked before the main thread, and never to answer.
    parentPort.postMessage('ready')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
} else if (mode !== 'idle') handleAll()
if (mode === 'threads' && isMainThread) for (let i = 0; i < 3; i++) again()
if (mode === 'process.exit') process.exit(0)
if (mode === 'throw') throw new Error('as it happens')
