-- $1 key, $2 owner, $3 fingerprint, $4 lease in µs, $5 for how long a claim is kept in µs.
-- No row: another claim was committed while this statement looked; it is to be asked again.
WITH claimed AS (
    INSERT INTO surehook_dedup AS held (key, owner, fingerprint, claimed_at, lease_end, expires_at)
    VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp() + $4 * interval '1 microsecond',
            clock_timestamp() + $5 * interval '1 microsecond')
    ON CONFLICT (key) DO UPDATE SET
        owner = excluded.owner, fingerprint = excluded.fingerprint, claimed_at = excluded.claimed_at,
        lease_end = excluded.lease_end, response = NULL, expires_at = excluded.expires_at
    WHERE held.expires_at <= clock_timestamp()
       OR (held.response IS NULL AND (held.owner = excluded.owner OR held.lease_end <= clock_timestamp()))
    RETURNING owner, fingerprint, lease_end, response
), seen AS (
    SELECT true AS owned, owner, fingerprint, lease_end, response FROM claimed
    UNION ALL
    SELECT false, owner, fingerprint, lease_end, response FROM surehook_dedup
    WHERE key = $1 AND expires_at > clock_timestamp() AND NOT EXISTS (SELECT FROM claimed)
)
SELECT owned, fingerprint, (extract(epoch FROM lease_end) * 1000000)::bigint, response FROM seen
