import type { Verifier, VerifierOptions } from '../native/binding'
import { asBuffer } from './body'
import { invalid, kind } from './checks'
import { translated, type Rejection } from './errors'
import { packAny, type HeadersLike } from './headers'
import { native } from './native'

/** The raw body of a request: its bytes, or the text they stand for. */
export type Payload = string | Uint8Array | ArrayBuffer

/** What a verifier lets pass. */
export interface VerifierLimits {
  /** By how much the signed time may be off: 1 to 3600 s; the provider's documented tolerance by default. */
  toleranceSeconds?: number
  /** The largest body that is accepted; the provider's documented maximum by default. */
  maxBodyBytes?: number
}

/** A verifier; the secret is looked at now, not with the first webhook. What was asked for before is not built again. */
export function buildVerifier(options: VerifierOptions): Verifier {
  return translated(() => new (native().Verifier)(options))
}

/** What one check found. */
export type Verdict =
  | { readonly rejection: Rejection }
  | { readonly rejection: null; readonly messageId: string; readonly timestampMs: number | null }

/** Checks one request, and says why it is refused. */
export function check(verifier: Verifier, payload: unknown, headers: HeadersLike, diagnose: boolean, receivedAt?: number): Rejection | null {
  return verifier.check(rawBytes(payload), packAny(headers), diagnose, receivedAt) as Rejection | null
}

/** The time to check at, and when the request was received if it waited in a queue since; in milliseconds. */
export interface Times {
  now: number | undefined
  receivedAt: number | undefined
}

/** Checks one request by its method and path (`POST /hook?a=1`) at some time, and says what was found. */
export function inspect(verifier: Verifier, line: string, payload: unknown, headers: HeadersLike, { now, receivedAt }: Times, diagnose: boolean): Verdict {
  return verifier.verify(line, packAny(headers), rawBytes(payload), now, receivedAt, diagnose) as Verdict
}

/** The signature of a message, as its sender writes it. */
export function sign(verifier: Verifier, messageId: string, timestampMs: number, payload: unknown): string {
  const body = rawBytes(payload)
  if (body === null) throw invalid('payload', `it must be bytes or text, not ${kind(payload)}`)
  return translated(() => verifier.sign(messageId, timestampMs, body))
}

/** The text of a payload that was checked. */
export function textOf(payload: Payload): string {
  return typeof payload === 'string' ? payload : (rawBytes(payload) as Buffer).toString()
}

/** A payload that is neither bytes nor text was parsed before, so its raw bytes are gone. */
function rawBytes(payload: unknown): Buffer | null {
  if (typeof payload === 'string') return Buffer.from(payload)
  if (payload instanceof Uint8Array) return asBuffer(payload)
  return payload instanceof ArrayBuffer ? Buffer.from(payload) : null
}
