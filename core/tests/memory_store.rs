//! The memory store: against a small model, at its limits, and from many threads.

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use common::{SIGNED_AT, key};
use proptest::prelude::*;
use surehook_core::Timestamp;
use surehook_core::dedup::{
    Claim, Completion, DedupKey, Fingerprint, LEASE, LEASE_LIMIT, Likeness, MemoryLimits, MemoryStore, OwnerToken,
    Release, Renewal, STORED_BODY_LIMIT, Store, StoredResponse,
};

const TTL: Duration = Duration::from_secs(96 * 3600);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(SIGNED_AT) + Duration::from_secs(seconds)
}

fn body() -> Fingerprint {
    Fingerprint::of(b"{}")
}

fn response(length: usize) -> Arc<StoredResponse> {
    Arc::new(StoredResponse::capture(200, &[], Some(&vec![b'x'; length])))
}

/// Claims and completes a message that nobody has.
fn handle(store: &MemoryStore, key: &DedupKey, length: usize, now: Timestamp) {
    let owner = OwnerToken::new(7);
    assert_eq!(store.claim(key, body(), owner, now, LEASE), Ok(Claim::Owned));
    assert_eq!(store.complete(key, owner, response(length), now, TTL), Ok(Completion::Stored));
}

fn is_remembered(store: &MemoryStore, key: &DedupKey, now: Timestamp) -> bool {
    let owner = OwnerToken::new(8);
    match store.claim(key, body(), owner, now, LEASE).expect("memory can be asked") {
        Claim::Done { .. } => true,
        Claim::Owned => {
            assert_eq!(store.release(key, owner), Ok(Release::Released));
            false
        }
        Claim::Busy { .. } => panic!("nobody runs"),
    }
}

#[test]
fn a_claim_by_many_threads_succeeds_once() {
    let store = MemoryStore::default();
    let owned = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8_u128 {
            let (store, owned) = (&store, &owned);
            scope.spawn(move || {
                for id in 0..200 {
                    let claim = store.claim(&key(&format!("msg_{id}")), body(), OwnerToken::new(thread), at(0), LEASE);
                    owned.fetch_add(u32::from(claim == Ok(Claim::Owned)), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(owned.load(Ordering::Relaxed), 200);
    assert_eq!(store.stats().running, 200);
}

#[test]
fn entries_are_bounded_and_evictions_counted() {
    let limits = MemoryLimits { entries: 1000, bytes: usize::MAX };
    let store = MemoryStore::new(limits);
    for id in 0..3000 {
        handle(&store, &key(&format!("msg_{id}")), 2, at(id));
        assert!(store.stats().done <= limits.entries);
    }
    let stats = store.stats();
    assert_eq!(stats.done as u64 + stats.evictions, 3000);
    assert!(stats.done > 900, "{stats:?}");
    assert!(is_remembered(&store, &key("msg_2999"), at(3000)));
    assert!(!is_remembered(&store, &key("msg_0"), at(3000)));
}

#[test]
fn bytes_are_bounded() {
    let limits = MemoryLimits { entries: usize::MAX, bytes: 4 * 1024 * 1024 };
    let store = MemoryStore::new(limits);
    for id in 0..300 {
        handle(&store, &key(&format!("msg_{id}")), STORED_BODY_LIMIT, at(id));
        assert!(store.stats().bytes <= limits.bytes);
    }
    assert!(store.stats().bytes > limits.bytes / 2);
    assert_eq!(store.stats().done as u64 + store.stats().evictions, 300);
}

#[test]
fn the_smallest_store_holds_one_response_of_any_size() {
    let store = MemoryStore::new(MemoryLimits { entries: 0, bytes: 0 });
    for id in ["msg_1", "msg_2"] {
        handle(&store, &key(id), STORED_BODY_LIMIT, at(0));
        assert!(is_remembered(&store, &key(id), at(0)));
    }
    assert_eq!((store.stats().done, store.stats().evictions), (1, 1));
}

#[test]
fn the_least_recently_used_response_goes_first() {
    let store = MemoryStore::new(MemoryLimits { entries: 2, bytes: usize::MAX });
    handle(&store, &key("msg_1"), 2, at(0));
    handle(&store, &key("msg_2"), 2, at(0));
    assert!(is_remembered(&store, &key("msg_1"), at(1)));
    handle(&store, &key("msg_3"), 2, at(2));
    assert!(!is_remembered(&store, &key("msg_2"), at(3)));
    assert!(is_remembered(&store, &key("msg_1"), at(3)));
    assert!(is_remembered(&store, &key("msg_3"), at(3)));
}

#[test]
fn a_running_claim_is_never_evicted() {
    let store = MemoryStore::new(MemoryLimits { entries: 1, bytes: 0 });
    let owner = OwnerToken::new(1);
    assert_eq!(store.claim(&key("msg_running"), body(), owner, at(0), LEASE), Ok(Claim::Owned));
    for id in 0..500 {
        handle(&store, &key(&format!("msg_{id}")), STORED_BODY_LIMIT, at(0));
    }
    let claim = store.claim(&key("msg_running"), body(), OwnerToken::new(2), at(29), LEASE);
    assert_eq!(claim, Ok(Claim::Busy { lease_end: at(30), likeness: Likeness::Same }));
    assert_eq!(store.complete(&key("msg_running"), owner, response(2), at(29), TTL), Ok(Completion::Stored));
}

#[test]
fn expired_responses_make_room_without_an_eviction() {
    let store = MemoryStore::new(MemoryLimits { entries: 2, bytes: usize::MAX });
    handle(&store, &key("msg_1"), 2, at(0));
    handle(&store, &key("msg_2"), 2, at(0));
    handle(&store, &key("msg_3"), 2, at(TTL.as_secs()));
    let stats = store.stats();
    assert_eq!((stats.done, stats.evictions), (1, 0));
    assert!(stats.bytes < 1024);
}

#[test]
fn a_message_that_runs_again_is_no_longer_done() {
    let store = MemoryStore::default();
    handle(&store, &key("msg_1"), 2, at(0));
    let claim = store.claim(&key("msg_1"), body(), OwnerToken::new(1), at(TTL.as_secs()), LEASE);
    assert_eq!(claim, Ok(Claim::Owned));
    let stats = store.stats();
    assert_eq!((stats.running, stats.done, stats.bytes), (1, 0, 0));
}

#[test]
fn claims_that_nobody_ends_are_forgotten_after_the_longest_lease() {
    let store = MemoryStore::new(MemoryLimits { entries: 1, bytes: 0 });
    for id in 0..5_000_u32 {
        let claim = store.claim(&key(&format!("msg_{id}")), body(), OwnerToken::new(id.into()), at(id.into()), LEASE);
        assert_eq!(claim, Ok(Claim::Owned));
    }
    assert!(store.stats().running <= 2 * LEASE_LIMIT.as_secs() as usize, "{:?}", store.stats());
    assert_eq!(store.release(&key("msg_0"), OwnerToken::new(0)), Ok(Release::Fenced));
    assert_eq!(store.release(&key("msg_4999"), OwnerToken::new(4999)), Ok(Release::Released));
}

// Against a model

#[derive(Clone, Debug)]
enum Operation {
    Claim { key: usize, owner: u128, body: u8 },
    Renew { key: usize, owner: u128 },
    Complete { key: usize, owner: u128, length: usize },
    Release { key: usize, owner: u128 },
    Wait { seconds: u64 },
}

fn operation() -> impl Strategy<Value = Operation> {
    let (key, owner) = (0..KEYS.len(), 0..4_u128);
    prop_oneof![
        4 => (key.clone(), owner.clone(), 0..2_u8).prop_map(|(key, owner, body)| Operation::Claim { key, owner, body }),
        1 => (key.clone(), owner.clone()).prop_map(|(key, owner)| Operation::Renew { key, owner }),
        3 => (key.clone(), owner.clone(), 0..40_000_usize)
            .prop_map(|(key, owner, length)| Operation::Complete { key, owner, length }),
        1 => (key, owner).prop_map(|(key, owner)| Operation::Release { key, owner }),
        2 => prop_oneof![0..20_u64, 20..1000_u64, Just(TTL.as_secs())].prop_map(|seconds| Operation::Wait { seconds }),
    ]
}

static KEYS: LazyLock<Vec<DedupKey>> = LazyLock::new(|| (0..6).map(|id| key(&format!("msg_{id}"))).collect());

/// The least that can be said of the rules, in seconds.
#[derive(Clone, Debug)]
enum Model {
    Running { owner: u128, since: u64, until: u64, body: u8 },
    Done { owner: u128, length: usize, until: u64, body: u8 },
}

#[derive(Debug, PartialEq)]
enum Seen {
    Owned,
    Busy { until: u64, same: bool },
    Done { length: usize, same: bool },
}

fn model_claim(model: &mut HashMap<usize, Model>, key: usize, owner: u128, body: u8, now: u64) -> Seen {
    match model.get(&key) {
        Some(Model::Running { owner: holder, until, body: held, .. }) if *holder != owner && now < *until => {
            return Seen::Busy { until: *until, same: *held == body };
        }
        Some(Model::Done { length, until, body: held, .. }) if now < *until => {
            return Seen::Done { length: *length, same: *held == body };
        }
        _ => {}
    }
    model.insert(key, Model::Running { owner, since: now, until: now + 30, body });
    Seen::Owned
}

fn store_claim(store: &MemoryStore, key: usize, owner: u128, body: u8, now: u64) -> Seen {
    let claim = store.claim(&KEYS[key], Fingerprint::of(&[body]), OwnerToken::new(owner), at(now), LEASE);
    match claim.expect("memory can be asked") {
        Claim::Owned => Seen::Owned,
        Claim::Busy { lease_end, likeness } => {
            Seen::Busy { until: lease_end.since(at(0)).as_secs(), same: likeness == Likeness::Same }
        }
        Claim::Done { response, likeness } => {
            Seen::Done { length: response.replay_body().len(), same: likeness == Likeness::Same }
        }
    }
}

fn owns(model: &HashMap<usize, Model>, key: usize, owner: u128) -> Option<(u64, u64, u8)> {
    match model.get(&key) {
        Some(Model::Running { owner: holder, since, until, body }) if *holder == owner => Some((*since, *until, *body)),
        _ => None,
    }
}

fn check(store: &MemoryStore, operations: Vec<Operation>, may_evict: bool) -> Result<(), TestCaseError> {
    let mut model = HashMap::new();
    let mut now = 0;
    for operation in operations {
        match operation {
            Operation::Wait { seconds } => now += seconds,
            Operation::Claim { key, owner, body } => {
                let before = model.get(&key).cloned();
                let expected = model_claim(&mut model, key, owner, body, now);
                let seen = store_claim(store, key, owner, body, now);
                // Only a response may be forgotten, and only where that is counted.
                let forgotten = may_evict
                    && matches!(before, Some(Model::Done { .. }))
                    && seen == Seen::Owned
                    && store.stats().evictions > 0;
                if forgotten {
                    model.insert(key, Model::Running { owner, since: now, until: now + 30, body });
                } else {
                    prop_assert_eq!(seen, expected);
                }
            }
            Operation::Renew { key, owner } => {
                let expected = match owns(&model, key, owner) {
                    None => Renewal::Fenced,
                    Some((since, until, body)) => {
                        let renewed = (now + 30).min(since + 900);
                        if now >= renewed {
                            Renewal::Exhausted
                        } else {
                            let until = renewed.max(until);
                            model.insert(key, Model::Running { owner, since, until, body });
                            Renewal::Renewed { lease_end: at(until) }
                        }
                    }
                };
                prop_assert_eq!(store.renew(&KEYS[key], OwnerToken::new(owner), at(now), LEASE), Ok(expected));
            }
            Operation::Complete { key, owner, length } => {
                let expected = match (owns(&model, key, owner), model.get(&key)) {
                    (Some((_, _, body)), _) => {
                        model.insert(key, Model::Done { owner, length, until: now + TTL.as_secs(), body });
                        Completion::Stored
                    }
                    (None, Some(Model::Done { owner: holder, until, .. })) if *holder == owner && now < *until => {
                        Completion::Stored
                    }
                    _ => Completion::Fenced,
                };
                let seen = store.complete(&KEYS[key], OwnerToken::new(owner), response(length), at(now), TTL);
                let forgotten =
                    may_evict && matches!(model.get(&key), Some(Model::Done { .. })) && seen == Ok(Completion::Fenced);
                prop_assert!(forgotten || seen == Ok(expected), "{seen:?} is not {expected:?}");
            }
            Operation::Release { key, owner } => {
                let expected = if owns(&model, key, owner).is_some() {
                    model.remove(&key);
                    Release::Released
                } else {
                    Release::Fenced
                };
                prop_assert_eq!(store.release(&KEYS[key], OwnerToken::new(owner)), Ok(expected));
            }
        }
        let stats = store.stats();
        let running = model.values().filter(|entry| matches!(entry, Model::Running { .. })).count();
        prop_assert_eq!(stats.running, running);
        prop_assert!(stats.done <= 3 || !may_evict);
        prop_assert!(stats.bytes <= 128 * 1024 || !may_evict);
        prop_assert_eq!(stats.done == 0, stats.bytes == 0);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_store_does_what_the_model_does(operations in prop::collection::vec(operation(), 1..120)) {
        check(&MemoryStore::default(), operations, false)?;
    }

    #[test]
    fn a_store_without_room_forgets_responses_only(operations in prop::collection::vec(operation(), 1..120)) {
        check(&MemoryStore::new(MemoryLimits { entries: 3, bytes: 0 }), operations, true)?;
    }
}
