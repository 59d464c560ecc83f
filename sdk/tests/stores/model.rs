//! Every store against the least that can be said of the rules, in whole seconds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use surehook::Clock;
use surehook::core::Timestamp;
use surehook::core::dedup::{
    Claim, Completion, DedupKey, Fingerprint, LEASE, Likeness, OwnerToken, Release, Renewal, Store, StoredResponse,
};

use crate::bench::Bench;

const TTL: u64 = 4 * 3600;
/// For how long a store keeps a claim that nobody ended; the model keeps it for ever.
const CLAIM_KEPT: u64 = 24 * 3600;
const KEYS: usize = 3;

#[derive(Clone, Debug)]
enum Operation {
    Claim { key: usize, owner: u128, body: u8 },
    Renew { key: usize, owner: u128 },
    Complete { key: usize, owner: u128, answer: u8 },
    Release { key: usize, owner: u128 },
    Pass { seconds: u64 },
}

fn operation() -> impl Strategy<Value = Operation> {
    let (key, owner) = (0..KEYS, 0..3_u128);
    prop_oneof![
        4 => (key.clone(), owner.clone(), 0..2_u8).prop_map(|(key, owner, body)| Operation::Claim { key, owner, body }),
        2 => (key.clone(), owner.clone()).prop_map(|(key, owner)| Operation::Renew { key, owner }),
        3 => (key.clone(), owner.clone(), any::<u8>())
            .prop_map(|(key, owner, answer)| Operation::Complete { key, owner, answer }),
        1 => (key, owner).prop_map(|(key, owner)| Operation::Release { key, owner }),
        3 => prop_oneof![1..40_u64, 40..1000_u64, Just(TTL)].prop_map(|seconds| Operation::Pass { seconds }),
    ]
}

#[derive(Clone, Copy)]
enum Model {
    Running { owner: u128, since: u64, until: u64, body: u8 },
    Done { owner: u128, answer: u8, until: u64, body: u8 },
}

#[derive(Debug, PartialEq)]
enum Seen {
    Owned,
    Busy { until: u64, same: bool },
    Done { answer: u8, same: bool },
    Renewed { until: u64 },
    Exhausted,
    Kept,
    Fenced,
}

fn expected(model: &mut HashMap<usize, Model>, operation: &Operation, now: u64) -> Seen {
    match *operation {
        Operation::Claim { key, owner, body } => match model.get(&key) {
            Some(Model::Running { owner: holder, until, body: held, .. }) if *holder != owner && now < *until => {
                Seen::Busy { until: *until, same: *held == body }
            }
            Some(Model::Done { answer, until, body: held, .. }) if now < *until => {
                Seen::Done { answer: *answer, same: *held == body }
            }
            _ => {
                model.insert(key, Model::Running { owner, since: now, until: now + 30, body });
                Seen::Owned
            }
        },
        Operation::Renew { key, owner } => match model.get_mut(&key) {
            Some(Model::Running { owner: holder, since, until, .. }) if *holder == owner => {
                if now >= (now + 30).min(*since + 900) {
                    return Seen::Exhausted;
                }
                *until = (now + 30).min(*since + 900).max(*until);
                Seen::Renewed { until: *until }
            }
            _ => Seen::Fenced,
        },
        Operation::Complete { key, owner, answer } => match model.get(&key).copied() {
            Some(Model::Running { owner: holder, body, .. }) if holder == owner => {
                model.insert(key, Model::Done { owner, answer, until: now + TTL, body });
                Seen::Kept
            }
            Some(Model::Done { owner: holder, until, .. }) if holder == owner && now < until => Seen::Kept,
            _ => Seen::Fenced,
        },
        Operation::Release { key, owner } => match model.get(&key) {
            Some(Model::Running { owner: holder, .. }) if *holder == owner => {
                model.remove(&key);
                Seen::Kept
            }
            _ => Seen::Fenced,
        },
        Operation::Pass { .. } => Seen::Kept,
    }
}

/// What the store says, its times as whole seconds since the start.
fn seen(bench: &Bench, keys: &[DedupKey], operation: &Operation, start: impl Fn(Timestamp) -> u64) -> Seen {
    let (store, now) = (&bench.store, bench.clock.now());
    match *operation {
        Operation::Claim { key, owner, body } => {
            match store.claim(&keys[key], Fingerprint::of(&[body]), OwnerToken::new(owner), now, LEASE).unwrap() {
                Claim::Owned => Seen::Owned,
                Claim::Busy { lease_end, likeness } => {
                    Seen::Busy { until: start(lease_end), same: likeness == Likeness::Same }
                }
                Claim::Done { response, likeness } => {
                    Seen::Done { answer: response.replay_body()[0], same: likeness == Likeness::Same }
                }
            }
        }
        Operation::Renew { key, owner } => match store.renew(&keys[key], OwnerToken::new(owner), now, LEASE).unwrap() {
            Renewal::Renewed { lease_end } => Seen::Renewed { until: start(lease_end) },
            Renewal::Exhausted => Seen::Exhausted,
            Renewal::Fenced => Seen::Fenced,
        },
        Operation::Complete { key, owner, answer } => {
            let response = Arc::new(StoredResponse::capture(200, &[], Some(&[answer])));
            match store.complete(&keys[key], OwnerToken::new(owner), response, now, Duration::from_secs(TTL)).unwrap() {
                Completion::Stored => Seen::Kept,
                Completion::Fenced => Seen::Fenced,
            }
        }
        Operation::Release { key, owner } => match store.release(&keys[key], OwnerToken::new(owner)).unwrap() {
            Release::Released => Seen::Kept,
            Release::Fenced => Seen::Fenced,
        },
        Operation::Pass { seconds } => {
            bench.pass(keys, Duration::from_secs(seconds));
            Seen::Kept
        }
    }
}

/// The store decides as the model does, whatever it is asked.
pub fn decides_as_the_model(bench: &Bench, cases: u32) {
    // A store with a clock of its own goes on while the test runs; passing time is put on top of that.
    let own_clock = bench.has_own_clock();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let case = std::cell::Cell::new(0);
    let ran = runner.run(&prop::collection::vec(operation(), 1..40), |operations| {
        case.set(case.get() + 1);
        let keys: Vec<_> = (0..KEYS).map(|id| bench.key(&format!("model-{}-{id}", case.get()))).collect();
        let (mut model, mut now) = (HashMap::new(), 0);
        let began = std::time::SystemTime::now();
        let at_start = bench.clock.now();
        for operation in operations {
            if let Operation::Pass { seconds } = operation {
                if now + seconds >= CLAIM_KEPT {
                    break;
                }
                now += seconds;
            }
            let expected = expected(&mut model, &operation, now);
            let start = |time: Timestamp| match own_clock {
                false => time.since(at_start).as_secs(),
                true => {
                    // The store's clock stands at the test's begin plus what the test took; what has passed was taken off.
                    let begin = began.duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64;
                    ((time.unix_micros() - begin) as f64 / 1e6 + now as f64).floor().max(0.0) as u64
                }
            };
            let seen = seen(bench, &keys, &operation, start);
            prop_assert_eq!(seen, expected, "{:?} at {} s", operation, now);
        }
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{}: {error}\n{runner}", bench.url.split("://").next().unwrap());
    }
}
