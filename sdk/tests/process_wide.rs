//! The process-wide client.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use support::collector::{Collector, Play, nobody};
use support::{Message, assert_identity, endpoint, handled, ok};
use surehook::{Capture, Client, ClientOptions, init};

fn options(address: std::net::SocketAddr) -> ClientOptions {
    let endpoint = Some(format!("http://{address}"));
    ClientOptions { api_key: Some("shk_test".to_owned()), endpoint, ..ClientOptions::default() }
}

/// One test, because there is one process-wide client.
#[test]
fn endpoints_use_the_client_that_init_installed_last() {
    let endpoint = endpoint(|options| options.client = None);
    let record = |id: &str| {
        handled(Message::user_created(id).begin(&endpoint)).finish(ok(b""));
    };
    record("before");
    assert!(surehook::flush(Duration::ZERO), "there is no client yet");
    assert!(surehook::take_notices().iter().any(|notice| notice.text.contains("init() was not called")));

    let collector = Collector::start([], Play::Accept);
    init(options(collector.address())).unwrap();
    record("first");
    // Loaded anew with the same settings: the queue stays.
    init(options(collector.address())).unwrap();
    assert_eq!(surehook::stats().recorded, 1);
    record("second");
    // Other settings: the earlier client sends what it holds.
    init(options(nobody())).unwrap();
    assert_eq!(collector.seen().stored.len(), 2);
    let stats = surehook::stats();
    assert_eq!((stats.recorded, stats.stored), (2, 2), "what was recorded with it still counts");
    assert_identity(&stats);

    assert!(init(ClientOptions { endpoint: Some("collector".to_owned()), ..options(nobody()) }).is_err());
    record("third");
    assert_eq!(surehook::stats().queued, 1, "the client that was there stays");
    assert!(!surehook::shutdown(Duration::ZERO));

    // A test of the application's captures what is recorded, even if that calls init() meanwhile.
    let capture = Capture::new();
    let captured = Client::new(ClientOptions { capture: Some(capture.clone()), ..ClientOptions::default() }).unwrap();
    let before = surehook::divert(Some(captured));
    assert!(before.is_none());
    record("captured");
    init(options(collector.address())).unwrap();
    record("captured_too");
    assert_eq!((capture.attempts().len(), surehook::stats().stored), (2, 2));
    surehook::divert(before);
    record("fourth");
    assert!(surehook::shutdown(Duration::from_secs(5)));
    assert_eq!((capture.attempts().len(), collector.seen().stored.len()), (2, 3));
    let stats = surehook::stats();
    assert_eq!((stats.recorded, stats.stored, stats.dropped.values().sum::<u64>()), (4, 3, 1));
}
