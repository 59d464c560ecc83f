import type { Verifier } from '../native/binding'
import { asBuffer } from './body'
import { translated, type Rejection } from './errors'
import { packAny, type HeadersLike } from './headers'
import { native } from './native'
import { secretList, textOption } from './options'
import { schemeJson, type WebhookScheme } from './scheme'

/** The raw body of a request: its bytes, or the text they stand for. */
export type Payload = string | Uint8Array

/** Whose signatures a verifier checks, and what it lets pass. */
export interface VerifierOptions {
  /** Who sent it: a provider of `docs/providers.md`. Either this or `scheme`. */
  provider?: string
  /** A scheme of your own. */
  scheme?: WebhookScheme
  /** The public URL that was called, with its query, for providers that sign it. */
  url?: string
  /** By how much the signed time may be off: 1 to 3600 s; the provider's own rule by default. */
  toleranceSeconds?: number
  /** The largest body that is accepted; the provider's documented maximum by default. */
  maxBodyBytes?: number
}

/** A verifier; the secret is looked at now, not with the first webhook. */
export function buildVerifier(secret: unknown, options: VerifierOptions): Verifier {
  const { provider, scheme, url, toleranceSeconds, maxBodyBytes } = options
  const settings = {
    ...textOption('provider', provider),
    ...(scheme !== undefined && { scheme: schemeJson(scheme) }),
    secrets: secretList(provider ?? '', secret, 'secret'),
    ...textOption('url', typeof url === 'string' ? url.split('?', 1)[0] : url),
    ...(toleranceSeconds !== undefined && { toleranceSeconds }),
    ...(maxBodyBytes !== undefined && { maxBodyBytes }),
  }
  return translated(() => new (native().Verifier)(settings))
}

/** What one check found. */
export type Verdict =
  | { readonly rejection: Rejection }
  | { readonly rejection: null; readonly messageId: string; readonly timestampMs: number | null }

/** Checks one request, and says why it is refused. */
export function check(verifier: Verifier, payload: unknown, headers: HeadersLike): Rejection | null {
  return verifier.check(rawBytes(payload), packAny(headers)) as Rejection | null
}

/** Checks one request line (`POST /path?query`) at some time, and says what was found. */
export function inspect(verifier: Verifier, line: string, payload: unknown, headers: HeadersLike, now?: number): Verdict {
  return verifier.verify(line, packAny(headers), rawBytes(payload), now) as Verdict
}

/** A payload that is neither bytes nor text was parsed before, so its raw bytes are gone. */
function rawBytes(payload: unknown): Buffer | null {
  if (typeof payload === 'string') return Buffer.from(payload)
  return payload instanceof Uint8Array ? asBuffer(payload) : null
}
