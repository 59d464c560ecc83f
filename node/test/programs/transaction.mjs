// Handles one webhook in a transaction of CLIENT, and stops for ever at POINT of its life, to be killed there.
import { Endpoint } from 'surehook'
import { clients } from '../support/application.mjs'
import { clerkEvent, SECRET, svixHeaders } from '../support/signing.mjs'

const { CLIENT, DATABASE, ID, POINT } = process.env
const { store, insert } = clients[CLIENT](DATABASE)
const stopAt = (point) => {
  if (point !== POINT) return
  console.log(`at ${point}`)
  return new Promise(() => setInterval(() => {}, 1000))
}
const stopping = {
  ...store,
  transaction: (work) => store.transaction(async (transaction) => {
    await work(transaction)
    await stopAt('before the commit')
  }),
}
const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: SECRET, store: stopping })
const body = Buffer.from(clerkEvent())
const headers = Object.entries(svixHeaders(body.toString(), { id: ID })).flat()
const { delivery } = await endpoint.begin({ method: 'POST', path: '/hook', headers, body }, null)
await stopAt('before the handler')
await delivery.handle(async () => {
  await insert(delivery.transaction(), ID)
  await stopAt('in the handler')
})
await delivery.finish({ status: 200, headers: [], body: Buffer.from('handled') })
await stopAt('after the commit')
