//! Refused requests that senders count, beside those they tell in full.

use rusqlite::{Transaction, params};
use surehook_core::Timestamp;

use super::append::Memory;
use crate::error::Error;
use crate::metrics::rollup::{Counts, HOUR, start_of};
use crate::store::Refusals;

/// Counts a report, unless it was counted before. `at`: when it was made.
pub(super) fn count(
    transaction: &Transaction<'_>,
    memory: &mut Memory,
    refusals: &Refusals,
    at: Timestamp,
    now: Timestamp,
    counts: &mut Counts,
) -> Result<(), Error> {
    if refusals.counted.is_empty() {
        return Ok(());
    }
    let is_new = transaction
        .prepare_cached("INSERT INTO reports (id, stored_at) VALUES (?, ?) ON CONFLICT DO NOTHING")?
        .execute(params![refusals.report.as_bytes(), now.unix_micros()])?;
    if is_new == 0 {
        return Ok(());
    }
    for summary in &refusals.counted {
        let place = memory.refused_at(transaction, &summary.endpoint, &summary.provider)?;
        let count = i64::try_from(summary.count).unwrap_or(i64::MAX);
        counts.refused(place.series, place.endpoint, at, &summary.code, count);
        transaction
            .prepare_cached(
                "INSERT INTO refused (start, endpoint, code, finding, shape, count) VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET count = count + excluded.count",
            )?
            .execute(params![
                start_of(HOUR, at.unix_seconds()),
                place.endpoint,
                summary.code,
                summary.finding.as_deref().unwrap_or_default(),
                summary.shape,
                count,
            ])?;
    }
    Ok(())
}
