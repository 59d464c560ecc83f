import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'

import { NOT_JSON, parseJson, type Delivery, type IncomingWebhook } from './index'

/** A request as Express has it, whichever body parser ran before. */
export interface WebhookRequest extends IncomingMessage {
  originalUrl?: string
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in Express: what the sender's JSON holds
  body?: any
  rawBody?: string | Uint8Array
  surehook?: Delivery
}

export type ReceivedBody = IncomingWebhook['body']

/** Finds the raw body, wherever earlier middleware or the platform left it. */
export function receive(request: WebhookRequest, limit: number, done: (body: ReceivedBody) => void): void {
  const kept = keptBody(request)
  if (kept) done(kept)
  else if (request.readableDidRead && !isGivenAgain(request)) done('unavailable')
  else if (Number(request.headers['content-length']) > limit) refuseUnread(request, done)
  // The stream's events come from the connection; what is current for the request (a trace, a store) stays so.
  else readStream(request, limit, AsyncResource.bind(done))
}

/** Bytes, or the text of them: of `express.text()`, or of a plugin that keeps the body so. */
function keptBody(request: WebhookRequest): Uint8Array | undefined {
  for (const kept of [request.rawBody as unknown, bodyOf(request)]) {
    if (kept instanceof Uint8Array) return kept
    if (typeof kept === 'string') return Buffer.from(kept)
  }
  return undefined
}

/** Vercel reads the body of a function first, and gives the request a `read` and an `on` of its own that give the bytes again. */
function isGivenAgain(request: WebhookRequest): boolean {
  return Object.hasOwn(request, 'read') && Object.hasOwn(request, 'on')
}

/** Vercel parses a body when it is asked for, and throws where it cannot. */
function bodyOf(request: WebhookRequest): unknown {
  try {
    return request.body as unknown
  } catch {
    return undefined
  }
}

/** Reads at most `limit` bytes. */
function readStream(request: WebhookRequest, limit: number, done: (body: ReceivedBody) => void): void {
  const chunks: Uint8Array[] = []
  let size = 0
  const take = (chunk: Uint8Array) => {
    size += chunk.length
    if (size <= limit) {
      chunks.push(chunk)
      return
    }
    stop()
    refuseUnread(request, done)
  }
  const end = () => {
    stop()
    done(Buffer.concat(chunks, size))
  }
  const broken = () => {
    if (request.complete) return
    stop()
    done('incomplete')
  }
  const stop = () => {
    request.off('data', take).off('end', end).off('close', broken)
  }
  request.on('data', take).on('end', end).on('close', broken).on('error', () => undefined)
}

/** What is not read is let run into nothing: a connection closed on a sender that still sends loses the answer. */
function refuseUnread(request: WebhookRequest, done: (body: ReceivedBody) => void): void {
  request.resume()
  done('too_large')
}

/** Leaves the body as Express users know it; `_body` tells the body parsers of Express 4 that it was read. */
export function giveBody(request: WebhookRequest & { _body?: boolean }, bytes: Uint8Array, form: unknown): void {
  const body = bodyOf(request)
  const parsedBefore = request.rawBody !== undefined && body !== undefined && !(body instanceof Uint8Array)
  request.rawBody ??= bytes
  request._body = true
  if (parsedBefore) return
  const parsed = form ?? parseJson(bytes)
  request.body = parsed === NOT_JSON ? bytes : parsed
}
