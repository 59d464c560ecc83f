//! The door of the dashboard and its API.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Method, header};

use super::{hash, origin};
use crate::config::Access;
use crate::error::Error;
use crate::state::Shared;

/// Refuses a request under a name that this collector does not serve its dashboard under.
pub(crate) async fn check_host(State(shared): State<Shared>, request: Request, next: Next) -> Result<Response, Error> {
    if matches!(shared.config.access, Access::Local) {
        let host = origin::host(request.headers()).unwrap_or_default();
        if !origin::is_loopback(host) {
            return Err(Error::ForbiddenHost);
        }
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        origin::check_same_origin(request.headers())?;
    }
    Ok(next.run(request).await)
}

/// Refuses a request without a session, where one is needed.
pub(crate) async fn check_session(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    if may_look(&shared, request.headers()) { Ok(next.run(request).await) } else { Err(Error::LoginRequired) }
}

/// Refuses a request for figures that has neither a session nor the dashboard token as its bearer.
pub(crate) async fn check_scraper(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let bears_token = bearer(request.headers()).is_some_and(|token| check_token(&shared.config.access, token).is_ok());
    if bears_token || may_look(&shared, request.headers()) {
        Ok(next.run(request).await)
    } else {
        Err(Error::LoginRequired)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn may_look(shared: &Shared, headers: &HeaderMap) -> bool {
    match shared.config.access {
        Access::Local => true,
        Access::Token(_) => shared.sessions.holds(headers, shared.config.clock.now()),
    }
}

/// Compares a login token by its hash.
pub(crate) fn check_token(access: &Access, given: &str) -> Result<(), Error> {
    match access {
        Access::Local => Ok(()),
        Access::Token(token) if hash(token.trim()) == hash(given.trim()) => Ok(()),
        Access::Token(_) => Err(Error::InvalidToken),
    }
}
