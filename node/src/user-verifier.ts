import { toObject } from './headers'
import { log } from './logger'
import type { SignatureVerifier } from './options'

/** What a verifier said; `null`: it failed, which refuses too. */
export type Verdict = boolean | string | null

/** Calls a user's verifier. What it throws is logged and refuses the request; no sender learns of it. */
export class UserVerifier<Req> {
  readonly #function: SignatureVerifier<Req>

  constructor(verifier: SignatureVerifier<Req>) {
    this.#function = verifier
  }

  async check(endpoint: string, request: Req, body: Uint8Array, headers: readonly string[]): Promise<Verdict> {
    try {
      const said: unknown = await this.#function(request, body, toObject(headers))
      if (typeof said === 'boolean' || (typeof said === 'string' && said !== '')) return said
      const got = said === '' ? 'an empty text' : said === null ? 'null' : `a value of type ${typeof said}`
      log('error', `${endpoint}: signatureVerifier returned ${got}, not true, false or the message's name: the request is refused`)
    } catch (error) {
      const kind = error instanceof Error ? error.name : typeof error
      log('error', `${endpoint}: signatureVerifier threw (${kind}): the request is refused`)
    }
    return null
  }
}
