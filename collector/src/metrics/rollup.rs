//! What a transaction adds to the counts of each minute and each hour.

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
pub(crate) const COLUMNS: &str =
    "processed, silent_drop, failed, rejected, in_flight, unavailable, duplicate, ignored, last_seen, latency";

/// The counts of one series in one span of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    /// Attempts by outcome, in the order of [`OUTCOMES`].
    pub(crate) outcomes: [i64; OUTCOMES.len()],
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
        cell.last_seen = row.get(first + OUTCOMES.len())?;
        let bytes = row.get_ref(first + OUTCOMES.len() + 1)?.as_blob().unwrap_or_default();
        cell.latency = Latency::from_bytes(bytes);
        Ok(cell)
    }

    /// Adds another one's counts.
    pub(crate) fn add(&mut self, other: &Cell) {
        for (count, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *count += more;
        }
        self.last_seen = self.last_seen.max(other.last_seen);
        self.latency.add(&other.latency);
    }

    /// Attempts of one outcome.
    pub(crate) fn count(&self, outcome: Outcome) -> i64 {
        self.outcomes[usize::from(codes::number(outcome))]
    }

    /// All attempts.
    pub(crate) fn attempts(&self) -> i64 {
        self.outcomes.iter().sum()
    }
}

/// The handler ran.
fn was_handled(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Processed | Outcome::SilentDrop | Outcome::Failed | Outcome::Ignored)
}

/// What a transaction adds.
#[derive(Default)]
pub(crate) struct Counts {
    /// By the start of the minute and the series.
    cells: HashMap<(i64, i64), Cell>,
    /// By the start of the minute, the endpoint and the code.
    rejections: HashMap<(i64, i64, &'static str), i64>,
}

/// The start of the span that holds a time, in seconds.
pub(crate) fn start_of(span: i64, seconds: i64) -> i64 {
    seconds.div_euclid(span) * span
}

impl Counts {
    /// Counts an attempt.
    pub(crate) fn attempt(&mut self, series: i64, at: Timestamp, outcome: Outcome, duration_us: u64) {
        let minute = start_of(MINUTE, at.unix_seconds());
        let cell = self.cells.entry((minute, series)).or_default();
        cell.outcomes[usize::from(codes::number(outcome))] += 1;
        cell.last_seen = cell.last_seen.max(at.unix_micros());
        if was_handled(outcome) {
            cell.latency.record(duration_us);
        }
    }

    /// Counts why an attempt was rejected.
    pub(crate) fn rejection(&mut self, endpoint: i64, at: Timestamp, code: ReasonCode) {
        let minute = start_of(MINUTE, at.unix_seconds());
        *self.rejections.entry((minute, endpoint, code.as_str())).or_default() += 1;
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
    let [processed, silent_drop, failed, rejected, in_flight, unavailable, duplicate, ignored] = cell.outcomes;
    transaction
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO rollups (span, start, series, {COLUMNS})
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
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
            cell.last_seen,
            cell.latency.to_bytes(),
        ])?;
    Ok(())
}
