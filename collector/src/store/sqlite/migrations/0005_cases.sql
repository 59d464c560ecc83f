-- Identical messages under other ids that nobody signed: second events or replays, one case for each entry of a dedup store.

CREATE TABLE cases (
    id           INTEGER PRIMARY KEY,
    endpoint     INTEGER NOT NULL REFERENCES endpoints (id),
    key          TEXT    NOT NULL, -- what the entry is called in its dedup store
    event_type   TEXT,
    message      INTEGER REFERENCES messages (id), -- the first that came under another id
    first_seen   INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    count        INTEGER NOT NULL, -- attempts
    acknowledged INTEGER NOT NULL DEFAULT 0 -- how many of them somebody has looked at
) STRICT;
CREATE UNIQUE INDEX cases_key ON cases (endpoint, key);
CREATE INDEX cases_open ON cases (last_seen) WHERE count > acknowledged;

-- Attempts that were counted in a case and not kept, so that each is counted once.
CREATE TABLE counted (
    attempt BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

ALTER TABLE messages ADD COLUMN in_case INTEGER REFERENCES cases (id);
CREATE INDEX messages_in_case ON messages (in_case) WHERE in_case IS NOT NULL;
