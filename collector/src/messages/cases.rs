//! Open cases as the dashboard reads them.

use rusqlite::Connection;
use serde::Serialize;
use surehook_core::Timestamp;

use crate::error::Error;

/// The most cases that are listed, latest first.
const MOST: i64 = 100;

/// Identical messages that came under other ids than the one that was handled, and that nobody has looked at yet.
#[derive(Debug, Serialize)]
pub(crate) struct Case {
    id: i64,
    endpoint: String,
    provider: String,
    event_type: Option<String>,
    /// The first message that came under another id, and that id.
    message: Option<i64>,
    message_id: Option<String>,
    /// Attempts; those beyond ten are only counted.
    count: i64,
    /// How many of them nobody has looked at.
    not_handled: i64,
    first_seen: Timestamp,
    last_seen: Timestamp,
}

/// Reads the cases that are open.
pub(crate) fn open(connection: &Connection) -> Result<Vec<Case>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT c.id, e.name, e.provider, c.event_type, c.message, m.message_id, c.count, c.count - c.acknowledged,
                c.first_seen, c.last_seen
         FROM cases c JOIN endpoints e ON e.id = c.endpoint LEFT JOIN messages m ON m.id = c.message
         WHERE c.count > c.acknowledged ORDER BY c.last_seen DESC, c.id DESC LIMIT ?",
    )?;
    let cases = statement.query_map([MOST], |row| {
        Ok(Case {
            id: row.get(0)?,
            endpoint: row.get(1)?,
            provider: row.get(2)?,
            event_type: row.get(3)?,
            message: row.get(4)?,
            message_id: row.get(5)?,
            count: row.get(6)?,
            not_handled: row.get(7)?,
            first_seen: Timestamp::from_unix_micros(row.get(8)?),
            last_seen: Timestamp::from_unix_micros(row.get(9)?),
        })
    })?;
    Ok(cases.collect::<Result<_, _>>()?)
}
