//! `GET /api/messages`, `GET /api/messages/{id}` and `GET /api/attempts/{id}`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use surehook_core::telemetry::attempt::Attempt;

use crate::error::Error;
use crate::messages::query::{self, Cursor, Filter, Page, Timeline, Verdict};
use crate::state::Shared;
use crate::store::codes;

/// Messages on a page, when the caller does not say.
const PAGE: usize = 50;
/// The most messages on a page.
const LARGEST_PAGE: usize = 200;

/// Stands beside the outcomes: messages that are processed, and suspected of a silent drop.
const SUSPECTED: &str = "suspected_silent_drop";
/// The same: messages of open cases.
const NOT_HANDLED: &str = "not_handled";

#[derive(Deserialize)]
pub(super) struct Parameters {
    endpoint: Option<String>,
    event_type: Option<String>,
    outcome: Option<String>,
    message_id: Option<String>,
    limit: Option<String>,
    before: Option<String>,
}

impl Parameters {
    /// Empty parameters are those of an empty form field: not asked about.
    fn filter(self) -> Result<Filter, Error> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let invalid = |name: &str| Error::InvalidRequest(format!("`{name}` cannot be used"));
        let outcome = match given(self.outcome) {
            None => None,
            Some(name) if name == SUSPECTED => Some(Verdict::Suspected),
            Some(name) if name == NOT_HANDLED => Some(Verdict::NotHandled),
            Some(name) => Some(Verdict::Outcome(codes::outcome_named(&name).ok_or_else(|| invalid("outcome"))?)),
        };
        let limit = match given(self.limit) {
            None => PAGE,
            Some(limit) => limit.parse().ok().filter(|limit| *limit > 0).ok_or_else(|| invalid("limit"))?,
        };
        let before = match given(self.before) {
            None => Cursor::START,
            Some(cursor) => Cursor::from_text(&cursor).ok_or_else(|| invalid("before"))?,
        };
        Ok(Filter {
            endpoint: given(self.endpoint),
            event_type: given(self.event_type),
            outcome,
            message_id: given(self.message_id),
            limit: limit.min(LARGEST_PAGE),
            before,
        })
    }
}

pub(super) async fn list(
    State(shared): State<Shared>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Json<Page>, Error> {
    let Query(parameters) = parameters.map_err(|error| Error::InvalidRequest(error.body_text()))?;
    let filter = parameters.filter()?;
    shared.readers.query(move |connection| query::list(connection, &filter)).await.map(Json)
}

/// One attempt, for an operator's command.
pub(super) async fn attempt(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<Attempt>, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    shared.readers.query(move |connection| query::attempt(connection, id)).await.map(Json)
}

pub(super) async fn timeline(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<Timeline>, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    shared.readers.query(move |connection| query::timeline(connection, id)).await.map(Json)
}
