//! A collector in a directory of its own, with a clock that stands still, and batches to send to it.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use surehook_collector::{Access, Clock, Collector, Config};
use surehook_core::Timestamp;
use tower::ServiceExt as _;
use uuid::Uuid;

/// 2026-11-24 00:00:00 UTC.
pub(crate) const NOW: i64 = 1_795_478_400_000_000;
pub(crate) const SECOND: i64 = 1_000_000;
/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Bench {
    pub(crate) collector: Collector,
    pub(crate) key: String,
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) directory: tempfile::TempDir,
}

/// The code of an error answer, or an empty text.
pub(crate) fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A batch around some attempts.
pub(crate) fn batch(attempts: &[Value]) -> Value {
    json!({
        "schema": 1,
        "sdk": { "name": "surehook", "version": "0.1.0", "language": "python", "framework": "fastapi" },
        "instance": { "id": "0193b5a0-0000-7000-8000-000000000001", "host": "web-1", "pid": 4242 },
        "sent_at": NOW,
        "attempts": attempts,
    })
}

/// A processed attempt of a message. Tests change what they are about.
pub(crate) fn attempt(message_id: &str) -> Value {
    json!({
        "id": Uuid::now_v7(),
        "endpoint": "clerk",
        "provider": "clerk",
        "message_id": message_id,
        "event_type": "user.created",
        "entity_id": "user_1",
        "received_at": NOW - SECOND,
        "provider_timestamp": NOW - 2 * SECOND,
        "duration_us": 1_000,
        "status": 200,
        "outcome": "processed",
        "verification": { "result": "verified" },
        "dedup": { "result": "new", "store": "memory" },
        "request": { "method": "POST", "path": "/api/webhooks/clerk", "size": 512 },
    })
}

/// The attempt with some members set to other values.
pub(crate) fn with(mut attempt: Value, members: Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        attempt[name] = value.clone();
    }
    attempt
}

/// An attempt whose handler deferred its work for five minutes.
pub(crate) fn deferred(message_id: &str) -> Value {
    with(
        attempt(message_id),
        json!({ "outcome": "deferred", "status": 202, "deferred_until": NOW + 300 * SECOND, "duration_us": 2_000 }),
    )
}

/// What became of the deferred work of an attempt.
pub(crate) fn rest(of: &Value, outcome: &str) -> Value {
    let mut rest = with(
        of.clone(),
        json!({
            "id": Uuid::now_v7(), "continues": of["id"], "outcome": outcome, "received_at": NOW, "duration_us": 60_000_000,
            "dedup": { "result": "off" }, "request": { "method": "", "path": "", "size": 0 },
        }),
    );
    for member in ["status", "deferred_until", "provider_timestamp", "steps"] {
        rest.as_object_mut().unwrap().remove(member);
    }
    rest
}

pub(crate) fn sweep_often(config: &mut Config) {
    config.sweep_interval = Duration::from_millis(2);
    config.restart_grace = Duration::ZERO;
}

/// An attempt that was refused, and says of itself what a forger might.
pub(crate) fn forged(message_id: &str) -> Value {
    with(
        attempt(message_id),
        json!({
            "outcome": "rejected", "status": 401, "event_type": "user.deleted", "entity_id": "user_evil",
            "verification": { "result": "rejected", "code": "signature_mismatch" }, "dedup": { "result": "off" },
        }),
    )
}

impl Bench {
    pub(crate) fn local() -> Self {
        Self::open(Access::Local, |_| {})
    }

    pub(crate) fn open(access: Access, change: impl FnOnce(&mut Config)) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), Arc::new(AtomicI64::new(NOW)), access, change)
    }

    /// A collector that looks for missed deadlines all the time.
    pub(crate) fn sweeping() -> Self {
        Self::open(Access::Local, sweep_often)
    }

    /// Closes the collector and opens another one in its directory, with the same clock.
    pub(crate) fn restarted(self, change: impl FnOnce(&mut Config)) -> Self {
        let Self { collector, now, directory, .. } = self;
        drop(collector);
        Self::open_in(directory, now, Access::Local, change)
    }

    pub(crate) fn open_in(
        directory: tempfile::TempDir,
        now: Arc<AtomicI64>,
        access: Access,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let clock = Arc::clone(&now);
        let mut config = Config::new(directory.path(), access);
        config.clock = Clock::from_fn(move || Timestamp::from_unix_micros(clock.load(Ordering::Relaxed)));
        change(&mut config);
        let collector = Collector::open(config).unwrap();
        let key = collector.create_key("tests").unwrap();
        Self { collector, key, now, directory }
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> (StatusCode, http::HeaderMap, Vec<u8>) {
        let response = self.collector.app().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        (head.status, head.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }

    /// Reads a page's data.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header(header::HOST, "localhost:4600").body(Body::empty()).unwrap();
        let (status, _, body) = self.call(request).await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Sends a body to the ingest, with the right key and the given headers.
    pub(crate) async fn send(&self, body: Vec<u8>, headers: &[(&str, &str)]) -> (StatusCode, Value) {
        let mut request = Request::post("/v1/batches").header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (status, _, body) = self.call(request.body(body.into()).unwrap()).await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Sends some attempts, and expects that all are new.
    pub(crate) async fn store(&self, attempts: &[Value]) {
        let (status, answer) =
            self.send(gzip(batch(attempts).to_string().as_bytes()), &[("content-encoding", "gzip")]).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        assert_eq!(answer["accepted"], attempts.len(), "{answer}");
    }

    /// The attempts of the only message with an id.
    pub(crate) async fn attempts(&self, message_id: &str) -> Vec<Value> {
        let id = self.message(message_id).await["id"].clone();
        let (_, timeline) = self.get(&format!("/api/messages/{id}")).await;
        timeline["attempts_list"].as_array().unwrap().clone()
    }

    /// Waits until the only message with an id has an outcome.
    pub(crate) async fn becomes(&self, message_id: &str, outcome: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.message(message_id).await["outcome"] != outcome {
            assert!(Instant::now() < deadline, "{message_id} does not become {outcome}");
            tokio::task::yield_now().await;
        }
    }

    /// The database file, as any other tool opens it.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.directory.path().join("surehook.db")).unwrap()
    }

    pub(crate) async fn totals(&self) -> Value {
        self.get("/api/overview").await.1["totals"].clone()
    }

    pub(crate) async fn metrics(&self) -> String {
        let request = Request::get("/metrics").header(header::HOST, "localhost:4600").body(Body::empty()).unwrap();
        String::from_utf8(self.call(request).await.2).unwrap()
    }

    /// The only message with an id.
    pub(crate) async fn message(&self, message_id: &str) -> Value {
        let (_, page) = self.get(&format!("/api/messages?message_id={message_id}")).await;
        assert_eq!(page["messages"].as_array().map(Vec::len), Some(1), "{page}");
        page["messages"][0].clone()
    }
}
