import type { Question } from '../native/binding'
import { asBuffer } from './body'
import { invalid, kind } from './checks'
import { describeForLog } from './failure'

/**
 * A table in the application's own database, so that the work of a handler and the memory of it stand or fall together.
 *
 * The table is `surehook_messages` of `docs/dedup.md`. Its values are bytes that only Surehook reads. `surehook/pg` and
 * `surehook/prisma` have ready ones.
 */
export interface TransactionStore<Transaction = unknown> {
  /** A short name for the records, e.g. `pg`: 1 to 40 of a-z, 0-9, _ and -. */
  readonly kind: string
  /**
   * Runs `work` in a transaction. When its promise is fulfilled, the transaction commits; when it is rejected, it rolls back and
   * the same error is thrown. Nothing may use the transaction afterwards.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** The value of a key, or `null`. Without a transaction the statement stands at once, for others too; so does `replace`. */
  load(transaction: Transaction | null, key: string): Promise<Uint8Array | null>
  /**
   * Replaces the value of a key where it still is `old`, and says whether it did. `old` is `null`: inserts a row, unless there is
   * one. `next` and `expiresAt` are `null`: deletes the row.
   */
  replace(
    transaction: Transaction | null,
    key: string,
    old: Uint8Array | null,
    next: Uint8Array | null,
    expiresAt: Date | null,
  ): Promise<boolean>
}

const MEMBERS = { kind: 'string', transaction: 'function', load: 'function', replace: 'function' } as const

/** Refuses a store that lacks a member. */
export function checkStore(store: unknown): void {
  if (typeof store !== 'object' || store === null) throw invalid('store', `it must be an object, not ${kind(store)}`)
  for (const [member, type] of Object.entries(MEMBERS)) {
    if (typeof memberOf(store, member) !== type) throw invalid('store', `its member ${member} must be a ${type}`)
  }
}

function memberOf(store: object, member: string): unknown {
  try {
    return (store as Record<string, unknown>)[member]
  } catch {
    return undefined
  }
}

/** Runs the statements of a question. It never throws: a statement that does has failed. */
export async function answer<Tx>(question: Question, store: TransactionStore<Tx>, transaction: Tx | null): Promise<Question> {
  for (let statement = question.statement; statement; statement = question.statement) {
    const { key, old, next, expiresAtMs } = statement
    try {
      if (statement.kind === 'load') {
        const value = await store.load(transaction, key)
        question.loaded(value && asBuffer(value))
      } else {
        question.replaced(await store.replace(transaction, key, old, next, expiresAtMs === null ? null : new Date(expiresAtMs)))
      }
    } catch (error) {
      question.failed(describeForLog(error))
    }
  }
  return question
}
