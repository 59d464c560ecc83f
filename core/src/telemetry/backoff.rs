//! When a sender tries again.

use std::time::{Duration, SystemTime};

use crate::time::Timestamp;

/// The first retry comes within this time.
pub const BASE_DELAY: Duration = Duration::from_millis(500);
/// No retry waits longer, unless the collector asks for it.
pub const MAX_DELAY: Duration = Duration::from_secs(30);
/// The longest wait that a collector can ask for.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);
/// How often a collector that refused the API key is asked again.
pub const UNAUTHORIZED_PROBE: Duration = Duration::from_secs(60);

/// The waits between retries: exponential with full jitter, so that senders that failed together do not come back together.
///
/// ```
/// use std::time::Duration;
/// use surehook_core::telemetry::backoff::Backoff;
///
/// let mut backoff = Backoff::default();
/// assert_eq!(backoff.next(0.5, None), Duration::from_millis(250));
/// assert_eq!(backoff.next(0.5, None), Duration::from_millis(500));
/// assert_eq!(backoff.next(0.5, Some(Duration::from_secs(7))), Duration::from_secs(7));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure: `random`, in [0, 1), of the current ceiling, and at least what the collector asked
    /// for.
    pub fn next(&mut self, random: f64, retry_after: Option<Duration>) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let ceiling = BASE_DELAY.saturating_mul(factor).min(MAX_DELAY);
        self.failures = self.failures.saturating_add(1);
        let share = if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 };
        ceiling.mul_f64(share).max(retry_after.unwrap_or_default())
    }

    /// Begins anew, after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Reads `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3). At most [`MAX_RETRY_AFTER`]; `None` when it is
/// neither.
///
/// ```
/// use std::time::Duration;
/// use surehook_core::{Timestamp, telemetry::backoff::retry_after};
///
/// let now = Timestamp::from_unix_seconds(784_111_777);
/// assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
/// assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(Duration::from_secs(10)));
/// assert_eq!(retry_after("soon", now), None);
/// ```
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more seconds than are granted.
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let seconds = date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    let date = Timestamp::from_unix_seconds(i64::try_from(seconds).ok()?);
    Some(date.since(now).min(MAX_RETRY_AFTER))
}

/// What a collector's status means for the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It was stored, if the body says so too: see [`read_answer`](super::wire::read_answer).
    Accepted,
    /// Send it again later.
    Retry,
    /// Send it again in two halves.
    Split,
    /// The API key is refused: say so, keep everything, and ask again every [`UNAUTHORIZED_PROBE`].
    Unauthorized,
    /// It will never be accepted.
    Refused,
}

/// Reads a status. Only 202 can be a collector's yes: any other 2xx or 3xx comes from something in between, such as a
/// captive portal.
pub const fn classify(status: u16) -> Verdict {
    match status {
        202 => Verdict::Accepted,
        413 => Verdict::Split,
        401 | 403 => Verdict::Unauthorized,
        408 | 425 | 429 => Verdict::Retry,
        400..=499 => Verdict::Refused,
        _ => Verdict::Retry,
    }
}
