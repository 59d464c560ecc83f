import { AsyncLocalStorage } from 'node:async_hooks'

import type { Delivery as NativeDelivery, Question } from '../native/binding'
import { asBuffer } from './body'
import { SurehookError } from './errors'
import { describe, shown } from './failure'
import { pack } from './headers'
import { logNotices } from './logger'
import type { TransactionStore } from './store'
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

const current = new AsyncLocalStorage<Delivery>()

/** The delivery that is being handled here, wherever in the handler's calls this is; `undefined` outside of one. */
export function currentDelivery(): Delivery | undefined {
  return current.getStore()
}

/**
 * One verified delivery of a webhook: what a handler marks its work on. The handler needs `step`, `processed` and
 * `failed`; the other methods are for adapters.
 */
export class Delivery {
  readonly #native: NativeDelivery
  readonly #work: Work | null
  /** The id the provider gave the message; the same for each of its attempts. */
  readonly messageId: string | null
  /** E.g. `user.created`. */
  readonly eventType: string | null
  /** The id of what the event is about, e.g. of the user. */
  readonly entityId: string | null

  /** @internal */
  constructor(delivery: NativeDelivery, store: TransactionStore | null) {
    this.#native = delivery
    this.#work = store && new Work(store)
    this.messageId = delivery.messageId
    this.eventType = delivery.eventType
    this.entityId = delivery.entityId
  }

  /** Says that a named piece of the work is done. */
  step(name: string): void {
    this.#native.step(shown(name))
  }

  /** Says that the work is done. The first of `processed` and `failed` counts. */
  processed(): void {
    this.#native.processed()
  }

  /** Says that the work could not be done; the provider's retry will run the handler again. */
  failed(reason: string): void {
    this.#native.failed(shown(reason))
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
  run<T>(handler: () => T): T | Promise<Awaited<T>> {
    const reached = () => current.run(this, handler)
    return this.#work ? this.#work.run(() => reached() as Awaited<T> | Promise<Awaited<T>>) : reached()
  }

  /**
   * For adapters: ends the delivery with the handler's answer. What it returns is to be sent instead. It is a promise where the
   * answer is to be stored on the other side of a network: until then the answer is not to be sent. It is rejected with what kept
   * the application's transaction from being committed; then the work does not stand, and the answer must not be sent.
   */
  finish(response: HandlerResponse): Answer | null | Promise<Answer | null> {
    const { status, headers, body } = response
    const instead = this.#native.finish(status, pack(headers), body === null ? null : asBuffer(body))
    if (instead instanceof Promise) return instead.finally(logNotices)
    if (instead && this.#work) return this.#work.finish(instead as Question)
    logNotices()
    return instead as Answer | null
  }

  /** For adapters: ends the delivery with what the handler threw. */
  fail(error: unknown): void {
    this.#ended(this.#native.fail('Raised', ...describe(error)))
  }

  /** For adapters: ends the delivery because the sender went away. After `finish` or `fail` it does nothing. */
  cancel(): void {
    this.#ended(this.#native.fail('Cancelled', 'ClientDisconnected', 'the sender closed the connection before the answer', null))
  }

  #ended(question: Question | null): void {
    void this.#work?.abandon(question)
    logNotices()
  }
}
