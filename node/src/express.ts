import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { Endpoint, NOT_JSON, parseJson, type Decision, type Delivery, type WebhookOptions } from './index'
import { captureResponse, sendAnswer } from './node-response'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- how Express's types are meant to be extended
  namespace Express {
    interface Request {
      /** The webhook delivery that is being handled. */
      surehook?: Delivery
    }
  }
}

/** A request as Express has it, whichever body parser ran before. */
export interface WebhookRequest extends IncomingMessage {
  originalUrl?: string
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in Express: what the sender's JSON holds
  body?: any
  rawBody?: string | Uint8Array
  surehook?: Delivery
}

const ADVICE =
  'put the wrapper before the body parser, or keep the bytes: express.json({ verify: (req, _res, bytes) => { req.rawBody = bytes } })'

type Next = (error?: unknown) => void
type Middleware = (request: WebhookRequest, response: ServerResponse, next: Next) => void
type Handler<Req, Res> = (request: Req, response: Res, delivery: Delivery) => unknown

/**
 * Guards an Express route: the handler runs for verified messages only, once each.
 *
 * The raw body is taken from `req.rawBody`, from a Buffer in `req.body`, or from the unread request. Afterwards
 * `req.body` holds the parsed JSON (the raw bytes where it is no JSON) and `req.rawBody` the bytes.
 *
 * ```ts
 * app.post('/api/webhooks/clerk', withWebhookMonitoring({ provider: 'clerk' }), (req, res) => res.json({ ok: true }))
 * ```
 *
 * @throws SurehookError when an option cannot be used. Without a secret the route answers 503.
 */
export function withWebhookMonitoring<Req extends IncomingMessage = WebhookRequest, Res extends ServerResponse = ServerResponse>(
  options: WebhookOptions<Req>,
  handler?: Handler<Req, Res>,
): Middleware {
  const endpoint = new Endpoint<Req>(options)

  return function surehook(request, response, next) {
    receive(request, endpoint.maxBodyBytes, (body) => {
      const { method = '', originalUrl = request.url ?? '', rawHeaders } = request
      const incoming = { method, path: originalUrl, headers: rawHeaders, body, rawBodyAdvice: ADVICE }
      const obey = ({ answer, delivery }: Decision) => {
        if (answer) {
          sendAnswer(response, answer)
          return
        }
        if (response.destroyed) {
          delivery.cancel()
          return
        }
        request.surehook = delivery
        if (typeof body !== 'string') giveBody(request, body)
        captureResponse(response, delivery, next)
        const handle = handler ? () => handler(request as unknown as Req, response as Res, delivery) : () => { next() }
        run(delivery, handle, next)
      }
      const decision = endpoint.begin(incoming, request as unknown as Req)
      if (decision instanceof Promise) decision.then(obey).catch(next)
      else obey(decision)
    })
  }
}

/** Goes after the routes: tells Surehook what a handler threw, and passes it on. */
export function webhookErrors() {
  return (error: unknown, request: WebhookRequest, _response: ServerResponse, next: Next): void => {
    request.surehook?.fail(error)
    next(error)
  }
}

function run(delivery: Delivery, handle: () => unknown, next: Next): void {
  const fail = (error: unknown) => {
    delivery.fail(error)
    next(error)
  }
  try {
    Promise.resolve(delivery.handle(handle)).catch(fail)
  } catch (error) {
    fail(error)
  }
}

type ReceivedBody = Uint8Array | 'too_large' | 'unavailable'

/** Finds the raw body, wherever earlier middleware left it. */
function receive(request: WebhookRequest, limit: number, done: (body: ReceivedBody) => void): void {
  const { rawBody, body } = request as { rawBody?: string | Uint8Array; body?: unknown }
  if (typeof rawBody === 'string') done(Buffer.from(rawBody))
  else if (rawBody instanceof Uint8Array) done(rawBody)
  else if (body instanceof Uint8Array) done(body)
  else if (request.readableDidRead) done('unavailable')
  else if (Number(request.headers['content-length']) > limit) refuseUnread(request, done)
  // The stream's events come from the connection; what is current for the request (a trace, a store) stays so.
  else readStream(request, limit, AsyncResource.bind(done))
}

/** Reads at most `limit` bytes. A sender that goes away before the end gets no answer, and needs none. */
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
  const stop = () => {
    request.off('data', take).off('end', end)
  }
  request.on('data', take).on('end', end).on('error', stop)
}

/** What is not read is let run into nothing: a connection closed on a sender that still sends loses the answer. */
function refuseUnread(request: WebhookRequest, done: (body: ReceivedBody) => void): void {
  request.resume()
  done('too_large')
}

/** Leaves the body as Express users know it; `_body` tells the body parsers of Express 4 that it was read. */
function giveBody(request: WebhookRequest & { _body?: boolean }, bytes: Uint8Array): void {
  const parsedBefore = request.rawBody !== undefined && request.body !== undefined && !(request.body instanceof Uint8Array)
  request.rawBody ??= bytes
  request._body = true
  if (parsedBefore) return
  const parsed = parseJson(bytes)
  request.body = parsed === NOT_JSON ? bytes : parsed
}
