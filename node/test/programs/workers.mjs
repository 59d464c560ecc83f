// A server of several workers, each of which has an endpoint with a memory, or with DEDUP.
import cluster from 'node:cluster'
import { Worker } from 'node:worker_threads'
import { Endpoint } from 'surehook'
import { SECRET } from '../support/signing.mjs'

const build = () => ['a', 'b'].forEach((name) => new Endpoint({ provider: 'clerk', signatureSecret: SECRET, name, dedup: process.env.DEDUP }))

if (process.env.MODE !== 'cluster' || cluster.isWorker) {
  build()
  if (process.env.MODE === 'threads' && !process.env.IN_THREAD) {
    for (let i = 0; i < 3; i++) new Worker(new URL(import.meta.url), { env: { ...process.env, IN_THREAD: '1' } })
  }
  cluster.worker?.disconnect()
} else {
  for (let i = 0; i < 3; i++) cluster.fork()
}
