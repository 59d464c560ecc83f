import { AsyncLocalStorage } from 'node:async_hooks'

import type { Delivery as NativeDelivery, Question } from '../native/binding'
import { asBuffer } from './body'
import { checkOptions, invalid } from './checks'
import { flushQuietly } from './client'
import { SurehookError, translated } from './errors'
import { shown, thrown } from './failure'
import { pack } from './headers'
import { tellable } from './json'
import { logNotices } from './logger'
import { keepAlive } from './platform'
import { runStep } from './steps'
import type { TransactionStore } from './store'
import type { DeliverySpan } from './tracing'
import { Work } from './work'

/** A whole HTTP answer that is to be sent in the handler's place. */
export interface Answer {
  /** Why: `reject`, `replay`, `busy`, `unavailable` or `silent_drop`. */
  readonly kind: string
  readonly status: number
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: Uint8Array
}

/** What the handler answered. */
export interface HandlerResponse {
  status: number
  /** Names and values in turn. */
  headers: readonly string[]
  /** The whole body, or `null` when it is longer than {@link STORED_BODY_LIMIT} or was not looked at. */
  body: Uint8Array | null
}

/** Beyond this many bytes a response body is not stored, so no adapter need keep more of it. */
export const STORED_BODY_LIMIT = 65_536

/** A moment after the native side has ended a delivery that nobody ended: whatever it still holds here is let go. */
const HOLD_LIMIT_MS = 15 * 60_000 + 5_000

const current = new AsyncLocalStorage<Delivery>()

/** The delivery that is being handled here, wherever in the handler's calls this is; `undefined` outside of one. */
export function currentDelivery(): Delivery | undefined {
  return current.getStore()
}

/**
 * One verified delivery of a webhook: what a handler marks its work on. The methods from `handle` on are for adapters.
 */
export class Delivery {
  readonly #native: NativeDelivery
  readonly #work: Work | null
  readonly #span: DeliverySpan | null
  readonly #flushes: boolean
  #hasEnded = false
  #limit: NodeJS.Timeout | undefined
  #letGo: (() => void) | undefined
  /** The id the provider gave the message; the same for each of its attempts. */
  readonly messageId: string | null
  /** Whose secret verified the message, where the function that gave it says so. */
  readonly sender: string | null
  /** E.g. `user.created`. */
  readonly eventType: string | null
  /** The id of what the event is about, e.g. of the user. */
  readonly entityId: string | null
  /**
   * What the form holds that the provider sent, where the body is one: an object, with a list for a name that comes several times;
   * or what its `payload` is as JSON, where that is all (GitHub, Slack). `null` for every other body.
   */
  readonly form: unknown

  /** @internal */
  constructor(delivery: NativeDelivery, store: TransactionStore | null, span: DeliverySpan | null, flushes: boolean) {
    this.#native = delivery
    this.#work = store && new Work(store)
    this.#span = span
    this.#flushes = flushes
    span?.set(() => delivery.attributes())
    this.messageId = delivery.messageId
    this.sender = delivery.sender
    this.eventType = delivery.eventType
    this.entityId = delivery.entityId
    this.form = delivery.form === null ? null : JSON.parse(delivery.form)
  }

  /** Says that a named piece of the work is done. */
  step(name: string): void {
    this.#native.step(shown(name))
  }

  /**
   * Runs a named piece of the work, and records how long it took and the error that ended it; it returns what `work` returns, and
   * throws what it throws.
   *
   * ```ts
   * const profile = await delivery.run('create_profile', () => createProfile(event.data))
   * ```
   */
  run<T>(name: string, work: () => T): T {
    return runStep(this.#native, name, work)
  }

  /** Says that the work is done. The first of `processed`, `failed` and `defer` counts. */
  processed(): void {
    this.#native.processed()
  }

  /**
   * Says that the work could not be done; the provider's retry will run the handler again. The metadata is redacted, and told up to
   * 8 KiB.
   */
  failed(reason: string, metadata?: Readonly<Record<string, unknown>>): void {
    this.#native.failed(shown(reason), tellable(metadata))
  }

  /**
   * Says that the work goes on after the answer, and gives the token by which a worker, in any process, takes it up with
   * `deferred(token)`. Not marked there within `deadlineMs`, 1 s to 7 days, it is a silent drop.
   *
   * @throws SurehookError `invalid_option` when the deadline is out of its range, or the delivery has ended
   *
   * ```ts
   * await queue.add('welcome', { token: delivery.defer({ deadlineMs: 60_000 }), user: event.data.id })
   * ```
   */
  defer(options: { deadlineMs: number }): string {
    checkOptions(options, { deadlineMs: 'number' })
    if ((options.deadlineMs as unknown) === undefined) throw invalid('deadlineMs', 'it must be a number, not undefined')
    return translated(() => this.#native.defer(options.deadlineMs))
  }

  /**
   * The transaction that the handler's work belongs in, at an endpoint with a `store`: the client of `pg`, the `tx` of Prisma. All
   * of the work is to be done before the handler answers.
   *
   * @throws SurehookError `no_transaction` where there is none
   */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- only the user knows what the store hands out
  transaction<Transaction>(): Transaction {
    const transaction = this.#work?.transaction
    if (transaction === undefined) throw new SurehookError('no_transaction', 'the endpoint has no store, or its handler does not run')
    return transaction as Transaction
  }

  /**
   * For adapters: runs the handler in the reach of {@link currentDelivery}. With a `store` it is a promise: a transaction is begun
   * first, and ends with the delivery.
   */
  handle<T>(handler: () => T): T | Promise<Awaited<T>> {
    const traced = () => (this.#span ? this.#span.run(handler) : handler())
    const reached = () => current.run(this, traced)
    this.#letGo = keepAlive()
    if (!this.#work) return reached()
    this.#hold()
    return this.#work.run(() => reached() as Awaited<T> | Promise<Awaited<T>>)
  }

  /** For adapters: tells which headers the answer has before the handler, names and values in turn; they are not stored with it. */
  earlierHeaders(headers: readonly string[]): void {
    this.#native.earlierHeaders(pack(headers))
  }

  /**
   * For adapters: ends the delivery with the handler's answer. What it returns is to be sent instead. It is a promise where the
   * answer is to be stored on the other side of a network, or telemetry is sent before: until then the answer is not to be sent. It
   * is rejected with what kept the application's transaction from being committed; then the work does not stand, and the answer must
   * not be sent.
   */
  finish(response: HandlerResponse): Answer | null | Promise<Answer | null> {
    const instead = this.#finish(response)
    return this.#flushes ? flushedFirst(instead) : instead
  }

  #finish(response: HandlerResponse): Answer | null | Promise<Answer | null> {
    this.#hasEnded = true
    const { status, headers, body } = response
    const instead = this.#native.finish(status, pack(headers), body === null ? null : asBuffer(body))
    if (instead instanceof Promise) return instead.finally(() => { this.#over() })
    if (instead && this.#work) return this.#work.finish(instead as Question).finally(() => { this.#over() })
    this.#over()
    return instead as Answer | null
  }

  /** For adapters: ends the delivery with what the handler threw. A promise where telemetry is to be sent before the framework answers. */
  fail(error: unknown): Promise<void> | undefined {
    this.#ended(this.#native.fail('Raised', thrown(error)))
    return this.#flushes ? flushQuietly() : undefined
  }

  /**
   * For adapters: the sender closed the connection. The handler runs on, its message stays claimed, and how it ends is what counts;
   * the record says that nobody got the answer. After `finish` or `fail` it does nothing.
   */
  senderLeft(): void {
    if (this.#hasEnded) return
    this.#native.senderLeft()
    this.#hold()
  }

  /** For adapters: ends the delivery because the sender went away and no handler will answer. After `finish` or `fail` it does nothing. */
  cancel(): void {
    this.senderLeft()
    const message = 'the sender closed the connection, and nothing is left that could answer'
    this.#ended(this.#native.fail('Cancelled', { errorType: 'ClientDisconnected', message }))
  }

  /** Neither a connection that is gone nor a handler that forgot its answer may let a message go before its time. */
  #hold(): void {
    this.#limit ??= setTimeout(() => { this.#ended(null) }, HOLD_LIMIT_MS).unref()
  }

  #ended(question: Question | null): void {
    this.#hasEnded = true
    void this.#work?.abandon(question)
    this.#over()
  }

  #over(): void {
    clearTimeout(this.#limit)
    this.#letGo?.()
    this.#span?.end(() => this.#native.attributes())
    logNotices()
  }
}

async function flushedFirst(instead: Answer | null | Promise<Answer | null>): Promise<Answer | null> {
  try {
    return await instead
  } finally {
    await flushQuietly()
  }
}
