//! How often an endpoint may diagnose: a sender decides how many requests it forges.

use std::time::Duration;

use crate::time::Timestamp;

/// The most diagnoses of one endpoint in a second.
const PER_SECOND: u32 = 5;
const WINDOW: Duration = Duration::from_secs(1);

/// Counts the diagnoses of one endpoint in the current second.
///
/// ```
/// use surehook_core::Timestamp;
/// use surehook_core::diagnose::Limiter;
///
/// let mut limiter = Limiter::default();
/// let at = Timestamp::from_unix_seconds(1_700_000_000);
/// assert_eq!((0..9).filter(|_| limiter.admit(at)).count(), 5);
/// assert!(limiter.admit(Timestamp::from_unix_seconds(1_700_000_001)));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Limiter {
    window: Option<Timestamp>,
    count: u32,
}

impl Limiter {
    /// Whether one more is granted now. A clock that was set back begins a new second.
    pub fn admit(&mut self, now: Timestamp) -> bool {
        let current = self.window.is_some_and(|begun| begun <= now && now.since(begun) < WINDOW);
        if !current {
            *self = Self { window: Some(now), count: 0 };
        }
        self.count += 1;
        self.count <= PER_SECOND
    }
}
