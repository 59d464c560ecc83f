//! One transaction: some batches, their messages and their counts, all or nothing.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use surehook_core::Timestamp;

use super::append::{self, Appended, Memory};
use super::refused;
use crate::api::live::Event;
use crate::error::Error;
use crate::metrics::rollup::Counts;
use crate::store::{Fresh, Stored, Submission};

/// How often the time of a key's last use is written down, in microseconds.
const KEY_USE_GRAIN: i64 = 60_000_000;

/// What a transaction did.
pub(super) struct Committed<'a> {
    /// For each batch, in order.
    pub(super) stored: Vec<Stored>,
    /// The attempts that are new.
    pub(super) fresh: Vec<Fresh<'a>>,
    /// What senders lost and had not told before: reason and count.
    pub(super) lost: Vec<(String, u64)>,
    /// The attempts that are new, for the live stream; empty when nobody watches.
    pub(super) events: Vec<Event>,
}

/// Stores some batches in one transaction. After `Ok` they are on the disk.
pub(super) fn commit<'a>(
    connection: &mut Connection,
    memory: &mut Memory,
    group: &'a [Submission],
    now: Timestamp,
    watched: bool,
) -> Result<Committed<'a>, Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut counts = Counts::default();
    let (mut fresh, mut lost, mut events) = (Vec::new(), Vec::new(), Vec::new());
    let mut stored = Vec::with_capacity(group.len());
    for submission in group {
        let mut batch = Stored::default();
        for record in &submission.attempts {
            match append::attempt(&transaction, memory, record, now, &mut counts)? {
                None => batch.duplicates += 1,
                Some(Appended { message, believed, suspected }) => {
                    batch.accepted += 1;
                    let at = record.attempt.received_at.min(now);
                    let told = Fresh { attempt: &record.attempt, believed, suspected, at };
                    if watched {
                        events.push(Event::new(message, &told));
                    }
                    fresh.push(told);
                }
            }
        }
        drops(&transaction, submission, now, &mut lost)?;
        if let Some(refusals) = &submission.refused {
            refused::count(&transaction, memory, refusals, submission.sent_at.min(now), now, &mut counts)?;
        }
        submission.key.map_or(Ok(()), |key| key_use(&transaction, key, now))?;
        stored.push(batch);
    }
    memory.write(&transaction)?;
    counts.write(&transaction)?;
    transaction.commit()?;
    Ok(Committed { stored, fresh, lost, events })
}

/// Writes down what a sender lost. The same report, sent again, is the same row.
fn drops(
    transaction: &Transaction<'_>,
    submission: &Submission,
    now: Timestamp,
    lost: &mut Vec<(String, u64)>,
) -> Result<(), Error> {
    for (reason, count) in &submission.dropped {
        let told = transaction
            .prepare_cached(
                "INSERT INTO client_drops (instance, sent_at, reason, count, stored_at) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                submission.instance.as_bytes(),
                submission.sent_at.unix_micros(),
                reason,
                i64::try_from(*count).unwrap_or(i64::MAX),
                now.unix_micros(),
            ])?;
        if told > 0 {
            lost.push((reason.clone(), *count));
        }
    }
    Ok(())
}

fn key_use(transaction: &Transaction<'_>, key: i64, now: Timestamp) -> Result<(), Error> {
    let now = now.unix_micros();
    transaction
        .prepare_cached("UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND coalesce(last_used_at, 0) <= ?2 - ?3")?
        .execute([key, now, KEY_USE_GRAIN])?;
    Ok(())
}
