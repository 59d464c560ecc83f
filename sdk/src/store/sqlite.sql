-- One row for each message: running while `response` is NULL, then done. Times are microseconds since 1970.
CREATE TABLE surehook_dedup (
    key BLOB PRIMARY KEY NOT NULL,
    owner BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    claimed_at INTEGER,
    lease_end INTEGER,
    response BLOB,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX surehook_dedup_expires_at ON surehook_dedup (expires_at);
-- One row for each endpoint: which sender the tag of a secret belongs to. It has no expiry.
CREATE TABLE surehook_senders (
    registry BLOB PRIMARY KEY NOT NULL,
    senders BLOB NOT NULL
) STRICT;
