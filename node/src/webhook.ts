import { checkOptions, invalid, kind, millisecondsOf } from './checks'
import { BodyNotJsonError, WebhookVerificationError } from './errors'
import type { HeadersLike } from './headers'
import { keyList, secretList } from './secrets'
import { buildVerifier, check, sign, textOf, type Payload } from './verifier'
import type { Verifier } from '../native/binding'

/** What a {@link Webhook} is made with beside its secret. */
export interface WebhookClassOptions {
  /** The secret is the key itself: its bytes, or a text of which each character is one byte. */
  format?: 'raw'
}

/** What {@link Webhook.verify} takes beside the request. */
export interface WebhookVerifyOptions {
  /** Whether the parsed body is returned; on by default. */
  jsonParse?: boolean
  /**
   * Looks for the cause of each refusal: up to 5 ms, so leave it off where strangers can send requests. By default a process
   * looks for five a second at most.
   */
  diagnose?: boolean
  /**
   * When a message that waited in a queue was received, by the queue's own metadata, never by the message: its age is counted to
   * that time, which is at most 96 hours ago.
   */
  receivedAt?: Date
}

/**
 * Verifies and signs the webhooks of one Standard Webhooks sender (Svix, Clerk and others), like the class of that name in
 * `svix` and `standardwebhooks`.
 *
 * ```ts
 * const event = new Webhook(process.env.CLERK_WEBHOOK_SIGNING_SECRET).verify(rawBody, request.headers)
 * ```
 */
export class Webhook {
  readonly #verifier: Verifier

  /** @throws SurehookError when the secret is missing or cannot be used */
  constructor(secret: string | Uint8Array | readonly (string | Uint8Array)[] | undefined, options: WebhookClassOptions = {}) {
    checkOptions(options, { format: ['raw'] })
    const provider = 'standard-webhooks'
    const secrets = options.format === 'raw' ? keyList({ provider }, secret, 'secret') : secretList({ provider }, secret, 'secret')
    this.#verifier = buildVerifier({ provider, secrets })
  }

  /**
   * Returns the parsed body of a webhook whose signature is right; nothing when the body is empty, or `jsonParse` is off.
   *
   * @throws WebhookVerificationError when it is not
   * @throws BodyNotJsonError, a SyntaxError, when it is, but the body is no JSON
   */
  verify(payload: Payload, headers: HeadersLike, options: WebhookVerifyOptions = {}): unknown {
    const { jsonParse = true, diagnose = false, receivedAt } = options
    const rejection = check(this.#verifier, payload, headers, diagnose, millisecondsOf(receivedAt, 'receivedAt'))
    if (rejection) throw new WebhookVerificationError(rejection)
    if (!jsonParse) return undefined
    const text = textOf(payload)
    return text === '' ? undefined : parsed(text)
  }

  /**
   * The signature of a message as its sender writes it, `v1,…`.
   *
   * @throws SurehookError for an id, a time or a body that {@link verify} refuses whoever signed it
   */
  sign(msgId: string, timestamp: Date, payload: Payload): string {
    if (typeof msgId !== 'string') throw invalid('msgId', `it must be text, not ${kind(msgId)}`)
    const at = millisecondsOf(timestamp, 'timestamp')
    if (at === undefined) throw invalid('timestamp', 'it must be a valid Date, not undefined')
    return sign(this.#verifier, msgId, at, payload)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own words would repeat a part of the body.
    throw new BodyNotJsonError('the signature is right, but the body is no JSON')
  }
}
