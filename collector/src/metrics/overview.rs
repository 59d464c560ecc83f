//! The Overview page: what happened to each event type in a window of time.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::Serialize;
use surehook_core::{Outcome, Timestamp};

use super::rollup::{COLUMNS, Cell, HOUR, MINUTE, start_of};
use crate::error::Error;
use crate::messages::cases::{self, Case};

/// A window of time that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Its name in a query.
    name: &'static str,
    /// The length of its counts, in seconds: [`MINUTE`] or [`HOUR`].
    span: i64,
    /// The distance of its points, in seconds: a multiple of the span.
    step: i64,
    /// How many points it has.
    points: i64,
}

/// The windows that can be asked for.
const WINDOWS: [Window; 4] = [
    Window { name: "15m", span: MINUTE, step: MINUTE, points: 15 },
    Window { name: "1h", span: MINUTE, step: MINUTE, points: 60 },
    Window { name: "24h", span: HOUR, step: HOUR, points: 24 },
    Window { name: "7d", span: HOUR, step: 6 * HOUR, points: 28 },
];

impl Window {
    /// The window with a name; without a name, the last hour.
    pub(crate) fn named(name: Option<&str>) -> Result<Self, Error> {
        let name = name.unwrap_or("1h");
        WINDOWS.into_iter().find(|window| window.name == name).ok_or_else(|| {
            let names = WINDOWS.map(|window| window.name).join(", ");
            Error::InvalidRequest(format!("`window` is one of {names}"))
        })
    }
}

/// The answer of `GET /api/overview`.
#[derive(Debug, Serialize)]
pub(crate) struct Overview {
    from: Timestamp,
    to: Timestamp,
    step_seconds: i64,
    totals: Totals,
    rows: Vec<Row>,
    rejections: Vec<Rejection>,
    /// Messages that were not handled because an identical one was, and that nobody has looked at.
    cases: Vec<Case>,
}

#[derive(Debug, Serialize)]
struct Totals {
    #[serde(flatten)]
    counts: Counts,
    /// Attempts that senders report as lost on their side.
    client_dropped: i64,
}

#[derive(Debug, Serialize)]
struct Counts {
    /// Requests. Continuations are counted by outcome only: the outcomes add up to `attempts` and `continued`.
    attempts: i64,
    /// Records of what became of deferred work.
    continued: i64,
    processed: i64,
    failed: i64,
    silent_drop: i64,
    rejected: i64,
    duplicate: i64,
    in_flight: i64,
    unavailable: i64,
    ignored: i64,
    deferred: i64,
    /// What this version does not know.
    other: i64,
    /// Processed, but without steps that nearly every message like it records.
    suspected_silent_drop: i64,
    /// Processed among all that should have been: processed, failed, silently dropped, and answered with 503 because the
    /// dedup store could not be asked.
    success_rate: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Row {
    endpoint: String,
    provider: String,
    /// `None`: requests refused before their type could be trusted.
    event_type: Option<String>,
    #[serde(flatten)]
    counts: Counts,
    p50_us: Option<u64>,
    p95_us: Option<u64>,
    last_seen: Timestamp,
    series: Vec<Point>,
}

#[derive(Clone, Debug, Serialize)]
struct Point {
    at: Timestamp,
    attempts: i64,
    failed: i64,
}

#[derive(Debug, Serialize)]
struct Rejection {
    endpoint: String,
    code: String,
    count: i64,
}

impl Counts {
    fn of(cell: &Cell) -> Self {
        let processed = cell.count(Outcome::Processed);
        let failed = cell.count(Outcome::Failed);
        let silent_drop = cell.count(Outcome::SilentDrop);
        let unavailable = cell.count(Outcome::Unavailable);
        let tried = processed + failed + silent_drop + unavailable;
        Self {
            attempts: cell.attempts(),
            continued: cell.continued,
            processed,
            failed,
            silent_drop,
            rejected: cell.count(Outcome::Rejected),
            duplicate: cell.count(Outcome::Duplicate),
            in_flight: cell.count(Outcome::InFlight),
            unavailable,
            ignored: cell.count(Outcome::Ignored),
            deferred: cell.count(Outcome::Deferred),
            other: cell.count(Outcome::Other),
            suspected_silent_drop: cell.suspected,
            success_rate: (tried > 0).then(|| processed as f64 / tried as f64),
        }
    }
}

/// Reads the overview of a window that ends at `now`.
pub(crate) fn read(connection: &Connection, window: Window, now: Timestamp) -> Result<Overview, Error> {
    let from = start_of(window.step, now.unix_seconds()) - (window.points - 1) * window.step;
    let mut total = Cell::default();
    let mut rows = Vec::new();
    for (series, (cell, points)) in cells(connection, window, from)? {
        total.add(&cell);
        rows.push(row(connection, series, &cell, points)?);
    }
    rows.sort_by(|a, b| {
        (&a.endpoint, &a.provider)
            .cmp(&(&b.endpoint, &b.provider))
            .then_with(|| b.counts.attempts.cmp(&a.counts.attempts))
    });
    let from_time = Timestamp::from_unix_seconds(from);
    Ok(Overview {
        from: from_time,
        to: now,
        step_seconds: window.step,
        totals: Totals { counts: Counts::of(&total), client_dropped: client_dropped(connection, from_time)? },
        rows,
        rejections: rejections(connection, window, from)?,
        cases: cases::open(connection)?,
    })
}

type Series = BTreeMap<i64, (Cell, Vec<Point>)>;

/// The counts of each series that was seen in the window, and its points.
fn cells(connection: &Connection, window: Window, from: i64) -> Result<Series, Error> {
    let empty: Vec<Point> = (0..window.points)
        .map(|place| Point { at: Timestamp::from_unix_seconds(from + place * window.step), attempts: 0, failed: 0 })
        .collect();
    let mut statement = connection
        .prepare_cached(&format!("SELECT series, start, {COLUMNS} FROM rollups WHERE span = ? AND start >= ?"))?;
    let mut rows = statement.query([window.span, from])?;
    let mut found = Series::new();
    while let Some(row) = rows.next()? {
        let (series, start): (i64, i64) = (row.get(0)?, row.get(1)?);
        let cell = Cell::read(row, 2)?;
        let (total, points) = found.entry(series).or_insert_with(|| (Cell::default(), empty.clone()));
        let place = usize::try_from((start - from) / window.step).unwrap_or_default();
        if let Some(point) = points.get_mut(place) {
            point.attempts += cell.attempts();
            point.failed += [Outcome::Failed, Outcome::SilentDrop, Outcome::Unavailable]
                .map(|it| cell.count(it))
                .iter()
                .sum::<i64>();
        }
        total.add(&cell);
    }
    Ok(found)
}

fn row(connection: &Connection, series: i64, cell: &Cell, points: Vec<Point>) -> Result<Row, Error> {
    let (endpoint, provider, event_type) = connection
        .prepare_cached(
            "SELECT e.name, e.provider, s.event_type FROM series s JOIN endpoints e ON e.id = s.endpoint WHERE s.id = ?",
        )?
        .query_row([series], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let quantiles = cell.latency.quantiles([0.5, 0.95]);
    Ok(Row {
        endpoint,
        provider,
        event_type,
        counts: Counts::of(cell),
        p50_us: quantiles.map(|[p50, _]| p50),
        p95_us: quantiles.map(|[_, p95]| p95),
        last_seen: Timestamp::from_unix_micros(cell.last_seen),
        series: points,
    })
}

fn rejections(connection: &Connection, window: Window, from: i64) -> Result<Vec<Rejection>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT e.name, r.code, sum(r.count) AS total FROM rejections r JOIN endpoints e ON e.id = r.endpoint
         WHERE r.span = ? AND r.start >= ? GROUP BY e.name, r.code ORDER BY total DESC, e.name, r.code",
    )?;
    let rows = statement.query_map(params![window.span, from], |row| {
        Ok(Rejection { endpoint: row.get(0)?, code: row.get(1)?, count: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn client_dropped(connection: &Connection, from: Timestamp) -> Result<i64, Error> {
    // `total` is a float sum, which cannot overflow; a sender may report any count.
    let total: f64 = connection
        .prepare_cached("SELECT total(count) FROM client_drops WHERE stored_at >= ?")?
        .query_row([from.unix_micros()], |row| row.get(0))?;
    Ok(total as i64)
}
