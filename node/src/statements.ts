/** The statements on the table of `docs/dedup.md`, in the SQL of Postgres. */
export const LOAD = 'SELECT value FROM surehook_messages WHERE key = $1'

/** So long a statement waits for the lock of a row: as long as a store on the other side of a network has. */
const LOCK_TIMEOUT = '250ms'

/**
 * The statement that replaces one value by another, and what belongs into it. Its row says how many it `changed`.
 *
 * Postgres waits for the lock of a row without a bound, so the statement sets one, for itself only: afterwards the handler's own
 * setting counts again, for what its commit has to wait for. It is set before the change, which needs its row, and given back
 * after it, which has to be counted first.
 */
export function replacement(
  key: string,
  old: Uint8Array | null,
  next: Uint8Array | null,
  expiresAt: Date | null,
): { text: string; values: unknown[] } {
  const { change, values } = changing(key, old, next, expiresAt)
  const text = `
    WITH bound AS MATERIALIZED (SELECT current_setting('lock_timeout') AS before),
         bounded AS MATERIALIZED (SELECT before, set_config('lock_timeout', '${LOCK_TIMEOUT}', true) AS now FROM bound),
         done AS (${change} RETURNING 1),
         counted AS MATERIALIZED (SELECT count(*)::int AS changed FROM done)
    SELECT changed, set_config('lock_timeout', before, true) FROM counted, bounded`
  return { text, values }
}

/** How many rows the statement changed. */
export function changed(rows: unknown): number | undefined {
  return (rows as { changed: number }[])[0]?.changed
}

function changing(key: string, old: Uint8Array | null, next: Uint8Array | null, expiresAt: Date | null): { change: string; values: unknown[] } {
  if (old === null) {
    // It must not fail on a row that is there: that would end the transaction.
    const change = `INSERT INTO surehook_messages (key, value, expires_at)
      SELECT $1::text, $2::bytea, $3::timestamptz FROM bounded WHERE now IS NOT NULL ON CONFLICT (key) DO NOTHING`
    return { change, values: [key, next, expiresAt] }
  }
  if (next === null) {
    const change = 'DELETE FROM surehook_messages USING bounded WHERE key = $1 AND value = $2 AND now IS NOT NULL'
    return { change, values: [key, old] }
  }
  const change = `UPDATE surehook_messages SET value = $3, expires_at = $4 FROM bounded
    WHERE key = $1 AND value = $2 AND now IS NOT NULL`
  return { change, values: [key, old, next, expiresAt] }
}
