//! A verified message before its sender is known to this process: the sender is registered first, then the message is claimed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};

use futures_util::FutureExt;
use surehook_core::Timestamp;
use surehook_core::dedup::{
    DedupKey, Fingerprint, MessageName, OwnerToken, RegistryKey, Sender, Senders, Store, StoreError,
};

use crate::admission::{Admission, Begun, Claimed, Pending, Verified};
use crate::endpoint::Decision;
use crate::io;
use crate::question::{Asked, Question};
use crate::record::{Record, Subject};
use crate::signers::{Signers, TRIES, Turn, Unregistered, given_up};
use crate::store::DedupStore;

/// Everything of a verified message but its sender.
pub(crate) struct Candidate {
    pub(crate) record: Record,
    pub(crate) subject: Subject,
    pub(crate) store: DedupStore,
    pub(crate) signers: Arc<Signers>,
    pub(crate) name: MessageName,
    pub(crate) fingerprint: Fingerprint,
    /// Whether the name is the user's function's.
    pub(crate) user_key: bool,
}

/// Work that has to be done on another thread before the application's database can be asked. Nothing happens until
/// [`then`](Self::then) or [`wait`](Self::wait) is called.
#[must_use = "nothing is done until it is waited for"]
pub struct Preparation(Box<(Candidate, Unregistered)>);

impl Preparation {
    /// Does it, and calls `done` with what is to be done next, once, on the SDK's I/O thread: it must not block.
    pub fn then(self, done: impl FnOnce(Begun) + Send + 'static) {
        let (candidate, who) = *self.0;
        let endpoint = Arc::clone(&candidate.record.endpoint);
        match io::handle() {
            Ok(io) => {
                io.spawn(async move {
                    let prepared = AssertUnwindSafe(candidate.prepare(who)).catch_unwind().await;
                    done(prepared.unwrap_or_else(|_| Begun::Now(endpoint.failed_check())));
                });
            }
            Err(error) => done(Begun::Now(candidate.verified().unanswered(&error))),
        }
    }

    /// Does it, and waits for that on the calling thread.
    pub fn wait(self) -> Begun {
        let endpoint = Arc::clone(&self.0.0.record.endpoint);
        let (sender, receiver) = mpsc::sync_channel(1);
        self.then(move |begun| drop(sender.send(begun)));
        receiver.recv().unwrap_or_else(|_| Begun::Now(endpoint.failed_check()))
    }
}

impl Candidate {
    /// Asks a store that answers at once; leaves one that does not, and tags that take a while, for later, or the application's
    /// database to the application.
    pub(crate) fn begin(mut self, sender: Result<Sender, Unregistered>) -> Begun {
        self.record.dedup_store = Some(self.store.clone());
        let who = match sender {
            Ok(sender) => return self.admission(&sender).begin(),
            Err(who) => who,
        };
        let tagged = self.signers.make_quick_tags(&who);
        match (self.store.is_application(), tagged) {
            (true, true) => Begun::Ask(self.question(who)),
            (true, false) => Begun::Prepare(Preparation(Box::new((self, who)))),
            (false, true) if !self.store.is_remote() => {
                let now = self.record.received_at();
                match register(&self.store, &self.signers, &who, now) {
                    Ok(sender) => self.admission(&sender).begin(),
                    Err(error) => Begun::Now(self.verified().unanswered(&error)),
                }
            }
            _ => Begun::Later(Pending::unregistered(self, who)),
        }
    }

    /// Registers the sender on the I/O thread.
    pub(crate) async fn register(self, who: Unregistered) -> Result<Admission, Decision> {
        match self.register_on_io(&who).await {
            Ok(sender) => Ok(self.admission(&sender)),
            Err(error) => Err(self.verified().unanswered(&error)),
        }
    }

    async fn register_on_io(&self, who: &Unregistered) -> Result<Sender, StoreError> {
        self.signers.make_tags(who).await?;
        let _own = match self.signers.turn(who, self.record.received_at()).await? {
            Turn::Own(turn) => turn,
            Turn::Over(sender) => return Ok(sender),
        };
        self.ask_for_record(who).await.inspect_err(|_| self.signers.could_not_be_asked())
    }

    async fn ask_for_record(&self, who: &Unregistered) -> Result<Sender, StoreError> {
        let registry = *self.signers.registry();
        for _ in 0..TRIES {
            let held = self.store.load_senders_on_io(registry).await?;
            let senders = self.signers.register(held.as_deref(), who)?;
            let bytes = senders.to_bytes();
            if held.as_ref() == Some(&bytes) || self.store.replace_senders_on_io(registry, held, bytes).await? {
                return self.signers.learn(&senders, who, self.record.endpoint.clock.now());
            }
        }
        Err(given_up())
    }

    async fn prepare(self, who: Unregistered) -> Begun {
        match self.signers.make_tags(&who).await {
            Ok(()) => Begun::Ask(self.question(who)),
            Err(error) => Begun::Now(self.verified().unanswered(&error)),
        }
    }

    /// Registers the sender by statements that the application runs, then asks for the claim. Both happen outside of the
    /// transaction in which the handler runs.
    fn question(self, who: Unregistered) -> Question<Decision> {
        let endpoint = Arc::clone(&self.record.endpoint);
        let (signers, registry) = (Arc::clone(&self.signers), self.signers.registry().to_string());
        Question::of_senders(&Arc::clone(&endpoint), registry, signers, who, move |sender| match sender {
            Ok(sender) => Asked::Again(self.admission(&sender).question()),
            Err(error) => {
                let decided = catch_unwind(AssertUnwindSafe(|| self.verified().unanswered(&error)));
                Asked::Done(decided.unwrap_or_else(|_| endpoint.failed_check()))
            }
        })
    }

    fn admission(mut self, sender: &Sender) -> Admission {
        let key = DedupKey::of(self.record.endpoint.scope(), sender, &self.name);
        self.record.dedup_key = Some(key);
        let claimed = Claimed { store: self.store, key, owner: OwnerToken::new(uuid::Uuid::new_v4().as_u128()) };
        let verified = Verified { record: self.record, subject: self.subject };
        Admission { verified, claimed, fingerprint: self.fingerprint, user_key: self.user_key }
    }

    pub(crate) fn verified(self) -> Verified {
        Verified { record: self.record, subject: self.subject }
    }
}

/// Registers the sender in a store that answers at once.
fn register(store: &dyn Store, signers: &Signers, who: &Unregistered, now: Timestamp) -> Result<Sender, StoreError> {
    let registry: &RegistryKey = signers.registry();
    for _ in 0..TRIES {
        let held = store.load_senders(registry)?;
        let senders: Senders = signers.register(held.as_deref(), who)?;
        let bytes = senders.to_bytes();
        if held.as_ref() == Some(&bytes) || store.replace_senders(registry, held.as_deref(), &bytes)? {
            return signers.learn(&senders, who, now);
        }
    }
    Err(given_up())
}
