//! The rows of `cases`: what came under another id and stays not handled until somebody has looked at it.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use surehook_core::telemetry::attempt::{Attempt, DedupResult, VerificationResult};

use crate::error::Error;

/// The attempts of a case that are kept in full; the rest are counted.
const KEPT: i64 = 10;

/// The case of an attempt.
pub(super) struct Case {
    id: i64,
    /// Its first message, once there is one.
    pub(super) message: Option<i64>,
    /// Whether the attempt is kept in full.
    pub(super) keeps: bool,
}

/// Whether the attempt is one that somebody has to look at.
pub(super) fn is_one(attempt: &Attempt) -> bool {
    attempt.dedup.result == DedupResult::SameBodyOtherId && attempt.verification.result == VerificationResult::Verified
}

/// Whether an attempt was counted before without being kept.
pub(super) fn was_counted(transaction: &Transaction<'_>, attempt: &Attempt) -> Result<bool, Error> {
    let mut statement = transaction.prepare_cached("SELECT 1 FROM counted WHERE attempt = ?")?;
    Ok(statement.exists([attempt.id.as_bytes()])?)
}

/// Adds an attempt to the case of its entry, which is opened with the first.
pub(super) fn add(
    transaction: &Transaction<'_>,
    endpoint: i64,
    event_type: Option<&str>,
    attempt: &Attempt,
) -> Result<Case, Error> {
    let key = attempt.dedup.key.as_deref().or(attempt.message_id.as_deref()).unwrap_or_default();
    let at = attempt.received_at.unix_micros();
    let (id, message, count): (i64, Option<i64>, i64) = transaction
        .prepare_cached(
            "INSERT INTO cases (endpoint, key, event_type, first_seen, last_seen, count) VALUES (?1, ?2, ?3, ?4, ?4, 1)
             ON CONFLICT (endpoint, key) DO UPDATE SET
                 first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen),
                 count = count + 1
             RETURNING id, message, count",
        )?
        .query_row(params![endpoint, key, event_type, at], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let keeps = count <= KEPT || message.is_none();
    if !keeps {
        transaction.prepare_cached("INSERT INTO counted (attempt) VALUES (?)")?.execute([attempt.id.as_bytes()])?;
    }
    Ok(Case { id, message, keeps })
}

impl Case {
    /// Puts the message of a kept attempt into the case.
    pub(super) fn take(&self, transaction: &Transaction<'_>, message: i64) -> Result<(), Error> {
        transaction
            .prepare_cached("UPDATE cases SET message = ? WHERE id = ? AND message IS NULL")?
            .execute([message, self.id])?;
        transaction.prepare_cached("UPDATE messages SET in_case = ? WHERE id = ?")?.execute([self.id, message])?;
        Ok(())
    }
}

/// Says that somebody has looked at the first `count` attempts of a case; more may have come since. False: no such case.
pub(crate) fn acknowledge(connection: &mut Connection, id: i64, count: i64) -> Result<bool, Error> {
    let found = connection
        .prepare_cached("UPDATE cases SET acknowledged = max(acknowledged, min(count, ?2)) WHERE id = ?1 RETURNING id")?
        .query_row([id, count], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(found.is_some())
}
