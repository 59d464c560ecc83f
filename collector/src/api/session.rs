//! `POST /api/session`: the login of a server's dashboard.

use axum::extract::{Request, State};
use axum::response::{AppendHeaders, IntoResponse};
use http::{StatusCode, header};
use serde::Deserialize;

use super::read_json;
use crate::auth::access;
use crate::error::Error;
use crate::state::Shared;

#[derive(Deserialize)]
struct Login {
    token: String,
}

pub(super) async fn begin(State(shared): State<Shared>, request: Request) -> Result<impl IntoResponse, Error> {
    let by_https = request.headers().get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https:"));
    let Login { token } = read_json(&shared, request).await?;
    access::check_token(&shared.config.access, &token)?;
    let cookie = shared.sessions.begin(shared.config.clock.now(), by_https)?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])))
}
