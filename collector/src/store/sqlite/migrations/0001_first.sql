-- Times are microseconds since the Unix epoch; outcomes are the numbers of store/codes.rs.

CREATE TABLE api_keys (
    id           INTEGER PRIMARY KEY,
    name         TEXT    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE, -- SHA-256 of the key
    prefix       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT;

CREATE TABLE endpoints (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    provider TEXT NOT NULL,
    UNIQUE (name, provider)
) STRICT;

-- One row for each event type of an endpoint; event_type is NULL for requests whose type could not be trusted.
CREATE TABLE series (
    id         INTEGER PRIMARY KEY,
    endpoint   INTEGER NOT NULL REFERENCES endpoints (id),
    event_type TEXT
) STRICT;
CREATE UNIQUE INDEX series_key ON series (endpoint, coalesce(event_type, x''));

CREATE TABLE messages (
    id         INTEGER PRIMARY KEY,
    endpoint   INTEGER NOT NULL REFERENCES endpoints (id),
    series     INTEGER NOT NULL REFERENCES series (id),
    message_id TEXT,
    event_type TEXT,             -- only where the series is the one for types beyond the cap
    entity_id  TEXT,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    outcome    INTEGER NOT NULL,
    decided_at INTEGER NOT NULL, -- received_at of the attempt that gave the outcome
    trusted    INTEGER NOT NULL  -- 1 once an attempt that was not rejected was stored
) STRICT;
CREATE UNIQUE INDEX messages_key ON messages (endpoint, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX messages_recent ON messages (last_seen);
CREATE INDEX messages_series ON messages (series, outcome, last_seen);

CREATE TABLE attempts (
    seq         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE,
    message     INTEGER NOT NULL REFERENCES messages (id),
    received_at INTEGER NOT NULL,
    stored_at   INTEGER NOT NULL,
    record      TEXT    NOT NULL -- the attempt as on the wire
) STRICT;
CREATE INDEX attempts_message ON attempts (message, received_at);

-- Counts of a series in a span of time (60 s or 3600 s) that begins at start (seconds since the epoch).
CREATE TABLE rollups (
    span        INTEGER NOT NULL,
    start       INTEGER NOT NULL,
    series      INTEGER NOT NULL REFERENCES series (id),
    processed   INTEGER NOT NULL,
    silent_drop INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    rejected    INTEGER NOT NULL,
    in_flight   INTEGER NOT NULL,
    unavailable INTEGER NOT NULL,
    duplicate   INTEGER NOT NULL,
    ignored     INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    latency     BLOB    NOT NULL, -- metrics/latency.rs
    PRIMARY KEY (span, start, series)
) STRICT, WITHOUT ROWID;

-- Rejections by reason code in a span of time.
CREATE TABLE rejections (
    span     INTEGER NOT NULL,
    start    INTEGER NOT NULL,
    endpoint INTEGER NOT NULL REFERENCES endpoints (id),
    code     TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (span, start, endpoint, code)
) STRICT, WITHOUT ROWID;

-- What senders say they lost. A batch that is sent again has the same sent_at, so nothing is counted twice.
CREATE TABLE client_drops (
    instance  BLOB    NOT NULL,
    sent_at   INTEGER NOT NULL,
    reason    TEXT    NOT NULL,
    count     INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    PRIMARY KEY (instance, sent_at, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_drops_time ON client_drops (stored_at);
