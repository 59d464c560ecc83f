import { kind } from './checks'
import { describeForLog } from './failure'
import { toObject } from './headers'

/**
 * Verifies a request in place of the provider's rule. It gets the raw bytes and the headers with lower-case names, and
 * answers, at once or by a promise: `true` accepts, a text accepts and names the message over its retries, `false` refuses.
 * Anything else refuses too, and so does whatever it throws.
 */
export type SignatureVerifier<Req = unknown> = (
  request: Req,
  body: Buffer,
  headers: Record<string, string>,
) => boolean | string | Promise<boolean | string>

/** What a verifier said; `null`: it failed, for a reason that only the log is told. */
export interface CustomVerdict {
  readonly verdict: boolean | string | null
  readonly fault?: string
}

/** Asks the user's verifier. It never throws. */
export async function ask<Req>(
  verifier: SignatureVerifier<Req>,
  request: Req,
  body: Buffer,
  headers: readonly string[],
): Promise<CustomVerdict> {
  try {
    const said: unknown = await verifier(request, body, toObject(headers))
    if (typeof said === 'boolean' || (typeof said === 'string' && said !== '')) return { verdict: said }
    const got = said === '' ? 'an empty text' : kind(said)
    return { verdict: null, fault: `signatureVerifier must answer true, false or the message's name, not ${got}` }
  } catch (error) {
    return { verdict: null, fault: `signatureVerifier threw ${describeForLog(error)}` }
  }
}
