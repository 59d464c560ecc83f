//! The memory store and the replay guard under every interleaving of their threads: `make test-rust` runs this model.
//!
//! A thread here makes the calls of one attempt. What may be observed is checked in every order that loom finds; a store
//! that read an entry and wrote it under two locks fails the first model.

mod common;

use std::sync::{Arc as Shared, LazyLock};
use std::time::Duration;

use common::{SIGNED_AT, key, verified};
use loom::sync::Arc;
use loom::thread::{self, JoinHandle};
use surehook_core::Timestamp;
use surehook_core::dedup::{
    Claim, Completion, DedupKey, Fingerprint, LEASE, Likeness, MemoryLimits, MemoryStore, OwnerToken, Release, Renewal,
    ReplayGuard, Store, StoredResponse,
};

const FIRST: OwnerToken = OwnerToken::new(1);
const SECOND: OwnerToken = OwnerToken::new(2);
const TTL: Duration = Duration::from_secs(96 * 3600);
/// One entry, and so one lock for all keys.
const SMALLEST: MemoryLimits = MemoryLimits { entries: 1, bytes: 0 };

/// Made outside of the models: there is nothing to interleave in them.
static KEYS: LazyLock<[DedupKey; 2]> = LazyLock::new(|| [key("msg_1"), key("msg_2")]);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(SIGNED_AT) + Duration::from_secs(seconds)
}

fn body() -> Fingerprint {
    Fingerprint::of(b"{}")
}

fn answer(text: &str) -> Shared<StoredResponse> {
    Shared::new(StoredResponse::capture(200, &[], Some(text.as_bytes())))
}

fn claim(store: &MemoryStore, key: usize, owner: OwnerToken, seconds: u64) -> Claim {
    store.claim(&KEYS[key], body(), owner, at(seconds), LEASE).expect("memory can be asked")
}

fn complete(store: &MemoryStore, key: usize, owner: OwnerToken, text: &str) -> Completion {
    store.complete(&KEYS[key], owner, answer(text), at(31), TTL).expect("memory can be asked")
}

fn stored(store: &MemoryStore, key: usize) -> Option<Shared<StoredResponse>> {
    match claim(store, key, OwnerToken::new(99), 32) {
        Claim::Done { response, .. } => Some(response),
        _ => None,
    }
}

/// Checks `model` with a store of its own in every interleaving.
fn in_every_order(model: impl Fn(Arc<MemoryStore>) + Send + Sync + 'static) {
    LazyLock::force(&KEYS);
    loom::model(move || model(Arc::new(MemoryStore::new(SMALLEST))));
}

fn beside<T: 'static>(store: &Arc<MemoryStore>, attempt: impl FnOnce(&MemoryStore) -> T + 'static) -> JoinHandle<T> {
    let store = Arc::clone(store);
    thread::spawn(move || attempt(&store))
}

fn joined<T>(attempt: JoinHandle<T>) -> T {
    attempt.join().expect("an attempt does not panic")
}

#[test]
fn of_three_claimants_one_is_the_owner() {
    in_every_order(|store| {
        let others = [2, 3].map(|owner| beside(&store, move |store| claim(store, 0, OwnerToken::new(owner), 0)));
        let mine = claim(&store, 0, FIRST, 0);
        let claims = others.map(joined).into_iter().chain([mine]);
        let (owned, rest): (Vec<_>, Vec<_>) = claims.partition(|claim| *claim == Claim::Owned);
        assert_eq!(owned.len(), 1);
        assert!(rest.iter().all(|claim| *claim == Claim::Busy { lease_end: at(30), likeness: Likeness::Same }));
        assert_eq!(store.stats().running, 1);
    });
}

/// Two attempts see that a lease has lapsed, while its owner ends at last. Whoever has the message then, one answer is stored,
/// and only owners are told so.
#[test]
fn a_lapsed_owner_completes_only_what_nobody_took() {
    in_every_order(|store| {
        assert_eq!(claim(&store, 0, FIRST, 0), Claim::Owned);
        let heir = beside(&store, |store| match claim(store, 0, SECOND, 31) {
            Claim::Owned => Some(complete(store, 0, SECOND, "second")),
            Claim::Done { response, .. } => {
                assert_eq!(response.replay_body(), b"first");
                None
            }
            Claim::Busy { .. } => panic!("the lease has lapsed"),
        });
        let first = complete(&store, 0, FIRST, "first");
        let (second, kept) = (joined(heir), stored(&store, 0).expect("one of them was stored"));
        match second {
            Some(second) => {
                assert_eq!((first, second), (Completion::Fenced, Completion::Stored));
                assert_eq!(kept.replay_body(), b"second");
            }
            None => assert_eq!((first, kept.replay_body()), (Completion::Stored, &b"first"[..])),
        }
    });
}

/// The answer that duplicates get stays as it is while the fenced owner still tries everything.
#[test]
fn a_fenced_owner_changes_nothing() {
    in_every_order(|store| {
        assert_eq!(claim(&store, 0, FIRST, 0), Claim::Owned);
        assert_eq!(claim(&store, 0, SECOND, 31), Claim::Owned);
        let fenced = beside(&store, |store| {
            assert_eq!(store.renew(&KEYS[0], FIRST, at(31), LEASE), Ok(Renewal::Fenced));
            assert_eq!(complete(store, 0, FIRST, "first"), Completion::Fenced);
            assert_eq!(store.release(&KEYS[0], FIRST), Ok(Release::Fenced));
        });
        assert_eq!(complete(&store, 0, SECOND, "second"), Completion::Stored);
        joined(fenced);
        assert_eq!(stored(&store, 0).expect("it is stored").replay_body(), b"second");
    });
}

#[test]
fn a_claim_beside_a_release_is_busy_or_gets_all_of_the_message() {
    in_every_order(|store| {
        assert_eq!(claim(&store, 0, FIRST, 0), Claim::Owned);
        let next = beside(&store, |store| claim(store, 0, SECOND, 1));
        assert_eq!(store.release(&KEYS[0], FIRST), Ok(Release::Released));
        let running = match joined(next) {
            Claim::Owned => {
                assert_eq!(store.release(&KEYS[0], FIRST), Ok(Release::Fenced));
                1
            }
            Claim::Busy { lease_end, .. } => {
                assert_eq!(lease_end, at(30));
                0
            }
            Claim::Done { .. } => panic!("nothing was stored"),
        };
        assert_eq!(store.stats().running, running);
    });
}

/// A renewal beside a claim on a lease that just ended: the lease goes on, or it has a new owner, never both.
#[test]
fn a_lease_is_renewed_or_taken() {
    in_every_order(|store| {
        assert_eq!(claim(&store, 0, FIRST, 0), Claim::Owned);
        let heir = beside(&store, |store| claim(store, 0, SECOND, 30));
        let renewal = store.renew(&KEYS[0], FIRST, at(30), LEASE);
        match joined(heir) {
            Claim::Owned => assert_eq!(renewal, Ok(Renewal::Fenced)),
            Claim::Busy { lease_end, .. } => {
                assert_eq!((lease_end, renewal), (at(60), Ok(Renewal::Renewed { lease_end: at(60) })));
            }
            Claim::Done { .. } => panic!("nothing was stored"),
        }
    });
}

/// A store with room for one answer gets two beside a claim: only an answer goes, and that is counted.
#[test]
fn making_room_never_takes_a_running_claim() {
    in_every_order(|store| {
        assert_eq!(claim(&store, 0, FIRST, 0), Claim::Owned);
        let others = [3, 4].map(|owner| {
            let (id, owner) = (key(&format!("msg_{owner}")), OwnerToken::new(owner));
            beside(&store, move |store| {
                assert_eq!(store.claim(&id, body(), owner, at(0), LEASE), Ok(Claim::Owned));
                assert_eq!(store.complete(&id, owner, answer("other"), at(0), TTL), Ok(Completion::Stored));
            })
        });
        assert_eq!(claim(&store, 0, SECOND, 1), Claim::Busy { lease_end: at(30), likeness: Likeness::Same });
        for other in others {
            joined(other);
        }
        let stats = store.stats();
        assert_eq!((stats.running, stats.done, stats.evictions), (1, 1, 1));
        assert_eq!(complete(&store, 0, FIRST, "first"), Completion::Stored);
    });
}

/// Two keys with a lock each are as independent as they look.
#[test]
fn messages_do_not_disturb_each_other() {
    LazyLock::force(&KEYS);
    loom::model(|| {
        let store = Arc::new(MemoryStore::new(MemoryLimits { entries: 128, bytes: 256 * 1024 }));
        let other = beside(&store, |store| (claim(store, 1, FIRST, 0), complete(store, 1, FIRST, "other")));
        assert_eq!(claim(&store, 0, FIRST, 0), Claim::Owned);
        assert_eq!(joined(other), (Claim::Owned, Completion::Stored));
        assert_eq!((store.stats().running, store.stats().done), (1, 1));
    });
}

#[test]
fn the_replay_guard_admits_a_request_once() {
    loom::model(|| {
        let guard = Arc::new(ReplayGuard::new(Duration::from_secs(300)));
        let admit = |guard: &ReplayGuard| {
            verified("clerk", "msg_1", SIGNED_AT, b"{}", |message| guard.admit(message, at(0)).is_ok())
        };
        let other = Arc::clone(&guard);
        let other = thread::spawn(move || admit(&other));
        let mine = admit(&guard);
        assert_ne!(mine, joined(other));
    });
}
