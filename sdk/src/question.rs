//! Questions to a table of the application's own: the SDK decides, the application runs the statements.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use surehook_core::Timestamp;
use surehook_core::dedup::{Change, DedupKey, Entry, Sender, Senders, StoreError, Transition};

use crate::delivery::guarded;
use crate::endpoint::Inner;
use crate::signers::{Signers, Unregistered};
use crate::store::CLAIM_KEPT;

/// A message whose entry changed so often between being read and being replaced is given up.
const TRIES: u32 = 8;
const MISPLACED: &str = "the answer does not belong to the statement that was to be run";
const UNDECIDED: &str = "the decision itself failed";
/// Whatever ends a question consumes it.
const OPEN: &str = "a question ends once";
/// The year 9000: a record of senders is never removed, and every database knows such a time.
const NEVER: Timestamp = Timestamp::from_unix_seconds(221_845_392_000);
const UNANSWERED: &str = "its statements were not run";

/// One statement on the application's table, which has a key, a value and the time at which a row may be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<'q> {
    /// Read the value of a key, to be told with [`Question::loaded`].
    Load {
        /// 64 hexadecimal digits.
        key: &'q str,
    },
    /// Replace the value of a key where it still is `old`, and say with [`Question::replaced`] whether it was.
    Replace {
        /// 64 hexadecimal digits.
        key: &'q str,
        /// The value as it was loaded. `None`: there was no row; insert one, unless there is one by now.
        old: Option<&'q [u8]>,
        /// The value to be. `None`: delete the row.
        new: Option<&'q [u8]>,
        /// When the row may be removed; present exactly when `new` is.
        expires_at: Option<Timestamp>,
    },
}

/// A question to the application's table, as a few statements to be run one after another; at its end there is a `T`.
///
/// Dropped without an answer, the table counts as one that cannot be asked.
#[must_use = "a question that is dropped counts as failed"]
pub struct Question<T> {
    endpoint: Arc<Inner>,
    key: String,
    stage: Stage,
    tries: u32,
    /// Taken when the question ends.
    matter: Option<Box<dyn Matter<T>>>,
}

/// What an answer comes to.
#[must_use = "a question that is dropped counts as failed"]
pub enum Asked<T> {
    /// Another statement has to be run.
    Again(Question<T>),
    /// That was all.
    Done(T),
}

enum Stage {
    Load,
    Replace { old: Option<Vec<u8>>, new: Option<(Vec<u8>, Timestamp)> },
}

/// What is asked, and what follows from the answer.
trait Matter<T>: Send {
    /// Decides about the value as it is.
    fn decide(&mut self, value: Option<&[u8]>, now: Timestamp) -> Result<Decided, StoreError>;

    /// The last decision stands, or the table could not be asked.
    fn end(self: Box<Self>, asked: Result<(), StoreError>) -> Asked<T>;
}

enum Decided {
    Keep,
    Clear,
    Set(Vec<u8>, Timestamp),
}

/// A transition of the core's machine with the verdict it gave last.
struct Exchange<V, D, E> {
    decide: D,
    verdict: Option<V>,
    end: E,
}

/// The registration of an endpoint's senders, with the record as it was decided last.
struct Registration<E> {
    signers: Arc<Signers>,
    who: Unregistered,
    decided: Option<(Senders, Timestamp)>,
    end: E,
}

impl<T> Question<T> {
    /// Registers the senders of an endpoint; what follows may be another question.
    pub(crate) fn of_senders(
        endpoint: &Arc<Inner>,
        registry: String,
        signers: Arc<Signers>,
        who: Unregistered,
        end: impl FnOnce(Result<Sender, StoreError>) -> Asked<T> + Send + 'static,
    ) -> Self {
        Self::about(endpoint, registry, Registration { signers, who, decided: None, end })
    }

    /// Asks for one transition of an entry. `decide` is asked anew when the entry changed meanwhile.
    pub(crate) fn new<V: Send + 'static>(
        endpoint: &Arc<Inner>,
        key: &DedupKey,
        decide: impl FnMut(Option<&Entry>, Timestamp) -> Transition<V> + Send + 'static,
        end: impl FnOnce(Result<V, StoreError>) -> T + Send + 'static,
    ) -> Self {
        Self::about(endpoint, key.to_string(), Exchange { decide, verdict: None, end })
    }

    fn about(endpoint: &Arc<Inner>, key: String, matter: impl Matter<T> + 'static) -> Self {
        Self { endpoint: Arc::clone(endpoint), key, stage: Stage::Load, tries: 0, matter: Some(Box::new(matter)) }
    }

    /// The statement to be run.
    pub fn operation(&self) -> Operation<'_> {
        let key = &self.key;
        match &self.stage {
            Stage::Load => Operation::Load { key },
            Stage::Replace { old, new } => Operation::Replace {
                key,
                old: old.as_deref(),
                new: new.as_ref().map(|(value, _)| &value[..]),
                expires_at: new.as_ref().map(|(_, expires_at)| *expires_at),
            },
        }
    }

    /// The answer to [`Operation::Load`]: the value, where there is a row.
    pub fn loaded(mut self, value: Option<&[u8]>) -> Asked<T> {
        if !matches!(self.stage, Stage::Load) {
            return Asked::Done(self.failed(MISPLACED));
        }
        let endpoint = Arc::clone(&self.endpoint);
        let matter = self.matter_mut();
        let decided = catch_unwind(AssertUnwindSafe(|| matter.decide(value, endpoint.clock.now())));
        let new = match decided {
            Ok(Ok(Decided::Keep)) => return self.end(Ok(())),
            Ok(Ok(Decided::Set(value, expires_at))) => Some((value, expires_at)),
            Ok(Ok(Decided::Clear)) => None,
            Ok(Err(error)) => return Asked::Done(self.failed(&error.reason)),
            Err(_) => return Asked::Done(self.failed(UNDECIDED)),
        };
        self.stage = Stage::Replace { old: value.map(<[u8]>::to_vec), new };
        Asked::Again(self)
    }

    /// The answer to [`Operation::Replace`]: whether a row was inserted, changed or deleted.
    pub fn replaced(mut self, took_place: bool) -> Asked<T> {
        if !matches!(self.stage, Stage::Replace { .. }) {
            return Asked::Done(self.failed(MISPLACED));
        }
        if took_place {
            return self.end(Ok(()));
        }
        self.tries += 1;
        if self.tries >= TRIES {
            return Asked::Done(self.failed(&format!("its entry changed {TRIES} times while it was to be replaced")));
        }
        self.stage = Stage::Load;
        Asked::Again(self)
    }

    /// The statement could not be run, for this reason. Whether it took place may be unknown.
    pub fn failed(self, reason: &str) -> T {
        let reason = self.endpoint.redacted(reason);
        // Another question is not asked of a table that just failed.
        self.end(Err(StoreError { reason })).unasked(UNANSWERED)
    }

    fn end(mut self, asked: Result<(), StoreError>) -> Asked<T> {
        self.matter.take().expect(OPEN).end(asked)
    }

    fn matter_mut(&mut self) -> &mut dyn Matter<T> {
        &mut **self.matter.as_mut().expect(OPEN)
    }
}

impl<T> Asked<T> {
    /// What it comes to when no statement can be run.
    pub(crate) fn unasked(self, reason: &str) -> T {
        match self {
            Self::Again(question) => question.failed(reason),
            Self::Done(end) => end,
        }
    }
}

impl<T> Drop for Question<T> {
    fn drop(&mut self) {
        if let Some(matter) = self.matter.take() {
            guarded(None, move || drop(matter.end(Err(unanswered()))));
        }
    }
}

impl<T> std::fmt::Debug for Question<T> {
    /// Tells no value: it may hold the answer of a handler.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("key", &self.key).field("tries", &self.tries).finish_non_exhaustive()
    }
}

impl<T, V, D, E> Matter<T> for Exchange<V, D, E>
where
    V: Send,
    D: FnMut(Option<&Entry>, Timestamp) -> Transition<V> + Send,
    E: FnOnce(Result<V, StoreError>) -> T + Send,
{
    fn decide(&mut self, value: Option<&[u8]>, now: Timestamp) -> Result<Decided, StoreError> {
        let entry = value.map(Entry::from_bytes).transpose();
        let entry = entry.map_err(|error| StoreError { reason: error.to_string() })?;
        let Transition { change, verdict } = (self.decide)(entry.as_ref(), now);
        self.verdict = Some(verdict);
        Ok(match change {
            Change::Keep => Decided::Keep,
            Change::Clear => Decided::Clear,
            Change::Set(entry) => Decided::Set(entry.to_bytes(), kept_until(&entry)),
        })
    }

    fn end(self: Box<Self>, asked: Result<(), StoreError>) -> Asked<T> {
        let Self { verdict, end, .. } = *self;
        Asked::Done(end(asked.and_then(|()| verdict.ok_or_else(unanswered))))
    }
}

impl<T, E> Matter<T> for Registration<E>
where
    E: FnOnce(Result<Sender, StoreError>) -> Asked<T> + Send,
{
    fn decide(&mut self, value: Option<&[u8]>, now: Timestamp) -> Result<Decided, StoreError> {
        let senders = self.signers.register(value, &self.who)?;
        let bytes = senders.to_bytes();
        self.decided = Some((senders, now));
        Ok(if value == Some(&bytes) { Decided::Keep } else { Decided::Set(bytes, NEVER) })
    }

    fn end(self: Box<Self>, asked: Result<(), StoreError>) -> Asked<T> {
        let Self { signers, who, decided, end } = *self;
        let decided = asked.and_then(|()| decided.ok_or_else(unanswered));
        end(decided.and_then(|(senders, now)| signers.learn(&senders, &who, now)))
    }
}

fn unanswered() -> StoreError {
    StoreError { reason: UNANSWERED.to_owned() }
}

/// A claim that nobody ended is kept as long as in the other stores.
fn kept_until(entry: &Entry) -> Timestamp {
    match entry {
        Entry::Running { claimed_at, .. } => *claimed_at + CLAIM_KEPT,
        Entry::Done { expires_at, .. } => *expires_at,
    }
}
