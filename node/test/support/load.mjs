// Many requests at once to a server of this process, sent from a thread of its own, so that neither waits for the other.
import http from 'node:http'
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { svixHeaders } from './signing.mjs'

/**
 * Sends each of `messages`, `{ id, body }`, signed, in the order of `sequence`, which has their indices: always `together` at a
 * time. Gives `{ status, replayed, type, body }` in that order.
 */
export async function send(port, { messages, sequence, together = 200 }) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { port, messages, sequence, together } })
  const [answers] = await once(worker, 'message')
  return answers
}

/** The numbers below `count`, each `times` times, in an order that the seed decides. */
export function shuffled(count, times, seed) {
  const numbers = Array.from({ length: count * times }, (_, i) => i % count)
  let state = seed
  for (let i = numbers.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const j = Math.floor((state / 2 ** 32) * (i + 1))
    ;[numbers[i], numbers[j]] = [numbers[j], numbers[i]]
  }
  return numbers
}

if (!isMainThread && workerData?.sequence) {
  const { port, messages, sequence, together } = workerData
  const agent = new http.Agent({ keepAlive: true, maxSockets: together })
  const signed = messages.map(({ id, body }) => ({ body, headers: { 'content-length': Buffer.byteLength(body), ...svixHeaders(body, { id }) } }))
  const answers = []
  let next = 0
  const one = ({ body, headers }) => new Promise((resolve, reject) => {
    http.request({ port, host: '127.0.0.1', path: '/hook', method: 'POST', agent, headers }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject).on('end', () => resolve({
        status: response.statusCode,
        replayed: response.headers['idempotent-replayed'] ?? null,
        type: response.headers['content-type'] ?? null,
        body: Buffer.concat(chunks).toString(),
      }))
    }).on('error', reject).end(body)
  })
  await Promise.all(Array.from({ length: together }, async () => {
    while (next < sequence.length) {
      const at = next++
      answers[at] = await one(signed[sequence[at]])
    }
  }))
  agent.destroy()
  parentPort.postMessage(answers)
}
