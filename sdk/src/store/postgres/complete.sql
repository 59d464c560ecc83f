-- $1 key, $2 owner, $3 response, $4 for how long it is remembered in µs. No row: fenced. Completing again changes nothing.
UPDATE surehook_dedup SET
    expires_at = CASE WHEN response IS NULL THEN clock_timestamp() + $4 * interval '1 microsecond' ELSE expires_at END,
    response = coalesce(response, $3)
WHERE key = $1 AND owner = $2 AND expires_at > clock_timestamp()
RETURNING true
