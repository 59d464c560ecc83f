//! From a verified message to the decision whether its handler runs: the claim, and the wait for another attempt's answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use surehook_core::dedup::{
    self, Claim, DedupKey, Fingerprint, Likeness, OnIdReuse, OwnerToken, Store, StoreError, on_id_reuse,
};
use surehook_core::telemetry::attempt::{DedupResult, DropReason};
use surehook_core::{Outcome, ReasonCode, Rejection};

use crate::answer::Answer;
use crate::candidate::{Candidate, Preparation};
use crate::delivery::{Delivery, Hold};
use crate::endpoint::{Decision, Inner};
use crate::io;
use crate::lease::{self, Held};
use crate::notice::{self, Level};
use crate::options::{OnInFlight, OnStoreError};
use crate::question::Question;
use crate::record::{Record, Subject};
use crate::signers::Unregistered;
use crate::store::{DedupStore, ONLY_THE_APPLICATION};

/// For how long a request waits for another attempt's answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How soon is looked for that answer again, at first and at last.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_millis(200);

/// What [`Endpoint::begin_without_waiting`](crate::Endpoint::begin_without_waiting) came to.
pub enum Begun {
    /// It is decided.
    Now(Decision),
    /// A store on the other side of a network, or another attempt, has to be heard first.
    Later(Pending),
    /// The application has to ask its own database first, outside of any transaction.
    Ask(Question<Decision>),
    /// Something has to be done on another thread first, then the application has to ask its own database.
    Prepare(Preparation),
}

/// A decision to come. Nothing happens until [`then`](Self::then) or [`wait`](Self::wait) is called.
#[must_use = "nothing is asked until it is waited for"]
pub struct Pending(Box<Awaited>);

enum Awaited {
    /// Its sender is registered first.
    Unregistered(Candidate, Unregistered),
    Registered(Admission),
}

/// A claim on a message.
#[derive(Clone)]
pub(crate) struct Claimed {
    pub(crate) store: DedupStore,
    pub(crate) key: DedupKey,
    pub(crate) owner: OwnerToken,
}

/// A verified message, and the record of this attempt.
pub(crate) struct Verified {
    pub(crate) record: Record,
    pub(crate) subject: Subject,
}

/// A verified message that asks for its handler.
pub(crate) struct Admission {
    pub(crate) verified: Verified,
    pub(crate) claimed: Claimed,
    pub(crate) fingerprint: Fingerprint,
    /// Whether the key is the user's function's.
    pub(crate) user_key: bool,
}

impl Begun {
    /// The decision; waits for it on the calling thread where it is to come. A database that only the application can ask counts as
    /// one that cannot be asked.
    pub fn wait(self) -> Decision {
        match self {
            Self::Now(decision) => decision,
            Self::Later(pending) => pending.wait(),
            Self::Ask(question) => question.failed(ONLY_THE_APPLICATION),
            Self::Prepare(preparation) => preparation.wait().wait(),
        }
    }
}

impl Pending {
    /// Asks, and calls `done` with the decision, once, on the SDK's I/O thread: it must not block.
    pub fn then(self, done: impl FnOnce(Decision) + Send + 'static) {
        let endpoint = Arc::clone(self.endpoint());
        match io::handle() {
            Ok(io) => {
                io.spawn(async move {
                    let decided = AssertUnwindSafe(self.resolve()).catch_unwind().await;
                    done(decided.unwrap_or_else(|_| endpoint.failed_check()));
                });
            }
            Err(error) => done(match *self.0 {
                Awaited::Registered(admission) => admission.decide(Err(error)),
                Awaited::Unregistered(candidate, _) => candidate.verified().unanswered(&error),
            }),
        }
    }

    /// Asks, and waits for the decision on the calling thread.
    pub fn wait(self) -> Decision {
        let endpoint = Arc::clone(self.endpoint());
        let (sender, receiver) = mpsc::sync_channel(1);
        self.then(move |decision| drop(sender.send(decision)));
        receiver.recv().unwrap_or_else(|_| endpoint.failed_check())
    }

    pub(crate) fn unregistered(candidate: Candidate, who: Unregistered) -> Self {
        Self(Box::new(Awaited::Unregistered(candidate, who)))
    }

    fn registered(admission: Admission) -> Self {
        Self(Box::new(Awaited::Registered(admission)))
    }

    fn endpoint(&self) -> &Arc<Inner> {
        match &*self.0 {
            Awaited::Unregistered(candidate, _) => &candidate.record.endpoint,
            Awaited::Registered(admission) => &admission.verified.record.endpoint,
        }
    }

    async fn resolve(self) -> Decision {
        match *self.0 {
            Awaited::Registered(admission) => admission.resolve().await,
            Awaited::Unregistered(candidate, who) => match candidate.register(who).await {
                Ok(admission) => admission.resolve().await,
                Err(decision) => decision,
            },
        }
    }
}

impl Admission {
    /// Asks a store that answers at once; leaves one that does not for later, or to the application.
    pub(crate) fn begin(self) -> Begun {
        let store = &self.claimed.store;
        if store.is_application() {
            return Begun::Ask(self.question());
        }
        if store.is_remote() {
            return Begun::Later(Pending::registered(self));
        }
        let (key, owner, now) = (&self.claimed.key, self.claimed.owner, self.verified.record.received_at());
        let claim = store.claim(key, self.fingerprint, owner, now, store.lease());
        if self.may_wait(&claim) {
            return Begun::Later(Pending::registered(self));
        }
        Begun::Now(self.decide(claim))
    }

    /// Asks for the claim. It is not renewed: an owner whose lease has passed to another is fenced, and its work rolled back.
    pub(crate) fn question(self) -> Question<Decision> {
        let Claimed { store, key, owner } = self.claimed.clone();
        let (endpoint, fingerprint, lease) =
            (Arc::clone(&self.verified.record.endpoint), self.fingerprint, store.lease());
        Question::new(
            &Arc::clone(&endpoint),
            &key,
            move |entry, now| dedup::claim(entry, fingerprint, owner, now, lease),
            move |claim| {
                let decided = catch_unwind(AssertUnwindSafe(|| self.decide(claim)));
                decided.unwrap_or_else(|_| endpoint.failed_check())
            },
        )
    }

    /// Asks the store on the I/O thread, until nobody else handles the message or patience ends.
    async fn resolve(self) -> Decision {
        let Claimed { store, key, owner } = self.claimed.clone();
        let mut wait: Option<(crate::waiters::Seat, Instant)> = None;
        let mut pause = FIRST_LOOK;
        loop {
            let now = self.endpoint().clock.now();
            let claim = store.claim_on_io(key, self.fingerprint, owner, now).await;
            if !self.may_wait(&claim) {
                return self.decide(claim);
            }
            if wait.is_none() {
                wait = crate::waiters::take_seat(key).map(|seat| (seat, Instant::now() + PATIENCE));
            }
            if wait.as_ref().is_none_or(|(_, end)| *end <= Instant::now()) {
                return self.decide(claim);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// Whether the request should wait for what another attempt comes to.
    fn may_wait(&self, claim: &Result<Claim, StoreError>) -> bool {
        self.endpoint().on_in_flight == OnInFlight::Wait
            && matches!(claim, Ok(Claim::Busy { likeness: Likeness::Same | Likeness::OtherId, .. }))
    }

    fn decide(self, claim: Result<Claim, StoreError>) -> Decision {
        match claim {
            Ok(Claim::Owned) => {
                let hold = self.hold();
                self.verified.handle(hold, DedupResult::New)
            }
            Ok(Claim::Done { response, likeness }) => match likeness {
                Likeness::Same => {
                    self.verified.answer(Outcome::Duplicate, DedupResult::Duplicate, Answer::replay(&response))
                }
                Likeness::OtherId => self.other_id(Answer::replay(&response)),
                Likeness::OtherBody => self.reused(Outcome::Duplicate, Answer::replay(&response)),
            },
            // What another id means is asked once the message is handled: until then the sender is told to come again.
            Ok(Claim::Busy { likeness: Likeness::Same | Likeness::OtherId, .. }) => {
                self.verified.answer(Outcome::InFlight, DedupResult::InFlight, Answer::busy())
            }
            Ok(Claim::Busy { likeness: Likeness::OtherBody, .. }) => self.reused(Outcome::InFlight, Answer::busy()),
            Err(error) => self.verified.unanswered(&error),
        }
    }

    fn hold(&self) -> Hold {
        let Claimed { store, key, owner } = self.claimed.clone();
        let lease = store.is_renewed().then(|| {
            let endpoint = Arc::clone(&self.verified.record.endpoint);
            lease::keep(Held { store, key, owner, endpoint })
        });
        Hold::Claim(self.claimed.clone(), lease)
    }

    /// An identical message came before under another id, and neither is signed: a second event or a replay.
    fn other_id(self, answer: Answer) -> Decision {
        let endpoint = self.endpoint();
        let (name, id) = (&endpoint.name, self.verified.subject.id_for_log());
        let text = format!(
            "{name}: message {id} was not handled: an identical one was, under another id, and {} signs neither. If both \
             happened, set on_unsigned_id to handle",
            endpoint.scheme.title
        );
        if endpoint.other_ids.admit(self.verified.record.received_at()) {
            notice::give(Level::Warning, text);
        }
        self.verified.answer(Outcome::Duplicate, DedupResult::SameBodyOtherId, answer)
    }

    /// The id came before with another body.
    fn reused(self, outcome: Outcome, as_duplicate: Answer) -> Decision {
        let endpoint = self.endpoint();
        let reuse = on_id_reuse(endpoint.on_id_reuse, self.user_key, endpoint.scheme.constant_body);
        let result = match (reuse.reported, outcome) {
            (true, _) => DedupResult::IdReuse,
            (false, Outcome::InFlight) => DedupResult::InFlight,
            (false, _) => DedupResult::Duplicate,
        };
        if reuse.reported {
            let cause = match self.user_key {
                true => "the idempotency key is not unique",
                false => "its id came before with another body",
            };
            let id = self.verified.record.redactor().name(self.verified.subject.id_for_log());
            notice::give(Level::Warning, format!("{}: message {id}: {cause}", endpoint.name));
        }
        match reuse.action {
            OnIdReuse::Replay => self.verified.answer(outcome, result, as_duplicate),
            OnIdReuse::Handle => self.verified.handle(Hold::Nothing, result),
            OnIdReuse::Reject => self.verified.answer(Outcome::Rejected, result, Answer::id_reused()),
        }
    }

    fn endpoint(&self) -> &Inner {
        &self.verified.record.endpoint
    }
}

impl Verified {
    /// The store could not be asked.
    pub(crate) fn unanswered(self, error: &StoreError) -> Decision {
        let name = &self.record.endpoint.name;
        match self.record.endpoint.on_store_error {
            OnStoreError::Reject => {
                notice::give(Level::Error, format!("{name}: {error}"));
                self.answer(Outcome::Unavailable, DedupResult::Unavailable, Answer::unavailable())
            }
            OnStoreError::Process => {
                notice::give(Level::Error, format!("{name}: a message is handled without de-duplication: {error}"));
                self.handle(Hold::Nothing, DedupResult::Unavailable)
            }
        }
    }

    fn answer(mut self, outcome: Outcome, dedup: DedupResult, mut answer: Answer) -> Decision {
        self.record.subject = self.subject;
        self.record.answered(outcome, dedup, &mut answer);
        Decision::Answer(answer)
    }

    fn handle(mut self, hold: Hold, dedup: DedupResult) -> Decision {
        self.record.subject = self.subject;
        Decision::Handle(Delivery::new(self.record, hold, dedup))
    }
}

impl Inner {
    /// The answer when a check itself failed: nothing is let through.
    pub(crate) fn failed_check(&self) -> Decision {
        self.client().inspect(|client| client.lost(DropReason::InternalError));
        notice::give(Level::Error, format!("{}: a request was rejected because the check itself failed", self.name));
        Decision::Answer(Answer::reject(self.reject_status, Rejection::new(ReasonCode::VerifierError)))
    }
}
