//! Messages as the dashboard reads them: a page of the list, and one message with its attempts.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;
use surehook_core::telemetry::attempt::Attempt;
use surehook_core::{Outcome, Timestamp};
use uuid::Uuid;

use crate::error::Error;
use crate::messages::habit::Lacking;
use crate::store::codes::{self, OUTCOMES};

/// The most attempts of one message that are shown: the latest.
const TIMELINE: i64 = 1_000;

/// Which messages are asked for. What is `None` is not asked about.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) endpoint: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) outcome: Option<Verdict>,
    pub(crate) message_id: Option<String>,
    pub(crate) limit: usize,
    pub(crate) before: Cursor,
}

/// What is said of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// What became of it.
    Outcome(Outcome),
    /// It is a suspected silent drop, whatever its outcome.
    Suspected,
    /// It came under another id than the identical one that was handled, and nobody has looked at it yet.
    NotHandled,
}

impl Verdict {
    fn fits(self, message: &Message) -> bool {
        match self {
            Self::Outcome(outcome) => outcome == message.outcome,
            Self::Suspected => message.suspected_silent_drop,
            Self::NotHandled => message.not_handled,
        }
    }
}

/// A place in the list, which is ordered by the last time each message was seen, latest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    last_seen: i64,
    id: i64,
}

impl Cursor {
    /// Before every message.
    pub(crate) const START: Self = Self { last_seen: i64::MAX, id: i64::MAX };

    /// Reads what [`Cursor::to_text`] wrote.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (last_seen, id) = text.split_once('.')?;
        Some(Self { last_seen: last_seen.parse().ok()?, id: id.parse().ok()? })
    }

    fn to_text(self) -> String {
        format!("{}.{}", self.last_seen, self.id)
    }
}

/// A message as it is listed.
#[derive(Debug, Serialize)]
pub(crate) struct Message {
    id: i64,
    endpoint: String,
    provider: String,
    message_id: Option<String>,
    event_type: Option<String>,
    entity_id: Option<String>,
    first_seen: Timestamp,
    last_seen: Timestamp,
    /// Requests. What became of deferred work is in the timeline, but no attempt.
    attempts: i64,
    outcome: Outcome,
    /// It was processed, but without steps that nearly every message like it records.
    suspected_silent_drop: bool,
    /// It came under another id than the identical one that was handled, and nobody has looked at it yet.
    not_handled: bool,
}

/// A page of messages.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    messages: Vec<Message>,
    next: Option<String>,
}

/// A message with its attempts, and what became of their deferred work, oldest first.
#[derive(Debug, Serialize)]
pub(crate) struct Timeline {
    #[serde(flatten)]
    message: Message,
    attempts_list: Vec<Stored>,
    /// Records that are left out, because they can no longer be read.
    unreadable: usize,
}

/// An attempt as it was sent, and what the collector has to say of it.
#[derive(Debug, Serialize)]
struct Stored {
    #[serde(flatten)]
    attempt: Attempt,
    stored_at: Timestamp,
    /// The usual steps that it lacks: it is suspected of a silent drop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suspected_silent_drop: Vec<Lacking>,
}

impl Stored {
    /// Reads the columns `record`, `stored_at` and `suspected`; `None` when the record cannot be read.
    fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let text = |column| row.get_ref(column).map(|text| text.as_str().unwrap_or_default());
        let Ok(attempt) = serde_json::from_str(text(0)?) else { return Ok(None) };
        let suspected_silent_drop = serde_json::from_str(text(2)?).unwrap_or_default();
        Ok(Some(Self { attempt, stored_at: Timestamp::from_unix_micros(row.get(1)?), suspected_silent_drop }))
    }
}

impl Message {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            endpoint: row.get(1)?,
            provider: row.get(2)?,
            message_id: row.get(3)?,
            event_type: row.get(4)?,
            entity_id: row.get(5)?,
            first_seen: Timestamp::from_unix_micros(row.get(6)?),
            last_seen: Timestamp::from_unix_micros(row.get(7)?),
            attempts: row.get(8)?,
            outcome: codes::outcome(row.get(9)?),
            suspected_silent_drop: row.get(10)?,
            not_handled: row.get(11)?,
        })
    }

    fn cursor(&self) -> Cursor {
        Cursor { last_seen: self.last_seen.unix_micros(), id: self.id }
    }
}

/// A query for messages. The joins keep their order: one row of each small table for each message found.
fn select(tail: &str) -> String {
    format!(
        "SELECT m.id, e.name, e.provider, m.message_id, coalesce(m.event_type, s.event_type), m.entity_id,
                m.first_seen, m.last_seen, m.attempts, m.outcome, m.suspected,
                m.in_case IS NOT NULL AND m.in_case IN (SELECT id FROM cases WHERE count > acknowledged)
         FROM messages m CROSS JOIN series s ON s.id = m.series CROSS JOIN endpoints e ON e.id = m.endpoint
         {tail}"
    )
}

/// What makes a page of those that were selected.
const PAGE: &str =
    "m.last_seen <= ?1 AND (m.last_seen < ?1 OR m.id < ?2) ORDER BY m.last_seen DESC, m.id DESC LIMIT ?3";

/// Reads a page of messages.
pub(crate) fn list(connection: &Connection, filter: &Filter) -> Result<Page, Error> {
    let mut messages = match &filter.message_id {
        Some(message_id) => with_message_id(connection, filter, message_id)?,
        None if filter.endpoint.is_none() && filter.event_type.is_none() && filter.outcome.is_none() => {
            recent(connection, filter)?
        }
        None => of_series(connection, filter)?,
    };
    messages.sort_by_key(|message| std::cmp::Reverse((message.last_seen, message.id)));
    let more = messages.len() > filter.limit;
    messages.truncate(filter.limit);
    let next = messages.last().filter(|_| more).map(|last| last.cursor().to_text());
    Ok(Page { messages, next })
}

/// One more than a page, so that it is known whether another page follows.
fn one_more(filter: &Filter) -> i64 {
    i64::try_from(filter.limit).unwrap_or(i64::MAX).saturating_add(1)
}

fn recent(connection: &Connection, filter: &Filter) -> Result<Vec<Message>, Error> {
    let mut statement = connection.prepare_cached(&select(&format!("WHERE {PAGE}")))?;
    let rows = statement.query_map([filter.before.last_seen, filter.before.id, one_more(filter)], Message::read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes the latest of each series and outcome that is asked for: each is one short walk on an index, so that a rare
/// outcome among millions of messages is found as fast as a common one. Those under suspicion have an index of their own.
fn of_series(connection: &Connection, filter: &Filter) -> Result<Vec<Message>, Error> {
    let mut of_filter = connection.prepare_cached(
        "SELECT s.id FROM series s JOIN endpoints e ON e.id = s.endpoint
         WHERE (?1 IS NULL OR e.name = ?1) AND (?2 IS NULL OR s.event_type = ?2)",
    )?;
    let series: Vec<i64> = of_filter
        .query_map(params![filter.endpoint, filter.event_type], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let (condition, outcomes) = match filter.outcome {
        Some(Verdict::Outcome(outcome)) => ("m.outcome = ?5", vec![codes::number(outcome)]),
        // The parameter must stand somewhere; no number is NULL.
        Some(Verdict::Suspected) => ("m.suspected = 1 AND ?5 IS NOT NULL", vec![0]),
        Some(Verdict::NotHandled) => {
            ("m.in_case IN (SELECT id FROM cases WHERE count > acknowledged) AND ?5 IS NOT NULL", vec![0])
        }
        None => ("m.outcome = ?5", OUTCOMES.map(codes::number).to_vec()),
    };
    let mut statement =
        connection.prepare_cached(&select(&format!("WHERE m.series = ?4 AND {condition} AND {PAGE}")))?;
    let mut messages = Vec::new();
    for series in series {
        for outcome in &outcomes {
            let parameters = params![filter.before.last_seen, filter.before.id, one_more(filter), series, outcome];
            for message in statement.query_map(parameters, Message::read)? {
                messages.push(message?);
            }
        }
    }
    Ok(messages)
}

fn with_message_id(connection: &Connection, filter: &Filter, message_id: &str) -> Result<Vec<Message>, Error> {
    let mut statement = connection.prepare_cached("SELECT id FROM endpoints WHERE ?1 IS NULL OR name = ?1")?;
    let endpoints: Vec<i64> = statement.query_map([&filter.endpoint], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare_cached(&select("WHERE m.endpoint = ? AND m.message_id = ?"))?;
    let mut messages = Vec::new();
    for endpoint in endpoints {
        messages.extend(statement.query_row(params![endpoint, message_id], Message::read).optional()?);
    }
    messages.retain(|message: &Message| {
        let cursor = message.cursor();
        (cursor.last_seen, cursor.id) < (filter.before.last_seen, filter.before.id)
            && filter.outcome.is_none_or(|verdict| verdict.fits(message))
            && filter.event_type.as_ref().is_none_or(|event_type| Some(event_type) == message.event_type.as_ref())
    });
    Ok(messages)
}

/// The attempt with an id, as it was sent.
pub(crate) fn attempt(connection: &Connection, id: Uuid) -> Result<Attempt, Error> {
    let mut statement = connection.prepare_cached("SELECT record FROM attempts WHERE id = ?")?;
    let record: String = statement.query_row([id.as_bytes()], |row| row.get(0)).optional()?.ok_or(Error::NotFound)?;
    serde_json::from_str(&record).map_err(|_| Error::NotFound)
}

/// Reads one message and its latest attempts.
pub(crate) fn timeline(connection: &Connection, id: i64) -> Result<Timeline, Error> {
    let message = connection
        .prepare_cached(&select("WHERE m.id = ?"))?
        .query_row([id], Message::read)
        .optional()?
        .ok_or(Error::NotFound)?;
    let mut statement = connection.prepare_cached(
        "SELECT record, stored_at, suspected FROM attempts WHERE message = ? ORDER BY received_at DESC, seq DESC LIMIT ?",
    )?;
    let rows: Vec<Option<Stored>> = statement.query_map([id, TIMELINE], Stored::read)?.collect::<Result<_, _>>()?;
    let found = rows.len();
    let attempts_list: Vec<Stored> = rows.into_iter().rev().flatten().collect();
    let unreadable = found - attempts_list.len();
    Ok(Timeline { message, attempts_list, unreadable })
}
