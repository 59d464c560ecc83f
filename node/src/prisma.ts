import type { TransactionStore } from './index'
import { changed, LOAD, replacement } from './statements'

interface Statements {
  $queryRawUnsafe(text: string, ...values: unknown[]): Promise<unknown>
}

/** What is needed of a `PrismaClient`. */
export interface PrismaLike extends Statements {
  $transaction<T>(work: (transaction: Statements) => Promise<T>, options?: PrismaTransactionOptions): Promise<T>
}

/** How long Prisma waits for a transaction, and lets one run, in milliseconds: by default 2 s and 5 s. */
export interface PrismaTransactionOptions {
  maxWait?: number
  timeout?: number
}

/**
 * The table `surehook_messages` of a Postgres that Prisma is connected to. In the handler `delivery.transaction()` is Prisma's
 * client of the transaction.
 *
 * ```ts
 * const store = prismaStore(prisma, { timeout: 15_000 })
 * export const POST = withWebhookMonitoring({ provider: 'clerk', store }, async (req, _context, delivery) => {
 *   await delivery.transaction<Prisma.TransactionClient>().user.create({ data: { id: (await req.json()).data.id } })
 *   return Response.json({ received: true })
 * })
 * ```
 */
export function prismaStore(prisma: PrismaLike, options?: PrismaTransactionOptions): TransactionStore<Statements> {
  return {
    kind: 'prisma',
    transaction: (work) => prisma.$transaction(work, options),
    async load(transaction, key) {
      const rows = (await (transaction ?? prisma).$queryRawUnsafe(LOAD, key)) as { value: Uint8Array }[]
      return rows[0]?.value ?? null
    },
    async replace(transaction, ...change) {
      const { text, values } = replacement(...change)
      return changed(await (transaction ?? prisma).$queryRawUnsafe(text, ...values)) === 1
    },
  }
}
