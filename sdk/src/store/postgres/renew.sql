-- $1 key, $2 owner, $3 lease in µs, $4 the longest lease in µs. No row: fenced. False: exhausted.
UPDATE surehook_dedup SET
    lease_end = CASE
        WHEN claimed_at + $4 * interval '1 microsecond' <= clock_timestamp() THEN lease_end
        ELSE greatest(lease_end, least(clock_timestamp() + $3 * interval '1 microsecond',
                                       claimed_at + $4 * interval '1 microsecond'))
    END
WHERE key = $1 AND owner = $2 AND response IS NULL AND expires_at > clock_timestamp()
RETURNING claimed_at + $4 * interval '1 microsecond' > clock_timestamp(),
          (extract(epoch FROM lease_end) * 1000000)::bigint
