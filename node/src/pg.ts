import type { TransactionStore } from './index'
import { changed, LOAD, replacement } from './statements'

interface Queries {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[]; rowCount: number | null; command: string }>
}

interface Client extends Queries {
  release(destroy?: boolean): void
  on(event: 'error', listener: () => void): unknown
  off(event: 'error', listener: () => void): unknown
}

/** What is needed of a `Pool` of `pg`. */
export interface PgPool extends Queries {
  connect(): Promise<Client>
  on(event: 'error', listener: () => void): unknown
}

/** A connection that breaks tells so twice: here, where unheard it ends the process, and to its next statement, which fails. */
const heard = () => undefined

/**
 * The table `surehook_messages` of a Postgres that `pg` is connected to. In the handler `delivery.transaction()` is the client.
 *
 * ```ts
 * const store = pgStore(new Pool())
 * app.post('/hook', withWebhookMonitoring({ provider: 'clerk', store }), async (req, res) => {
 *   await req.surehook.transaction<PoolClient>().query('INSERT INTO users (id) VALUES ($1)', [req.body.data.id])
 *   res.json({ received: true })
 * })
 * ```
 */
export function pgStore(pool: PgPool): TransactionStore<Queries> {
  pool.on('error', heard)
  return {
    kind: 'pg',
    async transaction(work) {
      const client = await pool.connect()
      client.on('error', heard)
      let committed = false
      try {
        await client.query('BEGIN')
        const result = await work(client)
        const { command } = await client.query('COMMIT')
        // Where a statement failed before, Postgres does not refuse to commit, but rolls back.
        if (command !== 'COMMIT') throw new Error('a statement had failed, so Postgres rolled the transaction back')
        committed = true
        return result
      } finally {
        // A handler that runs on after its work was undone must not find a connection outside of any transaction; and closing
        // one rolls back.
        client.release(!committed)
        client.off('error', heard)
      }
    },
    async load(client, key) {
      const { rows } = await (client ?? pool).query(LOAD, [key])
      return (rows[0] as { value: Buffer } | undefined)?.value ?? null
    },
    async replace(client, ...change) {
      const { text, values } = replacement(...change)
      const { rows } = await (client ?? pool).query(text, values)
      return changed(rows) === 1
    },
  }
}
