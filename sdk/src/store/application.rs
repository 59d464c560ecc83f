//! A store in the application's own database, which only the application can ask.

use std::sync::Arc;
use std::time::Duration;

use surehook_core::dedup::{
    Claim, Completion, DedupKey, Fingerprint, OwnerToken, RegistryKey, Release, Renewal, Store, StoreError,
    StoredResponse,
};
use surehook_core::{ConfigError, Timestamp};

/// The longest kind, in bytes.
const MAX_KIND: usize = 40;
/// What a call comes to that would have to ask by itself.
pub(crate) const ONLY_THE_APPLICATION: &str =
    "it is in the application's own database, which only the application can ask";

/// Stands for the store where one is named. Its entries are asked for with [`Question`](crate::Question).
pub(super) struct ApplicationStore {
    kind: String,
}

impl ApplicationStore {
    pub(super) fn new(kind: &str) -> Result<Self, ConfigError> {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
        if kind.is_empty() || kind.len() > MAX_KIND || !kind.bytes().all(known) {
            let fault = "the kind of the application's store must be 1 to 40 of a-z, 0-9, _ and -, e.g. django";
            return Err(ConfigError::invalid_option("store", fault));
        }
        Ok(Self { kind: kind.to_owned() })
    }
}

fn refused<T>() -> Result<T, StoreError> {
    Err(super::only_the_application())
}

impl Store for ApplicationStore {
    fn kind(&self) -> &str {
        &self.kind
    }

    fn claim(
        &self,
        _: &DedupKey,
        _: Fingerprint,
        _: OwnerToken,
        _: Timestamp,
        _: Duration,
    ) -> Result<Claim, StoreError> {
        refused()
    }

    fn renew(&self, _: &DedupKey, _: OwnerToken, _: Timestamp, _: Duration) -> Result<Renewal, StoreError> {
        refused()
    }

    fn complete(
        &self,
        _: &DedupKey,
        _: OwnerToken,
        _: Arc<StoredResponse>,
        _: Timestamp,
        _: Duration,
    ) -> Result<Completion, StoreError> {
        refused()
    }

    fn release(&self, _: &DedupKey, _: OwnerToken) -> Result<Release, StoreError> {
        refused()
    }

    fn load_senders(&self, _: &RegistryKey) -> Result<Option<Vec<u8>>, StoreError> {
        refused()
    }

    fn replace_senders(&self, _: &RegistryKey, _: Option<&[u8]>, _: &[u8]) -> Result<bool, StoreError> {
        refused()
    }
}
