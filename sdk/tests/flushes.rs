//! `flush` while the sender waits to try again, and `init` called again.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use support::collector::{Collector, Play};
use support::{Message, assert_identity, endpoint, handled, ok};
use surehook::{Client, ClientOptions};

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_flush_that_ends_a_pause_sends_what_waits() {
    // The collector asks for half a minute, more than the flush has.
    let busy = Play::Answer(503, "retry-after: 30\r\n", "{}");
    let collector = Collector::start([busy], Play::Accept);
    let options = ClientOptions {
        api_key: Some("shk_test".to_owned()),
        endpoint: Some(format!("http://{}", collector.address())),
        ..ClientOptions::default()
    };
    let client = Client::new(options).unwrap();
    let endpoint = endpoint(|options| options.client = Some(client.clone()));
    handled(Message::user_created("msg_1").begin(&endpoint)).finish(ok(b"done"));
    // The first try comes after a second, without a flush.
    let started = Instant::now();
    while collector.seen().requests == 0 {
        assert!(started.elapsed() < LONG);
        std::thread::yield_now();
    }
    assert!(client.flush(Duration::from_secs(5)), "{:?}", client.stats());
    assert!(started.elapsed() < LONG);
    assert_eq!((collector.seen().requests, client.stats().stored), (2, 1));
    assert_identity(&client.stats());
}
