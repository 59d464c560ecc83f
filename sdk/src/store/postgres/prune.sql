DELETE FROM surehook_dedup WHERE key IN (
    SELECT key FROM surehook_dedup WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED
)
