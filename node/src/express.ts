import type { IncomingMessage, ServerResponse } from 'node:http'

import { withPlatform } from './advice'
import { Endpoint, type Decision, type Delivery, type WebhookOptions } from './index'
import { headersOf } from './node-headers'
import { giveBody, receive, type WebhookRequest } from './node-request'
import { captureResponse, sendAnswer } from './node-response'

export type { WebhookRequest } from './node-request'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- how Express's types are meant to be extended
  namespace Express {
    interface Request {
      /** The webhook delivery that is being handled. */
      surehook?: Delivery
    }
  }
}

const ADVICE = withPlatform(
  'Express: put the wrapper before the body parser, or keep the bytes: express.json({ verify: (req, _res, bytes) => { req.rawBody = bytes } }); NestJS: NestFactory.create(AppModule, { rawBody: true })',
)

type Next = (error?: unknown) => void
type Middleware = (request: WebhookRequest, response: ServerResponse, next: Next) => void
type Handler<Req, Res> = (request: Req, response: Res, delivery: Delivery) => unknown

/**
 * Guards an Express route: the handler runs for verified messages only, once each.
 *
 * The raw body is taken from `req.rawBody`, from bytes or text in `req.body`, or from the unread request. Afterwards
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
      const { method = '', originalUrl = request.url ?? '' } = request
      const incoming = { method, path: originalUrl, headers: headersOf(request), body, rawBodyAdvice: ADVICE }
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
        if (typeof body !== 'string') giveBody(request, body, delivery.form)
        const ended = captureResponse(response, delivery, next)
        const handle = handler ? () => handler(request as unknown as Req, response as Res, delivery) : () => { next() }
        run(delivery, handle, ended, next)
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
    void request.surehook?.fail(error)
    next(error)
  }
}

/** Runs the handler. Only a promise says when a handler has ended: one that gave none may answer at any time after it returned. */
function run(delivery: Delivery, handle: () => unknown, ended: () => void, next: Next): void {
  const fail = (error: unknown) => {
    void delivery.fail(error)
    next(error)
  }
  let promised = false
  const handled = () => {
    const result = handle()
    promised = isThenable(result)
    return result
  }
  try {
    Promise.resolve(delivery.handle(handled)).then(() => { if (promised) ended() }).catch(fail)
  } catch (error) {
    fail(error)
  }
}

function isThenable(result: unknown): boolean {
  return typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
