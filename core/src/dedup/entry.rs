//! An entry as bytes, for stores that know nothing of it but how to compare them.

use std::sync::Arc;

use super::fingerprint::Fingerprint;
use super::machine::{Entry, OwnerToken};
use super::response::StoredResponse;
use crate::time::Timestamp;

/// The first byte: another layout gets another one, and so does another layout of the response inside.
const VERSION: u8 = 2;
const RUNNING: u8 = 1;
const DONE: u8 = 2;

/// Why bytes are not an entry. They never count as a message that was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableEntry {
    /// A later version of Surehook wrote them.
    #[error("its entry is of the version {0}; this one reads {VERSION}: update Surehook here too")]
    Newer(u8),
    /// No version wrote them.
    #[error("its entry is damaged: delete it to let the message be handled again")]
    Damaged,
}

impl Entry {
    /// The entry as bytes.
    ///
    /// A version, the state, the owner, the fingerprint, then the times of a running claim, or the expiry of a handled message
    /// and its response; numbers are big-endian, times are microseconds since 1970. No two claims have the same bytes, for no
    /// two have the same owner.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (state, owner, fingerprint) = match self {
            Self::Running { owner, fingerprint, .. } => (RUNNING, owner, fingerprint),
            Self::Done { owner, fingerprint, .. } => (DONE, owner, fingerprint),
        };
        let mut bytes = vec![VERSION, state];
        bytes.extend(owner.get().to_be_bytes());
        bytes.extend(fingerprint.as_bytes());
        match self {
            Self::Running { claimed_at, lease_end, .. } => {
                bytes.extend(claimed_at.unix_micros().to_be_bytes());
                bytes.extend(lease_end.unix_micros().to_be_bytes());
            }
            Self::Done { expires_at, response, .. } => {
                bytes.extend(expires_at.unix_micros().to_be_bytes());
                bytes.extend(response.to_bytes());
            }
        }
        bytes
    }

    /// The entry that these bytes are.
    ///
    /// ```
    /// use surehook_core::Timestamp;
    /// use surehook_core::dedup::{Entry, Fingerprint, OwnerToken, UnreadableEntry};
    ///
    /// let now = Timestamp::from_unix_seconds(1_700_000_000);
    /// let (owner, fingerprint) = (OwnerToken::new(1), Fingerprint::of(b"{}"));
    /// let entry = Entry::Running { owner, claimed_at: now, lease_end: now, fingerprint };
    /// assert_eq!(Entry::from_bytes(&entry.to_bytes()), Ok(entry));
    /// assert_eq!(Entry::from_bytes(b"\x03"), Err(UnreadableEntry::Newer(3)));
    /// ```
    ///
    /// # Errors
    /// They are of a later version, or none wrote them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnreadableEntry> {
        match bytes.split_first() {
            Some((&VERSION, entry)) => parse(entry).ok_or(UnreadableEntry::Damaged),
            Some((&version, _)) if version > VERSION => Err(UnreadableEntry::Newer(version)),
            _ => Err(UnreadableEntry::Damaged),
        }
    }
}

fn parse(bytes: &[u8]) -> Option<Entry> {
    let (&state, bytes) = bytes.split_first()?;
    let (&owner, bytes) = bytes.split_first_chunk()?;
    let (&fingerprint, bytes) = bytes.split_first_chunk()?;
    let (first, rest) = take_time(bytes)?;
    let (owner, fingerprint) = (OwnerToken::new(u128::from_be_bytes(owner)), Fingerprint::from_bytes(fingerprint));
    match state {
        RUNNING => {
            let (lease_end, rest) = take_time(rest)?;
            rest.is_empty().then_some(Entry::Running { owner, claimed_at: first, lease_end, fingerprint })
        }
        DONE => {
            let response = Arc::new(StoredResponse::from_bytes(rest)?);
            Some(Entry::Done { owner, response, expires_at: first, fingerprint })
        }
        _ => None,
    }
}

fn take_time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (micros, rest) = bytes.split_first_chunk()?;
    Some((Timestamp::from_unix_micros(i64::from_be_bytes(*micros)), rest))
}
