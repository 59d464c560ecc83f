//! `GET /api/setup`: what a new user needs to send the first event.

use std::sync::PoisonError;

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use surehook_core::Timestamp;

use crate::auth::{keys, origin};
use crate::error::Error;
use crate::state::Shared;

#[derive(Serialize)]
pub(super) struct Setup {
    endpoint_url: String,
    dev_key: Option<String>,
    keys: Vec<keys::Listed>,
    first_event_at: Option<Timestamp>,
    attempts_stored: i64,
}

pub(super) async fn read(State(shared): State<Shared>, headers: HeaderMap) -> Result<Json<Setup>, Error> {
    let endpoint_url = match &shared.config.public_url {
        Some(url) => url.clone(),
        None => format!("http://{}", origin::host(&headers).unwrap_or("127.0.0.1:4600")),
    };
    let dev_key = shared.dev_key.lock().unwrap_or_else(PoisonError::into_inner).clone();
    shared
        .readers
        .query(move |connection| {
            let (first_event_at, attempts_stored) = stored(connection)?;
            Ok(Json(Setup { endpoint_url, dev_key, keys: keys::list(connection)?, first_event_at, attempts_stored }))
        })
        .await
}

/// When the first attempt was stored, and how many were; by the ends of an index, not by counting.
fn stored(connection: &Connection) -> Result<(Option<Timestamp>, i64), Error> {
    let first = connection
        .prepare_cached("SELECT stored_at FROM attempts ORDER BY seq LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let last =
        connection.prepare_cached("SELECT coalesce(max(seq), 0) FROM attempts")?.query_row([], |row| row.get(0))?;
    Ok((first.map(Timestamp::from_unix_micros), last))
}
