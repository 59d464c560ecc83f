//! Lines of the log that a sender could make come without end.

use std::sync::atomic::{AtomicI64, Ordering};

use surehook_core::Timestamp;

/// Seconds between two of them.
const PAUSE: i64 = 60;

/// Lets one line through a minute.
#[derive(Debug)]
pub(crate) struct Rationed(AtomicI64);

impl Default for Rationed {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN / 2))
    }
}

impl Rationed {
    /// Whether one may be written now. A clock that was set back begins anew.
    pub(crate) fn admit(&self, now: Timestamp) -> bool {
        let (now, last) = (now.unix_seconds(), self.0.load(Ordering::Relaxed));
        let due = now < last || now.saturating_sub(last) >= PAUSE;
        due && self.0.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_is_written() {
        let lines = Rationed::default();
        let written = |second| lines.admit(Timestamp::from_unix_seconds(second));
        let admitted: Vec<i64> = (1_000..1_200).filter(|second| written(*second)).collect();
        assert_eq!(admitted, [1_000, 1_060, 1_120, 1_180]);
        assert!(written(500));
    }
}
