import { Readable } from 'node:stream'

import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RequestPayload, RouteShorthandOptions } from 'fastify'

import { watchReply } from './fastify-reply'
import { Endpoint, STORED_BODY_LIMIT, type Answer, type Delivery, type WebhookOptions } from './index'

declare module 'fastify' {
  interface FastifyRequest {
    /** The webhook delivery that is being handled. */
    surehook?: Delivery
    /** The exact bytes that were signed. */
    rawBody?: string | Buffer
  }
}

const ADVICE = 'nothing may read the request before the wrapper does: no preParsing hook, and no plugin that consumes request.raw'

/** Fastify answers 415 to a body that it has no parser for, unless there seems to be none. */
const NOTHING_TO_PARSE = { 'content-type': undefined, 'content-length': '0', 'transfer-encoding': undefined }

/** The options of a route that is guarded. */
export type WebhookRouteOptions = Required<Pick<RouteShorthandOptions, 'bodyLimit' | 'preParsing' | 'preValidation' | 'preHandler' | 'onError' | 'onSend'>>

/**
 * Guards a Fastify route: the handler runs for verified messages only, once each. `request.body` is what the parser of its
 * content type makes of it, or the bytes where there is none; `request.rawBody` always is the bytes, `request.surehook` the
 * delivery.
 *
 * ```ts
 * app.post('/api/webhooks/clerk', withWebhookMonitoring({ provider: 'clerk' }), async (request) => ({ received: true }))
 * ```
 *
 * @throws SurehookError when an option cannot be used. A missing secret is logged when the server becomes ready; the route answers
 *   503 until it is there.
 */
export function withWebhookMonitoring(options: WebhookOptions<FastifyRequest>): WebhookRouteOptions {
  const endpoint = new Endpoint<FastifyRequest>(options)
  /** The headers that were there before the handler. */
  const before = new WeakMap<FastifyReply, Set<string>>()
  /** The headers of the requests that Fastify has no parser for. */
  const unparsed = new WeakMap<FastifyRequest, FastifyRequest['headers']>()

  return {
    // The parser's limit counts what was decided already.
    bodyLimit: Number.MAX_SAFE_INTEGER,

    preParsing: tellsAtTheStart(endpoint, async (request: FastifyRequest, reply: FastifyReply, payload: RequestPayload) => {
      const body = await receive(request, payload, endpoint.maxBodyBytes)
      const { method, originalUrl: path, raw } = request
      const decision = await endpoint.begin({ method, path, headers: raw.rawHeaders, body, rawBodyAdvice: ADVICE }, request)
      if (decision.answer) return reply.send(head(reply, decision.answer))
      const { delivery } = decision
      if (reply.raw.destroyed) {
        delivery.cancel()
        return reply.hijack()
      }
      watchReply(request, reply, delivery)
      before.set(reply, new Set(Object.keys(reply.getHeaders())))
      delivery.earlierHeaders(headersOf(reply))
      request.surehook = delivery
      if (typeof body === 'string') return payload
      request.rawBody = body
      if (!request.server.hasContentTypeParser(request.headers['content-type'] ?? '')) {
        unparsed.set(request, request.headers)
        request.headers = NOTHING_TO_PARSE
      }
      return Readable.from(body, { objectMode: false })
    }),

    async preValidation(request: FastifyRequest) {
      const headers = unparsed.get(request)
      if (headers) Object.assign(request, { headers, body: request.rawBody })
      return Promise.resolve()
    },

    preHandler(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction) {
      const { surehook } = request
      if (surehook) Promise.resolve(surehook.handle(done)).catch(done)
      else done()
    },

    async onError(request: FastifyRequest, _reply: FastifyReply, error: Error) {
      request.surehook?.fail(error)
      return Promise.resolve()
    },

    async onSend(request: FastifyRequest, reply: FastifyReply, payload: unknown) {
      if (!request.surehook) return payload
      const instead = await request.surehook.finish({ status: reply.statusCode, headers: headersOf(reply), body: bytesOf(payload) })
      if (!instead) return payload
      for (const name of Object.keys(reply.getHeaders())) if (!before.get(reply)?.has(name)) reply.removeHeader(name)
      return head(reply, instead)
    },
  }
}

/**
 * A hook whose endpoint says what is missing when the server becomes ready. A route has no hook for that; but Fastify binds those that
 * it has to the server at that very moment, and not before.
 */
function tellsAtTheStart<Hook extends (...args: never[]) => unknown>(endpoint: Endpoint<FastifyRequest>, hook: Hook): Hook {
  const bind = (server: unknown) => {
    endpoint.beginToServe()
    return Function.prototype.bind.call(hook, server) as Hook
  }
  return Object.assign(hook, { bind })
}

/** Reads the body up to the limit. What is beyond runs into nothing: a connection that is closed on it loses the answer. */
async function receive(request: FastifyRequest, payload: RequestPayload, limit: number): Promise<Buffer | 'too_large' | 'unavailable'> {
  if (request.raw.readableDidRead) return 'unavailable'
  const chunks: Buffer[] = []
  let size = 0
  if (Number(request.headers['content-length']) <= limit || request.headers['content-length'] === undefined) {
    for await (const chunk of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size <= limit) chunks.push(chunk)
      else break
    }
    if (size <= limit) return Buffer.concat(chunks, size)
  }
  payload.resume()
  return 'too_large'
}

/** Gives a reply the head of an answer; what comes back is to be its body. */
function head(reply: FastifyReply, { status, headers, body }: Answer): Buffer | undefined {
  void reply.code(status)
  for (let i = 0; i + 1 < headers.length; i += 2) void reply.header(headers[i] as string, headers[i + 1])
  return body.byteLength === 0 ? undefined : Buffer.from(body)
}

function headersOf(reply: FastifyReply): string[] {
  return Object.entries(reply.getHeaders()).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, String(one)]))
}

/** The bytes of what is about to be sent; `null` for a stream or too many. */
function bytesOf(payload: unknown): Uint8Array | null {
  if (payload === undefined || payload === null) return new Uint8Array()
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  return bytes instanceof Uint8Array && bytes.length <= STORED_BODY_LIMIT ? bytes : null
}
