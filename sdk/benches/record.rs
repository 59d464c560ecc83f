//! P7: recording an attempt while the collector is down: how long ending a delivery takes, at the 99th percentile.
//!
//! `cargo bench -p surehook --bench record` prints one JSON line per figure, as `bars.md` words it; a slow figure never
//! fails it.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use surehook::Verification;
use surehook::{Body, Client, ClientOptions, Decision, Endpoint, EndpointOptions, Request, Response, ResponseBody};

/// More than the queue holds, so that both a queue with room and a full one are measured.
const ATTEMPTS: usize = 20_000;
const ROUNDS: usize = 5;

fn main() {
    let spool = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (case, spool_dir) in [("queue", None), ("spool", Some(spool.path().to_owned()))] {
        let times: Vec<f64> = (0..ROUNDS).map(|_| p99(spool_dir.clone())).collect();
        let least = times.into_iter().fold(f64::INFINITY, f64::min);
        println!("{{\"bar\": \"P7\", \"case\": \"{case}, p99\", \"unit\": \"us\", \"value\": {least:.3}}}");
    }
}

/// The 99th percentile of one round, in microseconds.
fn p99(spool_dir: Option<PathBuf>) -> f64 {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = Client::new(ClientOptions {
        api_key: Some("shk_bench_0123456789abcdef".to_owned()),
        endpoint: Some(format!("http://{nobody}")),
        spool_dir,
        ..ClientOptions::default()
    })
    .unwrap();
    let options = EndpointOptions {
        client: Some(client.clone()),
        verification: Verification::Off,
        ..EndpointOptions::new("clerk")
    };
    let endpoint = Endpoint::new(options).unwrap();
    let body = br#"{"type":"user.created","data":{"id":"user_29w83sxmDNGwOuEthce5gg56FcC"}}"#;
    let request = Request { method: "POST", path: "/webhooks/clerk", headers: &[], body: Body::Bytes(body) };
    let mut times: Vec<Duration> = (0..ATTEMPTS)
        .map(|_| {
            let Decision::Handle(delivery) = endpoint.begin(request) else { unreachable!("everything is let through") };
            let started = Instant::now();
            delivery.finish(Response { status: 200, headers: &[], body: ResponseBody::Bytes(b"ok") });
            started.elapsed()
        })
        .collect();
    client.shutdown(Duration::ZERO);
    times.sort();
    times[times.len() * 99 / 100].as_secs_f64() * 1e6
}
