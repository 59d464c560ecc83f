//! What a dedup store has to do.

use std::sync::Arc;
use std::time::Duration;

use super::fingerprint::Fingerprint;
use super::key::DedupKey;
use super::machine::{Claim, Completion, OwnerToken, Release, Renewal};
use super::response::StoredResponse;
use super::sender::RegistryKey;
use crate::time::Timestamp;

/// Keeps the entries of [`machine`](super::claim), and the records of [`Senders`](super::Senders); each method is one atomic
/// operation on one of them.
///
/// A store with a clock of its own (a database that several hosts share) uses that one and takes `now` for the caller's
/// opinion; all others use `now`.
pub trait Store: Send + Sync {
    /// The kind of store, as it stands in an attempt's record, e.g. `memory`.
    fn kind(&self) -> &str;

    /// Asks for the right to run the handler: see [`claim`](super::claim).
    ///
    /// # Errors
    /// The store could not be asked. Whether the claim was made is unknown.
    fn claim(
        &self,
        key: &DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Claim, StoreError>;

    /// Makes a lease longer: see [`renew`](super::renew).
    ///
    /// # Errors
    /// The store could not be asked.
    fn renew(&self, key: &DedupKey, owner: OwnerToken, now: Timestamp, lease: Duration) -> Result<Renewal, StoreError>;

    /// Stores the response of a handled message: see [`complete`](super::complete).
    ///
    /// # Errors
    /// The store could not be asked. Whether the response was stored is unknown.
    fn complete(
        &self,
        key: &DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Completion, StoreError>;

    /// Gives a claim back: see [`release`](super::release).
    ///
    /// # Errors
    /// The store could not be asked. The claim lapses with its lease.
    fn release(&self, key: &DedupKey, owner: OwnerToken) -> Result<Release, StoreError>;

    /// The record of an endpoint's senders, as [`Senders::to_bytes`](super::Senders::to_bytes) wrote it.
    ///
    /// # Errors
    /// The store could not be asked.
    fn load_senders(&self, registry: &RegistryKey) -> Result<Option<Vec<u8>>, StoreError>;

    /// Puts `new` in the place of that record, without an expiry, where it still is `old`; says whether it was. `None`: there was
    /// none.
    ///
    /// # Errors
    /// The store could not be asked. Whether the record was replaced is unknown.
    fn replace_senders(&self, registry: &RegistryKey, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError>;
}

/// A dedup store could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the dedup store cannot be asked: {reason}")]
pub struct StoreError {
    /// Why, for the log of the endpoint's owner.
    pub reason: String,
}
