//! A breaker: a store that keeps failing is not asked at every request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many failures in a row open the breaker.
const FAILURES: u32 = 5;
/// While it is open, one call in this time goes through, to see whether the store is back.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// Counts failures in a row. The time is always the caller's.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// When the next call may go through although the breaker is open.
    probe_at: Option<Instant>,
}

impl Breaker {
    /// Whether a call may go through.
    pub(crate) fn admits(&self, now: Instant) -> bool {
        let mut state = self.lock();
        match state.probe_at {
            Some(at) if now < at => false,
            Some(_) => {
                state.probe_at = Some(now + PROBE_INTERVAL);
                true
            }
            None => true,
        }
    }

    /// What became of a call that went through.
    pub(crate) fn record(&self, succeeded: bool, now: Instant) {
        let mut state = self.lock();
        if succeeded {
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.probe_at = Some(now + PROBE_INTERVAL);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_five_failures_in_a_row_and_lets_one_probe_through_each_second() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..FAILURES - 1 {
            breaker.record(false, start);
        }
        breaker.record(true, start);
        for _ in 0..FAILURES - 1 {
            breaker.record(false, start);
        }
        assert!(breaker.admits(start), "four in a row are not five");
        breaker.record(false, start);
        assert!(!breaker.admits(start));
        assert!(!breaker.admits(start + PROBE_INTERVAL - Duration::from_micros(1)));
        assert!(breaker.admits(start + PROBE_INTERVAL));
        assert!(!breaker.admits(start + PROBE_INTERVAL), "one probe at a time");
        breaker.record(false, start + PROBE_INTERVAL);
        assert!(!breaker.admits(start + PROBE_INTERVAL));
        assert!(breaker.admits(start + 2 * PROBE_INTERVAL));
        breaker.record(true, start + 2 * PROBE_INTERVAL);
        assert!(breaker.admits(start + 2 * PROBE_INTERVAL));
    }
}
