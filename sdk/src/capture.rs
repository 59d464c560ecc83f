//! An in-memory transport, so that an application's tests can look at what would be sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use surehook_core::telemetry::attempt::{Attempt, DropReason};

use crate::before_send::BeforeSend;
use crate::sender::Stats;

/// Keeps the attempts of a [`Client`](crate::Client) in memory, in place of sending them: the very records that a collector
/// would get, after redaction and `before_send`, at once and on the thread that recorded them.
///
/// ```
/// use surehook::{Capture, Client, ClientOptions};
///
/// let capture = Capture::new();
/// let client = Client::new(ClientOptions { capture: Some(capture.clone()), ..ClientOptions::default() }).unwrap();
/// assert!(capture.attempts().is_empty());
/// assert_eq!(client.stats().recorded, 0);
/// ```
#[derive(Clone, Default)]
pub struct Capture(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    attempts: Vec<Attempt>,
    stats: Stats,
}

impl Capture {
    /// An empty one. Clones share what is kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was recorded so far, oldest first.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.lock().attempts.clone()
    }

    /// Forgets what was recorded so far; the counts stay.
    pub fn clear(&self) {
        self.lock().attempts.clear();
    }

    pub(crate) fn keep(&self, mut attempt: Attempt, before_send: Option<&BeforeSend>) {
        let wanted = before_send.is_none_or(|before_send| before_send.wants(&mut attempt));
        let mut kept = self.lock();
        kept.stats.recorded += 1;
        if wanted {
            kept.stats.stored += 1;
            kept.attempts.push(attempt);
        } else {
            *kept.stats.dropped.entry(DropReason::BeforeSend).or_default() += 1;
        }
    }

    pub(crate) fn lost(&self, reason: DropReason) {
        let mut kept = self.lock();
        kept.stats.recorded += 1;
        *kept.stats.dropped.entry(reason).or_default() += 1;
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Capture {
    /// The same memory is the same value.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Capture")
    }
}
