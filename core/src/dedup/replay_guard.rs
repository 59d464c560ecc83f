//! Protection against replayed requests for endpoints without de-duplication.

use std::sync::PoisonError;
use std::time::Duration;

use lru::LruCache;

use super::key::digest;
use super::sync::{AtomicU64, Mutex, Ordering};
use crate::error::ReasonCode;
use crate::time::Timestamp;
use crate::verify::VerifiedMessage;

/// The most requests that are remembered.
const CAPACITY: usize = 100_000;

/// Refuses a request that was accepted before: the same signed content, signed at the same time.
///
/// It is for endpoints whose de-duplication is off, one guard for each of them. With de-duplication on a repeated request
/// is a duplicate and gets the stored answer. A provider's retry is signed at a new time, so it is never refused here; where
/// no time is signed, an honest retry is the same request, and is let through with a mark.
///
/// A request is remembered for twice the tolerance, after which its signed time alone refuses it.
#[derive(Debug)]
pub struct ReplayGuard {
    window: Duration,
    capacity: usize,
    /// Ordered by age: an entry is never touched again after it is put in.
    seen: Mutex<LruCache<[u8; 32], Timestamp>>,
    evictions: AtomicU64,
}

/// Says that a request was accepted, and can take that back.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct ReplayPass([u8; 32]);

/// What a request is that is let through.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Guarded {
    /// It was not accepted before.
    First(ReplayPass),
    /// It was, and its provider signs no time by which a retry could be told from a replay.
    Repeated,
}

impl ReplayGuard {
    /// A guard for an endpoint with this tolerance of signed times.
    pub fn new(tolerance: Duration) -> Self {
        Self::with_capacity(tolerance, CAPACITY)
    }

    /// A guard that remembers at most `capacity` requests; the oldest is forgotten for the newest.
    pub fn with_capacity(tolerance: Duration, capacity: usize) -> Self {
        // Signed times are whole seconds, so a request can be valid for up to a second more than twice the tolerance.
        let window = tolerance * 2 + Duration::from_secs(1);
        Self {
            window,
            capacity: capacity.max(1),
            seen: Mutex::new(LruCache::unbounded()),
            evictions: AtomicU64::new(0),
        }
    }

    /// Accepts a request, or says that it was accepted before.
    ///
    /// # Errors
    /// [`ReasonCode::Replayed`], where a time is signed.
    pub fn admit(&self, message: &VerifiedMessage<'_>, now: Timestamp) -> Result<Guarded, ReasonCode> {
        let key = Self::key(message);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.peek(&key).is_some_and(|forgotten_at| now < *forgotten_at) {
            return message.timestamp().map_or(Ok(Guarded::Repeated), |_| Err(ReasonCode::Replayed));
        }
        while seen.peek_lru().is_some_and(|(_, forgotten_at)| *forgotten_at <= now) {
            seen.pop_lru();
        }
        if seen.len() >= self.capacity {
            seen.pop_lru();
            self.evictions.fetch_add(1, Ordering::Relaxed);
        }
        seen.push(key, now + self.window);
        Ok(Guarded::First(ReplayPass(key)))
    }

    /// An id that is not signed is left out: a replay could come under another one.
    fn key(message: &VerifiedMessage<'_>) -> [u8; 32] {
        let id = if message.id_is_signed() { message.message_id() } else { "" };
        let signed_at = message.timestamp().map_or(0, Timestamp::unix_micros).to_be_bytes();
        match message.signed_hash() {
            Some(content) => digest([id.as_bytes(), &signed_at[..], &content[..]]),
            None => digest([id.as_bytes(), &signed_at[..], message.body()]),
        }
    }

    /// Forgets a request whose handler failed, so that a sender that repeats it byte for byte is not refused.
    pub fn release(&self, pass: ReplayPass) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).pop(&pass.0);
    }

    /// Requests that were forgotten before their time, to make room.
    pub fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }
}
