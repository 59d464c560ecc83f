import type { ServerResponse } from 'node:http'

import { STORED_BODY_LIMIT, type Answer, type Delivery, type HandlerResponse } from './index'
import { flatten, setHeaders, type HeaderArgument } from './node-headers'

/** Sends an answer of Surehook's own. */
export function sendAnswer(response: ServerResponse, { status, headers, body }: Answer): void {
  response.statusCode = status
  for (let i = 0; i + 1 < headers.length; i += 2) response.setHeader(headers[i] as string, headers[i + 1] as string)
  if (status !== 204) response.setHeader('content-length', body.byteLength)
  response.end(body)
}

/**
 * Watches a response: the delivery ends with it. A sender that goes away before ends nothing but the waiting for a handler which
 * can no longer answer: what comes back is to be called when that is so. `failed` is called in place of an answer that must not be
 * sent, because the work it speaks of was undone.
 */
export function captureResponse(response: ServerResponse, delivery: Delivery, failed: (error: unknown) => void): () => void {
  const { write, end, writeHead, flushHeaders } = response
  const before = response.getHeaders()
  delivery.earlierHeaders(flatten(before))
  /** What the handler set, before what was put around the response, as a compression is, sets its own. */
  let head: Pick<HandlerResponse, 'status' | 'headers'> | undefined
  const chunks: Uint8Array[] = []
  let size = 0
  let ended = false
  let stored: Promise<unknown> | null = null
  let handlerEnded = false
  let senderLeft = false

  const keep = (chunk: unknown, encoding: unknown) => {
    if (size > STORED_BODY_LIMIT) return
    const bytes = bytesOf(chunk, encoding)
    size += bytes.length
    chunks.push(bytes)
  }
  const keepHead = (status = response.statusCode) => { head ??= { status, headers: flatten(response.getHeaders()) } }
  const finish = () => {
    keepHead()
    const body = size > STORED_BODY_LIMIT ? null : Buffer.concat(chunks, size)
    return delivery.finish({ ...(head as NonNullable<typeof head>), body })
  }
  const send = (instead: Answer | null, args: Parameters<typeof end>) => {
    if (!instead || response.headersSent) return end.apply(response, args)
    takeBack()
    sendAnswer(response, instead)
    return response
  }
  const takeBack = () => {
    if (response.headersSent) return
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    for (const [name, value] of Object.entries(before)) if (value !== undefined) response.setHeader(name, value)
  }

  Object.assign(response, {
    writeHead(status: number, ...rest: [] | [string | HeaderArgument, HeaderArgument?]) {
      const reason = typeof rest[0] === 'string' ? [rest[0]] : []
      setHeaders(response, rest[reason.length] as HeaderArgument)
      keepHead(status)
      return Reflect.apply(writeHead, response, [status, ...reason]) as ServerResponse
    },
    write(...args: Parameters<typeof write>) {
      if (stored) {
        void stored.then(() => write.apply(response, args))
        return false
      }
      if (!ended) {
        keepHead()
        keep(args[0], args[1])
      }
      return write.apply(response, args)
    },
    flushHeaders() {
      keepHead()
      flushHeaders.call(response)
    },
    end(...args: Parameters<typeof end>) {
      if (stored) {
        void stored.then(() => end.apply(response, args))
        return response
      }
      if (ended) return end.apply(response, args)
      ended = true
      keep(args[0], args[1])
      const instead = finish()
      if (!(instead instanceof Promise)) return send(instead, args)
      const letGo = hold(response)
      stored = instead
        .finally(() => {
          stored = null
          letGo()
        })
        .then((answer) => {
          if (answer && response.headersSent) response.destroy()
          else send(answer, args)
        })
        .catch((error: unknown) => {
          takeBack()
          failed(error)
        })
      return response
    },
  })
  const settle = () => {
    if (senderLeft && handlerEnded && !ended) delivery.cancel()
  }
  response.once('close', () => {
    senderLeft = true
    delivery.senderLeft()
    settle()
  })
  return () => {
    handlerEnded = true
    settle()
  }
}

/** What changes an answer. */
const CHANGES = ['setHeader', 'appendHeader', 'removeHeader', 'writeHead', 'flushHeaders'] as const

/** Keeps an answer that waits to be sent as it is: what would change it is refused as if it were sent. Gives the end of that. */
function hold(response: ServerResponse): () => void {
  const { statusCode, statusMessage } = response
  const changes = CHANGES.map((name) => [name, response[name]])
  const refuse = () => {
    throw Object.assign(new Error('Cannot set headers after they are sent to the client'), { code: 'ERR_HTTP_HEADERS_SENT' })
  }
  for (const name of CHANGES) response[name] = refuse
  Object.defineProperty(response, 'headersSent', { value: true, configurable: true })
  return () => {
    Reflect.deleteProperty(response, 'headersSent')
    Object.assign(response, Object.fromEntries(changes), { statusCode, statusMessage })
  }
}

/** The bytes of what `write` and `end` are given; none where that is only a callback. */
function bytesOf(chunk: unknown, encoding: unknown): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  return chunk instanceof Uint8Array ? chunk : new Uint8Array()
}
