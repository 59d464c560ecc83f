// Deliveries without a framework: an endpoint, and requests that it lets through.
import { Endpoint } from 'surehook'
import { clerkEvent, newId, SECRET, svixHeaders } from './signing.mjs'

let names = 0

/** An endpoint for Clerk. */
export const clerkEndpoint = (options = {}) => new Endpoint({ provider: 'clerk', signatureSecret: SECRET, name: `endpoint-${names++}`, ...options })

/** What an adapter hands in for a signed event. */
export function incoming({ body = clerkEvent(), id = newId(), headers = {}, path = '/hook' } = {}) {
  return { method: 'POST', path, headers: Object.entries({ ...svixHeaders(body, { id }), ...headers }).flat(), body: Buffer.from(body) }
}

/** Begins a delivery that must be let through. */
export function begun(endpoint, options) {
  const decision = endpoint.begin(incoming(options), null)
  if (!decision.delivery) throw new Error(`it was answered: ${JSON.stringify(decision.answer)}`)
  return decision.delivery
}

export const answered = (delivery, status = 200) => delivery.finish({ status, headers: ['content-type', 'text/plain'], body: Buffer.from('ok') })

/** Handles one event and returns its delivery. */
export function handled(endpoint, options) {
  const delivery = begun(endpoint, options)
  answered(delivery)
  return delivery
}

/** A logger that keeps its lines. */
export function keptLog() {
  const lines = []
  const keep = (line) => { lines.push(line) }
  return { lines, logger: { info: keep, warn: keep, error: keep } }
}
