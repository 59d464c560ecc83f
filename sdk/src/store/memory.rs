//! The memory of a process as a store. A child of a fork begins with its own: the locks of its parent's may be held by threads
//! that it does not have.

use std::sync::Arc;
use std::time::Duration;

use surehook_core::Timestamp;
use surehook_core::dedup::{
    Claim, Completion, DedupKey, Fingerprint, MemoryStore, OwnerToken, RegistryKey, Release, Renewal, Store,
    StoreError, StoredResponse,
};

use crate::process::PerProcess;

/// A memory store of each process.
pub(super) struct OwnMemory(PerProcess<MemoryStore>);

impl Default for OwnMemory {
    fn default() -> Self {
        Self(PerProcess::new(MemoryStore::default))
    }
}

impl OwnMemory {
    /// Does something with the store of this very process.
    pub(super) fn with<T>(&self, with: impl FnOnce(&MemoryStore) -> T) -> T {
        with(&self.0.get())
    }
}

impl Store for OwnMemory {
    fn kind(&self) -> &str {
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
        self.0.get().claim(key, fingerprint, owner, now, lease)
    }

    fn renew(&self, key: &DedupKey, owner: OwnerToken, now: Timestamp, lease: Duration) -> Result<Renewal, StoreError> {
        self.0.get().renew(key, owner, now, lease)
    }

    fn complete(
        &self,
        key: &DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Completion, StoreError> {
        self.0.get().complete(key, owner, response, now, ttl)
    }

    fn release(&self, key: &DedupKey, owner: OwnerToken) -> Result<Release, StoreError> {
        self.0.get().release(key, owner)
    }

    fn load_senders(&self, registry: &RegistryKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get().load_senders(registry)
    }

    fn replace_senders(&self, registry: &RegistryKey, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        self.0.get().replace_senders(registry, old, new)
    }
}
