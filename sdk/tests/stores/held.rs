//! A store that takes its time: it keeps its own messages waiting, within bounds, and no others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use surehook::core::Timestamp;
use surehook::core::dedup::{
    Claim, Completion, DedupKey, Entry, Fingerprint, MemoryStore, OwnerToken, RegistryKey, Release, Renewal, Store,
    StoreError, StoredResponse,
};
use surehook::{Decision, DedupStore, Endpoint, OnInFlight};

use crate::bench;
use crate::support::{self, Message, answered, handled, ok};

/// An endpoint on a file that only the connection beside it can use now.
fn held(directory: &tempfile::TempDir, on_in_flight: OnInFlight) -> (Endpoint, rusqlite::Connection) {
    let path = directory.path().join("dedup.db");
    let endpoint = support::endpoint(|options| {
        options.dedup = Some(format!("sqlite://{}", path.display()));
        options.on_in_flight = Some(on_in_flight);
    });
    handled(Message::user_created("msg_creates").begin(&endpoint)).finish(ok(b""));
    let holder = rusqlite::Connection::open(&path).unwrap();
    holder.busy_timeout(Duration::from_secs(5)).unwrap();
    (endpoint, holder)
}

#[test]
fn a_held_file_keeps_no_other_store_waiting() {
    let Some(redis) = bench::redis() else { return };
    let other = redis.endpoint(|_| {});
    handled(Message::user_created("msg_connects").begin(&other)).finish(ok(b""));
    let directory = tempfile::tempdir().unwrap();
    let (endpoint, holder) = held(&directory, OnInFlight::Wait);
    let message = Message::user_created("msg_waited_for");
    let running = handled(message.begin(&endpoint));
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..16).map(|_| scope.spawn(|| message.begin(&endpoint))).collect();
        // They look for the answer every 200 ms at least.
        holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let began = Instant::now();
        for index in 0.. {
            let asked = Instant::now();
            let decision = Message::user_created(&format!("msg_beside_{index}")).begin(&other);
            assert!(matches!(decision, Decision::Handle(_)), "{:?}", surehook::take_notices());
            assert!(asked.elapsed() < Duration::from_millis(190), "it waited {:?} for a file", asked.elapsed());
            if began.elapsed() > Duration::from_secs(1) {
                break;
            }
        }
        holder.execute_batch("COMMIT").unwrap();
        for answer in waiting {
            assert!(matches!(answer.join().unwrap(), Decision::Answer(_)));
        }
    });
    running.finish(ok(b""));
}

#[test]
fn of_many_that_ask_for_a_held_file_none_waits_for_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let (endpoint, holder) = held(&directory, OnInFlight::Answer);
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for index in 0..12 {
            let endpoint = &endpoint;
            scope.spawn(move || {
                let answer = answered(Message::user_created(&format!("msg_{index}")).begin(endpoint));
                assert_eq!(answer.status, 503);
            });
        }
    });
    assert!(began.elapsed() < Duration::from_millis(600), "the last of them waited {:?}", began.elapsed());
}

/// Takes a second for each renewal.
struct Slow(MemoryStore);

impl Store for Slow {
    fn kind(&self) -> &'static str {
        "slow"
    }

    fn claim(
        &self,
        key: &DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        self.0.claim(key, fingerprint, owner, now, lease)
    }

    fn renew(&self, key: &DedupKey, owner: OwnerToken, now: Timestamp, lease: Duration) -> Result<Renewal, StoreError> {
        std::thread::sleep(Duration::from_secs(1));
        self.0.renew(key, owner, now, lease)
    }

    fn complete(
        &self,
        key: &DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Completion, StoreError> {
        self.0.complete(key, owner, response, now, ttl)
    }

    fn release(&self, key: &DedupKey, owner: OwnerToken) -> Result<Release, StoreError> {
        self.0.release(key, owner)
    }

    fn load_senders(&self, registry: &RegistryKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.load_senders(registry)
    }

    fn replace_senders(&self, registry: &RegistryKey, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        self.0.replace_senders(registry, old, new)
    }
}

#[test]
fn slow_renewals_hold_up_no_other_lease() {
    let slow = DedupStore::of(Arc::new(Slow(MemoryStore::default())));
    let slow = support::endpoint(|options| options.store = Some(slow));
    let held: Vec<_> =
        (0..30).map(|index| handled(Message::user_created(&format!("msg_slow_{index}")).begin(&slow))).collect();
    let bench = bench::sqlite().unwrap();
    let key = bench.key("msg_quick");
    let lease_end = || match bench.store.get(&key).unwrap() {
        Some(Entry::Running { lease_end, .. }) => lease_end,
        other => panic!("{other:?}"),
    };
    let delivery = handled(Message::user_created("msg_quick").begin(&bench.endpoint(|_| {})));
    bench.pass(&[key], Duration::from_secs(5));
    let (began, aged) = (Instant::now(), lease_end());
    while lease_end() <= aged {
        assert!(began.elapsed() < Duration::from_secs(16), "the lease was not renewed");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    delivery.finish(ok(b""));
    held.into_iter().for_each(|delivery| drop(delivery.finish(ok(b""))));
}
