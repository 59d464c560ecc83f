-- Outcomes that a later version knows, and a row that is written to find out whether anything can be.

ALTER TABLE rollups ADD COLUMN other INTEGER NOT NULL DEFAULT 0;

CREATE TABLE health (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    checked_at INTEGER NOT NULL,
    room       BLOB    NOT NULL -- as much as a batch needs while it is written, then nothing
) STRICT;
