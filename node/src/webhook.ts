import { NOT_JSON, parseJson } from './body'
import { SurehookError, WebhookVerificationError } from './errors'
import type { HeadersLike } from './headers'
import { secretList } from './secrets'
import { buildVerifier, check, type Payload } from './verifier'
import type { Verifier } from '../native/binding'

/**
 * Verifies the webhooks of one Standard Webhooks sender (Svix, Clerk and others), like the class of that name in
 * `svix` and `standardwebhooks`.
 *
 * ```ts
 * const event = new Webhook(process.env.CLERK_WEBHOOK_SIGNING_SECRET).verify(rawBody, request.headers)
 * ```
 */
export class Webhook {
  readonly #verifier: Verifier

  /** @throws SurehookError when the secret is missing or cannot be used */
  constructor(secret: string | readonly string[] | undefined) {
    const provider = 'standard-webhooks'
    this.#verifier = buildVerifier({ provider, secrets: secretList({ provider }, secret, 'secret') })
  }

  /**
   * Returns the parsed body of a webhook whose signature is right; nothing when the body is empty, or `jsonParse` is off.
   *
   * @throws WebhookVerificationError when it is not
   * @throws SurehookError `body_not_json` when it is, but the body is no JSON
   */
  verify(payload: Payload, headers: HeadersLike, { jsonParse = true }: { jsonParse?: boolean } = {}): unknown {
    const rejection = check(this.#verifier, payload, headers)
    if (rejection) throw new WebhookVerificationError(rejection)
    if (!jsonParse) return undefined
    const body = payload instanceof ArrayBuffer ? new Uint8Array(payload) : payload
    if (body.length === 0) return undefined
    const parsed = parseJson(body)
    if (parsed === NOT_JSON) throw new SurehookError('body_not_json', 'the signature is right, but the body is no JSON')
    return parsed
  }
}
