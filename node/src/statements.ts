/** The statements on the table of `docs/dedup.md`, in the SQL of Postgres. */
export const LOAD = 'SELECT value FROM surehook_messages WHERE key = $1'

/** The statement that replaces one value by another, and what belongs into it. */
export function replacement(
  key: string,
  old: Uint8Array | null,
  next: Uint8Array | null,
  expiresAt: Date | null,
): { text: string; values: unknown[] } {
  if (old === null) {
    // It must not fail on a row that is there: that would end the transaction.
    const text = 'INSERT INTO surehook_messages (key, value, expires_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING'
    return { text, values: [key, next, expiresAt] }
  }
  if (next === null) return { text: 'DELETE FROM surehook_messages WHERE key = $1 AND value = $2', values: [key, old] }
  const text = 'UPDATE surehook_messages SET value = $3, expires_at = $4 WHERE key = $1 AND value = $2'
  return { text, values: [key, old, next, expiresAt] }
}
