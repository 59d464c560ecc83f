// Asks a remote store about a webhook and ends in the way of MODE before the store can have answered.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { Endpoint } from 'surehook'
import { clerkEvent, SECRET, svixHeaders } from '../support/signing.mjs'

/** Nothing but the open promises keeps this alive. */
async function handle() {
  const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: SECRET, dedup: process.env.DEDUP })
  const body = Buffer.from(clerkEvent())
  const headers = Object.entries(svixHeaders(body.toString())).flat()
  const { delivery } = await endpoint.begin({ method: 'POST', path: '/hook', headers, body }, null)
  await delivery.finish({ status: 200, headers: [], body: Buffer.from('ok') })
  console.log('handled')
}

const { MODE } = process.env
if (!isMainThread || MODE !== 'from a worker that is ended') handle()
if (MODE === 'process.exit') process.exit(0)
if (!isMainThread) parentPort.postMessage('asked')
else if (MODE === 'from a worker that is ended') {
  for (let i = 0; i < 20; i++) {
    const worker = new Worker(new URL(import.meta.url))
    await new Promise((resolve) => worker.once('message', resolve))
    await worker.terminate()
  }
}
