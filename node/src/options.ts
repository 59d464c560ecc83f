import type { EndpointOptions as NativeOptions } from '../native/binding'
import { SurehookError } from './errors'
import { native } from './native'

/** How one webhook route is guarded. Only the provider, and its secret in the environment, are needed. */
export interface WebhookOptions<Req = unknown> {
  /** Who sends the webhooks: `clerk`, `svix`, `standard-webhooks`. */
  provider: string
  /** The signing secret, or several while one is being rotated; the provider's environment variable otherwise. */
  signatureSecret?: string | readonly string[] | undefined
  /** Where the event type is in the JSON body, as a dotted path; the provider's place otherwise. */
  eventTypeField?: string
  /**
   * Names what may be handled only once; the provider's message id otherwise, also where this returns nothing.
   * It gets the parsed JSON body (the raw bytes where it is no JSON) and the headers with lower-case names, and runs
   * only after the signature was found right.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the body is the sender's; only the user knows its type
  idempotencyKey?: (request: Req, body: any, headers: Record<string, string>) => string | null | undefined
  /** The endpoint's name on the dashboard; the provider's name otherwise. */
  name?: string
  /** By how much the signed time may be off: 1 to 3600 s, 300 s by default. */
  toleranceSeconds?: number
  /** The largest body that is accepted; the provider's documented maximum otherwise. */
  maxBodyBytes?: number
  /** What refuses a request: 401 (default) or 400. */
  rejectStatus?: 400 | 401
  /** Where handled messages are remembered: `memory://` (default) or `off`. */
  dedup?: string
  /** For how long they are remembered; 96 h by default. */
  dedupTtlSeconds?: number
  /** Whether a 2xx without `processed()` is a silent drop. */
  requireProcessingMark?: boolean
  /** The steps a handler must record, by event type: `{ 'user.*': ['create_profile'] }`. */
  steps?: Readonly<Record<string, readonly string[]>>
  /** Event types nothing is expected of: `['session.*']`. */
  ignore?: readonly string[]
  /** What a silent drop does: leave the answer alone (`report`, default) or turn it into a 500 (`retry`). */
  onSilentDrop?: 'report' | 'retry'
  /** What is done when an id comes again with another body. */
  onIdReuse?: 'replay' | 'handle' | 'reject'
  /** `off` lets everything through unchecked, and says so in the log. */
  verification?: 'on' | 'off'
}

/** The options as the native side takes them. */
export function toNative(options: WebhookOptions<never>): NativeOptions {
  const { provider, signatureSecret, idempotencyKey, steps, ignore, ...rest } = options
  if (typeof provider !== 'string') {
    throw invalid('provider', `it must be the name of a provider, like 'clerk', not ${kind(provider)}`)
  }
  if (idempotencyKey !== undefined && typeof idempotencyKey !== 'function') {
    throw invalid('idempotencyKey', `it must be a function, not ${kind(idempotencyKey)}`)
  }
  return {
    ...rest,
    provider,
    secrets: signatureSecret === undefined ? [] : secretList(provider, signatureSecret, 'signatureSecret'),
    ...(ignore && { ignore: [...ignore] }),
    ...(steps && { steps: Object.fromEntries(Object.entries(steps).map(([type, names]) => [type, [...names]])) }),
  }
}

/** One or several secrets as a list. What is no text is refused by name, before anything else looks at it. */
export function secretList(provider: string, secret: unknown, option: string): string[] {
  const list: unknown[] = Array.isArray(secret) ? secret : [secret]
  if (list.length === 0) throw missing(provider, option, 'an empty list')
  return list.map((one) => {
    if (typeof one !== 'string') throw missing(provider, option, kind(one))
    return one
  })
}

function missing(provider: string, option: string, got: string): SurehookError {
  const variables = native().secretVariables(provider)
  const usual = variables[0] === undefined ? '' : `: usually process.env.${variables[0]}, which must then be set`
  return new SurehookError(
    'secret_missing',
    `${option} must be the signing secret as text, or a list of them, not ${got}${usual}`,
    { option, variables },
  )
}

function invalid(option: string, fault: string): SurehookError {
  return new SurehookError('invalid_option', `the option ${option} cannot be used: ${fault}`, { option })
}

function kind(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
}
