//! A store on the other side of a network: asked from the I/O thread, within a budget of time, behind a breaker.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use surehook_core::Timestamp;
use surehook_core::dedup::{
    Claim, Completion, DedupKey, Entry, Fingerprint, OwnerToken, RegistryKey, Release, Renewal, Store, StoreError,
    StoredResponse,
};

use super::breaker::Breaker;
use super::fault::{Fault, Reach};
use super::{Migration, StoreStats};
use crate::io;
use crate::process::PerProcess;

/// A store that does not answer within this time has failed.
const BUDGET: Duration = Duration::from_millis(250);
/// The first answer of all may take this long: connecting, with TLS and a password, takes longer than a question.
const FIRST_BUDGET: Duration = Duration::from_secs(2);
/// An operator can wait longer than a webhook.
const OPERATOR_BUDGET: Duration = Duration::from_secs(30);
/// A claim that nobody knows of is given back after these pauses, until it is: the claim itself may still be on its way. What
/// is not given back by then lapses with its lease.
const GIVE_BACK_AFTER: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(12),
];

/// The answer to one operation, some time.
pub(crate) type Reply<T> = BoxFuture<'static, Result<T, Fault>>;

/// What a remote store can be asked. Every operation is one atomic one, decided by the store's own clock.
pub(crate) trait Backend: Send + Sync {
    fn claim(
        self: Arc<Self>,
        key: DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        lease: Duration,
    ) -> Reply<Claim>;
    fn renew(self: Arc<Self>, key: DedupKey, owner: OwnerToken, lease: Duration) -> Reply<Renewal>;
    fn complete(
        self: Arc<Self>,
        key: DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        ttl: Duration,
    ) -> Reply<Completion>;
    fn release(self: Arc<Self>, key: DedupKey, owner: OwnerToken) -> Reply<Release>;

    fn load_senders(self: Arc<Self>, registry: RegistryKey) -> Reply<Option<Vec<u8>>>;
    fn replace_senders(self: Arc<Self>, registry: RegistryKey, old: Option<Vec<u8>>, new: Vec<u8>) -> Reply<bool>;

    fn get(self: Arc<Self>, key: DedupKey) -> Reply<Option<Entry>>;
    fn forget(self: Arc<Self>, key: DedupKey) -> Reply<bool>;
    fn stats(self: Arc<Self>) -> Reply<StoreStats>;
    fn migrate(self: Arc<Self>) -> Reply<Migration>;
}

/// A remote store, as the rest of the SDK sees it. Clones are the same store.
#[derive(Clone)]
pub(crate) struct Remote {
    kind: &'static str,
    session: Arc<PerProcess<Session>>,
}

/// A process's own connection to the store, and what it has seen of it.
struct Session {
    backend: Arc<dyn Backend>,
    breaker: Breaker,
    /// Whether the store has answered, or failed to, in this process.
    known: AtomicBool,
}

impl Remote {
    /// A store that is first asked, and so first connected to, when there is something to ask.
    pub(crate) fn new<B: Backend + 'static>(
        kind: &'static str,
        backend: impl Fn() -> B + Send + Sync + 'static,
    ) -> Self {
        let session = PerProcess::new(move || Session {
            backend: Arc::new(backend()),
            breaker: Breaker::default(),
            known: AtomicBool::new(false),
        });
        Self { kind, session: Arc::new(session) }
    }

    /// Asks the store. To be awaited on the I/O thread.
    pub(crate) async fn ask<T>(&self, call: impl FnOnce(Arc<dyn Backend>) -> Reply<T>) -> Result<T, StoreError> {
        self.asked(call).await.map_err(|fault| fault.error)
    }

    /// Asks for a claim; one that may have been made without our knowing is given back, so that the provider's retry finds no
    /// owner who does not know of it.
    pub(crate) async fn claim(
        &self,
        key: DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        let claim = self.asked(|backend| backend.claim(key, fingerprint, owner, lease)).await;
        if matches!(&claim, Err(fault) if fault.reach == Reach::Unanswered) {
            tokio::spawn(self.clone().give_back(key, owner));
        }
        claim.map_err(|fault| fault.error)
    }

    async fn give_back(self, key: DedupKey, owner: OwnerToken) {
        for pause in GIVE_BACK_AFTER {
            tokio::time::sleep(pause).await;
            if matches!(self.ask(|backend| backend.release(key, owner)).await, Ok(Release::Released)) {
                return;
            }
        }
    }

    async fn asked<T>(&self, call: impl FnOnce(Arc<dyn Backend>) -> Reply<T>) -> Result<T, Fault> {
        let session = self.session.get();
        if !session.breaker.admits(Instant::now()) {
            return Err(Fault::new(Reach::Unsent, "it failed 5 times in a row, and is asked again every second"));
        }
        let budget = if session.known.load(Ordering::Relaxed) { BUDGET } else { FIRST_BUDGET };
        let answer = within(budget, &session, call).await;
        session.known.store(true, Ordering::Relaxed);
        session.breaker.record(!matches!(&answer, Err(fault) if fault.concerns_all()), Instant::now());
        answer
    }

    /// Asks the store and waits for the answer, off the I/O thread.
    fn wait<T: Send + 'static>(
        &self,
        call: impl FnOnce(Arc<dyn Backend>) -> Reply<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let remote = self.clone();
        wait(async move { remote.ask(call).await })
    }

    /// The same for an operator's command, which no breaker stops.
    pub(super) fn wait_long<T: Send + 'static>(
        &self,
        call: impl FnOnce(Arc<dyn Backend>) -> Reply<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let remote = self.clone();
        wait(async move { within(OPERATOR_BUDGET, &remote.session.get(), call).await.map_err(|fault| fault.error) })
    }
}

/// A call that is not answered in time is dropped, and its connection with it where that is what kept it.
async fn within<T>(
    budget: Duration,
    session: &Session,
    call: impl FnOnce(Arc<dyn Backend>) -> Reply<T>,
) -> Result<T, Fault> {
    let answer = tokio::time::timeout(budget, call(Arc::clone(&session.backend))).await;
    answer.unwrap_or_else(|_| Err(Fault::new(Reach::Unanswered, format!("no answer within {} ms", budget.as_millis()))))
}

/// Runs a future on the I/O thread and waits for it.
fn wait<T: Send + 'static>(
    future: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    // Nobody listens any more where the caller's thread is gone.
    io::spawn(async move { drop(sender.send(future.await)) })?;
    receiver.recv().unwrap_or_else(|_| Err(StoreError { reason: "the I/O thread dropped the question".to_owned() }))
}

/// The store as a caller that can wait sees it; `now` is the store's own.
impl Store for Remote {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn claim(
        &self,
        key: &DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        _now: Timestamp,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        let (remote, key) = (self.clone(), *key);
        wait(async move { remote.claim(key, fingerprint, owner, lease).await })
    }

    fn renew(
        &self,
        key: &DedupKey,
        owner: OwnerToken,
        _now: Timestamp,
        lease: Duration,
    ) -> Result<Renewal, StoreError> {
        let key = *key;
        self.wait(move |backend| backend.renew(key, owner, lease))
    }

    fn complete(
        &self,
        key: &DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        _now: Timestamp,
        ttl: Duration,
    ) -> Result<Completion, StoreError> {
        let key = *key;
        self.wait(move |backend| backend.complete(key, owner, response, ttl))
    }

    fn release(&self, key: &DedupKey, owner: OwnerToken) -> Result<Release, StoreError> {
        let key = *key;
        self.wait(move |backend| backend.release(key, owner))
    }

    fn load_senders(&self, registry: &RegistryKey) -> Result<Option<Vec<u8>>, StoreError> {
        let registry = *registry;
        self.wait(move |backend| backend.load_senders(registry))
    }

    fn replace_senders(&self, registry: &RegistryKey, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        let (registry, old, new) = (*registry, old.map(<[u8]>::to_vec), new.to_vec());
        self.wait(move |backend| backend.replace_senders(registry, old, new))
    }
}
