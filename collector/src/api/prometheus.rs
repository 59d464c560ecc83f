//! `GET /metrics`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;

use crate::state::Shared;

/// The text format that every version of Prometheus reads.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn read(State(shared): State<Shared>) -> Response {
    ([(header::CONTENT_TYPE, TEXT)], shared.meters.render()).into_response()
}
