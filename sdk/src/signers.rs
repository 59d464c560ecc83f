//! Who signs an endpoint's messages, as this process knows it: the tags of its secrets, and the record of its senders.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use surehook_core::dedup::{RegistryKey, Sender, SenderId, SenderTag, Senders, StoreError};
use surehook_core::{SecretIdentity, TagSeed, Timestamp, VerifiedMessage, Verifier};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::diagnosis;
use crate::endpoint::Inner;
use crate::notice::{self, Level};
use crate::process::PerProcess;

/// How often the record is read again: what was lost of it is written back.
const READ_AGAIN: Duration = Duration::from_secs(60);
/// So many tags are kept; making one may take milliseconds.
const TAGS_KEPT: usize = 100_000;
/// A record that changed so often between being read and being replaced is given up.
pub(crate) const TRIES: u32 = 16;

/// Tags of stores that end with their process are made under it. A child of a fork keeps the store, and this.
static PASSING: LazyLock<[u8; 32]> = LazyLock::new(|| {
    let halves = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(uuid::Uuid::into_bytes);
    std::array::from_fn(|at| halves[at / 16][at % 16])
});

/// What an endpoint knows of its senders. It is read without a lock, and so stays whole in a child of a fork.
pub(crate) struct Signers {
    registry: RegistryKey,
    /// Whether the store ends with the process.
    passing: bool,
    known: ArcSwap<Known>,
    /// One thread at a time makes tags that take a while.
    making: PerProcess<Mutex<()>>,
    /// One message at a time asks a store on the other side of a network for the record.
    asking: PerProcess<Arc<Mutex<()>>>,
    failures: AtomicU64,
    warned: AtomicBool,
}

#[derive(Clone, Default)]
struct Known {
    tags: HashMap<SecretIdentity, SenderTag>,
    senders: Senders,
    read_at: Option<Timestamp>,
}

/// A verified message whose sender is to be registered, or looked up again: the endpoint's secrets, and those that signed it.
pub(crate) struct Unregistered {
    secrets: Vec<TagSeed>,
    signers: Vec<SecretIdentity>,
}

/// Whether a message has to ask for the record.
pub(crate) enum Turn {
    /// It has, and others wait for as long as this is kept.
    Own(OwnedMutexGuard<()>),
    /// Another one has asked: this is its sender.
    Over(Sender),
}

impl Signers {
    pub(crate) fn new(registry: RegistryKey, passing: bool) -> Self {
        Self {
            registry,
            passing,
            known: ArcSwap::default(),
            making: PerProcess::new(Mutex::default),
            asking: PerProcess::new(Arc::default),
            failures: AtomicU64::new(0),
            warned: AtomicBool::new(false),
        }
    }

    pub(crate) fn registry(&self) -> &RegistryKey {
        &self.registry
    }

    /// The sender of a message, where nobody has to be asked.
    pub(crate) fn sender_of(
        &self,
        verifier: &Verifier,
        message: &VerifiedMessage<'_>,
        now: Timestamp,
    ) -> Result<Sender, Unregistered> {
        if let Some(name) = message.sender() {
            return Ok(Sender::Named(name.to_owned()));
        }
        if message.signers().next().is_none() {
            return Ok(Sender::Unnamed);
        }
        let seeds = || verifier.secrets().iter().map(|secret| secret.seed());
        let signers = || message.signers().map(|secret| secret.seed().identity());
        self.registered(seeds().map(TagSeed::identity), signers(), now)
            .ok_or_else(|| Unregistered { secrets: seeds().cloned().collect(), signers: signers().collect() })
    }

    /// The sender of a message by these signers, where the record was read lately and knows all of the secrets.
    fn registered(
        &self,
        mut secrets: impl Iterator<Item = SecretIdentity>,
        signers: impl Iterator<Item = SecretIdentity>,
        now: Timestamp,
    ) -> Option<Sender> {
        let known = self.known.load();
        let id_of = |identity: SecretIdentity| known.tags.get(&identity).and_then(|tag| known.senders.of(*tag));
        let fresh = known.read_at.is_some_and(|at| now.since(at).max(at.since(now)) < READ_AGAIN);
        let all = fresh && secrets.all(|secret| id_of(secret).is_some());
        all.then(|| signers.filter_map(id_of).min()).flatten().map(Sender::Registered)
    }

    /// Waits for the turn to ask for the record: of many first messages one asks, and the others hear what it learned, or that
    /// the store could not be asked.
    pub(crate) async fn turn(&self, who: &Unregistered, now: Timestamp) -> Result<Turn, StoreError> {
        let failures = self.failures.load(Ordering::Relaxed);
        let turn = Arc::clone(&**self.asking.get()).lock_owned().await;
        let secrets = who.secrets.iter().map(TagSeed::identity);
        if let Some(sender) = self.registered(secrets, who.signers.iter().copied(), now) {
            return Ok(Turn::Over(sender));
        }
        if self.failures.load(Ordering::Relaxed) != failures {
            return Err(StoreError { reason: "its record of senders could not be read".to_owned() });
        }
        Ok(Turn::Own(turn))
    }

    /// The store could not be asked for the record: who waits for the answer need not ask again.
    pub(crate) fn could_not_be_asked(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Every sender that this process knows of the endpoint.
    pub(crate) fn known(&self) -> BTreeSet<SenderId> {
        self.known.load().senders.ids()
    }

    /// Makes the tags that are made at once. True: those were all.
    pub(crate) fn make_quick_tags(&self, who: &Unregistered) -> bool {
        let known = self.known.load_full();
        let missing: Vec<_> = who.secrets.iter().filter(|seed| !known.tags.contains_key(&seed.identity())).collect();
        let quick = |seed: &&TagSeed| match self.passing {
            true => Some((seed.identity(), seed.passing_tag(&PASSING))),
            false => (!seed.is_slow()).then(|| (seed.identity(), seed.tag(&self.registry))),
        };
        let made: Vec<_> = missing.iter().filter_map(quick).collect();
        let all = made.len() == missing.len();
        self.keep_tags(made);
        all
    }

    /// Makes all tags, on a thread that nobody waits for, each once.
    pub(crate) async fn make_tags(self: &Arc<Self>, who: &Unregistered) -> Result<(), StoreError> {
        let making = self.making.get();
        let _alone = making.lock().await;
        if self.make_quick_tags(who) {
            return Ok(());
        }
        let (own, seeds) = (Arc::clone(self), who.secrets.clone());
        let made = tokio::task::spawn_blocking(move || {
            let known = own.known.load_full();
            let missing = seeds.iter().filter(|seed| !known.tags.contains_key(&seed.identity()));
            own.keep_tags(missing.map(|seed| (seed.identity(), seed.tag(&own.registry))).collect());
        });
        made.await.map_err(|_| StoreError { reason: "the tag of a secret could not be made".to_owned() })
    }

    fn keep_tags(&self, made: Vec<(SecretIdentity, SenderTag)>) {
        if made.is_empty() {
            return;
        }
        self.known.rcu(|known| {
            let mut known = Known::clone(known);
            for (identity, tag) in &made {
                if known.tags.len() >= TAGS_KEPT {
                    let any = known.tags.keys().next().copied();
                    any.and_then(|identity| known.tags.remove(&identity));
                }
                known.tags.insert(*identity, *tag);
            }
            known
        });
    }

    /// What the record has to be, given what the store holds of it: what this process knows is written back where it is missing,
    /// and the secrets without a sender get one.
    ///
    /// # Errors
    /// What the store holds cannot be read; it never counts as missing.
    pub(crate) fn register(&self, held: Option<&[u8]>, who: &Unregistered) -> Result<Senders, StoreError> {
        let mut senders = held.map(Senders::from_bytes).transpose()?.unwrap_or_default();
        let known = self.known.load();
        let agree = senders.restore(&known.senders);
        let tags: Vec<_> = who.secrets.iter().filter_map(|seed| known.tags.get(&seed.identity()).copied()).collect();
        senders.register(&tags);
        let ids = || tags.iter().filter_map(|tag| senders.of(*tag));
        if !agree {
            self.warn("the record of its senders was lost and written anew: a message may be handled again");
        } else if ids().min() != ids().max() {
            self.warn(
                "its secrets belong to two senders: a message that was handled under one of them is handled again under the other",
            );
        }
        Ok(senders)
    }

    /// The record is what the store holds now. Answers who sent the message.
    pub(crate) fn learn(&self, senders: &Senders, who: &Unregistered, now: Timestamp) -> Result<Sender, StoreError> {
        self.known.rcu(|known| Known { tags: known.tags.clone(), senders: senders.clone(), read_at: Some(now) });
        let known = self.known.load();
        let id_of = |identity: &SecretIdentity| known.tags.get(identity).and_then(|tag| known.senders.of(*tag));
        let lowest: Option<SenderId> = who.signers.iter().filter_map(id_of).min();
        lowest
            .map(Sender::Registered)
            .ok_or_else(|| StoreError { reason: "the sender of a message is not registered".to_owned() })
    }

    fn warn(&self, text: &str) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            notice::give(Level::Warning, text);
        }
    }
}

impl Inner {
    /// Two endpoints of one name whose senders differ are one on the dashboard, and are easily taken for one.
    pub(crate) fn namesakes(self: &Arc<Self>) -> Option<String> {
        let own = self.known_identities();
        let is_namesake = |other: &Arc<Self>| {
            let theirs = other.known_identities();
            let named_alike = other.name == self.name && other.scheme.provider == self.scheme.provider;
            named_alike && !own.is_empty() && !theirs.is_empty() && own.is_disjoint(&theirs)
        };
        let fault = "another endpoint of this process has the same provider and name, and other secrets: set `name` on one of them, \
                     so that the dashboard tells them apart";
        diagnosis::others(Some(self)).iter().any(is_namesake).then(|| format!("{}: {fault}", self.name))
    }

    fn known_identities(&self) -> HashSet<SecretIdentity> {
        let keys = self.known_keys();
        let secrets = keys.iter().flat_map(|keys| keys.verifier.secrets());
        secrets.map(|secret| secret.seed().identity()).collect()
    }
}

/// The record changed too often while it was to be replaced.
pub(crate) fn given_up() -> StoreError {
    StoreError { reason: format!("its record of senders changed {TRIES} times while it was to be replaced") }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::future::poll_immediate;
    use surehook_core::Secret;
    use surehook_core::dedup::Scope;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

    fn first_message() -> Unregistered {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        Unregistered { secrets: vec![secret.seed().clone()], signers: vec![secret.seed().identity()] }
    }

    async fn signers() -> Arc<Signers> {
        let signers = Arc::new(Signers::new(RegistryKey::of(&Scope::new("shop", "clerk", "users")), false));
        signers.make_tags(&first_message()).await.unwrap();
        signers
    }

    #[tokio::test]
    async fn of_many_first_messages_one_asks_and_the_others_hear_what_it_learned() {
        let (signers, who) = (signers().await, first_message());
        let Ok(Turn::Own(own)) = signers.turn(&who, NOW).await else { panic!("nobody has asked before") };
        let mut waiting = pin!(signers.turn(&who, NOW));
        assert!(poll_immediate(&mut waiting).await.is_none());
        let senders = signers.register(None, &who).unwrap();
        let learned = signers.learn(&senders, &who, NOW).unwrap();
        drop(own);
        assert!(matches!(waiting.await, Ok(Turn::Over(sender)) if sender == learned));
        let later = NOW + READ_AGAIN;
        assert!(matches!(signers.turn(&who, later).await, Ok(Turn::Own(_))));
    }

    #[tokio::test]
    async fn a_store_that_cannot_be_asked_is_not_asked_by_everybody_who_waits() {
        let (signers, who) = (signers().await, first_message());
        let Ok(Turn::Own(own)) = signers.turn(&who, NOW).await else { panic!("nobody has asked before") };
        let mut waiting = pin!(signers.turn(&who, NOW));
        assert!(poll_immediate(&mut waiting).await.is_none());
        signers.could_not_be_asked();
        drop(own);
        assert!(waiting.await.is_err());
        assert!(matches!(signers.turn(&who, NOW).await, Ok(Turn::Own(_))));
    }
}
