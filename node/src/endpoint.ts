import type { Decision as NativeDecision, Endpoint as NativeEndpoint, Question, SecretSaid } from '../native/binding'
import { asBuffer, NOT_JSON, parseJson } from './body'
import { flushQuietly } from './client'
import { invalid, millisecondsOf } from './checks'
import { ask, type CustomVerdict } from './custom-verifier'
import { Delivery, type Answer } from './delivery'
import { translated } from './errors'
import { describeForLog } from './failure'
import { packAny, toObject } from './headers'
import { log, logNotices } from './logger'
import { native } from './native'
import { toNative, type WebhookOptions } from './options'
import { askForSecret, secretRequest, type SecretFunction } from './secret-function'
import { secretList } from './secrets'
import { answer as answered, type TransactionStore } from './store'
import { Tracing, type DeliverySpan } from './tracing'

/** A request as an adapter hands it in. */
export interface IncomingWebhook {
  method: string
  /** The path with its query. */
  path: string
  /** Names and values in turn, as they came: repeated headers repeated. */
  headers: readonly string[]
  /**
   * The raw bytes; or that there are more than {@link Endpoint.maxBodyBytes}; or that something else consumed them; or that the sender
   * left in the middle of them.
   */
  body: Uint8Array | 'too_large' | 'unavailable' | 'incomplete'
  /**
   * When a request that waited in a queue was received, by the queue's own metadata, never by the message: its age is counted to
   * that time, which is not later than now and not before the oldest message that is remembered.
   */
  receivedAt?: Date
  /** How this framework hands over the raw body; for the log when the body is unavailable. */
  rawBodyAdvice?: string
}

/** What is to be done with a request: send this answer, or run the handler for this delivery. */
export type Decision = { answer: Answer; delivery?: never } | { answer?: never; delivery: Delivery }

/** What a message is called that is to run again: one of the three. */
export interface ForgottenMessage {
  id?: string
  idempotencyKey?: string
  dedupKey?: string
}

/** What became of an endpoint's verified messages in this process: each attempt counts once, under what it came to. */
export interface DedupCounts {
  /** The handler ran, and its end was the claim's end. */
  readonly new: number
  /** The stored answer was sent. */
  readonly duplicate: number
  /** Another attempt was being handled: 409. */
  readonly inFlight: number
  /** The id came before with another body, and that is worth a report. */
  readonly idReuse: number
  /** An identical message under another id that is not signed: the stored answer was sent, and somebody has to look. */
  readonly sameBodyOtherId: number
  /** The handler ended after its lease had passed to another owner: nothing was stored. */
  readonly fenced: number
  /** The store could not be asked: 503. */
  readonly unavailable: number
  /** The store could not be asked, and the handler ran without de-duplication, or its answer was not stored at once. */
  readonly unprotected: number
  /** Answers that were stored without their body: it was too long, or streamed. */
  readonly bodiesOmitted: number
}

/** A request on its way through an endpoint. */
interface Arrival<Req> {
  incoming: IncomingWebhook
  /** The body, where there is one. */
  bytes: Buffer | null
  request: Req
  span: DeliverySpan | null
}

/** One guarded webhook route. The wrappers of the frameworks are made of it: `begin`, the handler, `finish`. */
export class Endpoint<Req = unknown> {
  readonly #native: NativeEndpoint
  readonly #idempotencyKey: WebhookOptions<Req>['idempotencyKey']
  readonly #signatureVerifier: WebhookOptions<Req>['signatureVerifier']
  readonly #secretFunction: SecretFunction | null
  readonly #store: TransactionStore | null
  readonly #tracing: Tracing | null
  readonly #flushes: boolean
  readonly name: string
  readonly provider: string
  /** An adapter stops reading a body beyond this many bytes. */
  readonly maxBodyBytes: number

  /** @throws SurehookError when an option cannot be used; a secret is looked at when it is needed, see {@link check} */
  constructor(options: WebhookOptions<Req>) {
    const settings = toNative(options)
    this.#tracing = Tracing.of(options.tracing)
    const traced = this.#tracing !== null
    this.#native = translated(() => new (native().Endpoint)({ ...settings, traced }))
    this.#idempotencyKey = options.idempotencyKey
    this.#signatureVerifier = options.verification === 'off' ? undefined : options.signatureVerifier
    this.#secretFunction = typeof options.signatureSecret === 'function' ? options.signatureSecret : null
    this.#store = options.store ?? null
    this.#flushes = options.flushBeforeResponse === true
    this.name = this.#native.name
    this.provider = this.#native.provider
    this.maxBodyBytes = this.#native.maxBodyBytes
    logNotices()
  }

  /** @throws SurehookError when there is no secret that could verify a request */
  check(): void {
    try {
      translated(() => { this.#native.check() })
    } finally {
      logNotices()
    }
  }

  /** Logs what {@link check} would throw: for servers that start, before a request is refused for it. */
  beginToServe(): void {
    this.#native.beginToServe()
    logNotices()
  }

  /**
   * Verifies with other secrets from now on, without a restart of this process.
   *
   * @throws SurehookError when one of them cannot be used; the earlier ones then stay
   */
  setSecrets(signatureSecret: string | readonly string[]): void {
    const secrets = secretList({ provider: this.provider }, signatureSecret, 'signatureSecret')
    try {
      translated(() => { this.#native.setSecrets(secrets) })
    } finally {
      logNotices()
    }
  }

  /** What became of the verified messages in this process. */
  dedupCounts(): DedupCounts {
    return this.#native.dedupCounts()
  }

  /**
   * Lets a message run again with its next attempt; false when the store does not know it. It is named by the provider's id, where
   * the provider signs it, by the key of `idempotencyKey`, or by the `dedup.key` of an attempt. With `memory://` there is no other
   * way; never call it for what a request says.
   *
   * @throws SurehookError for a name that cannot be one; the promise is rejected when the store cannot be asked
   */
  forget(message: ForgottenMessage): Promise<boolean> {
    const { id = null, idempotencyKey = null, dedupKey = null } = message
    const given = [id, idempotencyKey, dedupKey].filter((name) => name !== null)
    if (given.length !== 1 || typeof given[0] !== 'string') throw invalid('message', 'give one of id, idempotencyKey and dedupKey')
    return translated(() => this.#native.forget(id, idempotencyKey, dedupKey))
  }

  /**
   * Verifies a request and claims its message: at once, or by a promise where a `signatureVerifier`, a store on the other side
   * of a network, the application's own, or another attempt has to be heard, or an answer is to wait for telemetry.
   */
  begin(incoming: IncomingWebhook, request: Req): Decision | Promise<Decision> {
    const decision = this.#begin(incoming, request)
    return this.#flushes ? this.#flushed(decision) : decision
  }

  async #flushed(decision: Decision | Promise<Decision>): Promise<Decision> {
    const decided = await decision
    if (decided.answer) await flushQuietly()
    return decided
  }

  #begin(incoming: IncomingWebhook, request: Req): Decision | Promise<Decision> {
    const bytes = typeof incoming.body === 'string' ? null : asBuffer(incoming.body)
    const arrival = { incoming, bytes, request, span: this.#tracing?.start(this.provider, incoming.headers) ?? null }
    const mayAsk = bytes !== null && bytes.length <= this.maxBodyBytes
    if (mayAsk && this.#signatureVerifier) return this.#ask(this.#signatureVerifier, arrival, bytes)
    if (mayAsk && this.#secretFunction) return this.#askForSecret(this.#secretFunction, arrival, bytes)
    return this.#decide(arrival, null)
  }

  async #askForSecret(given: SecretFunction, arrival: Arrival<Req>, bytes: Buffer): Promise<Decision> {
    const { method, path, headers } = arrival.incoming
    const said = await askForSecret(this.#native, given, secretRequest(method, path, headers, bytes))
    return this.#decide(arrival, null, said)
  }

  async #ask(
    verifier: NonNullable<WebhookOptions<Req>['signatureVerifier']>,
    arrival: Arrival<Req>,
    bytes: Buffer,
  ): Promise<Decision> {
    const { verdict, fault } = await ask(verifier, arrival.request, bytes, arrival.incoming.headers)
    const decision = await this.#decide(arrival, verdict)
    if (fault !== undefined && decision.answer?.kind === 'reject') log('error', `${this.name}: ${fault}`)
    return decision
  }

  #decide({ incoming, bytes, request, span }: Arrival<Req>, verdict: CustomVerdict['verdict'], secret?: SecretSaid): Decision | Promise<Decision> {
    const { method, path, headers, body } = incoming
    const fault = typeof body === 'string' ? body : null
    const key = this.#idempotencyKey && ((form: string | null | undefined) => this.#key(request, bytes, form ?? null, headers))
    const receivedAt = millisecondsOf(incoming.receivedAt, 'receivedAt')
    const begun = this.#native.begin(`${method} ${path}`, packAny(headers), bytes, fault, verdict, key, receivedAt, secret)
    if (begun instanceof Promise) return begun.then((decision) => this.#next(decision, span))
    if (begun.question) return this.#next(begun, span)
    const decision = this.#decided(begun, span)
    if (fault === 'unavailable' && incoming.rawBodyAdvice) log('warn', `${this.name}: ${incoming.rawBodyAdvice}`)
    return decision
  }

  /** What follows: the application's database has to be asked, or it is decided. */
  #next(begun: NativeDecision, span: DeliverySpan | null): Decision | Promise<Decision> {
    return begun.question ? this.#asked(begun.question, this.#store as TransactionStore, span) : this.#decided(begun, span)
  }

  async #asked(question: Question, store: TransactionStore, span: DeliverySpan | null): Promise<Decision> {
    return this.#decided((await answered(question, store, null)).decision() as NativeDecision, span)
  }

  #decided({ answer, delivery }: NativeDecision, span: DeliverySpan | null): Decision {
    logNotices()
    if (delivery) return { delivery: new Delivery(delivery, this.#store, span, this.#flushes) }
    span?.end(() => answer?.attributes)
    return { answer: answer as Answer }
  }

  /** The user's key. A key function that fails must not cost the webhook: the provider's id is then used. */
  #key(request: Req, bytes: Buffer | null, form: string | null, headers: readonly string[]): string | null {
    try {
      const parsed = bytes === null ? NOT_JSON : parseJson(form ?? bytes)
      const key: unknown = this.#idempotencyKey?.(request, parsed === NOT_JSON ? bytes : parsed, toObject(headers))
      if (typeof key === 'string') return key
      if (key !== null && key !== undefined) log('warn', `${this.name}: idempotencyKey must return text at once; not used`)
    } catch (error) {
      log('warn', `${this.name}: idempotencyKey threw, so the provider's id is used: ${describeForLog(error)}`)
    }
    return null
  }
}
