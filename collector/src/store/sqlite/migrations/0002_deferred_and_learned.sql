-- Deferred work: the outcome `deferred`, what continues an attempt, and the deadlines that still run.

ALTER TABLE rollups ADD COLUMN deferred INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollups ADD COLUMN continued INTEGER NOT NULL DEFAULT 0; -- continuations among the outcomes
ALTER TABLE rollups ADD COLUMN suspected INTEGER NOT NULL DEFAULT 0; -- suspected silent drops among the processed

-- Which stored attempt is the rest of which, whether that one is stored or not.
CREATE TABLE continuations (
    attempt BLOB    NOT NULL, -- the id of the attempt that is continued
    seq     INTEGER NOT NULL REFERENCES attempts (seq),
    PRIMARY KEY (attempt, seq)
) STRICT, WITHOUT ROWID;

-- Deferred attempts that nothing continues yet.
CREATE TABLE deadlines (
    attempt  BLOB    NOT NULL PRIMARY KEY,
    due      INTEGER NOT NULL,
    message  INTEGER NOT NULL REFERENCES messages (id),
    verified INTEGER NOT NULL -- 0: verification was switched off
) STRICT, WITHOUT ROWID;
CREATE INDEX deadlines_due ON deadlines (due);

-- Learned steps: what processed messages of a series usually record, and who did not.

CREATE TABLE habits (
    series INTEGER PRIMARY KEY REFERENCES series (id),
    habit  TEXT NOT NULL -- messages/habit.rs
) STRICT;

ALTER TABLE attempts ADD COLUMN suspected TEXT; -- the steps it lacks, as JSON (messages/habit.rs)
ALTER TABLE messages ADD COLUMN suspected INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_suspected ON messages (series, last_seen) WHERE suspected = 1;
