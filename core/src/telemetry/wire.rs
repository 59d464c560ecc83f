//! The bytes between a sender and a collector.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::attempt::{Attempt, DropReason, Instance, SCHEMA_VERSION, SdkInfo};
use super::backoff::{self, Verdict};
use super::queue::InFlight;
use super::refusals::Refused;
use crate::time::Timestamp;

/// A collector's answer to a batch that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// How many attempts it stored.
    pub accepted: u64,
    /// How many it had stored before.
    pub duplicates: u64,
    /// Those it will not store.
    pub rejected: Vec<RejectedAttempt>,
}

/// An attempt that a collector will not store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedAttempt {
    /// Its place in the batch.
    pub index: u64,
    /// Why, e.g. `invalid_attempt`.
    pub code: String,
}

/// What a sender does about a collector's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Every attempt is accounted for: give this to [`AttemptQueue::acknowledge`](super::queue::AttemptQueue::acknowledge).
    Stored(Ack),
    /// Send it again later.
    Retry,
    /// Send it again in two halves.
    Split,
    /// The API key is refused.
    Unauthorized,
    /// It will never be accepted.
    Refused,
}

/// Encodes a batch as the JSON of `tests/contract/batch.v1.schema.json`, straight from the queue. `posted_at` is when it is
/// posted, which may be again.
///
/// # Errors
/// An attempt holds what JSON cannot say. None that this crate makes does.
pub fn encode(
    sdk: &SdkInfo,
    instance: &Instance,
    service: Option<&str>,
    batch: &InFlight,
    posted_at: Timestamp,
) -> Result<Vec<u8>, serde_json::Error> {
    /// [`Batch`](super::attempt::Batch), borrowed.
    #[derive(Serialize)]
    struct Borrowed<'a> {
        schema: u32,
        sdk: &'a SdkInfo,
        instance: &'a Instance,
        #[serde(skip_serializing_if = "Option::is_none")]
        service: Option<&'a str>,
        sent_at: Timestamp,
        posted_at: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        report_id: Option<Uuid>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        refused: Vec<Refused>,
        #[serde(skip_serializing_if = "Option::is_none")]
        dropped: Option<&'a BTreeMap<DropReason, u64>>,
        attempts: Vec<&'a Attempt>,
    }
    let attempts = batch.attempts().collect();
    let (sent_at, dropped) = (batch.sent_at(), batch.dropped());
    let report_id = batch.reported_at().map(|at| report_id(instance, at));
    let refused = batch.refused().into_iter().flatten();
    let refused = refused.map(|(kind, count)| Refused { kind: kind.clone(), count: *count }).collect();
    let schema = SCHEMA_VERSION;
    serde_json::to_vec(&Borrowed {
        schema,
        sdk,
        instance,
        service,
        sent_at,
        posted_at,
        report_id,
        refused,
        dropped,
        attempts,
    })
}

/// The id of a report: the same for one that is told again.
fn report_id(instance: &Instance, at: Timestamp) -> Uuid {
    let digest = Sha256::new().chain_update(instance.id).chain_update(at.unix_micros().to_be_bytes()).finalize();
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(first).into_uuid()
}

/// Reads a collector's answer to a batch of `sent` attempts.
///
/// It is only a yes when it is 202 and its JSON accounts for every attempt. Anything else that looks like a success is
/// tried again: sending twice costs nothing, since a collector stores each attempt once.
///
/// ```
/// use surehook_core::telemetry::wire::{Ack, Answer, read_answer};
///
/// let body = br#"{"accepted": 2, "duplicates": 1, "rejected": []}"#;
/// assert!(matches!(read_answer(202, body, 3), Answer::Stored(Ack { accepted: 2, .. })));
/// assert_eq!(read_answer(202, body, 4), Answer::Retry);
/// assert_eq!(read_answer(200, b"<html>Sign in to the Wi-Fi</html>", 3), Answer::Retry);
/// ```
pub fn read_answer(status: u16, body: &[u8], sent: usize) -> Answer {
    match backoff::classify(status) {
        Verdict::Accepted => decode_ack(body, sent).map_or(Answer::Retry, Answer::Stored),
        Verdict::Retry => Answer::Retry,
        Verdict::Split => Answer::Split,
        Verdict::Unauthorized => Answer::Unauthorized,
        Verdict::Refused => Answer::Refused,
    }
}

/// The acknowledgement of a batch of `sent` attempts, or `None` when it does not account for each of them.
fn decode_ack(body: &[u8], sent: usize) -> Option<Ack> {
    let ack: Ack = serde_json::from_slice(body).ok()?;
    let sent = u64::try_from(sent).ok()?;
    let rejected: BTreeSet<u64> = ack.rejected.iter().map(|rejected| rejected.index).collect();
    let distinct = rejected.len() == ack.rejected.len() && rejected.iter().all(|&index| index < sent);
    let rejected = u64::try_from(rejected.len()).ok()?;
    let sum = ack.accepted.checked_add(ack.duplicates)?.checked_add(rejected)?;
    (distinct && sum == sent).then_some(ack)
}
