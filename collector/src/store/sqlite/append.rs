//! One attempt: stored once, counted once, and folded into its message.

use rusqlite::{OptionalExtension as _, Transaction, params};
use surehook_core::telemetry::attempt::{Attempt, VerificationResult};
use surehook_core::{Outcome, Timestamp};

use super::catalog::{Catalog, Place};
use crate::error::Error;
use crate::messages::state::{Seen, State};
use crate::metrics::rollup::Counts;
use crate::store::{Record, codes};

/// Stores an attempt and answers the number of its message, or `None` when the attempt was stored before.
pub(super) fn attempt(
    transaction: &Transaction<'_>,
    catalog: &mut Catalog,
    record: &Record,
    now: Timestamp,
    counts: &mut Counts,
) -> Result<Option<i64>, Error> {
    let attempt = &record.attempt;
    let known = transaction.prepare_cached("SELECT 1 FROM attempts WHERE id = ?")?.exists([attempt.id.as_bytes()])?;
    if known {
        return Ok(None);
    }
    let trusted = attempt.verification.result != VerificationResult::Rejected;
    // Nothing that a refused request says of itself is believed, whoever reports it.
    let outcome = if trusted { attempt.outcome } else { Outcome::Rejected };
    let event_type = attempt.event_type.as_deref().filter(|_| trusted);
    let place = catalog.place(transaction, &attempt.endpoint, &attempt.provider, event_type)?;

    let message = fold(transaction, attempt, &place, trusted, outcome)?;
    transaction
        .prepare_cached("INSERT INTO attempts (id, message, received_at, stored_at, record) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![
            attempt.id.as_bytes(),
            message,
            attempt.received_at.unix_micros(),
            now.unix_micros(),
            record.json,
        ])?;
    // A sender's clock that runs ahead must not make counts appear in the future.
    let at = attempt.received_at.min(now);
    counts.attempt(place.series, at, outcome, attempt.duration_us);
    if let (Outcome::Rejected, Some(code)) = (outcome, attempt.verification.code) {
        counts.rejection(place.endpoint, at, code);
    }
    Ok(Some(message))
}

/// Finds or makes the message of an attempt, and brings it up to date.
fn fold(
    transaction: &Transaction<'_>,
    attempt: &Attempt,
    place: &Place,
    trusted: bool,
    outcome: Outcome,
) -> Result<i64, Error> {
    let seen = Seen {
        trusted,
        outcome,
        received_at: attempt.received_at.unix_micros(),
        series: place.series,
        event_type: attempt.event_type.clone().filter(|_| place.beyond_cap),
        entity_id: attempt.entity_id.clone().filter(|_| trusted),
    };
    let Some(message_id) = attempt.message_id.as_deref() else {
        return insert(transaction, place.endpoint, None, &State::first(seen));
    };
    match find(transaction, place.endpoint, message_id)? {
        None => insert(transaction, place.endpoint, Some(message_id), &State::first(seen)),
        Some((id, mut state)) => {
            state.add(seen);
            update(transaction, id, &state)?;
            Ok(id)
        }
    }
}

fn find(transaction: &Transaction<'_>, endpoint: i64, message_id: &str) -> Result<Option<(i64, State)>, Error> {
    let mut statement = transaction.prepare_cached(
        "SELECT id, series, event_type, entity_id, first_seen, last_seen, attempts, outcome, decided_at, trusted
         FROM messages WHERE endpoint = ? AND message_id = ?",
    )?;
    let found = statement.query_row(params![endpoint, message_id], |row| {
        let state = State {
            series: row.get(1)?,
            event_type: row.get(2)?,
            entity_id: row.get(3)?,
            first_seen: row.get(4)?,
            last_seen: row.get(5)?,
            attempts: row.get(6)?,
            outcome: codes::outcome(row.get(7)?),
            decided_at: row.get(8)?,
            trusted: row.get(9)?,
        };
        Ok((row.get(0)?, state))
    });
    Ok(found.optional()?)
}

fn insert(transaction: &Transaction<'_>, endpoint: i64, message_id: Option<&str>, state: &State) -> Result<i64, Error> {
    transaction
        .prepare_cached(
            "INSERT INTO messages (endpoint, message_id, series, event_type, entity_id, first_seen, last_seen, attempts,
                                   outcome, decided_at, trusted)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            endpoint,
            message_id,
            state.series,
            state.event_type,
            state.entity_id,
            state.first_seen,
            state.last_seen,
            state.attempts,
            codes::number(state.outcome),
            state.decided_at,
            state.trusted,
        ])?;
    Ok(transaction.last_insert_rowid())
}

fn update(transaction: &Transaction<'_>, id: i64, state: &State) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "UPDATE messages SET series = ?, event_type = ?, entity_id = ?, first_seen = ?, last_seen = ?, attempts = ?,
                                 outcome = ?, decided_at = ?, trusted = ?
             WHERE id = ?",
        )?
        .execute(params![
            state.series,
            state.event_type,
            state.entity_id,
            state.first_seen,
            state.last_seen,
            state.attempts,
            codes::number(state.outcome),
            state.decided_at,
            state.trusted,
            id,
        ])?;
    Ok(())
}
