import type { Verifier } from '../native/binding'
import type { Rejection } from './errors'
import type { HeadersLike } from './headers'
import { buildVerifier, inspect, type Payload, type VerifierLimits } from './verifier'

/** What {@link verify} takes. */
export interface VerifyOptions extends VerifierLimits {
  /** Who sent it: `clerk`, `svix`, `standard-webhooks`. */
  provider: string
  secret: string | readonly string[] | undefined
  body: Payload
  headers: HeadersLike
  /** The time to compare with; now by default. */
  now?: Date
}

/** What {@link verify} found. */
export type VerifyResult =
  | { readonly ok: true; readonly messageId: string; readonly timestamp: Date }
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
  const { body, headers, now } = options
  const verdict = inspect(verifierFor(options), body, headers, now?.getTime())
  if (verdict.rejection) return { ok: false, ...verdict.rejection }
  return { ok: true, messageId: verdict.messageId, timestamp: new Date(verdict.timestampMs) }
}

function verifierFor(options: VerifyOptions): Verifier {
  const { provider, secret, toleranceSeconds, maxBodyBytes } = options
  const key = JSON.stringify([provider, secret, String(toleranceSeconds), String(maxBodyBytes)])
  const known = recent.get(key)
  if (known) return known
  const verifier = buildVerifier(provider, secret, options)
  if (recent.size === RECENT) recent.clear()
  recent.set(key, verifier)
  return verifier
}
