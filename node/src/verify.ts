import type { Verifier, VerifierOptions } from '../native/binding'
import { checkOptions, millisecondsOf, type Rule } from './checks'
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
  /**
   * When a message that waited in a queue was received, by the queue's own metadata, never by the message: its age is counted to
   * that time, which is at most 96 hours ago.
   */
  receivedAt?: Date
  /**
   * Looks for the cause of each refusal: up to 5 ms, so leave it off where strangers can send requests. By default a process
   * looks for five a second at most.
   */
  diagnose?: boolean
}

/** What {@link verify} found; the timestamp is `null` where the provider signs none. */
export type VerifyResult =
  | { readonly ok: true; readonly messageId: string; readonly timestamp: Date | null }
  | ({ readonly ok: false } & Rejection)

const RULES: Readonly<Record<string, Rule>> = { method: 'string', url: 'string', toleranceSeconds: 'number', maxBodyBytes: 'number', diagnose: 'boolean' }

/**
 * Verifies one request and says why it is refused; it never throws for what a sender sent.
 *
 * @throws SurehookError when the provider, the scheme, the secret or another option cannot be used
 */
export function verify(options: VerifyOptions): VerifyResult {
  checkOptions(options, RULES)
  const { body, headers, method = 'POST', now, receivedAt, diagnose = false } = options
  const [url, query] = splitUrl(options.url)
  const verdict = inspect(verifierFor(options, url), `${method} ${query}`, body, headers, { now: millisecondsOf(now, 'now'), receivedAt: millisecondsOf(receivedAt, 'receivedAt') }, diagnose)
  if (verdict.rejection) return { ok: false, ...verdict.rejection }
  const { messageId, timestampMs } = verdict
  return { ok: true, messageId, timestamp: timestampMs === null ? null : new Date(timestampMs) }
}

function verifierFor(options: VerifyOptions, url: string | undefined): Verifier {
  const { toleranceSeconds, maxBodyBytes } = options
  const signer = signerOf(options)
  const secrets = secretList(options, options.secret, 'secret')
  return buildVerifier({ ...signer, secrets, url, toleranceSeconds, maxBodyBytes } as VerifierOptions)
}

/** The URL without its query, and the query with its question mark. */
function splitUrl(url: string | undefined): [url: string | undefined, query: string] {
  const at = url?.indexOf('?') ?? -1
  return url === undefined || at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)]
}
