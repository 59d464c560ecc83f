import { invalid, kind } from './checks'
import { withCoreNames } from './names'

/** Where a message says something of itself: in a header, or in the JSON body (several values are joined). */
export type Place = { header: string } | { body: readonly string[] }

/** Where the signature is. */
export type SignaturePlace =
  /** The value of a header, behind a prefix such as `sha256=`. */
  | { header: string; prefix?: string }
  /** In a header that is a list of `key=value`: every value of this key is a candidate. */
  | { header: string; pairs: { separator: string; key: string } }
  /** In headers with numbered names: `NAME1` to `NAME<most>`. */
  | { numberedHeader: string; most: number }
  /** In the JSON body, at a dotted path. */
  | { body: string }
  /** Beside the id and the time, as Standard Webhooks does it; a request uses one family. */
  | { families: readonly { id: string; timestamp: string; signature: string }[] }

/** Where the time of signing is, and how it is written. A family has it in a header of its own: leave the place out there. */
export type TimestampRule = ({ header: string } | { pair: string } | { body: string } | object) & {
  unit?: 'seconds' | 'milliseconds' | 'rfc3339'
  /** By how much it may be off; 300 by default, `null`: its age is not checked unless the endpoint sets a tolerance. */
  toleranceSeconds?: number | null
}

/** The values, by their paths in the JSON body, that tell a question of the provider from an event. */
type When = Readonly<Record<string, string | number | boolean | null>>

/** What the provider asks of an endpoint before it sends events, and what it is answered. */
export type Handshake =
  | { kind: 'echo'; when: When; field: string }
  | { kind: 'hmac'; when: When; field: string }
  | { kind: 'reply'; when: When; status?: number; body?: unknown }
  | { kind: 'subscribe' }

/**
 * How a sender that is no provider of the table signs: the same members as a row of `docs/providers.md`, no code.
 *
 * ```ts
 * const scheme: WebhookScheme = {
 *   provider: 'acme', secret: 'utf8', algorithm: 'hmac_sha256', encoding: 'hex',
 *   signature: { header: 'X-Acme-Signature', prefix: 'sha256=' },
 *   timestamp: { header: 'X-Acme-Time' }, content: '{timestamp}.{body}',
 * }
 * ```
 */
export interface WebhookScheme {
  /** The sender's name: on the dashboard, and the endpoint's name by default. */
  provider: string
  /** The name that people read. */
  title?: string
  /** The sender's own page about its signatures. */
  docs?: string
  /** Environment variables that hold the secret, in the order they are tried. */
  secretEnv?: readonly string[]
  /** How the secret's text becomes a key. The secret itself is given beside the scheme. */
  secret: 'standard' | 'standard_or_utf8' | 'utf8' | 'base64' | 'hex' | 'ed25519_hex' | 'p256_spki'
  /** How it signs; `token`: not at all, it sends the secret itself. */
  algorithm: 'standard' | 'hmac_sha256' | 'hmac_sha1' | 'hmac_sha512' | 'ed25519' | 'ecdsa_p256' | 'token'
  /** How the signature is written; `hex` by default. */
  encoding?: 'hex' | 'base64'
  /** Where the signature is. */
  signature: SignaturePlace
  /**
   * What is signed: text and `{id}` `{timestamp}` `{body}` `{url}` `{method}` `{params}` `{field:PATH}`. Of several fields only
   * the one that is written `{free:PATH}`, else the last, may contain the texts between them.
   */
  content: string
  /** When it was signed, where the sender says so. */
  timestamp?: TimestampRule
  /** What names a message over its retries; the hash of its body where there is nothing. */
  messageId?: Place
  /** Where the event type is. */
  eventType?: Place
  /** Where the JSON body names the action of an event whose type is in a header, as a dotted path. */
  eventAction?: string
  /** The event types of a header. Where neither it nor the id is signed, only these tell one message from another. */
  eventTypes?: readonly string[]
  /** Where the id of the entity is in the JSON body, as a dotted path; several parted by `|` are tried in their order. */
  entityId?: string
  /** The largest body it sends; 1 MiB by default. */
  maxBodyBytes?: number
  /** Whether a retry repeats the same bytes. */
  constantBody?: boolean
  /** What it does with an endpoint that does not answer 2xx; `disable`: it sends nothing any more after so many answers in a row. */
  retry?: { disable?: number }
  /** What it sends as HTML forms: events, or also the fields that the scheme reads of the body, each the member of its last name. */
  forms?: 'events' | 'fields'
  /** Whether the body is signed before it is compressed for the way (gzip or deflate, told by `content-encoding`). */
  signedBeforeCompression?: boolean
  /** In which form the URL is signed: the characters whose escapes are decoded, and whether both with and without its port. */
  url?: { decoded?: string; eitherPort?: boolean }
  /** What it asks of an endpoint first. */
  handshake?: Handshake
  /** What a user should know of it. */
  note?: string
}

/** Who signs, as the native side takes it. */
export type Signer = { provider: string; scheme?: never } | { provider?: never; scheme: string }

/** Reads who signs from the options: a provider's name, or a scheme of the user's own. */
export function signerOf({ provider, scheme }: { provider?: unknown; scheme?: unknown }): Signer {
  if (scheme === undefined) {
    if (typeof provider === 'string') return { provider }
    throw invalid('provider', `it must be the name of a provider, like 'clerk', not ${kind(provider)}`)
  }
  if (provider !== undefined) throw invalid('scheme', 'give it or provider, not both: a scheme names its provider itself')
  return { scheme: toJson(scheme) }
}

/** The JSON of a row of the core's table. Names of headers, paths and values are the user's and stay as they are. */
function toJson(scheme: unknown): string {
  if (typeof scheme !== 'object' || scheme === null || Array.isArray(scheme)) {
    throw invalid('scheme', `it must be an object, not ${kind(scheme)}`)
  }
  try {
    const row = withCoreNames(scheme)
    for (const member of ['signature', 'timestamp', 'url']) {
      const rule = row[member]
      if (typeof rule === 'object' && rule !== null && !Array.isArray(rule)) row[member] = withCoreNames(rule)
    }
    return JSON.stringify(row)
  } catch {
    throw invalid('scheme', 'it must be plain data: texts, numbers, lists and objects without a cycle')
  }
}
