// Senders that hang up, from a thread of their own: each sends one message, so many times, with so much patience.
import { once } from 'node:events'
import http from 'node:http'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { atATime } from './load.mjs'
import { clerkEvent, newId, svixHeaders } from './signing.mjs'

/** A generator of numbers below 1, the same for the same seed. */
export function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Senders of so many messages that hang up one to three times within 40 ms, and then wait. The seed is told where it fails. */
export function impatient(count, path = '/hook', seed = Date.now()) {
  const random = randomFrom(seed)
  const senders = Array.from({ length: count }, () => {
    const body = clerkEvent()
    const id = newId()
    const hangUps = Array.from({ length: 1 + Math.floor(random() * 3) }, () => 1 + random() * 40)
    return { id, path, body, headers: svixHeaders(body, { id }), patience: [...hangUps, null] }
  })
  return { senders, seed }
}

/** Senders of one message, half of whom hang up within 40 ms; the others take the answer that they get. */
export function duplicates(count, path = '/hook', seed = Date.now()) {
  const random = randomFrom(seed)
  const body = clerkEvent()
  const one = { path, body, headers: svixHeaders(body) }
  const senders = Array.from({ length: count }, () => ({ ...one, patience: [random() < 0.5 ? null : random() * 40] }))
  return { senders, seed }
}

/**
 * Each of the senders, `{ path, body, headers, patience }`, sends its message once for every entry of `patience`, in turn, and hangs
 * up after so many milliseconds; with `null` it waits for an answer. `together` of them are at work at a time. Gives the last answer
 * that each got, `{ status, replayed, body }`; of a sender that ends with `null` it is none of those that say to come again.
 */
export async function sendImpatiently(port, senders, together = 200) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { port, senders, together } })
  const [answers] = await once(worker, 'message')
  return answers
}

/** The answer, or `null` where the sender hung up before. */
function send(options, body, patience) {
  return new Promise((resolve, reject) => {
    let timer
    const request = http.request(options, async (response) => {
      const chunks = await response.toArray().catch(() => null)
      clearTimeout(timer)
      if (chunks === null) return resolve(null)
      resolve({ status: response.statusCode, replayed: response.headers['idempotent-replayed'] ?? null, body: Buffer.concat(chunks).toString() })
    })
    if (patience !== null) timer = setTimeout(() => request.destroy(), patience)
    request.on('error', (error) => { patience === null ? reject(error) : resolve(null) }).end(body)
  })
}

async function answerOf(options, { body, patience }) {
  let last = null
  for (const one of patience) {
    do last = await send(options, body, one) ?? last
    while (one === null && last?.status === 409 && patience.length > 1 && await new Promise((resolve) => setTimeout(resolve, 5, true)))
  }
  return last
}

if (!isMainThread && workerData?.senders) {
  const { port, senders, together } = workerData
  const agent = new http.Agent({ keepAlive: true, maxSockets: together })
  const answers = []
  await atATime(together, senders.length, async (i) => {
    const { path, body, headers } = senders[i]
    const own = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }
    answers[i] = await answerOf({ port, host: '127.0.0.1', path, method: 'POST', agent, headers: own }, senders[i])
  })
  agent.destroy()
  parentPort.postMessage(answers)
}
