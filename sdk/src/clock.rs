//! Where the SDK takes the time from.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use surehook_core::Timestamp;

/// The clock runs.
const RUNS: i64 = i64::MIN;

/// The time at which [`SystemClock::freeze`] stopped it, in microseconds.
static FROZEN: AtomicI64 = AtomicI64::new(RUNS);

/// A source of the current time; tests bring their own.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// For an application's tests: stops the clock of this process at a time, as far as webhooks are concerned. Durations are
    /// still measured. `None` lets it run again.
    ///
    /// ```
    /// use surehook::core::Timestamp;
    /// use surehook::{Clock, SystemClock};
    ///
    /// let noon = Timestamp::from_unix_seconds(1_700_000_000);
    /// SystemClock::freeze(Some(noon));
    /// assert_eq!(SystemClock.now(), noon);
    /// SystemClock::freeze(None);
    /// assert!(SystemClock.now() > noon);
    /// ```
    pub fn freeze(at: Option<Timestamp>) {
        FROZEN.store(at.map_or(RUNS, Timestamp::unix_micros), Ordering::Relaxed);
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        match FROZEN.load(Ordering::Relaxed) {
            RUNS => {
                let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
                Timestamp::from_unix_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
            }
            frozen => Timestamp::from_unix_micros(frozen),
        }
    }
}
