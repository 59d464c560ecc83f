//! The end of a handled message whose entry is in the application's database: its work and its answer stand or fall together.

use std::sync::Arc;

use surehook_core::Outcome;
use surehook_core::dedup::{self, Completion, Release, StoreError, StoredResponse};
use surehook_core::telemetry::attempt::{DedupResult, Failure};

use crate::admission::Claimed;
use crate::answer::Answer;
use crate::delivery::guarded;
use crate::notice::{self, Level};
use crate::question::{Asked, Question};
use crate::record::{Ending, Record};

/// How a delivery ended inside of the application's transaction, which is to be ended now.
///
/// Ends with [`committed`](Self::committed) or [`rolled_back`](Self::rolled_back). Dropped without either, the transaction counts
/// as one that did not commit, and the claim on the message lapses with its lease.
#[must_use = "a transaction nobody speaks of counts as one that did not commit"]
pub struct Settled {
    work: Option<Box<Work>>,
    commit: bool,
    replacement: Option<Answer>,
}

/// A handled message and what is to be recorded of it.
pub(crate) struct Work {
    pub(crate) record: Record,
    pub(crate) ending: Ending,
    /// Absent where no claim was made, or another attempt took it over.
    pub(crate) claimed: Option<Claimed>,
}

/// Whether the work of a handler that answers with this status may be committed: no success is told of work that is undone.
pub const fn may_commit(status: u16) -> bool {
    matches!(status, 200..=299)
}

impl Settled {
    /// Whether to commit the transaction. If not, the provider will try again, and the work must not stand twice.
    pub fn commit(&self) -> bool {
        self.commit
    }

    /// Send this answer instead of the handler's. There is none where the transaction is to be committed.
    pub fn replacement(&self) -> Option<&Answer> {
        self.replacement.as_ref()
    }

    /// The transaction was committed.
    pub fn committed(mut self) {
        let Some(work) = self.work.take() else { return };
        if !self.commit {
            let name = &work.record.endpoint.name;
            notice::give(Level::Error, format!("{name}: a transaction was committed that was to be rolled back"));
        }
        work.send();
    }

    /// The transaction was rolled back, or could not be committed for this reason; then answer 500, or let the error through.
    /// The question gives the claim back: run it outside of the transaction.
    pub fn rolled_back(mut self, reason: Option<&str>) -> Asked<()> {
        let Some(mut work) = self.work.take() else { return Asked::Done(()) };
        if self.commit {
            work.not_committed(reason.unwrap_or("the application rolled it back"));
        }
        work.give_back()
    }

    /// What it comes to where nothing more is said of the transaction. `Some`: send this answer instead of the handler's.
    pub(crate) fn obeyed(mut self) -> Option<Answer> {
        let replacement = self.replacement.take();
        if self.commit {
            self.committed();
        }
        replacement
    }

    /// Whether the work may stand is not known, so it does not: after a fault of ours, or where the handler took so long that
    /// another attempt may have the message.
    pub(crate) fn undone() -> Self {
        Self { work: None, commit: false, replacement: Some(Answer::unavailable()) }
    }

    fn commit_work(work: Work) -> Self {
        Self { work: Some(Box::new(work)), commit: true, replacement: None }
    }

    fn roll_back(work: Work, replacement: Option<Answer>) -> Self {
        Self { work: Some(Box::new(work)), commit: false, replacement }
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        let Some(mut work) = self.work.take() else { return };
        if self.commit {
            work.not_committed("nobody said whether it was committed");
        }
        work.send();
    }
}

impl std::fmt::Debug for Settled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settled")
            .field("commit", &self.commit)
            .field("replacement", &self.replacement)
            .finish_non_exhaustive()
    }
}

impl Work {
    /// Decides what the transaction comes to. Where the provider will not come again, the entry is changed in the transaction
    /// too, so that no work is committed but that of the attempt which has the message.
    pub(crate) fn settle(self, kept: Option<StoredResponse>, replacement: Option<Answer>) -> Asked<Settled> {
        let success = self.ending.status.is_some_and(may_commit);
        match (self.claimed.clone(), kept) {
            _ if !success => Asked::Done(Settled::roll_back(self, replacement)),
            (None, _) => Asked::Done(Settled::commit_work(self)),
            (Some(claimed), Some(response)) => Asked::Again(self.complete(&claimed, Arc::new(response))),
            (Some(claimed), None) => Asked::Again(self.release(&claimed)),
        }
    }

    /// Gives the claim back outside of the transaction, and sends the record.
    pub(crate) fn give_back(self) -> Asked<()> {
        let Some(Claimed { key, owner, .. }) = self.claimed.clone() else {
            self.send();
            return Asked::Done(());
        };
        let endpoint = Arc::clone(&self.record.endpoint);
        Asked::Again(Question::new(
            &endpoint,
            &key,
            move |entry, _| dedup::release(entry, owner),
            move |released| {
                if let Err(error) = released {
                    let name = &self.record.endpoint.name;
                    notice::give(Level::Error, format!("{name}: a claim is not given back but left to lapse: {error}"));
                }
                self.send();
            },
        ))
    }

    /// Stores the answer for the duplicates.
    fn complete(self, claimed: &Claimed, response: Arc<StoredResponse>) -> Question<Settled> {
        let (owner, endpoint) = (claimed.owner, Arc::clone(&self.record.endpoint));
        let ttl = endpoint.ttl;
        Question::new(
            &endpoint,
            &claimed.key,
            move |entry, now| dedup::complete(entry, owner, Arc::clone(&response), now, ttl),
            move |completed| self.settled(completed.map(|completion| completion == Completion::Stored)),
        )
    }

    /// The work stands, and the message counts as not handled.
    fn release(self, claimed: &Claimed) -> Question<Settled> {
        let (owner, endpoint) = (claimed.owner, Arc::clone(&self.record.endpoint));
        Question::new(
            &endpoint,
            &claimed.key,
            move |entry, _| dedup::release(entry, owner),
            move |released| self.settled(released.map(|release| release == Release::Released)),
        )
    }

    /// `changed`: whether the claim still was this attempt's.
    fn settled(mut self, changed: Result<bool, StoreError>) -> Settled {
        match changed {
            Ok(true) => Settled::commit_work(self),
            Ok(false) => {
                self.claimed = None;
                let answer = Answer::busy();
                self.undo(
                    DedupResult::Fenced,
                    &answer,
                    "Fenced",
                    "the message had passed to another; the work is undone",
                );
                Settled::roll_back(self, Some(answer))
            }
            Err(error) => {
                let (answer, cause) = (Answer::unavailable(), error.to_string());
                notice::give(Level::Error, format!("{}: the work is undone: {cause}", self.record.endpoint.name));
                self.undo(DedupResult::Unavailable, &answer, "StoreError", &cause);
                Settled::roll_back(self, Some(answer))
            }
        }
    }

    /// The work does not stand, and the sender gets this answer.
    fn undo(&mut self, dedup: DedupResult, answer: &Answer, kind: &str, cause: &str) {
        self.ending.dedup = dedup;
        self.ending.status = Some(answer.status);
        self.ending.response_size = Some(answer.body.len() as u64);
        self.fail(kind, cause);
    }

    /// The work does not stand, and the framework answers as it does for an error.
    fn not_committed(&mut self, reason: &str) {
        (self.ending.status, self.ending.response_size) = (None, None);
        self.fail("NotCommitted", &format!("the transaction was not committed: {reason}"));
    }

    fn fail(&mut self, kind: &str, message: &str) {
        self.ending.outcome = Outcome::Failed;
        self.ending.missing_steps.clear();
        let error = self.record.redactor().error(kind, message, None);
        let failure = self.ending.failure.get_or_insert(Failure { reason: None, error: None });
        failure.error = Some(error);
    }

    fn send(self) {
        let client = self.record.client.clone();
        guarded(client.as_ref(), move || self.record.send(self.ending));
    }
}
