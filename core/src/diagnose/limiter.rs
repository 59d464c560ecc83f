//! How often a process may diagnose: a sender decides how many requests it forges.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most diagnoses in a second, for requests of any kind.
const OF_ANY: u64 = 4;
/// And for those that came before: a provider tries again, whoever makes up requests makes up their ids.
const OF_THOSE_SEEN: u64 = 1;
const WINDOW: u64 = 1_000;

/// Counts the diagnoses of the current second: five at most, one of which is kept for requests that were seen before.
///
/// It holds no lock, so that a fork cannot leave one locked.
///
/// ```
/// use std::time::Duration;
/// use surehook_core::diagnose::Limiter;
///
/// let limiter = Limiter::new();
/// let at = Duration::from_secs(60);
/// assert_eq!((0..9).filter(|_| limiter.admit(at, false)).count(), 4);
/// assert_eq!((0..9).filter(|_| limiter.admit(at, true)).count(), 1);
/// assert!(limiter.admit(at + Duration::from_secs(1), false));
/// ```
#[derive(Debug)]
pub struct Limiter(AtomicU64);

/// A second that has begun, and what it granted.
#[derive(Clone, Copy)]
struct Second {
    begun_ms: u64,
    any: u64,
    seen: u64,
}

impl Limiter {
    /// Nothing was granted yet.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Whether one more is granted at this time, which is counted from any fixed moment. A clock that was set back begins a
    /// new second.
    pub fn admit(&self, at: Duration, seen_before: bool) -> bool {
        let at_ms = u64::try_from(at.as_millis()).unwrap_or(u64::MAX) + WINDOW;
        let granted = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
            Second::unpacked(state).at(at_ms).grant(seen_before).map(Second::packed)
        });
        granted.is_ok()
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

impl Second {
    fn at(self, at_ms: u64) -> Self {
        let lasts = self.begun_ms <= at_ms && at_ms - self.begun_ms < WINDOW;
        if lasts { self } else { Self { begun_ms: at_ms, any: 0, seen: 0 } }
    }

    fn grant(self, seen_before: bool) -> Option<Self> {
        if self.any < OF_ANY {
            return Some(Self { any: self.any + 1, ..self });
        }
        (seen_before && self.seen < OF_THOSE_SEEN).then(|| Self { seen: self.seen + 1, ..self })
    }

    fn packed(self) -> u64 {
        self.begun_ms << 8 | self.any << 4 | self.seen
    }

    fn unpacked(state: u64) -> Self {
        Self { begun_ms: state >> 8, any: state >> 4 & 0xf, seen: state & 0xf }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(limiter: &Limiter, at_ms: u64, seen_before: bool) -> usize {
        (0..100).filter(|_| limiter.admit(Duration::from_millis(at_ms), seen_before)).count()
    }

    #[test]
    fn five_a_second_and_one_of_them_for_what_came_before() {
        let limiter = Limiter::new();
        assert_eq!(granted(&limiter, 0, false), 4);
        assert_eq!(granted(&limiter, 999, true), 1);
        assert_eq!(granted(&limiter, 1000, true), 5);
        assert_eq!(granted(&limiter, 1999, false), 0);
    }

    #[test]
    fn a_clock_that_was_set_back_begins_a_new_second() {
        let limiter = Limiter::new();
        assert_eq!(granted(&limiter, 100_000, false), 4);
        assert_eq!(granted(&limiter, 50_000, false), 4);
        assert_eq!(granted(&limiter, 50_000, false), 0);
    }
}
