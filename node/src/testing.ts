import { AssertionError } from 'node:assert'
import { randomBytes, randomUUID } from 'node:crypto'
import { types } from 'node:util'

import type { SignOptions as NativeSignOptions } from '../native/binding'
import type { Attempt } from './attempt'
import { asBuffer, NOT_JSON, parseJson } from './body'
import { checkOptions, invalid, kind, type Rule } from './checks'
import { RUNTIME } from './client'
import { translated } from './errors'
import { flatten, pack, toObject, type HeadersLike } from './headers'
import { logNotices } from './logger'
import { native } from './native'
import { signerOf, type WebhookScheme } from './scheme'
import { screened, screener } from './screening'

/** The attempts that were recorded since {@link capture}, as the collector would get them. */
export interface Capture extends Disposable {
  /** Oldest first. */
  readonly attempts: readonly Attempt[]
  /**
   * The only attempt.
   *
   * @throws AssertionError that lists what there is instead
   */
  one(): Attempt
  /** Forgets what was recorded so far. */
  clear(): void
  /** Puts back what telemetry was before. */
  stop(): void
}

/**
 * Keeps attempts in memory from here on in place of sending them, in the whole process: redacted, and seen by `beforeSend`. No API
 * key is needed, and an `init` meanwhile counts from `stop` on.
 *
 * ```ts
 * const captured = capture()
 * const request = signed('clerk', { type: 'user.created', data: { id: 'user_1' } }, { secret, url: `${server}/api/webhooks/clerk` })
 * await fetch(request.url, request)
 * assert.equal(captured.one().outcome, 'processed')
 * captured.stop()
 * ```
 */
export function capture(): Capture {
  const kept = translated(() => new (native().Capture)(RUNTIME))
  const attempts: Attempt[] = []
  const told = (): Attempt[] => {
    for (const recorded of kept.take()) {
      const attempt = screener() ? screened(recorded) : recorded
      if (attempt !== null) attempts.push(JSON.parse(attempt) as Attempt)
    }
    return attempts
  }
  const stop = () => {
    kept.stop()
    logNotices()
  }
  return {
    get attempts() {
      return [...told()]
    },
    one() {
      const [one, ...more] = told()
      if (one && more.length === 0) return one
      const list = attempts.map(({ endpoint, event_type, outcome }) => `${endpoint} ${event_type ?? '-'} ${outcome}`)
      const message = `expected one attempt, got ${attempts.length}${list.length === 0 ? '' : `: ${list.join(', ')}`}`
      throw new AssertionError({ message, actual: attempts.length, expected: 1, operator: 'one' })
    },
    clear() {
      told().length = 0
    },
    stop,
    [Symbol.dispose]: stop,
  }
}

/** A clock that stands still, see {@link freeze}. */
export interface FrozenClock extends Disposable {
  /** Moves it on, or with a negative number back. */
  tick(milliseconds: number): void
  /** Lets it run again. */
  restore(): void
}

/** Stops the clock of this process at a time, as far as webhooks are concerned; how long things take is still measured. */
export function freeze(at: Date | number): FrozenClock {
  let now = millisecondsOf(at, 'at')
  const restore = () => { native().freeze() }
  native().freeze(now)
  return {
    tick(milliseconds) {
      now += millisecondsOf(milliseconds, 'milliseconds')
      native().freeze(now)
    },
    restore,
    [Symbol.dispose]: restore,
  }
}

/** A new secret of the form that the provider's have; for providers that sign with a private key there is none. */
export function secret(provider: string): string {
  if (typeof provider !== 'string') throw invalid('provider', `it must be text, not ${kind(provider)}`)
  return translated(() => native().freshSecret(provider, randomBytes(24)))
}

/** What {@link signed} takes beside the provider and the body. */
export interface SigningOptions {
  /**
   * The secret that the endpoint has; for a provider with a pair of keys the private one: `whsk_…`, an Ed25519 seed in
   * hexadecimal, a P-256 key as PKCS #8 DER in base64.
   */
  secret: string
  /** The message's id, for providers that send one in a header; a new one by default. */
  messageId?: string
  /** The time of signing; now by default, by the clock of {@link freeze}. */
  timestamp?: Date | number
  /** `POST` by default. */
  method?: string
  /** Where it goes, with its query; for providers that sign it, as the provider knows it. */
  url?: string
  /** Further headers; one for `content-type` takes the place of what the body looks like. */
  headers?: HeadersLike
}

/** A request as the provider sends it: `new Request(url, request)`, or in parts for a client of any kind. */
export interface SignedRequest {
  method: string
  url: string
  /** Names in lower case. */
  headers: Record<string, string>
  body: Buffer<ArrayBuffer>
}

const RULES: Readonly<Record<string, Rule>> = { secret: 'string', messageId: 'string', method: 'string', url: 'string' }

/**
 * Signs a body as the provider does. An object is sent as JSON, `URLSearchParams` as a form, text and bytes as they are; where the
 * provider writes the time or the signature into the body, that is JSON and written anew.
 *
 * @throws SurehookError when the secret cannot sign, or the provider would not send this
 */
export function signed(provider: string | WebhookScheme, body: unknown, options: SigningOptions): SignedRequest {
  checkOptions(options, RULES)
  const { method = 'POST', url = 'http://localhost/', messageId = `msg_${randomUUID().replaceAll('-', '')}`, timestamp } = options
  const [bytes, contentType] = encoded(body)
  const own = toObject(flatten(options.headers))
  const headers = { ...(contentType !== null && { 'content-type': contentType }), ...own }
  const [base = '', query = ''] = url.split('?', 2)
  const settings = {
    ...signerOf(typeof provider === 'object' ? { scheme: provider } : { provider }),
    secret: options.secret,
    method,
    query,
    headers: pack(Object.entries(headers).flat()),
    messageId,
    ...(options.url !== undefined && { url: base }),
    ...(timestamp !== undefined && { timestampMs: millisecondsOf(timestamp, 'timestamp') }),
  }
  const request = translated(() => native().sign(settings as NativeSignOptions, bytes))
  const { query: sent, body: bytesSent } = request
  const target = sent === '' ? base : `${base}?${sent}`
  return { method, url: target, headers: { ...headers, ...toObject(request.headers) }, body: bytesSent as Buffer<ArrayBuffer> }
}

/** The bytes of a body and its content type. */
function encoded(body: unknown): [bytes: Buffer, contentType: string | null] {
  if (body instanceof URLSearchParams) return [Buffer.from(body.toString()), 'application/x-www-form-urlencoded']
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : asBuffer(body)
    return [bytes, parseJson(bytes) === NOT_JSON ? null : 'application/json']
  }
  try {
    const json = JSON.stringify(body) as string | undefined
    if (json !== undefined) return [Buffer.from(json), 'application/json']
  } catch {
    // Told below.
  }
  throw invalid('body', `it must be bytes, text, URLSearchParams or what JSON can say, not ${kind(body)}`)
}

function millisecondsOf(time: unknown, option: string): number {
  const milliseconds = types.isDate(time) ? time.getTime() : time
  if (typeof milliseconds === 'number' && Number.isFinite(milliseconds)) return Math.trunc(milliseconds)
  throw invalid(option, `it must be a valid Date or milliseconds, not ${kind(time)}`)
}
