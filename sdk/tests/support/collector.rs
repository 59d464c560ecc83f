//! A collector on loopback that misbehaves as told: the faults it plays cannot be had from a real one on demand.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use flate2::read::GzDecoder;
use surehook::core::telemetry::attempt::{Attempt, Batch};
use surehook::{Client, ClientOptions};

/// What to do with one request.
#[derive(Clone, Debug)]
pub enum Play {
    /// Store and acknowledge.
    Accept,
    /// Answer with this status, these header lines and this body.
    Answer(u16, &'static str, &'static str),
    /// Store, then close the connection without an answer.
    LoseReply,
    /// Take the request and never answer.
    Stall,
    /// Answer 413 if there are more attempts than this.
    AtMost(usize),
}

#[derive(Default)]
pub struct Seen {
    pub stored: BTreeMap<String, Attempt>,
    pub batches: Vec<Batch>,
    pub requests: usize,
}

pub struct Collector {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    /// Plays the script one request after another, then `after` for all that follow.
    pub fn start(script: impl IntoIterator<Item = Play>, after: Play) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
        let shared = Arc::clone(&seen);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if !serve(&mut stream, &shared, &script, &after) {
                    return;
                }
            }
        });
        Self { address, seen, thread: Some(thread) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn client(&self) -> Client {
        client(self.address)
    }

    pub fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

/// A client of whatever listens there.
pub fn client(address: SocketAddr) -> Client {
    let endpoint = Some(format!("http://{address}"));
    Client::new(ClientOptions { api_key: Some("shk_test".to_owned()), endpoint, ..ClientOptions::default() }).unwrap()
}

/// An address on loopback that refuses connections.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Drop for Collector {
    fn drop(&mut self) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"STOP / HTTP/1.1\r\n\r\n").unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Serves one connection of one request; false when it was the request to stop.
fn serve(stream: &mut TcpStream, seen: &Mutex<Seen>, script: &Mutex<VecDeque<Play>>, after: &Play) -> bool {
    let Some(batch) = read_batch(stream) else { return true };
    let Ok(batch) = batch else { return false };
    let play = script.lock().unwrap().pop_front().unwrap_or_else(|| after.clone());
    seen.lock().unwrap().requests += 1;
    match play {
        Play::Answer(status, headers, body) => answer(stream, status, headers, body),
        Play::AtMost(most) if batch.attempts.len() > most => answer(stream, 413, "", "{}"),
        Play::Accept | Play::AtMost(_) => {
            let ack = store(seen, batch);
            answer(stream, 202, "", &ack);
        }
        Play::LoseReply => drop(store(seen, batch)),
        // Reads until the other side gives up.
        Play::Stall => drop(stream.read(&mut [0; 1])),
    }
    true
}

/// `None`: the connection broke; `Err`: the request to stop.
fn read_batch(stream: &TcpStream) -> Option<Result<Batch, ()>> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).ok()? == 0 {
        return None;
    }
    if first.starts_with("STOP") {
        return Some(Err(()));
    }
    assert!(first.starts_with("POST /v1/batches "), "{first:?}");
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if let Some(value) = line.strip_prefix("authorization: ") {
            assert_eq!(value, "bearer shk_test");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Ok(serde_json::from_reader(GzDecoder::new(&body[..])).unwrap()))
}

fn store(seen: &Mutex<Seen>, batch: Batch) -> String {
    let mut seen = seen.lock().unwrap();
    let before = seen.stored.len();
    let count = batch.attempts.len();
    seen.stored.extend(batch.attempts.iter().map(|attempt| (attempt.id.to_string(), attempt.clone())));
    seen.batches.push(batch);
    let accepted = seen.stored.len() - before;
    format!(r#"{{"accepted":{accepted},"duplicates":{},"rejected":[]}}"#, count - accepted)
}

fn answer(stream: &mut TcpStream, status: u16, headers: &str, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}");
    // The other side may be gone already.
    let _ = stream.write_all(text.as_bytes());
}
