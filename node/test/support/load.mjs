// One request sent many times at once, from a thread of its own: neither it nor the server of this process waits for the other.
import { once } from 'node:events'
import http from 'node:http'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

/** Sends a request `count` times, always `together` at a time. Gives `{ status, replayed, body }` of each answer. */
export async function sendMany(port, { body, headers, count, together = 200 }) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { port, body, headers, count, together } })
  const [answers] = await once(worker, 'message')
  return answers
}

/** Calls `one` for each number below `count`, always `together` at a time. */
export async function atATime(together, count, one) {
  let next = 0
  const lane = async () => { while (next < count) await one(next++) }
  await Promise.all(Array.from({ length: together }, lane))
}

if (!isMainThread && workerData?.count) {
  const { port, body, headers, count, together } = workerData
  const agent = new http.Agent({ keepAlive: true, maxSockets: together })
  const options = { port, host: '127.0.0.1', path: '/hook', method: 'POST', agent, headers: { 'content-length': Buffer.byteLength(body), ...headers } }
  const answers = []
  await atATime(together, count, async () => {
    const [response] = await once(http.request(options).end(body), 'response')
    const chunks = await response.toArray()
    answers.push({ status: response.statusCode, replayed: response.headers['idempotent-replayed'] ?? null, body: Buffer.concat(chunks).toString() })
  })
  agent.destroy()
  parentPort.postMessage(answers)
}
