import { withPlatform } from './advice'
import { Endpoint, flush, STORED_BODY_LIMIT, type Answer, type Delivery, type IncomingWebhook, type WebhookOptions } from './index'
import { readUpTo, rejoin } from './web-stream'

export { withSurehook } from './nextjs-config'

const ADVICE = withPlatform(
  'Next.js: nothing may read the request before the wrapper does, unless it reads request.clone(); inside it, read the request that the handler is given',
)

/** What is answered to a sender that is gone. Nobody gets it. */
const CLIENT_CLOSED_REQUEST = 499

type Handler<Req, Context> = (request: Req, context: Context, delivery: Delivery) => Response | Promise<Response>

/**
 * Guards a route handler of the Next.js App Router: it runs for verified messages only, once each, and reads the body
 * as if nobody had read it before.
 *
 * ```ts
 * export const POST = withWebhookMonitoring({ provider: 'clerk' }, async (request) => {
 *   const event = await request.json()
 *   return Response.json({ ok: true })
 * })
 * ```
 *
 * @throws SurehookError when an option cannot be used. Without a secret, as during most builds, the route answers 503.
 */
export function withWebhookMonitoring<Req extends Request = Request, Context = unknown>(
  options: WebhookOptions<Req>,
  handler: Handler<Req, Context>,
): (request: Req, context: Context) => Promise<Response> {
  const endpoint = new Endpoint<Req>(options)

  return async function surehook(request, context) {
    flushAfterwards()
    const body = await receive(request, endpoint.maxBodyBytes)
    const { method, headers } = request
    const incoming = { method, path: pathOf(request), headers: [...headers].flat(), body, rawBodyAdvice: ADVICE }
    const decision = endpoint.begin(incoming, request)
    const { answer, delivery } = decision instanceof Promise ? await decision : decision
    if (answer) return toResponse(answer)

    if (request.signal.aborted) {
      delivery.cancel()
      return new Response(null, { status: CLIENT_CLOSED_REQUEST })
    }
    request.signal.addEventListener('abort', () => { delivery.senderLeft() }, { once: true })
    const readable = typeof body === 'string' ? request : withBody(request, body)
    const handled = run(delivery, () => handler(readable, context, delivery))
    keepAlive(handled)
    return await handled
  }
}

async function run(delivery: Delivery, handler: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await finish(delivery, await delivery.handle(handler))
  } catch (error) {
    await delivery.fail(error)
    throw error
  }
}

async function receive(request: Request, limit: number): Promise<IncomingWebhook['body']> {
  if (request.bodyUsed) return 'unavailable'
  if (Number(request.headers.get('content-length')) > limit) return 'too_large'
  try {
    const { bytes, rest } = await readUpTo(request.body, limit)
    if (rest === null) return bytes
    void rest.cancel()
    return 'too_large'
  } catch {
    return 'incomplete'
  }
}

/** The same request with its body unread. Its own class is used, so that a `NextRequest` stays one. */
function withBody<Req extends Request>(request: Req, body: Uint8Array): Req {
  if (request.body === null) return request
  const { method, headers, signal } = request
  const Same = request.constructor as new (url: string, init: RequestInit) => Req
  return new Same(request.url, { method, headers, signal, body: body as Uint8Array<ArrayBuffer> })
}

/** Ends the delivery with the handler's answer; a stream that is endless or long is passed on, not kept. */
async function finish(delivery: Delivery, response: Response): Promise<Response> {
  const { status } = response
  const headers = [...response.headers].flat()
  const endless = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  const { bytes, rest } = endless ? { bytes: null, rest: null } : await readUpTo(response.body, STORED_BODY_LIMIT)
  const instead = await delivery.finish({ status, headers, body: rest === null ? bytes : null })
  if (instead) return toResponse(instead)
  if (bytes === null || response.body === null) return response
  return new Response(rest === null ? (bytes as Uint8Array<ArrayBuffer>) : rejoin(bytes, rest), response)
}

function toResponse({ status, headers, body }: Answer): Response {
  const pairs = headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]] as [string, string]] : []))
  const empty = body.byteLength === 0
  return new Response(empty ? null : (body as Uint8Array<ArrayBuffer>), { status, headers: pairs })
}

function pathOf(request: Request): string {
  const { pathname, search } = new URL(request.url)
  return pathname + search
}

/** On serverless platforms nothing runs between requests, so what is queued leaves before the platform sleeps. */
function flushAfterwards(): void {
  afterwards(() => flush())
}

/** A platform may stop what runs for a sender that has left; what it was told of runs to its end, and its record leaves. */
function keepAlive(handled: Promise<unknown>): void {
  let waits = false
  const told = async () => waits && flush()
  waits = afterwards(handled.then(told, told).catch(() => undefined))
}

/** Whether Next does it. Outside of its requests nothing is stopped, and the flush at exit sends what is left. */
function afterwards(task: Task): boolean {
  try {
    after ??= nextAfter()
    after?.(task)
    return after !== null
  } catch {
    return false
  }
}

type Task = Promise<unknown> | (() => Promise<unknown>)
type After = (task: Task) => void
let after: After | null | undefined

/** It is there from Next 15.1 on, and looked for once: a search that finds nothing takes longer than all the rest. */
function nextAfter(): After | null {
  try {
    return (require('next/server') as { after?: After }).after ?? null
  } catch {
    return null
  }
}
