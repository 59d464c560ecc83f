//! The rows of `messages`.

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::error::Error;
use crate::messages::state::State;
use crate::store::codes;

/// A condition on `messages`, and its parameters.
pub(super) enum Which<'a> {
    /// By its number.
    Id(i64),
    /// By its endpoint's number and the provider's id.
    Key(i64, &'a str),
}

/// Finds a message: its number and what is known of it.
pub(super) fn find(transaction: &Transaction<'_>, which: &Which<'_>) -> Result<Option<(i64, State)>, Error> {
    const SELECT: &str =
        "SELECT id, series, event_type, entity_id, first_seen, last_seen, attempts, outcome, decided_at, trusted, suspected
         FROM messages";
    let read = |row: &rusqlite::Row<'_>| {
        let state = State {
            series: row.get(1)?,
            event_type: row.get(2)?,
            entity_id: row.get(3)?,
            first_seen: row.get(4)?,
            last_seen: row.get(5)?,
            attempts: row.get(6)?,
            outcome: codes::outcome(row.get(7)?),
            decided_at: row.get(8)?,
            trusted: row.get(9)?,
            suspected: row.get(10)?,
        };
        Ok((row.get(0)?, state))
    };
    let found = match which {
        Which::Id(id) => transaction.prepare_cached(&format!("{SELECT} WHERE id = ?"))?.query_row([id], read),
        Which::Key(endpoint, message_id) => transaction
            .prepare_cached(&format!("{SELECT} WHERE endpoint = ? AND message_id = ?"))?
            .query_row(params![endpoint, message_id], read),
    };
    Ok(found.optional()?)
}

/// Adds a message and answers its number.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    endpoint: i64,
    message_id: Option<&str>,
    state: &State,
) -> Result<i64, Error> {
    transaction
        .prepare_cached(
            "INSERT INTO messages (endpoint, message_id, series, event_type, entity_id, first_seen, last_seen, attempts,
                                   outcome, decided_at, trusted, suspected)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            endpoint,
            message_id,
            state.series,
            state.event_type,
            state.entity_id,
            state.first_seen,
            state.last_seen,
            state.attempts,
            codes::number(state.outcome),
            state.decided_at,
            state.trusted,
            state.suspected,
        ])?;
    Ok(transaction.last_insert_rowid())
}

/// Writes down what is known of a message now.
pub(super) fn update(transaction: &Transaction<'_>, id: i64, state: &State) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "UPDATE messages SET series = ?, event_type = ?, entity_id = ?, first_seen = ?, last_seen = ?, attempts = ?,
                                 outcome = ?, decided_at = ?, trusted = ?, suspected = ?
             WHERE id = ?",
        )?
        .execute(params![
            state.series,
            state.event_type,
            state.entity_id,
            state.first_seen,
            state.last_seen,
            state.attempts,
            codes::number(state.outcome),
            state.decided_at,
            state.trusted,
            state.suspected,
            id,
        ])?;
    Ok(())
}
