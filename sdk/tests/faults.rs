//! Seven faults between the sender and a real collector: recorded = stored + dropped + queued, exactly, in all of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use support::collector::client;
use support::proxy::{Fault, Proxy};
use support::random::Random;
use support::storage::{KEY, Storage};
use support::{Message, assert_identity, endpoint, handled, ok};
use surehook::{Client, ClientOptions, Endpoint};

const LONG: Duration = Duration::from_secs(30);

struct Bench {
    random: Random,
    storage: Storage,
    proxy: Proxy,
    client: Client,
    endpoint: Endpoint,
    recorded: u64,
    spool: Option<tempfile::TempDir>,
}

impl Bench {
    fn new(spooled: bool) -> Self {
        let storage = Storage::start();
        let proxy = Proxy::start(storage.address());
        let spool = spooled.then(|| tempfile::tempdir().unwrap());
        let client = Client::new(ClientOptions {
            api_key: Some(KEY.to_owned()),
            endpoint: Some(format!("http://{}", proxy.address())),
            spool_dir: spool.as_ref().map(|spool| spool.path().to_owned()),
            ..ClientOptions::default()
        });
        let client = client.unwrap();
        let endpoint = endpoint(|options| options.client = Some(client.clone()));
        Self { random: Random::seeded(), storage, proxy, client, endpoint, recorded: 0, spool }
    }

    fn record(&mut self, count: u64) {
        for _ in 0..count {
            self.recorded += 1;
            let message = Message::user_created(&format!("msg_{}", self.recorded));
            assert!(handled(message.begin(&self.endpoint)).finish(ok(b"done")).is_none());
        }
    }

    /// Plays the fault over a few bursts, each with the time for some tries.
    fn suffer(&mut self, fault: Fault) {
        self.proxy.play(fault);
        for _ in 0..3 {
            let burst = self.random.below(120) + 1;
            self.record(burst);
            let patience = Duration::from_millis(self.random.below(150) + 50);
            self.client.flush(patience);
            assert_identity(&self.client.stats());
        }
        self.proxy.heal();
    }

    /// Sends what is left, and compares both sides.
    fn settle(&self) {
        let deadline = Instant::now() + LONG;
        while !self.client.flush(Duration::from_millis(500)) {
            assert!(Instant::now() < deadline, "{:?}", self.client.stats());
        }
        let stats = self.client.stats();
        let dropped: u64 = stats.dropped.values().sum();
        assert_identity(&stats);
        assert_eq!((stats.recorded, stats.queued), (self.recorded, 0), "{stats:?}");
        assert_eq!(self.storage.stored(), self.recorded - dropped, "{stats:?}");
    }

    fn loses_nothing(mut self, fault: Fault) {
        self.suffer(fault);
        self.settle();
        assert!(self.client.stats().dropped.is_empty());
        if let Some(spool) = &self.spool {
            let left = std::fs::read_dir(spool.path()).unwrap().count();
            assert_eq!(left, 1, "only the lock of this process is left");
        }
    }
}

fn nothing_is_lost_by(fault: impl Fn(&mut Random) -> Fault) {
    for spooled in [false, true] {
        let mut bench = Bench::new(spooled);
        let fault = fault(&mut bench.random);
        println!("{fault:?}, spooled: {spooled}");
        bench.loses_nothing(fault);
    }
}

#[test]
fn refused_connections() {
    nothing_is_lost_by(|_| Fault::Refuse);
}

#[test]
fn a_collector_that_stalls() {
    nothing_is_lost_by(|_| Fault::Stall);
}

#[test]
fn a_slow_collector() {
    nothing_is_lost_by(|_| Fault::Slow);
}

#[test]
fn resets() {
    nothing_is_lost_by(|_| Fault::Reset);
}

#[test]
fn a_half_closed_connection() {
    nothing_is_lost_by(|_| Fault::HalfClose);
}

#[test]
fn requests_and_answers_cut_after_some_bytes() {
    nothing_is_lost_by(|random| Fault::CutRequest(random.below(2_000) as usize));
    nothing_is_lost_by(|random| Fault::CutReply(random.below(300) as usize));
}

#[test]
fn replies_lost_after_the_commit() {
    nothing_is_lost_by(|_| Fault::LoseReply);
}

#[test]
fn redirects_and_pages_of_captive_portals_are_no_acknowledgement() {
    nothing_is_lost_by(|_| Fault::Answer("HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>"));
    nothing_is_lost_by(|_| Fault::Answer("HTTP/1.1 302 Found\r\nlocation: /healthz\r\ncontent-length: 0\r\n\r\n"));
    nothing_is_lost_by(|_| Fault::Answer("HTTP/1.1 307 X\r\nlocation: /v1/batches\r\ncontent-length: 0\r\n\r\n"));
}

#[test]
fn three_seconds_of_429() {
    let mut bench = Bench::new(false);
    bench.proxy.play(Fault::Answer("HTTP/1.1 429 X\r\nretry-after: 1\r\ncontent-length: 2\r\n\r\n{}"));
    bench.record(100);
    assert!(!bench.client.flush(Duration::from_secs(3)));
    // Told to wait for a second, it did not ask more often than that; the flush itself asked once.
    assert!((2..=5).contains(&bench.proxy.exchanges()), "{}", bench.proxy.exchanges());
    bench.proxy.heal();
    bench.settle();
    assert_eq!(bench.storage.stored(), 100);
}

#[test]
fn one_fault_after_another() {
    for spooled in [false, true] {
        let mut bench = Bench::new(spooled);
        for _ in 0..12 {
            let faults = [
                Fault::Refuse,
                Fault::Stall,
                Fault::Slow,
                Fault::Reset,
                Fault::HalfClose,
                Fault::CutRequest(bench.random.below(2_000) as usize),
                Fault::CutReply(bench.random.below(300) as usize),
                Fault::LoseReply,
            ];
            let fault = faults[bench.random.below(faults.len() as u64) as usize];
            println!("{fault:?}");
            bench.suffer(fault);
        }
        bench.settle();
        assert!(bench.client.stats().dropped.is_empty());
    }
}

#[test]
fn losses_are_reported_exactly_once() {
    let mut bench = Bench::new(false);
    bench.proxy.play(Fault::Stall);
    bench.record(10_150);
    // The reports are heard, and their acknowledgements are lost.
    for _ in 0..4 {
        bench.proxy.play(Fault::LoseReply);
        bench.client.flush(Duration::from_millis(200));
        bench.record(3);
    }
    bench.proxy.heal();
    bench.settle();
    bench.record(1);
    bench.settle();
    let lost: u64 = bench.client.stats().dropped.values().sum();
    assert!(lost >= 150, "{lost}");
    assert_eq!(bench.storage.reported_lost(), lost);
}

#[test]
fn one_connection_carries_all_batches() {
    let mut bench = Bench::new(false);
    for _ in 0..20 {
        bench.record(5);
        assert!(bench.client.flush(LONG));
    }
    // On a slow machine a burst may be sent in two parts.
    assert!(bench.proxy.exchanges() >= 20);
    assert_eq!(bench.proxy.connections(), 1);
}

#[test]
fn a_key_that_the_collector_does_not_know_keeps_the_queue() {
    let storage = Storage::start();
    let stranger = client(storage.address());
    let watched = endpoint(|options| options.client = Some(stranger.clone()));
    handled(Message::user_created("msg_1").begin(&watched)).finish(ok(b""));
    assert!(!stranger.flush(Duration::from_millis(300)));
    let stats = stranger.stats();
    assert_eq!((stats.queued, storage.stored()), (1, 0));
    assert_identity(&stats);
}
