//! The live stream and slow senders, on real sockets.

use std::time::Duration;

use serde_json::Value;
use surehook_collector::Access;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::setup::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// Serves the collector on a free port while `client` runs.
async fn serving<T>(bench: &Bench, client: impl AsyncFnOnce(String, oneshot::Sender<()>) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel();
    let server = bench.collector.serve(listener, async move {
        let _ = stopped.await;
    });
    let both = timeout(PATIENCE, async { tokio::join!(client(address, stop), server) });
    let (answer, served) = both.await.expect("it ends");
    served.unwrap();
    answer
}

async fn listen(address: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /api/live HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(stream);
    read_until(&mut lines, ": connected").await;
    lines
}

/// Reads up to the first line that begins so, and answers the rest of it.
async fn read_until(lines: &mut BufReader<TcpStream>, start: &str) -> Option<String> {
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.unwrap() == 0 {
            return None;
        }
        if let Some(rest) = line.trim_end().strip_prefix(start) {
            return Some(rest.to_owned());
        }
    }
}

#[tokio::test]
async fn what_is_stored_is_told() {
    let bench = Bench::local();
    serving(&bench, async |address, stop| {
        let mut first_reader = listen(&address).await;
        let mut second = listen(&address).await;
        bench.store(&[attempt("msg_1"), forged("msg_2")]).await;
        for reader in [&mut first_reader, &mut second] {
            assert_eq!(read_until(reader, "event: ").await.as_deref(), Some("attempts"));
            let data: Value = serde_json::from_str(&read_until(reader, "data: ").await.unwrap()).unwrap();
            let attempts = data["attempts"].as_array().unwrap();
            assert_eq!(attempts.len(), 2);
            assert_eq!(
                (&attempts[0]["outcome"], &attempts[0]["event_type"]),
                (&"processed".into(), &"user.created".into())
            );
            assert_eq!((&attempts[1]["outcome"], &attempts[1]["event_type"]), (&"rejected".into(), &Value::Null));
            assert_eq!(attempts[0]["message"], bench.message("msg_1").await["id"]);
        }
        let left = with(attempt("msg_left"), serde_json::json!({ "status": 200, "sender_left": true }));
        bench.store(&[left, with(attempt("msg_stayed"), serde_json::json!({ "status": 200 }))]).await;
        let data: Value = serde_json::from_str(&read_until(&mut first_reader, "data: ").await.unwrap()).unwrap();
        assert_eq!((&data["attempts"][0]["status"], &data["attempts"][1]["status"]), (&Value::Null, &200.into()));
        let stored = bench.attempts("msg_left").await;
        assert_eq!((&stored[0]["sender_left"], &stored[0]["status"]), (&true.into(), &200.into()));

        let first = deferred("msg_4");
        bench.store(&[rest(&first, "failed"), first.clone()]).await;
        let data: Value = serde_json::from_str(&read_until(&mut first_reader, "data: ").await.unwrap()).unwrap();
        let attempts = data["attempts"].as_array().unwrap();
        assert_eq!((&attempts[0]["continues"], &attempts[0]["outcome"]), (&first["id"], &"failed".into()));
        assert_eq!((&attempts[1]["continues"], &attempts[1]["outcome"]), (&Value::Null, &"deferred".into()));
        let repeated = batch(&[]).to_string().into_bytes();
        bench.send(repeated, &[]).await;
        bench.store(&[attempt("msg_3")]).await;
        let data: Value = serde_json::from_str(&read_until(&mut first_reader, "data: ").await.unwrap()).unwrap();
        assert_eq!(data["attempts"].as_array().unwrap().len(), 1);
        stop.send(()).unwrap();
        assert_eq!(read_until(&mut first_reader, "event: ").await, None, "the stream ends when the collector stops");
    })
    .await;
}

#[tokio::test]
async fn a_reader_that_misses_some_is_told_so() {
    let bench = Bench::local();
    serving(&bench, async |address, stop| {
        let mut reader = listen(&address).await;
        for part in 0..3 {
            let attempts: Vec<Value> = (0..900).map(|number| attempt(&format!("msg_{part}_{number}"))).collect();
            bench.store(&attempts).await;
        }
        assert_eq!(read_until(&mut reader, "event: ").await.as_deref(), Some("lag"));
        let data: Value = serde_json::from_str(
            &read_until(&mut reader, "data: {\"at").await.map(|rest| format!("{{\"at{rest}")).unwrap(),
        )
        .unwrap();
        assert!(data["attempts"].as_array().unwrap().len() <= 500);
        stop.send(()).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_sender_that_trickles_is_cut_off_while_others_are_served() {
    let bench = Bench::open(Access::Local, |config| config.limits.receive_timeout = Duration::from_millis(200));
    serving(&bench, async |address, stop| {
        let mut slow_body = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST /v1/batches HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Length: 1000\r\n\r\n{{",
            bench.key
        );
        slow_body.write_all(head.as_bytes()).await.unwrap();
        let mut slow_head = TcpStream::connect(&address).await.unwrap();
        slow_head.write_all(b"POST /v1/batches HTTP/1.1\r\nHost: x\r\n").await.unwrap();

        bench.store(&[attempt("msg_1")]).await;

        let mut answer = String::new();
        slow_body.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request_timeout"), "{answer}");
        let mut nothing = Vec::new();
        // Closed, with an answer or without.
        let _ = slow_head.read_to_end(&mut nothing).await;
        stop.send(()).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_malformed_request_is_answered_by_the_server() {
    let bench = Bench::local();
    serving(&bench, async |address, stop| {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 400"));
        bench.store(&[attempt("msg_1")]).await;
        stop.send(()).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_missed_deadline_and_a_suspicion_are_told() {
    let bench = Bench::sweeping();
    serving(&bench, async |address, stop| {
        let step = serde_json::json!({ "steps": [{ "name": "create", "at_us": 1 }] });
        let usual: Vec<Value> = (0..50).map(|number| with(attempt(&format!("msg_{number}")), step.clone())).collect();
        bench.store(&usual).await;
        let mut reader = listen(&address).await;
        bench.store(&[attempt("msg_lacking")]).await;
        let told = read_until(&mut reader, "data: ").await.unwrap();
        assert!(told.contains(r#""suspected_silent_drop":true"#), "{told}");
        bench.store(&[with(deferred("msg_late"), serde_json::json!({ "deferred_until": NOW - SECOND }))]).await;
        let mut told = String::new();
        while !told.contains("silent_drop\",") {
            told = read_until(&mut reader, "data: ").await.unwrap();
        }
        assert!(told.contains(r#""suspected_silent_drop":false"#), "{told}");
        stop.send(()).unwrap();
    })
    .await;
}
