import type { Question, Settled } from '../native/binding'
import type { Answer } from './delivery'
import { describeForLog } from './failure'
import { logNotices } from './logger'
import { answer, type TransactionStore } from './store'

/** Thrown into the application's transaction so that it rolls back. */
const ROLL_BACK = new Error('surehook rolls the transaction back')

/** A handler's work in a transaction of the application's, which ends as the core says. */
export class Work<Tx = unknown> {
  readonly #store: TransactionStore<Tx>
  #transaction: Tx | undefined
  #done: Promise<void> | undefined
  #settled: Settled | null = null
  #isOver = false
  #end: (question: Question | null) => void = () => undefined
  readonly #ended = new Promise<Question | null>((resolve) => { this.#end = resolve })

  constructor(store: TransactionStore<Tx>) {
    this.#store = store
  }

  /** The transaction, while the handler runs. */
  get transaction(): Tx | undefined {
    return this.#transaction
  }

  /** Begins the transaction and runs the handler in it. It stays open until `finish` or `abandon`. */
  run<T>(handler: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#done = this.#store.transaction(async (transaction) => {
        if (this.#isOver) throw ROLL_BACK
        this.#transaction = transaction
        new Promise<T>((run) => { run(handler()) }).then(resolve, reject)
        await this.#settle(transaction).finally(() => { this.#transaction = undefined })
      })
      this.#done.catch(reject)
    })
  }

  async #settle(transaction: Tx): Promise<void> {
    const question = await this.#ended
    this.#settled = question && (await answer(question, this.#store, transaction)).settled()
    if (!this.#settled?.commit) throw ROLL_BACK
  }

  /** Ends it with the handler's answer. What comes back is to be sent instead. Throws what kept it from being committed. */
  async finish(question: Question): Promise<Answer | null> {
    this.#end(question)
    try {
      await (this.#done ?? Promise.reject(new Error('the handler was never run')))
      this.#settled?.committed()
      return null
    } catch (error) {
      const settled = this.#settled ?? lost(question, error)
      const { commit, replacement } = settled ?? { commit: true, replacement: null }
      await this.#giveBack(settled?.rolledBack(error === ROLL_BACK ? null : describeForLog(error)) ?? null)
      if (commit) throw error
      return replacement
    } finally {
      logNotices()
    }
  }

  /** Ends it without an answer: its work is undone, and then its message given back. */
  async abandon(question: Question | null): Promise<void> {
    this.#isOver = true
    this.#end(null)
    await this.#done?.catch(() => undefined)
    await this.#giveBack(question)
    logNotices()
  }

  async #giveBack(question: Question | null): Promise<void> {
    if (question) await answer(question, this.#store, null)
  }
}

/** The transaction ended by itself before the question could be answered in it. */
function lost(question: Question, error: unknown): Settled | null {
  question.failed(describeForLog(error))
  return question.settled()
}
