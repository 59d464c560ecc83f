import { SurehookError } from './errors'

/** Where a value of a message is: in a header, or at dotted paths of the JSON body. */
export type WebhookPlace = { header: string } | { body: readonly string[] }

/** How a provider signs: a scheme of your own, in the words of `docs/custom-schemes.md`. */
export interface WebhookScheme {
  /** The provider's name on the dashboard. */
  provider: string
  title?: string
  docs?: string
  /** Environment variables that hold the secret. */
  secretEnv?: readonly string[]
  /** How the secret's text becomes a key. */
  secret: 'standard' | 'standard_or_utf8' | 'utf8' | 'base64' | 'hex' | 'ed25519_hex' | 'p256_spki'
  algorithm: 'standard' | 'hmac_sha256' | 'hmac_sha1' | 'hmac_sha512' | 'ed25519' | 'ecdsa_p256' | 'token'
  /** How the signature is written; `hex` by default. */
  encoding?: 'hex' | 'base64'
  /** Where the signature is. */
  signature:
    | { families: readonly { id: string; timestamp: string; signature: string }[] }
    | { header: string; prefix?: string }
    | { header: string; pairs: { separator: string; key: string } }
    | { numberedHeader: string; most?: number }
    | { body: string }
  /** What is signed: text with `{id}`, `{timestamp}`, `{body}`, `{url}`, `{method}`, `{params}`, `{field:PATH}`. */
  content: string
  /** When it was signed; a tolerance of `null`: its age is not checked. */
  timestamp?: {
    header?: string
    pair?: string
    body?: string
    unit?: 'seconds' | 'milliseconds' | 'rfc3339'
    toleranceSeconds?: number | null
  }
  messageId?: WebhookPlace
  eventType?: WebhookPlace
  entityId?: string
  maxBodyBytes?: number
  constantBody?: boolean
  note?: string
}

/** The scheme as the core reads it, in JSON: the same members with underscores. */
export function schemeJson(scheme: unknown): string {
  if (typeof scheme !== 'object' || scheme === null || Array.isArray(scheme)) {
    const kind = scheme === null ? 'null' : Array.isArray(scheme) ? 'a list' : `a value of type ${typeof scheme}`
    throw new SurehookError('invalid_option', `the option scheme cannot be used: it must be an object, not ${kind}`, { option: 'scheme' })
  }
  try {
    return JSON.stringify(underscored(scheme))
  } catch {
    throw new SurehookError('invalid_option', 'the option scheme cannot be used: it holds what JSON does not have', { option: 'scheme' })
  }
}

/** Values are left as they are: only the names of members differ between the languages. */
function underscored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(underscored)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([name, member]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), underscored(member)]))
}
