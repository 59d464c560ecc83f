import type { EndpointOptions as NativeOptions } from '../native/binding'
import { checkOptions, invalid, isTextList, kind, type Rule } from './checks'
import type { SignatureVerifier } from './custom-verifier'
import { signerOf, type WebhookScheme } from './scheme'
import type { SecretFunction } from './secret-function'
import { givenSecrets } from './secrets'
import { packageName } from './service'
import { checkStore, type TransactionStore } from './store'
import type { TracingMode } from './tracing'
import { workers } from './workers'

/** How one webhook route is guarded. Only the provider, and its secret in the environment, are needed. */
export type WebhookOptions<Req = unknown> = GuardOptions<Req> & (ByProvider | ByScheme)

interface ByProvider {
  /** Who sends the webhooks: `clerk`, `stripe`, `github` and the others of `docs/providers.md`. */
  provider: string
  scheme?: undefined
}

interface ByScheme {
  /** How a sender signs that is no provider of the table. */
  scheme: WebhookScheme
  provider?: undefined
}

interface GuardOptions<Req> {
  /**
   * The signing secret, or several while one is being rotated; the provider's environment variable otherwise. Whether it can be
   * used matters when a request comes: until there is one that can, the answer is 503. Or a function that gives those of a request
   * (tenants), within 2 s; no environment variable then stands in.
   */
  signatureSecret?: string | readonly string[] | SecretFunction | undefined
  /** Verifies in place of the provider's rule. The provider then only tells where id and event type are. */
  signatureVerifier?: SignatureVerifier<Req>
  /**
   * The endpoint's public URL without its query, or several of which one was called; for providers that sign it (Twilio, Square,
   * HubSpot). A `{name}` stands for one segment of the request's path.
   */
  url?: string | readonly string[] | undefined
  /** The token that you chose for Meta's subscription request; the route must then answer GET too. */
  verifyToken?: string | undefined
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
  /** By how much the signed time may be off: 1 to 3600 s; the provider's documented tolerance otherwise. */
  toleranceSeconds?: number
  /** The largest body that is accepted; the provider's documented maximum otherwise. */
  maxBodyBytes?: number
  /** What refuses a request: 401 (default) or 400. */
  rejectStatus?: 400 | 401
  /**
   * Where handled messages are remembered: `memory://` (default, one process), `sqlite:///path` (the processes of one host),
   * `redis://…`, `rediss+cluster://…`, `postgres://…` (several hosts), or `off`. `docs/dedup.md` has them all.
   */
  dedup?: string
  /** The application's own database in place of `dedup`: the handler's work and the memory of it are one transaction. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a transaction is, only the store knows
  store?: TransactionStore<any>
  /**
   * Keeps the application's messages apart from those of others in the same store; `SUREHOOK_NAMESPACE` otherwise, then
   * `?namespace=` of the store's URL, then the `service` of `init`.
   */
  namespace?: string
  /** For how long they are remembered: at least twice the tolerance; 96 h by default. */
  dedupTtlSeconds?: number
  /** While another attempt handles the message: a 409 (`answer`, default), or wait for its answer (`wait`), up to 10 s. */
  onInFlight?: 'answer' | 'wait'
  /** When the store cannot be asked: a 503 (`reject`, default), or the handler without de-duplication (`process`). */
  onStoreError?: 'reject' | 'process'
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
  /**
   * What is done with an identical message under another id, where the provider does not sign the id: `duplicate` (default)
   * answers from the store and reports it; `handle` makes the id a part of the key.
   */
  onUnsignedId?: 'duplicate' | 'handle'
  /**
   * Tells the collector the bodies too, credentials taken out: `true`, or the dotted paths of JSON that are taken out
   * (`['data.email_addresses']`), or `{ keep, remove }`. Off by default.
   */
  captureBody?: boolean | readonly string[] | CapturedPaths
  /**
   * Where the application has OpenTelemetry's API: a span for each request, linked to the sender's trace (`link`, default), as a
   * part of it (`parent`), or none (`off`).
   */
  tracing?: TracingMode
  /**
   * Sends what was recorded before the answer, within 2 s: for platforms that stop the CPU once a function has answered, and wait for
   * nothing after that (Google Cloud Functions, Cloud Run without "CPU always allocated"). Off by default.
   */
  flushBeforeResponse?: boolean
  /** `off` lets everything through unchecked, and says so in the log. */
  verification?: 'on' | 'off'
}

/** The dotted paths of JSON bodies that are told: all of them when `keep` is absent, but for those in `remove`. */
export interface CapturedPaths {
  keep?: readonly string[]
  remove?: readonly string[]
}

const RULES: Readonly<Record<string, Rule>> = {
  signatureVerifier: 'function',
  verifyToken: 'string',
  eventTypeField: 'string',
  idempotencyKey: 'function',
  name: 'string',
  namespace: 'string',
  toleranceSeconds: 'number',
  maxBodyBytes: 'number',
  rejectStatus: 'number',
  dedup: 'string',
  dedupTtlSeconds: 'number',
  requireProcessingMark: 'boolean',
  flushBeforeResponse: 'boolean',
  ignore: 'list',
  onSilentDrop: ['report', 'retry'],
  onIdReuse: ['replay', 'handle', 'reject'],
  onUnsignedId: ['duplicate', 'handle'],
  onInFlight: ['answer', 'wait'],
  onStoreError: ['reject', 'process'],
  tracing: ['link', 'parent', 'off'],
  verification: ['on', 'off'],
}

/** The options as the native side takes them. */
export function toNative(options: WebhookOptions<never>): Omit<NativeOptions, 'traced'> {
  checkOptions(options, RULES)
  const { provider, scheme, signatureSecret, signatureVerifier, url, steps, ignore, store, captureBody, ...rest } = options
  if (signatureVerifier && signatureSecret !== undefined) {
    throw invalid('signatureSecret', 'nothing would use it: signatureVerifier verifies')
  }
  if (store !== undefined) checkStore(store)
  if (store && options.dedup !== undefined) throw invalid('dedup', 'nothing would use it: store remembers')
  const here = workers()
  const found = packageName()
  const signer = signerOf({ provider, scheme })
  const captured = capturedBy(captureBody)
  return {
    ...(rest as Partial<NativeOptions>),
    ...signer,
    ...(typeof signatureSecret === 'function' ? { secrets: [] } : givenSecrets(options, signatureSecret)),
    secretFunction: typeof signatureSecret === 'function',
    customVerifier: signatureVerifier !== undefined,
    ...(url !== undefined && { url: urlsOf(url) }),
    ...(store && { store: store.kind }),
    ...(here && { workers: here }),
    ...(found !== undefined && { package: found }),
    ...(captured && { captureBody: captured }),
    ...(ignore && { ignore: [...ignore] }),
    ...(steps !== undefined && { steps: stepsOf(steps) }),
  }
}

function urlsOf(url: unknown): string[] {
  const urls: unknown = typeof url === 'string' ? [url] : url
  if (!isTextList(urls)) throw invalid('url', `it must be text or a list of texts, not ${kind(url)}`)
  return [...urls]
}

function stepsOf(steps: unknown): Record<string, string[]> {
  if (typeof steps !== 'object' || steps === null || Array.isArray(steps)) throw invalid('steps', `it must be an object, not ${kind(steps)}`)
  const entries = Object.entries(steps).map(([type, names]: [string, unknown]): [string, string[]] => {
    if (!isTextList(names)) throw invalid('steps', `an event type must have a list of names, not ${kind(names)}`)
    return [type, [...names]]
  })
  return Object.fromEntries(entries)
}

function capturedBy(captureBody: unknown): { keep: string[]; remove: string[] } | undefined {
  if (captureBody === undefined || captureBody === false) return undefined
  if (captureBody === true) return { keep: [], remove: [] }
  if (isTextList(captureBody)) return { keep: [], remove: [...captureBody] }
  const { keep = [], remove = [] } = isPlain(captureBody) ? captureBody : { keep: null }
  if (isTextList(keep) && isTextList(remove)) return { keep: [...keep], remove: [...remove] }
  const what = typeof captureBody === 'object' ? 'this' : kind(captureBody)
  throw invalid('captureBody', `it must be true, a list of paths to take out, or lists named keep and remove, not ${what}`)
}

/** An object with no other members than those of {@link CapturedPaths}. */
function isPlain(value: unknown): value is { keep?: unknown; remove?: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.keys(value).every((name) => name === 'keep' || name === 'remove')
}
