-- Refused requests that senders count instead of telling each.

-- Reports that were counted: one that comes again is counted once.
CREATE TABLE reports (
    id        BLOB    NOT NULL PRIMARY KEY,
    stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX reports_time ON reports (stored_at);

-- How many of which kind, by the hour (seconds since the epoch). They are in rollups and rejections as well.
CREATE TABLE refused (
    start    INTEGER NOT NULL,
    endpoint INTEGER NOT NULL REFERENCES endpoints (id),
    code     TEXT    NOT NULL,
    finding  TEXT    NOT NULL, -- '' where none was found
    shape    TEXT    NOT NULL, -- whether they named a message: named, nameless
    count    INTEGER NOT NULL,
    PRIMARY KEY (start, endpoint, code, finding, shape)
) STRICT, WITHOUT ROWID;
