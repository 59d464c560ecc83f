//! Kill -9 in the middle of ingest: every acknowledged attempt is there exactly once, and the file is sound.
//!
//! Without the libtest harness, because it starts itself again as the collector that is killed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use surehook_collector::{Access, Collector, Config};
use uuid::Uuid;

const KEY: &str = "shk_crash_0123456789abcdef";
const ROUNDS: usize = 6;
const SENDERS: usize = 4;
const ATTEMPTS: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("--collector") => collector(Path::new(&arguments[2])),
        // What `cargo test -- --list` and its tools ask for.
        Some("--list") => println!("kill_during_ingest_loses_nothing: test"),
        _ => kill_during_ingest_loses_nothing(),
    }
}

/// The process that is killed: a collector on a free port, whose address is its first line of output.
fn collector(directory: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let collector = Collector::open(Config::new(directory, Access::Local)).unwrap();
        collector.ensure_key("crash", KEY).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        collector.serve(listener, std::future::pending()).await.unwrap();
    });
}

fn start(directory: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("--collector")
        .arg(directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (child, address.trim().to_owned())
}

fn kill_during_ingest_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let acknowledged = Mutex::new(HashSet::new());
    let mut sent = 0;
    for round in 0..ROUNDS {
        let begun = Instant::now();
        let (mut child, address) = start(directory.path());
        assert!(begun.elapsed() < Duration::from_secs(10), "ready again in {:?}", begun.elapsed());
        let before = acknowledged.lock().unwrap().len();
        std::thread::scope(|scope| {
            let senders: Vec<_> =
                (0..SENDERS).map(|_| scope.spawn(|| send_until_cut_off(&address, &acknowledged))).collect();
            // Somewhere in the middle, at another place each round, once there is something to lose.
            let enough = before + 200 + round * 37;
            let deadline = Instant::now() + Duration::from_secs(30);
            while acknowledged.lock().unwrap().len() < enough {
                assert!(Instant::now() < deadline, "the collector stores nothing");
                std::thread::yield_now();
            }
            child.kill().unwrap();
            child.wait().unwrap();
            sent += senders.into_iter().map(|sender| sender.join().unwrap()).sum::<usize>();
        });
    }
    check(&directory.path().join("surehook.db"), &acknowledged.into_inner().unwrap(), sent);
    println!("kill_during_ingest_loses_nothing: ok, {ROUNDS} kills, {sent} attempts sent");
}

/// Sends batches one after the other until the connection breaks. Answers how many attempts were sent.
fn send_until_cut_off(address: &str, acknowledged: &Mutex<HashSet<Uuid>>) -> usize {
    let mut sent = 0;
    let Ok(stream) = TcpStream::connect(address) else { return 0 };
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let ids: Vec<Uuid> = (0..ATTEMPTS).map(|_| Uuid::now_v7()).collect();
        let body = batch(&ids).to_string();
        let request = format!(
            "POST /v1/batches HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        sent += ATTEMPTS;
        if stream.write_all(request.as_bytes()).is_err() {
            return sent;
        }
        match answer(&mut reader) {
            Some(answer) => {
                assert_eq!(answer["accepted"], ATTEMPTS, "{answer}");
                acknowledged.lock().unwrap().extend(ids);
            }
            None => return sent,
        }
    }
}

/// Reads one whole answer; `None` when the connection broke before its end.
fn answer(reader: &mut BufReader<TcpStream>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}

fn batch(ids: &[Uuid]) -> Value {
    let attempts: Vec<Value> = ids
        .iter()
        .map(|id| {
            json!({
                "id": id, "endpoint": "clerk", "provider": "clerk", "message_id": format!("msg_{id}"),
                "event_type": "user.created", "received_at": 1_795_478_400_000_000_i64, "duration_us": 1500, "status": 200,
                "outcome": "processed", "verification": { "result": "verified" }, "dedup": { "result": "new" },
                "request": { "method": "POST", "path": "/", "size": 100 },
            })
        })
        .collect();
    json!({
        "schema": 1, "sdk": { "name": "surehook", "version": "0.1.0", "language": "rust" },
        "instance": { "id": Uuid::now_v7(), "pid": 1 }, "sent_at": 1_795_478_400_000_000_i64, "attempts": attempts,
    })
}

/// Opens the file like any other tool, after the last kill.
fn check(file: &Path, acknowledged: &HashSet<Uuid>, sent: usize) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let mut statement = connection.prepare("SELECT id FROM attempts").unwrap();
    let stored: Vec<Uuid> = statement
        .query_map([], |row| row.get::<_, [u8; 16]>(0))
        .unwrap()
        .map(|id| Uuid::from_bytes(id.unwrap()))
        .collect();
    let distinct: HashSet<Uuid> = stored.iter().copied().collect();
    assert_eq!(stored.len(), distinct.len(), "stored twice");
    assert_eq!(acknowledged.difference(&distinct).count(), 0, "acknowledged and lost");
    assert!(stored.len() <= sent);
    let whole_batches = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let stored = stored.len() as i64;
    assert_eq!(stored % ATTEMPTS as i64, 0, "a batch is stored whole or not at all");
    assert_eq!(whole_batches("SELECT sum(attempts) FROM messages"), stored);
    assert_eq!(whole_batches("SELECT sum(processed) FROM rollups WHERE span = 60"), stored);
    assert_eq!(whole_batches("SELECT sum(processed) FROM rollups WHERE span = 3600"), stored);
}
