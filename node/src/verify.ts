import type { Verifier } from '../native/binding'
import type { Rejection } from './errors'
import type { HeadersLike } from './headers'
import { textOption } from './options'
import { buildVerifier, inspect, type Payload, type VerifierOptions } from './verifier'

/** What {@link verify} takes. */
export interface VerifyOptions extends VerifierOptions {
  secret: string | readonly string[] | undefined
  body: Payload
  headers: HeadersLike
  /** The HTTP method, for providers that sign it; `POST` by default. */
  method?: string
  /** The time to compare with; now by default. */
  now?: Date
}

/** What {@link verify} found. */
export type VerifyResult =
  | { readonly ok: true; readonly messageId: string; /** When it was signed, where its scheme says so. */ readonly timestamp: Date | null }
  | ({ readonly ok: false } & Rejection)

/** Verifiers of the last few secrets, so that only the first call pays for reading one. */
const recent = new Map<string, Verifier>()
const RECENT = 32

/**
 * Verifies one request and says why it is refused; it never throws for what a sender sent.
 *
 * @throws SurehookError when the provider, the secret or the tolerance cannot be used
 */
export function verify(options: VerifyOptions): VerifyResult {
  const { body, headers, now, url } = options
  const method = textOption('method', options.method).method ?? 'POST'
  const verdict = inspect(verifierFor(options), `${method} ${url ?? ''}`, body, headers, now?.getTime())
  if (verdict.rejection) return { ok: false, ...verdict.rejection, diagnosis: verdict.rejection.diagnosis ?? null }
  const { messageId, timestampMs } = verdict
  return { ok: true, messageId, timestamp: timestampMs === null ? null : new Date(timestampMs) }
}

function verifierFor(options: VerifyOptions): Verifier {
  const { provider, scheme, secret, url, toleranceSeconds, maxBodyBytes } = options
  const key = cacheKey([provider, scheme, secret, url, String(toleranceSeconds), String(maxBodyBytes)])
  if (key === undefined) return buildVerifier(secret, options)
  const known = recent.get(key)
  if (known) return known
  const verifier = buildVerifier(secret, options)
  if (recent.size === RECENT) recent.clear()
  recent.set(key, verifier)
  return verifier
}

/** Nothing for what JSON does not have: the options then say themselves what is wrong with it. */
function cacheKey(parts: unknown[]): string | undefined {
  try {
    return JSON.stringify(parts)
  } catch {
    return undefined
  }
}
