import { kind } from './checks'
import { describeForLog } from './failure'
import { toObject } from './headers'

/** What a verifier accepts, and what it knows of it. */
export interface AcceptedMessage {
  /** What names the message over its retries. */
  id?: string
  /** Who sent it, where several senders come to one endpoint: their messages are told apart by it. */
  sender?: string
}

/**
 * Verifies a request in place of the provider's rule. It gets the raw bytes and the headers with lower-case names, and
 * answers, at once or by a promise: `true` accepts, a text accepts and names the message over its retries, an object does that
 * and may name the sender, `false` refuses. Anything else refuses too, and so does whatever it throws.
 */
export type SignatureVerifier<Req = unknown> = (
  request: Req,
  body: Buffer,
  headers: Record<string, string>,
) => Said | Promise<Said>

type Said = boolean | string | AcceptedMessage

/** What a verifier said; `null`: it failed, for a reason that only the log is told. */
export interface CustomVerdict {
  readonly verdict: Said | null
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
    const named = acceptedOf(said)
    if (named) return { verdict: named }
    const got = said === '' ? 'an empty text' : kind(said)
    return { verdict: null, fault: `signatureVerifier must answer true, false, the message's name, or an object with id and sender, not ${got}` }
  } catch (error) {
    return { verdict: null, fault: `signatureVerifier threw ${describeForLog(error)}` }
  }
}

/** The object that a verifier answered, if it names something; without members that it left out. */
function acceptedOf(said: unknown): AcceptedMessage | undefined {
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return undefined
  const members = Object.entries(said).filter(([, value]) => value !== undefined && value !== null)
  const known = members.every(([name, value]) => (name === 'id' || name === 'sender') && typeof value === 'string' && value !== '')
  return known && members.length > 0 ? Object.fromEntries(members) : undefined
}
