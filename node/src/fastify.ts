import { Readable } from 'node:stream'

import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RequestPayload, RouteShorthandOptions } from 'fastify'

import { withPlatform } from './advice'
import { receive } from './fastify-body'
import { watchReply } from './fastify-reply'
import { Endpoint, STORED_BODY_LIMIT, type Answer, type Delivery, type WebhookOptions } from './index'
import { flatten, headersOf } from './node-headers'

declare module 'fastify' {
  interface FastifyRequest {
    /** The webhook delivery that is being handled. */
    surehook?: Delivery
    /** The exact bytes that were signed. */
    rawBody?: string | Buffer
  }
}

const ADVICE = withPlatform(
  'Fastify: nothing may read the request before the wrapper does, neither a preParsing hook nor a plugin that consumes request.raw, unless it keeps the bytes in request.rawBody',
)

/** Fastify answers 415 to a body that it has no parser for, unless there seems to be none. */
const NOTHING_TO_PARSE = { 'content-type': undefined, 'content-length': '0', 'transfer-encoding': undefined }

type Headers = ReturnType<FastifyReply['getHeaders']>

/** The options of a route that is guarded. */
export type WebhookRouteOptions = Required<Pick<RouteShorthandOptions, 'bodyLimit' | 'preParsing' | 'preValidation' | 'preHandler' | 'onError' | 'onSend'>>

/**
 * Guards a Fastify route: the handler runs for verified messages only, once each. `request.body` is what the parser of its
 * content type makes of it; where there is none, what the form holds, or the bytes; `request.rawBody` always is the bytes, `request.surehook` the
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
  const before = new WeakMap<FastifyReply, Headers>()
  /** The headers of the requests that Fastify has no parser for. */
  const unparsed = new WeakMap<FastifyRequest, FastifyRequest['headers']>()

  return {
    // The parser's limit counts what was decided already.
    bodyLimit: Number.MAX_SAFE_INTEGER,

    preParsing: tellsAtTheStart(endpoint, async (request: FastifyRequest, reply: FastifyReply, payload: RequestPayload) => {
      const body = await receive(request, payload, endpoint.maxBodyBytes)
      const { method, originalUrl: path, raw } = request
      const decision = await endpoint.begin({ method, path, headers: headersOf(raw), body, rawBodyAdvice: ADVICE }, request)
      if (decision.answer) return reply.send(head(reply, decision.answer))
      const { delivery } = decision
      if (reply.raw.destroyed) {
        delivery.cancel()
        return reply.hijack()
      }
      watchReply(request, reply, delivery)
      before.set(reply, reply.getHeaders())
      delivery.earlierHeaders(flatten(reply.getHeaders()))
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
      if (headers) Object.assign(request, { headers, body: request.surehook?.form ?? request.rawBody })
      return Promise.resolve()
    },

    preHandler(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction) {
      const { surehook } = request
      if (surehook) Promise.resolve(surehook.handle(done)).catch(done)
      else done()
    },

    async onError(request: FastifyRequest, _reply: FastifyReply, error: Error) {
      await request.surehook?.fail(error)
    },

    async onSend(request: FastifyRequest, reply: FastifyReply, payload: unknown) {
      if (!request.surehook) return payload
      const earlier = before.get(reply) ?? {}
      const headers = flatten(reply.getHeaders())
      const instead = await request.surehook.finish({ status: reply.statusCode, headers, body: bytesOf(payload) })
      if (!instead) return payload
      for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
      void reply.headers(earlier)
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

/** Gives a reply the head of an answer; what comes back is to be its body. */
function head(reply: FastifyReply, { status, headers, body }: Answer): Buffer | undefined {
  void reply.code(status)
  for (let i = 0; i + 1 < headers.length; i += 2) void reply.header(headers[i] as string, headers[i + 1])
  return body.byteLength === 0 ? undefined : Buffer.from(body)
}

/** The bytes of what is about to be sent; `null` for a stream or too many. */
function bytesOf(payload: unknown): Uint8Array | null {
  if (payload === undefined || payload === null) return new Uint8Array()
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  return bytes instanceof Uint8Array && bytes.length <= STORED_BODY_LIMIT ? bytes : null
}
