//! Metrics by OTLP, as the `OTEL_*` variables say.
//!
//! Without the libtest harness, because it starts itself again with other variables.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use surehook_collector::{Access, Collector, Config};
use tower::ServiceExt as _;

const KEY: &str = "shk_otlp_0123456789abcdef";
const NAME: &str = "what_was_stored_is_sent_when_the_collector_closes";

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("--collector") => collector(),
        // What `cargo test -- --list` and its tools ask for.
        Some("--list") => println!("{NAME}: test"),
        _ => what_was_stored_is_sent_when_the_collector_closes(),
    }
}

/// A message with its deferred work, and enough of them for a habit that the last one lacks.
fn attempts() -> Vec<Value> {
    let attempt = |number: usize, members: Value| {
        let mut attempt = json!({
            "id": format!("0193b5a0-0000-7000-8000-{number:012}"),
            "endpoint": "billing-webhooks",
            "provider": "clerk",
            "event_type": "user.created",
            "received_at": 1_795_478_400_000_000_i64,
            "duration_us": 1_000,
            "outcome": "processed",
            "verification": { "result": "verified" },
            "dedup": { "result": "new" },
            "request": { "method": "POST", "path": "/", "size": 2 },
        });
        attempt.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        attempt
    };
    let mut attempts: Vec<Value> =
        (0..50).map(|number| attempt(number, json!({ "steps": [{ "name": "create", "at_us": 1 }] }))).collect();
    attempts.push(attempt(50, json!({ "outcome": "deferred", "deferred_until": 1_795_478_500_000_000_i64 })));
    attempts.push(attempt(51, json!({ "continues": "0193b5a0-0000-7000-8000-000000000050" })));
    attempts
}

/// Stores some attempts and closes.
fn collector() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let collector = Collector::open(Config::new(directory.path(), Access::Local)).unwrap();
        collector.ensure_key("otlp", KEY).unwrap();
        let batch = json!({
            "schema": 1,
            "sdk": { "name": "surehook", "version": "0.1.0", "language": "python" },
            "instance": { "id": "0193b5a0-0000-7000-8000-000000000001", "pid": 4242 },
            "sent_at": 1_795_478_400_000_000_i64,
            "attempts": attempts(),
        });
        let request = Request::post("/v1/batches").header("authorization", format!("Bearer {KEY}"));
        let answer = collector.app().oneshot(request.body(Body::from(batch.to_string())).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        tokio::task::spawn_blocking(move || collector.close()).await.unwrap();
    });
}

fn what_was_stored_is_sent_when_the_collector_closes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("--collector")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", listener.local_addr().unwrap()))
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=acme")
        .spawn()
        .unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let start = head.len();
        reader.read_line(&mut head).unwrap();
        if let Some(value) = head[start..].to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    assert!(child.wait().unwrap().success());

    assert!(head.starts_with("POST /v1/metrics "), "{head}");
    assert!(head.contains("application/x-protobuf") && head.contains("x-tenant: acme"), "{head}");
    let body = String::from_utf8_lossy(&body);
    for expected in [
        "messaging.process.duration",
        "messaging.client.consumed.messages",
        "surehook.deferred_work",
        "surehook.suspected_silent_drops",
        "messaging.destination.name",
        "billing-webhooks",
        "user.created",
        "surehook-collector",
    ] {
        assert!(body.contains(expected), "{expected} is not in what was sent");
    }
    println!("{NAME}: ok");
}
