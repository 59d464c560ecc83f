//! The end of a handled message: its answer is stored for the duplicates, or its claim is given back.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use futures_util::FutureExt;
use surehook_core::dedup::{Completion, Store, StoreError, StoredResponse};
use surehook_core::telemetry::attempt::DedupResult;

use crate::admission::Claimed;
use crate::answer::Answer;
use crate::io;
use crate::lease::Lease;
use crate::notice::{self, Level};
use crate::question::Asked;
use crate::record::{Ending, Record};
use crate::store::ONLY_THE_APPLICATION;
use crate::transaction::Settled;

/// An answer that could not be stored is tried again so often, so far apart: a store that is away for some seconds does not
/// make a handler run twice.
const TRIES: u32 = 20;
const TRY_INTERVAL: Duration = Duration::from_secs(1);

/// What [`Delivery::finish_without_waiting`](crate::Delivery::finish_without_waiting) came to.
pub enum Ended {
    /// It has ended. `Some`: send this answer instead of the handler's.
    Now(Option<Answer>),
    /// A store on the other side of a network has to be told first.
    Later(PendingEnd),
    /// The application's transaction has to be asked first, before it ends.
    Transaction(Asked<Settled>),
}

/// An end to come. Nothing happens until [`then`](Self::then) or [`wait`](Self::wait) is called.
#[must_use = "nothing is stored until it is waited for"]
pub struct PendingEnd {
    pub(crate) settlement: Box<Settlement>,
    pub(crate) replacement: Option<Answer>,
}

/// An answer that is to be stored, and the record that says whether it was.
pub(crate) struct Settlement {
    pub(crate) record: Record,
    pub(crate) ending: Ending,
    pub(crate) claimed: Claimed,
    pub(crate) lease: Option<Lease>,
    pub(crate) response: Arc<StoredResponse>,
}

impl Ended {
    /// `Some`: send this answer instead. Waits on the calling thread where a store has to be told. A database that only the
    /// application can ask counts as one that cannot be asked.
    pub fn wait(self) -> Option<Answer> {
        match self {
            Self::Now(replacement) => replacement,
            Self::Later(pending) => pending.wait(),
            Self::Transaction(asked) => asked.unasked(ONLY_THE_APPLICATION).obeyed(),
        }
    }
}

impl PendingEnd {
    /// Stores the answer and calls `done`, once, on the SDK's I/O thread: it must not block. `Some`: send this answer instead
    /// of the handler's.
    pub fn then(self, done: impl FnOnce(Option<Answer>) + Send + 'static) {
        let Self { settlement, replacement } = self;
        match io::handle() {
            Ok(io) => {
                io.spawn(async move {
                    if AssertUnwindSafe(settlement.store()).catch_unwind().await.is_err() {
                        notice::give(Level::Error, "an attempt could not be recorded; the handler's answer stands");
                    }
                    done(replacement);
                });
            }
            Err(error) => {
                settlement.send(Err(error));
                done(replacement);
            }
        }
    }

    /// Stores the answer and waits for that on the calling thread.
    pub fn wait(self) -> Option<Answer> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.then(move |replacement| drop(sender.send(replacement)));
        receiver.recv().ok().flatten()
    }
}

impl Settlement {
    /// Stores the answer in a store that does so at once.
    pub(crate) fn store_now(self) {
        let Claimed { store, key, owner } = &self.claimed;
        let (response, now) = (Arc::clone(&self.response), self.record.endpoint.clock.now());
        let completed = store.complete(key, *owner, response, now, self.record.endpoint.ttl);
        self.send(completed);
    }

    /// Stores the answer; tries again beside the caller where that fails.
    async fn store(mut self) {
        let completed = self.complete().await;
        if completed.is_err() {
            let again = Self::try_again(
                self.claimed.clone(),
                self.lease.take(),
                Arc::clone(&self.response),
                self.record.endpoint.ttl,
            );
            tokio::spawn(again);
        }
        self.send(completed);
    }

    async fn complete(&self) -> Result<Completion, StoreError> {
        let Claimed { store, key, owner } = self.claimed.clone();
        let (now, ttl) = (self.record.endpoint.clock.now(), self.record.endpoint.ttl);
        store.complete_on_io(key, owner, Arc::clone(&self.response), now, ttl).await
    }

    /// Completing twice with one token is completing once, so an answer whose acknowledgement was lost can be stored again.
    /// Only remote stores come here, and they have a clock of their own.
    async fn try_again(claimed: Claimed, lease: Option<Lease>, response: Arc<StoredResponse>, ttl: Duration) {
        let Claimed { store, key, owner } = claimed;
        for _ in 0..TRIES {
            tokio::time::sleep(TRY_INTERVAL).await;
            let now = surehook_core::Timestamp::from_unix_micros(0);
            if store.complete_on_io(key, owner, Arc::clone(&response), now, ttl).await.is_ok() {
                break;
            }
        }
        drop(lease);
    }

    fn send(mut self, completed: Result<Completion, StoreError>) {
        match completed {
            Ok(Completion::Stored) => {}
            Ok(Completion::Fenced) => self.ending.dedup = DedupResult::Fenced,
            Err(error) => {
                notice::give(Level::Error, format!("{}: {error}", self.record.endpoint.name));
                self.ending.dedup = DedupResult::Unavailable;
            }
        }
        self.record.send(self.ending);
    }
}

/// Gives a claim back, so that the next attempt runs the handler. Never waits for a network: what is not given back lapses.
pub(crate) fn release(claimed: Claimed, endpoint: &str) {
    let told = |endpoint: &str, error: StoreError| notice::give(Level::Error, format!("{endpoint}: {error}"));
    if !claimed.store.is_remote() {
        if let Err(error) = claimed.store.release(&claimed.key, claimed.owner) {
            told(endpoint, error);
        }
        return;
    }
    let name = endpoint.to_owned();
    let released = io::spawn(async move {
        if let Err(error) = claimed.store.release_on_io(claimed.key, claimed.owner).await {
            told(&name, error);
        }
    });
    if let Err(error) = released {
        told(endpoint, error);
    }
}
