//! The forms of a signed time.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::ReasonCode;
use crate::scheme::TimeUnit;
use crate::time::Timestamp;

/// More digits are no time in seconds.
const MAX_SECONDS_DIGITS: usize = 12;
/// More digits are no time in milliseconds.
const MAX_MILLISECONDS_DIGITS: usize = 15;
/// A longer text is no RFC 3339 time that anybody sends: nanoseconds and an offset take 35.
const MAX_RFC3339: usize = 64;

/// Reads a time: ASCII digits without sign, space or leading zero, or RFC 3339.
pub(crate) fn read(raw: &[u8], unit: TimeUnit) -> Result<Timestamp, ReasonCode> {
    let read = match unit {
        TimeUnit::Seconds => digits(raw, MAX_SECONDS_DIGITS).map(Timestamp::from_unix_seconds),
        TimeUnit::Milliseconds => digits(raw, MAX_MILLISECONDS_DIGITS).map(Timestamp::from_unix_millis),
        TimeUnit::Rfc3339 => rfc3339(raw),
    };
    read.ok_or(ReasonCode::MalformedTimestamp)
}

/// The time that a request's age is counted to: when it was received by whoever kept it in a queue since, but not later than now, and
/// not longer ago than handled messages are remembered. It must come from the queue's own metadata, never from the message.
///
/// ```
/// use std::time::Duration;
/// use surehook_core::{Timestamp, verify::reference_time};
///
/// let (now, hour) = (Timestamp::from_unix_seconds(1_700_000_000), Duration::from_secs(3600));
/// let at = |seconds| Some(Timestamp::from_unix_seconds(seconds));
/// assert_eq!(reference_time(None, now, hour), now);
/// assert_eq!(Some(reference_time(at(1_699_999_000), now, hour)), at(1_699_999_000));
/// assert_eq!(reference_time(at(1_700_000_001), now, hour), now);
/// assert_eq!(Some(reference_time(at(1_600_000_000), now, hour)), at(1_699_996_400));
/// ```
pub fn reference_time(received_at: Option<Timestamp>, now: Timestamp, remembered: Duration) -> Timestamp {
    let span = i64::try_from(remembered.as_micros()).unwrap_or(i64::MAX);
    let oldest = Timestamp::from_unix_micros(now.unix_micros().saturating_sub(span));
    received_at.unwrap_or(now).max(oldest).min(now)
}

/// Writes a time.
pub(crate) fn write(at: Timestamp, unit: TimeUnit) -> String {
    match unit {
        TimeUnit::Seconds => at.unix_seconds().to_string(),
        TimeUnit::Milliseconds => at.unix_millis().to_string(),
        TimeUnit::Rfc3339 => OffsetDateTime::from_unix_timestamp(at.unix_seconds())
            .ok()
            .and_then(|date| date.format(&Rfc3339).ok())
            .unwrap_or_default(),
    }
}

fn digits(raw: &[u8], most: usize) -> Option<i64> {
    let plain =
        (1..=most).contains(&raw.len()) && raw.iter().all(u8::is_ascii_digit) && (raw.len() == 1 || raw[0] != b'0');
    plain.then(|| raw.iter().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn rfc3339(raw: &[u8]) -> Option<Timestamp> {
    if raw.len() > MAX_RFC3339 {
        return None;
    }
    let date = OffsetDateTime::parse(std::str::from_utf8(raw).ok()?, &Rfc3339).ok()?;
    i64::try_from(date.unix_timestamp_nanos() / 1_000).ok().map(Timestamp::from_unix_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_text_may_have_64_bytes_and_no_more() {
        let text = |length: usize| format!("2023-11-14T22:13:20.{}Z", "0".repeat(length - 21)).into_bytes();
        let expected = Timestamp::from_unix_seconds(1_700_000_000);
        assert_eq!(read(&text(64), TimeUnit::Rfc3339), Ok(expected));
        assert_eq!(read(&text(65), TimeUnit::Rfc3339), Err(ReasonCode::MalformedTimestamp));
    }
}
