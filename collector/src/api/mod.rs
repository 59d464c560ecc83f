//! The addresses of the collector, and what guards each.

mod cases;
pub(crate) mod health;
mod keys;
pub(crate) mod live;
mod messages;
mod overview;
mod prometheus;
mod session;
mod setup;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post};
use http::{HeaderName, HeaderValue, header};

use crate::auth::access;
use crate::error::Error;
use crate::state::Shared;
use crate::{dashboard, ingest};

/// Everything the collector serves.
pub(crate) fn router(shared: Shared) -> Router {
    let behind_login = Router::new()
        .route("/api/overview", get(overview::read))
        .route("/api/messages", get(messages::list))
        .route("/api/messages/{id}", get(messages::timeline))
        .route("/api/cases", get(cases::list))
        .route("/api/cases/{id}/acknowledge", post(cases::end))
        .route("/api/setup", get(setup::read))
        .route("/api/keys", post(keys::create))
        .route("/api/keys/{id}", delete(keys::revoke))
        .route("/api/live", get(live::stream))
        .route_layer(from_fn_with_state(shared.clone(), access::check_session));
    let for_scrapers = Router::new()
        .route("/metrics", get(prometheus::read))
        .route("/api/attempts/{id}", get(messages::attempt))
        .route_layer(from_fn_with_state(shared.clone(), access::check_scraper));
    let for_browsers = Router::new()
        .merge(behind_login)
        .merge(for_scrapers)
        .route("/api/session", post(session::begin))
        .fallback(dashboard::serve)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(from_fn_with_state(shared.clone(), access::check_host));
    Router::new()
        .route("/v1/batches", post(ingest::batches))
        .route("/healthz", get(health::read))
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .merge(for_browsers)
        .layer(from_fn(secure))
        .with_state(shared)
}

/// Headers that keep a browser from running, framing or guessing anything that the collector did not mean.
const SECURITY: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

async fn secure(request: Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        headers.insert(name, value);
    }
    // What the dashboard's files do not say of themselves is live data.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The largest body of a call of the dashboard, in bytes.
const LARGEST_CALL: usize = 16 * 1024;

/// Reads the JSON body of a call of the dashboard.
async fn read_json<T: serde::de::DeserializeOwned>(shared: &Shared, request: Request) -> Result<T, Error> {
    let (head, body) = request.into_parts();
    let patience = shared.config.limits.receive_timeout;
    let body = ingest::body::read(&head.headers, body, LARGEST_CALL, patience).await.map_err(|error| match error {
        Error::BatchTooLarge(limit) => Error::InvalidRequest(format!("the body is too large: {limit}")),
        other => other,
    })?;
    serde_json::from_slice(&body)
        .map_err(|_| Error::InvalidRequest("the body is not the JSON expected here".to_owned()))
}
