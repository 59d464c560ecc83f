//! Deferred work: which attempt is the rest of which, and the deadlines that still run.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use surehook_core::telemetry::attempt::{Attempt, VerificationResult};
use surehook_core::{Outcome, Timestamp};
use uuid::Uuid;

use crate::error::Error;
use crate::messages::missed::{self, Missed};

/// The other half of deferred work: the attempt that deferred it, or the record that continues it.
pub(super) struct Other {
    pub(super) seq: i64,
    /// The number of its message.
    pub(super) message: i64,
    /// The number of its endpoint.
    pub(super) endpoint: i64,
    /// What is stored of it; `None` when it can no longer be read.
    pub(super) attempt: Option<Attempt>,
}

impl Other {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let record = row.get_ref(3)?.as_str().unwrap_or_default();
        Ok(Self {
            seq: row.get(0)?,
            message: row.get(1)?,
            endpoint: row.get(2)?,
            attempt: serde_json::from_str(record).ok(),
        })
    }

    /// The request was refused, so that no handler ran that could have deferred anything.
    pub(super) fn was_refused(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.verification.result == VerificationResult::Rejected)
    }
}

/// The attempt that is continued, where it is stored.
pub(super) fn continued(transaction: &Transaction<'_>, attempt: Uuid) -> Result<Option<Other>, Error> {
    let mut statement = transaction.prepare_cached(
        "SELECT a.seq, a.message, m.endpoint, a.record FROM attempts a JOIN messages m ON m.id = a.message WHERE a.id = ?",
    )?;
    Ok(statement.query_row([attempt.as_bytes()], Other::read).optional()?)
}

/// The record that continues an attempt: one that was processed before any other, then the first.
pub(super) fn continuation(transaction: &Transaction<'_>, attempt: Uuid) -> Result<Option<Other>, Error> {
    let mut statement = transaction.prepare_cached(
        "SELECT a.seq, a.message, m.endpoint, a.record
         FROM continuations c JOIN attempts a ON a.seq = c.seq JOIN messages m ON m.id = a.message
         WHERE c.attempt = ? ORDER BY c.seq LIMIT 20",
    )?;
    let mut first = None;
    for other in statement.query_map([attempt.as_bytes()], Other::read)? {
        let other = other?;
        if other.attempt.as_ref().is_some_and(|attempt| attempt.outcome == Outcome::Processed) {
            return Ok(Some(other));
        }
        first.get_or_insert(other);
    }
    Ok(first)
}

/// Writes down that a stored record continues an attempt.
pub(super) fn link(transaction: &Transaction<'_>, attempt: Uuid, seq: i64) -> Result<(), Error> {
    transaction
        .prepare_cached("INSERT INTO continuations (attempt, seq) VALUES (?, ?)")?
        .execute(params![attempt.as_bytes(), seq])?;
    Ok(())
}

/// Starts the deadline of a deferred attempt.
pub(super) fn await_mark(transaction: &Transaction<'_>, attempt: &Attempt, message: i64) -> Result<(), Error> {
    let Some(due) = attempt.deferred_until else { return Ok(()) };
    let verified = attempt.verification.result == VerificationResult::Verified;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO deadlines (attempt, due, message, verified) VALUES (?, ?, ?, ?)")?
        .execute(params![attempt.id.as_bytes(), due.unix_micros(), message, verified])?;
    Ok(())
}

/// Ends the deadline of an attempt, where one runs.
pub(super) fn end_deadline(transaction: &Transaction<'_>, attempt: Uuid) -> Result<(), Error> {
    transaction.prepare_cached("DELETE FROM deadlines WHERE attempt = ?")?.execute([attempt.as_bytes()])?;
    Ok(())
}

/// Forgets that the deadline of an attempt was missed. False: nobody had said so.
pub(super) fn forget_miss(transaction: &Transaction<'_>, attempt: Uuid) -> Result<bool, Error> {
    let miss = missed::id_of_miss(attempt);
    let seq: Option<i64> = transaction
        .prepare_cached("SELECT seq FROM attempts WHERE id = ?")?
        .query_row([miss.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(seq) = seq else { return Ok(false) };
    transaction
        .prepare_cached("DELETE FROM continuations WHERE attempt = ? AND seq = ?")?
        .execute(params![attempt.as_bytes(), seq])?;
    transaction.prepare_cached("DELETE FROM attempts WHERE seq = ?")?.execute([seq])?;
    Ok(true)
}

/// Whether a deadline runs.
pub(super) fn any(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.prepare_cached("SELECT 1 FROM deadlines LIMIT 1")?.exists([])?)
}

/// Deadlines that have passed, at most `most`, the oldest first. What cannot be read is left out.
pub(super) fn missed(connection: &Connection, now: Timestamp, most: usize) -> Result<Vec<Missed>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT d.attempt, d.due, d.verified, e.name, e.provider, m.message_id, coalesce(m.event_type, s.event_type),
                m.entity_id
         FROM deadlines d CROSS JOIN messages m ON m.id = d.message CROSS JOIN series s ON s.id = m.series
              CROSS JOIN endpoints e ON e.id = m.endpoint
         WHERE d.due < ? ORDER BY d.due LIMIT ?",
    )?;
    let rows = statement.query_map(params![now.unix_micros(), i64::try_from(most).unwrap_or(i64::MAX)], |row| {
        Ok(Missed {
            attempt: Uuid::from_bytes(row.get(0)?),
            due: Timestamp::from_unix_micros(row.get(1)?),
            verified: row.get(2)?,
            endpoint: row.get(3)?,
            provider: row.get(4)?,
            message_id: row.get(5)?,
            event_type: row.get(6)?,
            entity_id: row.get(7)?,
        })
    })?;
    Ok(rows.flatten().collect())
}
