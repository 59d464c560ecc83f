//! One attempt: stored once, counted once, and folded into its message.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rusqlite::{Transaction, params};
use surehook_core::telemetry::attempt::{Attempt, Verification, VerificationResult};
use surehook_core::{Outcome, ReasonCode, Timestamp};

use super::cases::{self, Case};
use super::catalog::{Catalog, Place};
use super::deferred::{self, Other};
use super::habits::Habits;
use super::message::{self, Which};
use crate::error::Error;
use crate::messages::habit::Lacking;
use crate::messages::missed;
use crate::messages::state::{Seen, State};
use crate::metrics::rollup::{Counted, Counts};
use crate::store::{Record, codes};

/// What the writer remembers of the tables, so that an attempt need not look it up. Thrown away when a transaction fails.
#[derive(Default)]
pub(super) struct Memory {
    catalog: Catalog,
    habits: Habits,
}

impl Memory {
    /// Where refused requests of an endpoint are counted.
    pub(super) fn refused_at(
        &mut self,
        transaction: &Transaction<'_>,
        endpoint: &str,
        provider: &str,
    ) -> Result<Place, Error> {
        self.catalog.place(transaction, endpoint, provider, None)
    }

    /// Writes down what was learned since the last transaction.
    pub(super) fn write(&mut self, transaction: &Transaction<'_>) -> Result<(), Error> {
        self.habits.write(transaction)
    }
}

/// An attempt that was not stored before.
pub(super) struct Appended {
    /// The number of its message.
    pub(super) message: i64,
    /// What it says of itself is believed.
    pub(super) believed: bool,
    /// It is, or it completes, a suspected silent drop.
    pub(super) suspected: bool,
}

/// Stores an attempt. `None`: it was stored before.
pub(super) fn attempt(
    transaction: &Transaction<'_>,
    memory: &mut Memory,
    record: &Record,
    now: Timestamp,
    counts: &mut Counts,
) -> Result<Option<Appended>, Error> {
    let attempt = &record.attempt;
    let known = transaction.prepare_cached("SELECT 1 FROM attempts WHERE id = ?")?.exists([attempt.id.as_bytes()])?;
    if known || (cases::is_one(attempt) && cases::was_counted(transaction, attempt)?) {
        // Whoever stored it: its deadline must not be found again and again.
        missed::of(attempt).map_or(Ok(()), |deferred| deferred::end_deadline(transaction, deferred))?;
        return Ok(None);
    }
    let other = other_half(transaction, attempt)?;
    // Nothing that a refused request says of itself is believed, nor what is said to be the rest of one.
    let believed = is_trusted(attempt.verification.result)
        && !(attempt.continues.is_some() && other.as_ref().is_some_and(Other::was_refused));
    let outcome = if believed { attempt.outcome } else { Outcome::Rejected };
    let event_type = attempt.event_type.as_deref().filter(|_| believed);
    let place = memory.catalog.place(transaction, &attempt.endpoint, &attempt.provider, event_type)?;
    let case = match cases::is_one(attempt) {
        true => Some(cases::add(transaction, place.endpoint, event_type, attempt)?),
        false => None,
    };
    // A sender's clock that runs ahead must not put anything in the future: not on top of a list, not in the counts to come.
    let at = attempt.received_at.min(now);
    if let Some(Case { message: Some(message), keeps: false, .. }) = case {
        count(counts, attempt, &place, at, outcome);
        return Ok(Some(Appended { message, believed, suspected: false }));
    }
    // Another endpoint's attempt is none that this one could belong to.
    let foreign = other.as_ref().is_some_and(|other| other.endpoint != place.endpoint);
    let other = other.filter(|_| !foreign);

    let lacking = lacking(transaction, &mut memory.habits, attempt, outcome, other.as_ref(), &place)?;
    let completes = attempt.continues.is_none() && other.is_some();
    let own = if completes { &[] } else { lacking.as_slice() };
    let missed = take_back_miss(transaction, attempt, believed, other.as_ref(), &place, counts)?;
    let seen = seen(attempt, &place, believed, outcome, !own.is_empty(), at, missed);
    let message = fold(transaction, attempt.message_id.as_deref(), other.as_ref(), place.endpoint, seen)?;
    let seq = insert(transaction, record, message, now, believed, own)?;
    if let Some(other) = other.as_ref().filter(|_| completes) {
        suspect(transaction, other, &lacking)?;
    }
    if !(foreign && attempt.continues.is_some()) {
        follow_up(transaction, attempt, outcome, message, seq, completes)?;
    }

    case.map_or(Ok(()), |case| case.take(transaction, message))?;
    count(counts, attempt, &place, at, outcome);
    if !lacking.is_empty() {
        counts.suspected(place.series, at);
    }
    Ok(Some(Appended { message, believed, suspected: !lacking.is_empty() }))
}

/// The other half of deferred work, where it is stored already: either may come first.
fn other_half(transaction: &Transaction<'_>, attempt: &Attempt) -> Result<Option<Other>, Error> {
    match (attempt.continues, attempt.outcome) {
        (Some(continued), _) => deferred::continued(transaction, continued),
        (None, Outcome::Deferred) => deferred::continuation(transaction, attempt.id),
        _ => Ok(None),
    }
}

/// The usual steps that processed work lacks, which is judged once both halves of it are here.
fn lacking(
    transaction: &Transaction<'_>,
    habits: &mut Habits,
    attempt: &Attempt,
    outcome: Outcome,
    other: Option<&Other>,
    place: &Place,
) -> Result<Vec<Lacking>, Error> {
    let other = other.and_then(|other| other.attempt.as_ref());
    let halves = match (outcome, attempt.continues, other) {
        (Outcome::Processed, None, _) => [Some(attempt), None],
        (Outcome::Processed, Some(_), Some(deferred)) => [Some(attempt), Some(deferred)],
        (Outcome::Deferred, None, Some(rest)) if rest.outcome == Outcome::Processed => [Some(attempt), Some(rest)],
        _ => return Ok(Vec::new()),
    };
    if place.beyond_cap {
        // Of many types, what is usual for none says nothing.
        return Ok(Vec::new());
    }
    let done: BTreeSet<&str> = halves
        .into_iter()
        .flatten()
        .flat_map(|half| &half.steps)
        .filter(|step| step.error.is_none())
        .map(|step| step.name.as_str())
        .collect();
    habits.judge(transaction, place.series, &done)
}

/// What a request with this verdict says of itself may be believed. A verdict that is not known here may be anything.
fn is_trusted(result: VerificationResult) -> bool {
    matches!(result, VerificationResult::Verified | VerificationResult::Unverified)
}

/// Takes back the silent drop that was written down when a deadline passed, now that it is told that the work ended before it: the
/// collector was away, or the sender could not reach it. Answers the deadline where it did.
fn take_back_miss(
    transaction: &Transaction<'_>,
    attempt: &Attempt,
    believed: bool,
    other: Option<&Other>,
    place: &Place,
    counts: &mut Counts,
) -> Result<Option<i64>, Error> {
    let due = other.and_then(|other| other.attempt.as_ref()?.deferred_until);
    let (Some(deferred), Some(due), true) = (attempt.continues, due, believed) else { return Ok(None) };
    let ended = attempt.received_at.unix_micros().saturating_add_unsigned(attempt.duration_us);
    if ended > due.unix_micros() || missed::of(attempt).is_some() || !deferred::forget_miss(transaction, deferred)? {
        return Ok(None);
    }
    counts.not_missed(place.series, due);
    Ok(Some(due.unix_micros()))
}

fn seen(
    attempt: &Attempt,
    place: &Place,
    believed: bool,
    outcome: Outcome,
    suspected: bool,
    at: Timestamp,
    not_missed: Option<i64>,
) -> Seen {
    Seen {
        trusted: believed,
        outcome,
        continuation: attempt.continues.is_some(),
        suspected,
        received_at: at.unix_micros(),
        not_missed,
        series: place.series,
        event_type: attempt.event_type.clone().filter(|_| place.beyond_cap),
        entity_id: attempt.entity_id.clone().filter(|_| believed),
    }
}

/// Finds or makes the message of an attempt, and brings it up to date. Both halves of deferred work are of one message, also
/// where the provider gives no id.
fn fold(
    transaction: &Transaction<'_>,
    message_id: Option<&str>,
    other: Option<&Other>,
    endpoint: i64,
    seen: Seen,
) -> Result<i64, Error> {
    let which = match (other, message_id) {
        (Some(other), _) => Which::Id(other.message),
        (None, Some(message_id)) => Which::Key(endpoint, message_id),
        (None, None) => return message::insert(transaction, endpoint, None, &State::first(seen)),
    };
    match message::find(transaction, &which)? {
        None => message::insert(transaction, endpoint, message_id, &State::first(seen)),
        Some((id, mut state)) => {
            state.add(seen);
            message::update(transaction, id, &state)?;
            Ok(id)
        }
    }
}

fn insert(
    transaction: &Transaction<'_>,
    record: &Record,
    message: i64,
    now: Timestamp,
    believed: bool,
    lacking: &[Lacking],
) -> Result<i64, Error> {
    let attempt = &record.attempt;
    transaction
        .prepare_cached(
            "INSERT INTO attempts (id, message, received_at, stored_at, record, suspected) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            attempt.id.as_bytes(),
            message,
            attempt.received_at.min(now).unix_micros(),
            now.unix_micros(),
            kept(record, believed)?,
            as_text(lacking)?,
        ])?;
    Ok(transaction.last_insert_rowid())
}

/// The text that is kept: of a continuation that is not believed, what is left of it.
fn kept(record: &Record, believed: bool) -> Result<Cow<'_, str>, Error> {
    let attempt = &record.attempt;
    if believed || attempt.verification.result == VerificationResult::Rejected {
        return Ok(Cow::Borrowed(&record.json));
    }
    let refused = Attempt {
        outcome: Outcome::Rejected,
        verification: Verification { result: VerificationResult::Rejected, code: None, diagnosis: None },
        event_type: None,
        entity_id: None,
        ..attempt.clone()
    };
    json(&refused).map(Cow::Owned)
}

fn as_text(lacking: &[Lacking]) -> Result<Option<String>, Error> {
    if lacking.is_empty() { Ok(None) } else { json(&lacking).map(Some) }
}

fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|_| Error::StorageUnavailable)
}

/// Marks the processed continuation of an attempt that came after it, now that both are known.
fn suspect(transaction: &Transaction<'_>, continuation: &Other, lacking: &[Lacking]) -> Result<(), Error> {
    let Some(text) = as_text(lacking)? else { return Ok(()) };
    transaction
        .prepare_cached("UPDATE attempts SET suspected = ? WHERE seq = ?")?
        .execute(params![text, continuation.seq])?;
    transaction
        .prepare_cached("UPDATE messages SET suspected = 1 WHERE id = ? AND outcome = ?")?
        .execute(params![continuation.message, codes::number(Outcome::Processed)])?;
    Ok(())
}

/// Starts or ends the deadline of deferred work.
fn follow_up(
    transaction: &Transaction<'_>,
    attempt: &Attempt,
    outcome: Outcome,
    message: i64,
    seq: i64,
    continued: bool,
) -> Result<(), Error> {
    match attempt.continues {
        Some(deferred) => {
            deferred::link(transaction, deferred, seq)?;
            deferred::end_deadline(transaction, deferred)
        }
        None if outcome == Outcome::Deferred && !continued => deferred::await_mark(transaction, attempt, message),
        None => Ok(()),
    }
}

/// What is said to be the rest of a refused request counts nowhere.
fn count(counts: &mut Counts, attempt: &Attempt, place: &Place, at: Timestamp, outcome: Outcome) {
    let continuation = attempt.continues.is_some();
    if continuation && outcome == Outcome::Rejected {
        return;
    }
    counts.stored(place.series, at, &Counted { outcome, continuation, duration_us: attempt.duration_us });
    if outcome == Outcome::Rejected {
        // As many as the rejected attempts, also those of which no reason is known.
        counts.rejection(place.endpoint, at, attempt.verification.code.unwrap_or(ReasonCode::Other));
    }
}
