import { types } from 'node:util'

import type { Verifier, VerifierOptions } from '../native/binding'
import { checkOptions, invalid, kind, type Rule } from './checks'
import type { Rejection } from './errors'
import type { HeadersLike } from './headers'
import { signerOf, type WebhookScheme } from './scheme'
import { secretList } from './secrets'
import { buildVerifier, inspect, type Payload, type VerifierLimits } from './verifier'

/** What {@link verify} takes: who signs, by name or by a scheme of your own, and the request. */
export type VerifyOptions = VerifyRequest & ({ provider: string; scheme?: undefined } | { scheme: WebhookScheme; provider?: undefined })

interface VerifyRequest extends VerifierLimits {
  secret: string | readonly string[] | undefined
  body: Payload
  headers: HeadersLike
  /** The HTTP method; `POST` by default. */
  method?: string
  /** The public URL with its query, as the provider called it; for providers that sign it. */
  url?: string
  /** The time to compare with; now by default. */
  now?: Date
}

/** What {@link verify} found; the timestamp is `null` where the provider signs none. */
export type VerifyResult =
  | { readonly ok: true; readonly messageId: string; readonly timestamp: Date | null }
  | ({ readonly ok: false } & Rejection)

const RULES: Readonly<Record<string, Rule>> = { method: 'string', url: 'string', toleranceSeconds: 'number', maxBodyBytes: 'number' }

/** Verifiers of the last few secrets, so that only the first call pays for reading one. */
const recent = new Map<string, Verifier>()
const RECENT = 32

/**
 * Verifies one request and says why it is refused; it never throws for what a sender sent.
 *
 * @throws SurehookError when the provider, the scheme, the secret or another option cannot be used
 */
export function verify(options: VerifyOptions): VerifyResult {
  checkOptions(options, RULES)
  const { body, headers, method = 'POST', now } = options
  const [url, query] = splitUrl(options.url)
  const verdict = inspect(verifierFor(options, url), `${method} ${query}`, body, headers, millisecondsOf(now))
  if (verdict.rejection) return { ok: false, ...verdict.rejection }
  const { messageId, timestampMs } = verdict
  return { ok: true, messageId, timestamp: timestampMs === null ? null : new Date(timestampMs) }
}

function verifierFor(options: VerifyOptions, url: string | undefined): Verifier {
  const { toleranceSeconds, maxBodyBytes } = options
  const signer = signerOf(options)
  const secrets = secretList(options, options.secret, 'secret')
  const key = JSON.stringify([signer, secrets, url, String(toleranceSeconds), String(maxBodyBytes)])
  const known = recent.get(key)
  if (known) return known
  const verifier = buildVerifier({ ...signer, secrets, url, toleranceSeconds, maxBodyBytes } as VerifierOptions)
  if (recent.size === RECENT) recent.clear()
  recent.set(key, verifier)
  return verifier
}

/** The URL without its query, and the query with its question mark. */
function splitUrl(url: string | undefined): [url: string | undefined, query: string] {
  const at = url?.indexOf('?') ?? -1
  return url === undefined || at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)]
}

function millisecondsOf(now: unknown): number | undefined {
  if (now === undefined) return undefined
  if (!types.isDate(now) || Number.isNaN(now.getTime())) throw invalid('now', `it must be a valid Date, not ${kind(now)}`)
  return now.getTime()
}
