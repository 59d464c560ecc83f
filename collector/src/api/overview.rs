//! `GET /api/overview`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;

use crate::error::Error;
use crate::metrics::overview::{self, Overview, Window};
use crate::state::Shared;

#[derive(Deserialize)]
pub(super) struct Parameters {
    window: Option<String>,
}

pub(super) async fn read(
    State(shared): State<Shared>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Json<Overview>, Error> {
    let Query(parameters) = parameters.map_err(|error| Error::InvalidRequest(error.body_text()))?;
    let window = Window::named(parameters.window.as_deref())?;
    let now = shared.config.clock.now();
    shared.readers.query(move |connection| overview::read(connection, window, now)).await.map(Json)
}
