// Handles EVENTS webhooks and ends in the way of MODE, right after the last one.
import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { init, shutdown } from 'surehook'
import { begun, clerkEndpoint, handled } from '../support/deliveries.mjs'
import { measureExit, tellExit } from '../support/exit-time.mjs'

const { MODE: mode, IN_WORKER: inWorker, SPOOL: spoolDir } = process.env
measureExit()
init({ spoolDir })
tellExit()
const endpoint = clerkEndpoint({ name: 'clerk' })
for (let i = 0; i < Number(process.env.EVENTS); i++) handled(endpoint)
/** Deliveries whose handlers never end. */
const running = Array.from({ length: Number(process.env.RUNNING ?? 0) }, () => begun(endpoint))
console.log('handled', running.length)

/** The same program again, which handles its events and ends by itself. */
const again = { ...process.env, IN_WORKER: '1' }
const self = new URL(import.meta.url)

const ends = {
  normally: () => {},
  'process.exit': () => process.exit(0),
  'an uncaught error': () => { throw new Error('as it happens') },
  'an unhandled rejection': () => { Promise.reject(new Error('as it happens')) },
  shutdown: () => shutdown(),
  // The application's own handler: the package installs none.
  'SIGTERM': () => {
    setInterval(() => {}, 1000)
    process.on('SIGTERM', () => process.exit(0))
    console.log('waiting')
  },
  'kill -9': () => { setInterval(() => {}, 1000); console.log('waiting') },
  'from a worker': () => { if (!inWorker) new Worker(self, { env: again }) },
  'from terminated workers': () => {
    if (inWorker) setInterval(() => {}, 1000)
    else setTimeout(() => process.exit(0), 500, new Worker(self, { env: again }))
  },
  'from a cluster': () => {
    if (!cluster.isPrimary) return cluster.worker.disconnect()
    for (let i = 0; i < 2; i++) cluster.fork({ IN_WORKER: '1' })
  },
  'from a forked child': () => {
    if (inWorker) process.disconnect()
    else fork(fileURLToPath(self), { env: again })
  },
}
ends[mode]()
