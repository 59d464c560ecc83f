//! Points in time and spans, as people write and read them.

use std::time::{SystemTime, UNIX_EPOCH};

use surehook_core::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// By the clock of this machine.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Unix seconds, or RFC 3339.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    const MOST_DIGITS: usize = 12;
    if !text.is_empty() && text.len() <= MOST_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(Timestamp::from_unix_seconds).map_err(|_| "no time".to_owned());
    }
    let date = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "a time is Unix seconds, or RFC 3339 such as 2026-01-31T12:00:00Z".to_owned())?;
    Ok(Timestamp::from_unix_seconds(date.unix_timestamp()))
}

/// RFC 3339, to the second; Unix seconds where that has no year for it.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let date = OffsetDateTime::from_unix_timestamp(at.unix_seconds()).ok();
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| at.unix_seconds().to_string())
}

/// A span in its largest unit that says enough: `90 s`, `4 minutes`, `3 hours`, `12 days`.
pub(crate) fn span(seconds: i64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match seconds.unsigned_abs() {
        seconds if seconds < 2 * MINUTE => format!("{seconds} s"),
        seconds if seconds < 2 * HOUR => format!("{} minutes", seconds / MINUTE),
        seconds if seconds < 2 * DAY => format!("{} hours", seconds / HOUR),
        seconds => format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        for (text, seconds) in [
            ("0", 0),
            ("1649367553", 1_649_367_553),
            ("2022-04-07T21:39:13Z", 1_649_367_553),
            ("2022-04-07T23:39:13.5+02:00", 1_649_367_553),
        ] {
            assert_eq!(parse(text), Ok(Timestamp::from_unix_seconds(seconds)), "{text}");
        }
        assert_eq!(rfc3339(Timestamp::from_unix_seconds(1_649_367_553)), "2022-04-07T21:39:13Z");
        assert_eq!(rfc3339(Timestamp::from_unix_seconds(999_999_999_999)), "999999999999");
        for text in ["", "-1", "+1", "1e9", "1649367553000", "now", "2022-04-07", "2022-04-07T21:39:13"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_rounded_down_in_their_unit() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 minutes"),
            (-7199, "119 minutes"),
            (7200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
            (i64::MIN, "106751991167300 days"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
