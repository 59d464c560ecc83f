// Handles EVENTS webhooks and ends in the way of MODE, right after the last one.
import { Worker } from 'node:worker_threads'
import { Endpoint, init, shutdown } from 'surehook'
import { clerkEvent, SECRET, svixHeaders } from '../support/signing.mjs'

init()
const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: SECRET })
for (let i = 0; i < Number(process.env.EVENTS); i++) {
  const body = Buffer.from(clerkEvent())
  const headers = Object.entries(svixHeaders(body.toString())).flat()
  const { delivery } = endpoint.begin({ method: 'POST', path: '/hook', headers, body })
  delivery.finish({ status: 200, headers: [], body: Buffer.from('ok') })
}
console.log('handled')

const ends = {
  normally: () => {},
  'process.exit': () => process.exit(0),
  'an uncaught error': () => { throw new Error('as it happens') },
  shutdown: () => shutdown(),
  'from a worker': () => {},
}
ends[process.env.MODE]()
if (process.env.MODE === 'from a worker' && !process.env.IN_WORKER) {
  new Worker(new URL(import.meta.url), { env: { ...process.env, IN_WORKER: '1' } })
}
