-- The dedup table of Surehook. One row for each message: running while `response` is NULL, then done.
CREATE TABLE IF NOT EXISTS surehook_dedup (
    key bytea PRIMARY KEY,
    owner bytea NOT NULL,
    fingerprint bytea NOT NULL,
    claimed_at timestamptz NOT NULL,
    lease_end timestamptz NOT NULL,
    response bytea,
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS surehook_dedup_expires_at ON surehook_dedup (expires_at);
-- One row for each endpoint: which sender the tag of a secret belongs to. It has no expiry.
CREATE TABLE IF NOT EXISTS surehook_senders (
    registry bytea PRIMARY KEY,
    senders bytea NOT NULL
);
COMMENT ON TABLE surehook_dedup IS 'surehook dedup 2';
