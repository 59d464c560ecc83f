import type { Deferred as NativeDeferred } from '../native/binding'
import { invalid, kind } from './checks'
import { translated } from './errors'
import { shown, thrown } from './failure'
import { tellable } from './json'
import { logNotices } from './logger'
import { native } from './native'
import { runStep } from './steps'

/**
 * The work of a delivery that its handler deferred, where it is done. It ends with the first of `processed`, `failed` and
 * `fail`; work that ends in neither way, since its process died, may be taken up again until its deadline.
 */
export class DeferredDelivery {
  readonly #native: NativeDeferred
  /** The id the provider gave the message. */
  readonly messageId: string | null
  /** E.g. `user.created`. */
  readonly eventType: string | null
  /** The id of what the event is about, e.g. of the user. */
  readonly entityId: string | null

  /** @internal */
  constructor(deferral: NativeDeferred) {
    this.#native = deferral
    this.messageId = deferral.messageId
    this.eventType = deferral.eventType
    this.entityId = deferral.entityId
  }

  /** Says that a named piece of the work is done. */
  step(name: string): void {
    this.#native.step(shown(name))
  }

  /** Runs a named piece of the work, and records how long it took and the error that ended it. The error is thrown on. */
  run<T>(name: string, work: () => T): T {
    return runStep(this.#native, name, work)
  }

  /** Says that the work is done. */
  processed(): void {
    this.#native.processed()
    logNotices()
  }

  /** Says that the work could not be done, and with which values. */
  failed(reason: string, metadata?: Readonly<Record<string, unknown>>): void {
    this.#native.failed(shown(reason), tellable(metadata))
    logNotices()
  }

  /** Says that the work ended with an error. */
  fail(error: unknown): void {
    this.#native.fail(thrown(error))
    logNotices()
  }

  /** Does the work: it is processed when the promise resolves, unless it was marked before; an error is told and thrown on. */
  async process<T>(work: () => T): Promise<Awaited<T>> {
    try {
      const result = await work()
      this.processed()
      return result
    } catch (error) {
      this.fail(error)
      throw error
    }
  }
}

/**
 * Takes up the work of a token that `delivery.defer` gave, in any process that called `init`.
 *
 * @throws SurehookError `invalid_option` when it is no such token
 *
 * ```ts
 * new Worker('welcome', (job) => deferred(job.data.token).process(() => sendWelcome(job.data.user)))
 * ```
 */
export function deferred(token: string): DeferredDelivery {
  if (typeof token !== 'string') throw invalid('token', `it must be what delivery.defer() gave, not ${kind(token)}`)
  const deferral = translated(() => new (native().Deferred)(token))
  logNotices()
  return new DeferredDelivery(deferral)
}
