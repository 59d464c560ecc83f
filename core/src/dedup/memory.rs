//! The dedup store inside of one process.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use lru::{DefaultHasher, LruCache};

use super::fingerprint::Fingerprint;
use super::key::DedupKey;
use super::machine::{self, Change, Claim, Completion, Entry, LEASE_LIMIT, OwnerToken, Release, Renewal};
use super::response::StoredResponse;
use super::sender::RegistryKey;
use super::store::{Store, StoreError};
use super::sync::{AtomicU64, Mutex, MutexGuard, Ordering};
use crate::time::Timestamp;

/// Shards keep concurrent requests from waiting for each other.
const MAX_SHARDS: usize = 16;
/// A shard is large enough for any one response, and for its keys to be spread evenly.
const MIN_SHARD_BYTES: usize = 128 * 1024;
const MIN_SHARD_ENTRIES: usize = 64;
/// Claims that nobody will end are looked for when a shard has this many.
const FIRST_SWEEP: usize = 1024;
/// What an entry takes beside its response: keys, list links, map slots.
const ENTRY_BYTES: usize = 256;

/// How much a [`MemoryStore`] may remember of handled messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// The most entries; at least 1.
    pub entries: usize,
    /// The most bytes of them, with what keeping them costs; at least 128 KiB, so that any one response fits.
    pub bytes: usize,
}

impl Default for MemoryLimits {
    /// 100,000 entries, 64 MiB.
    fn default() -> Self {
        Self { entries: 100_000, bytes: 64 * 1024 * 1024 }
    }
}

/// What a [`MemoryStore`] holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryStats {
    /// Claims whose handlers run, and lapsed ones that nobody took yet.
    pub running: usize,
    /// Responses that are remembered.
    pub done: usize,
    /// The bytes of those responses, with what keeping them costs.
    pub bytes: usize,
    /// Responses that were forgotten before their time, to make room. A duplicate of such a message is handled again.
    pub evictions: u64,
}

/// A store in the memory of one process: what it promises is *once per process lifetime*.
///
/// Only responses are ever forgotten to make room, the least recently used first; a running claim never is.
#[derive(Debug)]
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    evictions: AtomicU64,
    senders: Mutex<HashMap<RegistryKey, Vec<u8>>>,
}

#[derive(Debug)]
struct Shard {
    running: HashMap<DedupKey, Entry, DefaultHasher>,
    done: LruCache<DedupKey, Entry>,
    limits: MemoryLimits,
    bytes: usize,
    sweep_at: usize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(MemoryLimits::default())
    }
}

impl MemoryStore {
    /// An empty store. Limits below their least are raised to it.
    pub fn new(limits: MemoryLimits) -> Self {
        let limits = MemoryLimits { entries: limits.entries.max(1), bytes: limits.bytes.max(MIN_SHARD_BYTES) };
        let count = (limits.entries / MIN_SHARD_ENTRIES).min(limits.bytes / MIN_SHARD_BYTES).clamp(1, MAX_SHARDS);
        let each = MemoryLimits { entries: limits.entries / count, bytes: limits.bytes / count };
        let shards = (0..count).map(|_| Mutex::new(Shard::new(each))).collect();
        Self { shards, evictions: AtomicU64::new(0), senders: Mutex::new(HashMap::new()) }
    }

    /// What the store holds now.
    pub fn stats(&self) -> MemoryStats {
        let empty = MemoryStats { evictions: self.evictions.load(Ordering::Relaxed), ..MemoryStats::default() };
        self.shards.iter().fold(empty, |sum, shard| {
            let shard = lock(shard);
            MemoryStats {
                running: sum.running + shard.running.len(),
                done: sum.done + shard.done.len(),
                bytes: sum.bytes + shard.bytes,
                ..sum
            }
        })
    }

    /// Forgets a message, so that its next attempt runs the handler. False: it was not known.
    pub fn forget(&self, key: &DedupKey) -> bool {
        let mut shard = self.shard(key);
        let known = shard.get(key).is_some();
        shard.remove(key);
        known
    }

    fn shard(&self, key: &DedupKey) -> MutexGuard<'_, Shard> {
        // The key is a SHA-256, so any of its bytes is spread evenly.
        lock(&self.shards[usize::from(key.as_bytes()[0]) % self.shards.len()])
    }
}

/// A shard is consistent between any two statements that can panic, so a poisoned lock is as good as any.
fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for MemoryStore {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn claim(
        &self,
        key: &DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        let mut shard = self.shard(key);
        let step = machine::claim(shard.get(key), fingerprint, owner, now, lease);
        shard.apply(key, step.change);
        shard.sweep(now);
        Ok(step.verdict)
    }

    fn renew(&self, key: &DedupKey, owner: OwnerToken, now: Timestamp, lease: Duration) -> Result<Renewal, StoreError> {
        let mut shard = self.shard(key);
        let step = machine::renew(shard.get(key), owner, now, lease);
        shard.apply(key, step.change);
        Ok(step.verdict)
    }

    fn complete(
        &self,
        key: &DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Completion, StoreError> {
        let mut shard = self.shard(key);
        let step = machine::complete(shard.get(key), owner, response, now, ttl);
        shard.apply(key, step.change);
        let evicted = shard.make_room(now);
        self.evictions.fetch_add(evicted, Ordering::Relaxed);
        Ok(step.verdict)
    }

    fn release(&self, key: &DedupKey, owner: OwnerToken) -> Result<Release, StoreError> {
        let mut shard = self.shard(key);
        let step = machine::release(shard.get(key), owner);
        shard.apply(key, step.change);
        Ok(step.verdict)
    }

    fn load_senders(&self, registry: &RegistryKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(lock(&self.senders).get(registry).cloned())
    }

    fn replace_senders(&self, registry: &RegistryKey, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        let mut senders = lock(&self.senders);
        let unchanged = senders.get(registry).map(Vec::as_slice) == old;
        if unchanged {
            senders.insert(*registry, new.to_vec());
        }
        Ok(unchanged)
    }
}

impl Shard {
    fn new(limits: MemoryLimits) -> Self {
        Self { running: HashMap::default(), done: LruCache::unbounded(), limits, bytes: 0, sweep_at: FIRST_SWEEP }
    }

    fn get(&mut self, key: &DedupKey) -> Option<&Entry> {
        match self.running.get(key) {
            Some(entry) => Some(entry),
            None => self.done.get(key),
        }
    }

    fn apply(&mut self, key: &DedupKey, change: Change) {
        match change {
            Change::Keep => {}
            Change::Clear => self.remove(key),
            Change::Set(entry @ Entry::Running { .. }) => {
                self.forget_done(key);
                self.running.insert(*key, entry);
            }
            Change::Set(entry @ Entry::Done { .. }) => {
                self.running.remove(key);
                self.bytes += weight(&entry);
                // The cache is not bounded by itself, so what it gives back is the key's own earlier answer.
                if let Some((_, before)) = self.done.push(*key, entry) {
                    self.bytes -= weight(&before);
                }
            }
        }
    }

    fn remove(&mut self, key: &DedupKey) {
        self.running.remove(key);
        self.forget_done(key);
    }

    fn forget_done(&mut self, key: &DedupKey) {
        if let Some(entry) = self.done.pop(key) {
            self.bytes -= weight(&entry);
        }
    }

    /// Forgets what has expired at the cold end, then as much as the limits ask for. Returns how many were forgotten
    /// before their time.
    fn make_room(&mut self, now: Timestamp) -> u64 {
        let mut evicted = 0;
        while let Some((key, coldest)) = self.done.peek_lru() {
            let key = *key;
            let expired = matches!(coldest, Entry::Done { expires_at, .. } if *expires_at <= now);
            if !expired {
                if self.done.len() <= self.limits.entries && self.bytes <= self.limits.bytes {
                    break;
                }
                evicted += 1;
            }
            self.forget_done(&key);
        }
        evicted
    }

    /// Removes claims whose owner went away without a word. They are past any lease, so nobody is waiting for them.
    fn sweep(&mut self, now: Timestamp) {
        if self.running.len() < self.sweep_at {
            return;
        }
        self.running.retain(|_, entry| match entry {
            Entry::Running { claimed_at, .. } => now < *claimed_at + LEASE_LIMIT,
            Entry::Done { .. } => false,
        });
        self.sweep_at = (self.running.len() * 2).max(FIRST_SWEEP);
    }
}

fn weight(entry: &Entry) -> usize {
    match entry {
        Entry::Running { .. } => ENTRY_BYTES,
        Entry::Done { response, .. } => ENTRY_BYTES + response.size(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::{MessageName, Scope, Sender};
    use crate::{Verifier, sign};

    fn key() -> DedupKey {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signature = sign(secret, "msg_1", 1, b"").expect("it can be signed");
        let headers: [(&[u8], &[u8]); 3] =
            [(b"svix-id", b"msg_1"), (b"svix-timestamp", b"1"), (b"svix-signature", signature.as_bytes())];
        let verifier = Verifier::new("clerk", &[secret]).expect("a verifier");
        let message = verifier.verify(b"", &headers, Timestamp::from_unix_seconds(1)).expect("it verifies");
        let name = MessageName::of(&message, None, crate::dedup::OnUnsignedId::Duplicate);
        DedupKey::of(&Scope::new("app", "clerk", "clerk"), &Sender::Unnamed, &name)
    }

    #[test]
    fn a_poisoned_lock_is_still_usable() {
        let store = MemoryStore::default();
        let key = key();
        std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let _held = store.shard(&key);
                panic!("while it holds the lock");
            });
            assert!(holder.join().is_err());
        });
        let now = Timestamp::from_unix_seconds(1);
        let claim = store.claim(&key, Fingerprint::of(b""), OwnerToken::new(1), now, Duration::from_secs(30));
        assert_eq!(claim, Ok(Claim::Owned));
        assert_eq!(store.stats().running, 1);
    }
}
