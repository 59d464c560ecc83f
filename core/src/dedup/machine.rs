//! The state machine of one dedup entry: absent → running → done, as pure functions.
//!
//! A store reads the entry, calls one of these functions, and applies the [`Change`], all in one atomic operation of
//! its own. So every store decides alike, and a test needs neither a store nor a clock.

use std::sync::Arc;
use std::time::Duration;

use super::fingerprint::{Fingerprint, Likeness};
use super::response::StoredResponse;
use crate::time::Timestamp;

/// How long a claim lasts unless it is renewed.
pub const LEASE: Duration = Duration::from_secs(30);
/// How often a running handler's claim is renewed.
pub const LEASE_RENEWAL: Duration = Duration::from_secs(10);
/// The longest a claim can be held by renewing it, from when it was made.
pub const LEASE_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Names one claim: made anew, at random, for each attempt that asks for a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OwnerToken(u128);

impl OwnerToken {
    /// A token of 128 random bits, which the caller supplies.
    pub const fn new(random: u128) -> Self {
        Self(random)
    }

    /// The token's bits, for stores outside of this process.
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl std::fmt::Debug for OwnerToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnerToken({:032x})", self.0)
    }
}

/// What a store knows of a message it has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A handler has it.
    Running {
        /// Whose claim it is.
        owner: OwnerToken,
        /// When it was made.
        claimed_at: Timestamp,
        /// The first moment at which another may take it.
        lease_end: Timestamp,
        /// The body the handler was given.
        fingerprint: Fingerprint,
    },
    /// It was handled.
    Done {
        /// Whose claim it was.
        owner: OwnerToken,
        /// What the duplicates are answered.
        response: Arc<StoredResponse>,
        /// The first moment at which it counts as never seen.
        expires_at: Timestamp,
        /// The body that was handled.
        fingerprint: Fingerprint,
    },
}

/// What a store has to do to its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Leave it.
    Keep,
    /// Put this one in its place.
    Set(Entry),
    /// Remove it.
    Clear,
}

/// A decision: what becomes of the entry, and what the caller is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Transition<T> {
    /// What the store has to do.
    pub change: Change,
    /// What the caller is told.
    pub verdict: T,
}

/// What [`claim`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller has the message, and runs the handler.
    Owned,
    /// Another attempt has it.
    Busy {
        /// When its lease ends, unless it is renewed.
        lease_end: Timestamp,
        /// How the message compares to the one it was given.
        likeness: Likeness,
    },
    /// It was handled before.
    Done {
        /// What to answer.
        response: Arc<StoredResponse>,
        /// How the message compares to the one that was handled.
        likeness: Likeness,
    },
}

/// What [`renew`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The lease lasts until then.
    Renewed {
        /// The first moment at which another may take it.
        lease_end: Timestamp,
    },
    /// [`LEASE_LIMIT`] is reached: the claim stands until another takes it, and cannot be made longer.
    Exhausted,
    /// The claim is no longer the caller's.
    Fenced,
}

/// What [`complete`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The response is what duplicates will be answered.
    Stored,
    /// The claim is no longer the caller's; nothing was changed.
    Fenced,
}

/// What [`release`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The message is as if it had never been seen.
    Released,
    /// The claim is no longer the caller's; nothing was changed.
    Fenced,
}

/// Asks for the right to run the handler.
///
/// It is given when the message is unknown, its response has expired, or the claim on it has lapsed. Claiming again with
/// the token that already holds it succeeds, so that a store whose answer was lost can be asked again.
pub fn claim(
    entry: Option<&Entry>,
    fingerprint: Fingerprint,
    owner: OwnerToken,
    now: Timestamp,
    lease: Duration,
) -> Transition<Claim> {
    match entry {
        Some(Entry::Running { owner: holder, lease_end, fingerprint: body, .. })
            if *holder != owner && now < *lease_end =>
        {
            let verdict = Claim::Busy { lease_end: *lease_end, likeness: fingerprint.compare(body) };
            Transition { change: Change::Keep, verdict }
        }
        Some(Entry::Done { response, expires_at, fingerprint: body, .. }) if now < *expires_at => {
            let verdict = Claim::Done { response: Arc::clone(response), likeness: fingerprint.compare(body) };
            Transition { change: Change::Keep, verdict }
        }
        _ => {
            let lease_end = now + lease.min(LEASE_LIMIT);
            let running = Entry::Running { owner, claimed_at: now, lease_end, fingerprint };
            Transition { change: Change::Set(running), verdict: Claim::Owned }
        }
    }
}

/// Makes the lease last for `lease` from `now`, up to [`LEASE_LIMIT`] after the claim.
pub fn renew(entry: Option<&Entry>, owner: OwnerToken, now: Timestamp, lease: Duration) -> Transition<Renewal> {
    let Some(Entry::Running { owner: holder, claimed_at, lease_end, fingerprint }) = entry else {
        return Transition { change: Change::Keep, verdict: Renewal::Fenced };
    };
    if *holder != owner {
        return Transition { change: Change::Keep, verdict: Renewal::Fenced };
    }
    let renewed = (now + lease).min(*claimed_at + LEASE_LIMIT);
    if now >= renewed {
        return Transition { change: Change::Keep, verdict: Renewal::Exhausted };
    }
    // A clock that was set back must not shorten a lease that somebody already relies on.
    let lease_end = renewed.max(*lease_end);
    let running = Entry::Running { owner, claimed_at: *claimed_at, lease_end, fingerprint: *fingerprint };
    Transition { change: Change::Set(running), verdict: Renewal::Renewed { lease_end } }
}

/// Stores the response, if the claim is still the caller's. A lapsed claim that nobody took is still the caller's.
///
/// Completing again with the token that completed it succeeds and changes nothing.
pub fn complete(
    entry: Option<&Entry>,
    owner: OwnerToken,
    response: Arc<StoredResponse>,
    now: Timestamp,
    ttl: Duration,
) -> Transition<Completion> {
    match entry {
        Some(Entry::Running { owner: holder, fingerprint, .. }) if *holder == owner => {
            let done = Entry::Done { owner, response, expires_at: now + ttl, fingerprint: *fingerprint };
            Transition { change: Change::Set(done), verdict: Completion::Stored }
        }
        Some(Entry::Done { owner: holder, expires_at, .. }) if *holder == owner && now < *expires_at => {
            Transition { change: Change::Keep, verdict: Completion::Stored }
        }
        _ => Transition { change: Change::Keep, verdict: Completion::Fenced },
    }
}

/// Gives the claim back, so that the provider's retry runs the handler.
pub fn release(entry: Option<&Entry>, owner: OwnerToken) -> Transition<Release> {
    match entry {
        Some(Entry::Running { owner: holder, .. }) if *holder == owner => {
            Transition { change: Change::Clear, verdict: Release::Released }
        }
        _ => Transition { change: Change::Keep, verdict: Release::Fenced },
    }
}
