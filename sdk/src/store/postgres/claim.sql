-- $1 key, $2 owner, $3 fingerprint, $4 lease in µs, $5 for how long a claim is kept in µs.
-- A duplicate writes nothing. No row: another claim was committed while this statement looked; it is to be asked again.
WITH held AS (
    SELECT fingerprint, lease_end, response FROM surehook_dedup
    WHERE key = $1 AND expires_at > clock_timestamp()
      AND (response IS NOT NULL OR (owner <> $2 AND lease_end > clock_timestamp()))
), claimed AS (
    INSERT INTO surehook_dedup AS earlier (key, owner, fingerprint, claimed_at, lease_end, expires_at)
    SELECT $1, $2, $3, clock_timestamp(), clock_timestamp() + $4 * interval '1 microsecond',
           clock_timestamp() + $5 * interval '1 microsecond'
    WHERE NOT EXISTS (SELECT FROM held)
    ON CONFLICT (key) DO UPDATE SET
        owner = excluded.owner, fingerprint = excluded.fingerprint, claimed_at = excluded.claimed_at,
        lease_end = excluded.lease_end, response = NULL, expires_at = excluded.expires_at
    WHERE earlier.expires_at <= clock_timestamp()
       OR (earlier.response IS NULL AND (earlier.owner = excluded.owner OR earlier.lease_end <= clock_timestamp()))
    RETURNING fingerprint, lease_end, response
), seen AS (
    SELECT true AS owned, fingerprint, lease_end, response FROM claimed
    UNION ALL
    SELECT false, fingerprint, lease_end, response FROM held
)
SELECT owned, fingerprint, (extract(epoch FROM lease_end) * 1000000)::bigint, response FROM seen
