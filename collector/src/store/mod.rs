//! Where everything is kept. There is one storage, so there is no trait yet: a second one will show what it must ask.

pub(crate) mod codes;
pub(crate) mod sqlite;

use serde::Deserialize;
use surehook_core::telemetry::attempt::Attempt;
use surehook_core::{Outcome, Timestamp};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::error::Error;

/// A batch on its way to the storage, checked and decoded.
pub(crate) struct Submission {
    /// The key it was sent with; `None` for what the collector itself has to say.
    pub(crate) key: Option<i64>,
    /// The process that sent it.
    pub(crate) instance: Uuid,
    /// When that process encoded it.
    pub(crate) sent_at: Timestamp,
    /// What that process lost: reason and count.
    pub(crate) dropped: Vec<(String, u64)>,
    /// Refused requests that it only counts.
    pub(crate) refused: Option<Refusals>,
    /// The attempts.
    pub(crate) attempts: Vec<Record>,
    /// Told once the batch is on the disk, or cannot be.
    pub(crate) stored: oneshot::Sender<Result<Stored, Error>>,
}

/// Refused requests that a process counted, in one report. A report is counted once, however often it comes.
pub(crate) struct Refusals {
    /// The report's id.
    pub(crate) report: Uuid,
    /// The counts.
    pub(crate) counted: Vec<Summary>,
}

/// How many refused requests were of one kind. Codes, findings and shapes that this version does not know are kept as they are.
#[derive(Debug, Deserialize)]
pub(crate) struct Summary {
    pub(crate) endpoint: String,
    pub(crate) provider: String,
    pub(crate) code: String,
    pub(crate) finding: Option<String>,
    pub(crate) shape: String,
    pub(crate) count: u64,
}

/// An attempt and the text it is kept as.
pub(crate) struct Record {
    /// The attempt.
    pub(crate) attempt: Attempt,
    /// The same as JSON, members that are not known here among it.
    pub(crate) json: String,
}

impl Record {
    /// A record of an attempt; `None` when JSON cannot say it.
    pub(crate) fn new(attempt: Attempt) -> Option<Self> {
        let json = serde_json::to_string(&attempt).ok()?;
        Some(Self { attempt, json })
    }
}

/// An attempt that was stored just now.
#[derive(Clone, Copy)]
pub(crate) struct Fresh<'a> {
    /// The attempt.
    pub(crate) attempt: &'a Attempt,
    /// What it says of itself is believed.
    pub(crate) believed: bool,
    /// It is, or it completes, a suspected silent drop.
    pub(crate) suspected: bool,
    /// When it came in: by its sender's clock, and not later than it was heard of.
    pub(crate) at: Timestamp,
}

impl Fresh<'_> {
    /// What became of the attempt, as far as it is believed.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.believed { self.attempt.outcome } else { Outcome::Rejected }
    }

    /// Its event type, as far as it is believed.
    pub(crate) fn event_type(&self) -> Option<&str> {
        self.attempt.event_type.as_deref().filter(|_| self.believed)
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Attempts that are on the disk now and were not before.
    pub(crate) accepted: usize,
    /// Attempts that were there already.
    pub(crate) duplicates: usize,
}
