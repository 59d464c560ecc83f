//! `GET /healthz`: whether what is sent now is kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::state::Shared;
use crate::store::sqlite::Fault;

/// An answer is good for so long: anyone may ask, and asking writes to the disk.
const FRESH: Duration = Duration::from_secs(1);
/// A thread that does not answer within this time is not well.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was found out last.
pub(crate) struct Health {
    last: tokio::sync::Mutex<Option<(Instant, Result<(), Fault>)>>,
    /// One question at a time, also when nobody waits for its answer any more.
    asking: Arc<Semaphore>,
}

impl Default for Health {
    fn default() -> Self {
        Self { last: tokio::sync::Mutex::new(None), asking: Arc::new(Semaphore::new(1)) }
    }
}

pub(super) async fn read(State(shared): State<Shared>) -> Response {
    let version = env!("CARGO_PKG_VERSION");
    match shared.health.check(&shared).await {
        Ok(()) => Json(json!({ "status": "ok", "version": version })).into_response(),
        Err(fault) => {
            let body = Json(json!({ "status": "failing", "reason": fault.to_string(), "version": version }));
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], body).into_response()
        }
    }
}

impl Health {
    /// Asks, unless that was just done.
    async fn check(&self, shared: &Shared) -> Result<(), Fault> {
        let mut last = self.last.lock().await;
        if let Some((_, found)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return *found;
        }
        let found = self.ask(shared).await;
        let before = last.replace((Instant::now(), found)).and_then(|(_, before)| before.err());
        match found {
            Err(fault) if Some(fault) != before => tracing::error!(%fault, "the collector is not well"),
            _ => {}
        }
        found
    }

    async fn ask(&self, shared: &Shared) -> Result<(), Fault> {
        let Ok(permit) = Arc::clone(&self.asking).try_acquire_owned() else { return Err(Fault::Silent) };
        let shared = Arc::clone(shared);
        let asked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            shared.writer.check(shared.config.clock.now())
        });
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => Err(Fault::Silent),
        }
    }
}
