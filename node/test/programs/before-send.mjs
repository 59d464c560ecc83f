// Handles 1,000 events with a `beforeSend`, and ends in the way of MODE right after the last one.
import { isMainThread, threadId, Worker } from 'node:worker_threads'
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

if (mode !== 'idle') {
  const endpoint = clerkEndpoint({ name: `thread-${threadId}` })
  for (let i = 0; i < 1000; i++) handled(endpoint)
}
if (mode === 'threads' && isMainThread) for (let i = 0; i < 3; i++) new Worker(new URL(import.meta.url))
if (mode === 'process.exit') process.exit(0)
if (mode === 'throw') throw new Error('as it happens')
