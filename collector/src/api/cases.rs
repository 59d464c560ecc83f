//! `GET /api/cases` and `POST /api/cases/{id}/acknowledge`.

use axum::Json;
use axum::extract::{Path, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::read_json;
use crate::error::Error;
use crate::messages::cases::{self, Case};
use crate::state::Shared;
use crate::store::sqlite::acknowledge;

#[derive(Serialize)]
pub(super) struct Cases {
    cases: Vec<Case>,
}

/// How many attempts of the case its reader saw: what came since stays open.
#[derive(Deserialize)]
struct Looked {
    count: i64,
}

pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<Cases>, Error> {
    shared.readers.query(cases::open).await.map(|cases| Json(Cases { cases }))
}

pub(super) async fn end(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let Looked { count } = read_json(&shared, request).await?;
    let work = move || shared.writer.run(move |connection| acknowledge(connection, id, count));
    let found = tokio::task::spawn_blocking(work).await.map_err(|_| Error::StorageUnavailable)??;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(Error::NotFound) }
}
