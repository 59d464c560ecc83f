//! What a transaction adds to the counts of each minute and each hour.
//!
//! What deferred work counts as is decided here, in [`Counts::stored`], and nowhere else:
//!
//! * The deferred attempt is a request like any other: one attempt, of the outcome `deferred`, with its handler's latency. It
//!   is neither a success nor a failure, so the success rate leaves it out.
//! * What continues it is no request. It counts as its outcome (processed, failed or silent drop), and so in the success rate,
//!   but not as an attempt ([`Cell::attempts`]) and not in the latency of handlers. Work that missed its deadline and was done
//!   after all counts as both: it was too late, and it was done. Where only the word of it was late, it counts as done.

use std::borrow::Cow;
use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use surehook_core::{Outcome, ReasonCode, Timestamp};

use super::latency::Latency;
use crate::error::Error;
use crate::store::codes::{self, OUTCOMES};

/// The spans of time that are counted, in seconds: minutes for the last hours, hours for the last days.
pub(crate) const MINUTE: i64 = 60;
/// See [`MINUTE`].
pub(crate) const HOUR: i64 = 3_600;

/// The count columns of `rollups`, in the order of [`OUTCOMES`], then the rest.
pub(crate) const COLUMNS: &str = "processed, silent_drop, failed, rejected, in_flight, unavailable, duplicate, ignored, deferred, other, continued, suspected, \
     last_seen, latency";

/// The counts of one series in one span of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    /// Attempts and continuations by outcome, in the order of [`OUTCOMES`].
    pub(crate) outcomes: [i64; OUTCOMES.len()],
    /// Continuations among them.
    pub(crate) continued: i64,
    /// Suspected silent drops among the processed.
    pub(crate) suspected: i64,
    /// When the last of them came in, in microseconds.
    pub(crate) last_seen: i64,
    /// How long the handled ones took.
    pub(crate) latency: Latency,
}

impl Cell {
    /// Reads the columns named by [`COLUMNS`], the first of which is at `first`.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let mut cell = Self::default();
        for (place, count) in cell.outcomes.iter_mut().enumerate() {
            *count = row.get(first + place)?;
        }
        let rest = first + OUTCOMES.len();
        cell.continued = row.get(rest)?;
        cell.suspected = row.get(rest + 1)?;
        cell.last_seen = row.get(rest + 2)?;
        let bytes = row.get_ref(rest + 3)?.as_blob().unwrap_or_default();
        cell.latency = Latency::from_bytes(bytes);
        Ok(cell)
    }

    /// Adds another one's counts.
    pub(crate) fn add(&mut self, other: &Cell) {
        for (count, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *count += more;
        }
        self.continued += other.continued;
        self.suspected += other.suspected;
        self.last_seen = self.last_seen.max(other.last_seen);
        self.latency.add(&other.latency);
    }

    /// Attempts and continuations of one outcome.
    pub(crate) fn count(&self, outcome: Outcome) -> i64 {
        self.outcomes[usize::from(codes::number(outcome))]
    }

    /// All attempts: requests that came in.
    pub(crate) fn attempts(&self) -> i64 {
        self.outcomes.iter().sum::<i64>() - self.continued
    }
}

/// The handler ran.
pub(crate) fn was_handled(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Processed | Outcome::SilentDrop | Outcome::Failed | Outcome::Ignored | Outcome::Deferred)
}

/// A stored attempt or continuation, as it is counted.
pub(crate) struct Counted {
    pub(crate) outcome: Outcome,
    /// It is the rest of a deferred attempt.
    pub(crate) continuation: bool,
    pub(crate) duration_us: u64,
}

/// What a transaction adds.
#[derive(Default)]
pub(crate) struct Counts {
    /// By the start of the minute and the series.
    cells: HashMap<(i64, i64), Cell>,
    /// By the start of the minute, the endpoint and the code.
    rejections: HashMap<(i64, i64, Cow<'static, str>), i64>,
}

/// The start of the span that holds a time, in seconds.
pub(crate) fn start_of(span: i64, seconds: i64) -> i64 {
    seconds.div_euclid(span) * span
}

impl Counts {
    /// Counts what was stored.
    pub(crate) fn stored(&mut self, series: i64, at: Timestamp, counted: &Counted) {
        let cell = self.cell(series, at);
        cell.outcomes[usize::from(codes::number(counted.outcome))] += 1;
        cell.last_seen = cell.last_seen.max(at.unix_micros());
        if counted.continuation {
            cell.continued += 1;
        } else if was_handled(counted.outcome) {
            cell.latency.record(counted.duration_us);
        }
    }

    /// Takes back that deferred work missed its deadline: it was told late, and done in time.
    pub(crate) fn not_missed(&mut self, series: i64, due: Timestamp) {
        let cell = self.cell(series, due);
        cell.outcomes[usize::from(codes::number(Outcome::SilentDrop))] -= 1;
        cell.continued -= 1;
    }

    /// Counts a suspicion against what was counted as processed.
    pub(crate) fn suspected(&mut self, series: i64, at: Timestamp) {
        self.cell(series, at).suspected += 1;
    }

    fn cell(&mut self, series: i64, at: Timestamp) -> &mut Cell {
        self.cells.entry((start_of(MINUTE, at.unix_seconds()), series)).or_default()
    }

    /// Counts why an attempt was rejected.
    pub(crate) fn rejection(&mut self, endpoint: i64, at: Timestamp, code: ReasonCode) {
        let minute = start_of(MINUTE, at.unix_seconds());
        *self.rejections.entry((minute, endpoint, Cow::Borrowed(code.as_str()))).or_default() += 1;
    }

    /// Counts refused requests of which a sender tells the number only.
    pub(crate) fn refused(&mut self, series: i64, endpoint: i64, at: Timestamp, code: &str, count: i64) {
        let cell = self.cell(series, at);
        let refused = &mut cell.outcomes[usize::from(codes::number(Outcome::Rejected))];
        *refused = refused.saturating_add(count);
        cell.last_seen = cell.last_seen.max(at.unix_micros());
        let minute = start_of(MINUTE, at.unix_seconds());
        let rejections = self.rejections.entry((minute, endpoint, Cow::Owned(code.to_owned()))).or_default();
        *rejections = rejections.saturating_add(count);
    }

    /// Adds everything to what is stored.
    pub(crate) fn write(self, transaction: &Transaction<'_>) -> Result<(), Error> {
        let mut hours: HashMap<(i64, i64), Cell> = HashMap::new();
        for ((minute, series), cell) in self.cells {
            write_cell(transaction, MINUTE, minute, series, &cell)?;
            hours.entry((start_of(HOUR, minute), series)).or_default().add(&cell);
        }
        for ((hour, series), cell) in hours {
            write_cell(transaction, HOUR, hour, series, &cell)?;
        }
        for ((minute, endpoint, code), count) in self.rejections {
            for span in [MINUTE, HOUR] {
                transaction
                    .prepare_cached(
                        "INSERT INTO rejections (span, start, endpoint, code, count) VALUES (?, ?, ?, ?, ?)
                         ON CONFLICT DO UPDATE SET count = count + excluded.count",
                    )?
                    .execute(params![span, start_of(span, minute), endpoint, code, count])?;
            }
        }
        Ok(())
    }
}

fn write_cell(transaction: &Transaction<'_>, span: i64, start: i64, series: i64, added: &Cell) -> Result<(), Error> {
    let stored = transaction
        .prepare_cached(&format!("SELECT {COLUMNS} FROM rollups WHERE span = ? AND start = ? AND series = ?"))?
        .query_row([span, start, series], |row| Cell::read(row, 0))
        .optional()?;
    let mut cell = stored.unwrap_or_default();
    cell.add(added);
    let [processed, silent_drop, failed, rejected, in_flight, unavailable, duplicate, ignored, deferred, other] =
        cell.outcomes;
    transaction
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO rollups (span, start, series, {COLUMNS})
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ))?
        .execute(params![
            span,
            start,
            series,
            processed,
            silent_drop,
            failed,
            rejected,
            in_flight,
            unavailable,
            duplicate,
            ignored,
            deferred,
            other,
            cell.continued,
            cell.suspected,
            cell.last_seen,
            cell.latency.to_bytes(),
        ])?;
    Ok(())
}
