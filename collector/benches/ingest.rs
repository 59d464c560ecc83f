//! P8: attempts per second that are on the disk before they are acknowledged, beside raw SQLite inserts of the same rows.
//!
//! Prints one JSON line. `SUREHOOK_BENCH_SECONDS` sets how long each side runs (4).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use surehook_collector::{Access, Collector, Config};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

const ATTEMPTS: usize = 100;
const CONNECTIONS: usize = 32;
const RAW_BATCH: usize = 25;

fn main() {
    let seconds = std::env::var("SUREHOOK_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4.0);
    let span = Duration::from_secs_f64(seconds);
    // Beside the checkout, not in a temporary directory: that may be memory, where a sync costs nothing.
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let raw = raw_inserts(target, span);
    let ours = ingest(target, span);
    let line = json!({
        "bar": "P8", "case": "batches of 100", "unit": "attempts/s", "value": ours.round(),
        "peer": "raw SQLite FULL, batches of 25", "peer_value": raw.round(), "ratio": (ours / raw * 1000.0).round() / 1000.0,
    });
    println!("{line}");
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64
}

/// An attempt as an SDK in production records it. Every tenth is a retry of the message before.
fn attempt(number: usize, now: i64) -> Value {
    const TYPES: [&str; 8] = [
        "user.created",
        "user.updated",
        "user.deleted",
        "session.created",
        "session.ended",
        "organization.created",
        "organizationMembership.created",
        "email.created",
    ];
    let retried = number % 10 == 9;
    let message = if retried { number - 1 } else { number };
    let (outcome, status) = match number % 50 {
        7 => ("failed", 500),
        8 => ("silent_drop", 200),
        _ if retried => ("duplicate", 200),
        _ => ("processed", 200),
    };
    let mut attempt = json!({
        "id": Uuid::now_v7(),
        "endpoint": if number.is_multiple_of(3) { "clerk" } else { "clerk-billing" },
        "provider": "clerk",
        // Provider ids are random: spread over the index like the real ones.
        "message_id": format!("msg_{:016x}{:08x}", (message as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15), message),
        "event_type": TYPES[message % TYPES.len()],
        "entity_id": format!("user_{message:024x}"),
        "received_at": now,
        "provider_timestamp": now - 1_200_000,
        "duration_us": 800 + (number * 7_919) % 90_000,
        "status": status,
        "outcome": outcome,
        "verification": { "result": "verified" },
        "dedup": { "result": if retried { "duplicate" } else { "new" }, "store": "memory" },
        "steps": [{ "name": "create_profile", "at_us": 400 }, { "name": "send_welcome_mail", "at_us": 700 }],
        "request": {
            "method": "POST", "path": "/api/webhooks/clerk", "size": 1180,
            "headers": { "content-type": "application/json", "user-agent": "Svix-Webhooks/1.62.0 (sender-9YMgn; +https://www.svix.com/http-sender/)" },
        },
        "response": { "size": 2 },
    });
    if outcome == "failed" {
        attempt["failure"] = json!({ "error": {
            "type": "IntegrityError", "message": "duplicate key value violates unique constraint \"users_email_key\"",
            "fingerprint": "8f14e45fceea167a",
        }});
    }
    attempt
}

/// Raw inserts of the same rows into a table of the same columns and indexes, a transaction of 25 at a time.
fn raw_inserts(directory: &std::path::Path, span: Duration) -> f64 {
    let directory = tempfile::tempdir_in(directory).unwrap();
    let mut connection = rusqlite::Connection::open(directory.path().join("raw.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection
        .execute_batch(
            "CREATE TABLE attempts (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, message INTEGER NOT NULL,
                 received_at INTEGER NOT NULL, stored_at INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
             CREATE INDEX attempts_message ON attempts (message, received_at);",
        )
        .unwrap();
    let rows: Vec<(i64, i64, String)> =
        (0..20_000).map(|number| (number as i64, now(), attempt(number, now()).to_string())).collect();
    let begun = Instant::now();
    let mut stored = 0;
    for batch in rows.chunks(RAW_BATCH).cycle() {
        if begun.elapsed() >= span {
            break;
        }
        let transaction = connection.transaction().unwrap();
        {
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO attempts (id, message, received_at, stored_at, record) VALUES (?, ?, ?, ?, ?)",
                )
                .unwrap();
            for (message, received_at, record) in batch {
                insert.execute((Uuid::now_v7().as_bytes(), message, received_at, now(), record)).unwrap();
            }
        }
        transaction.commit().unwrap();
        stored += batch.len();
    }
    stored as f64 / begun.elapsed().as_secs_f64()
}

/// Whole requests, made before the clock starts: compressed batches under fresh ids.
fn requests(key: &str, count: usize) -> Vec<Vec<u8>> {
    let now = now();
    (0..count)
        .map(|number| {
            let attempts: Vec<Value> = (0..ATTEMPTS).map(|place| attempt(number * ATTEMPTS + place, now)).collect();
            let batch = json!({
                "schema": 1, "sent_at": now, "attempts": attempts,
                "sdk": { "name": "surehook", "version": "0.1.0", "language": "python", "framework": "fastapi" },
                "instance": { "id": Uuid::now_v7(), "host": "web-1", "pid": 4242 },
            });
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(batch.to_string().as_bytes()).unwrap();
            let body = encoder.finish().unwrap();
            let mut request = format!(
                "POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Encoding: gzip\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            )
            .into_bytes();
            request.extend_from_slice(&body);
            request
        })
        .collect()
}

fn ingest(directory: &std::path::Path, span: Duration) -> f64 {
    let directory = tempfile::tempdir_in(directory).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let collector = Collector::open(Config::new(directory.path(), Access::Local)).unwrap();
        let key = collector.create_key("bench").unwrap();
        let requests = Arc::new(requests(&key, (span.as_secs_f64() * 700.0) as usize + CONNECTIONS));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let client = async {
            let next = Arc::new(AtomicUsize::new(0));
            let begun = Instant::now();
            let senders: Vec<_> = (0..CONNECTIONS)
                .map(|_| tokio::spawn(send(address, Arc::clone(&requests), Arc::clone(&next), begun + span)))
                .collect();
            let mut stored = 0;
            for sender in senders {
                stored += sender.await.unwrap();
            }
            let rate = stored as f64 / begun.elapsed().as_secs_f64();
            stop.send(()).unwrap();
            rate
        };
        let server = collector.serve(listener, async {
            let _ = stopped.await;
        });
        let (rate, served) = tokio::join!(client, server);
        served.unwrap();
        collector.close();
        rate
    })
}

/// Sends requests, one after the other, until the time or the requests end. Answers how many attempts were acknowledged.
async fn send(
    address: std::net::SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    end: Instant,
) -> usize {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = vec![0; 4096];
    let mut stored = 0;
    while Instant::now() < end {
        let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
        stream.write_all(request).await.unwrap();
        let read = stream.read(&mut answer).await.unwrap();
        let text = std::str::from_utf8(&answer[..read]).unwrap();
        assert!(text.starts_with("HTTP/1.1 202") && text.contains("\"accepted\":100,\"duplicates\":0"), "{text}");
        stored += ATTEMPTS;
    }
    stored
}
