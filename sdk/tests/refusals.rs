//! Forged requests, as many as anybody likes: they blind nobody, and each of them is accounted for.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use support::collector::{Collector, Play};
use support::{Message, assert_identity, endpoint, handled, ok};
use surehook::core::telemetry::attempt::VerificationResult;
use surehook::{Client, Decision, Endpoint, Request, take_notices};

const LONG: Duration = Duration::from_secs(20);
const FORGED: u64 = 5_000;

fn forge(endpoint: &Endpoint, count: u64) {
    for _ in 0..count {
        let request = Request { method: "POST", path: "/hooks", headers: &[], body: surehook::Body::Bytes(b"{}") };
        assert!(matches!(endpoint.begin(request), Decision::Answer(answer) if answer.status == 401));
    }
}

fn record(endpoint: &Endpoint, id: &str) {
    handled(Message::user_created(id).begin(endpoint)).finish(ok(b"done"));
}

/// The counted ones of all reports, each report once.
fn counted(collector: &Collector) -> u64 {
    let seen = collector.seen();
    let mut reports = std::collections::BTreeMap::new();
    for batch in &seen.batches {
        if !batch.refused.is_empty() {
            reports.insert(batch.report_id.unwrap(), batch.refused.iter().map(|refused| refused.count).sum::<u64>());
        }
    }
    reports.values().sum()
}

fn assert_told(collector: &Collector, client: &Client, stored: usize) {
    let stats = client.stats();
    assert_identity(&stats);
    assert_eq!((stats.recorded, stats.queued), (FORGED + 1, 0), "{stats:?}");
    assert_eq!((stats.stored, stats.summarised), (stored as u64, FORGED + 1 - stored as u64), "{stats:?}");
    assert!(stats.dropped.is_empty());
    assert_eq!(counted(collector), stats.summarised);
    let seen = collector.seen();
    assert_eq!(seen.stored.len(), stored);
    let good = seen.stored.values().filter(|attempt| attempt.verification.result == VerificationResult::Verified);
    assert_eq!(good.count(), 1, "the good one is there, in full");
}

#[test]
fn ten_of_many_are_told_and_the_others_counted_in_every_fault() {
    let busy = Play::Answer(503, "retry-after: 0\r\n", "{}");
    for script in [
        vec![],
        vec![busy.clone(), busy.clone()],
        vec![Play::LoseReply, Play::LoseReply],
        vec![Play::AtMost(2), Play::AtMost(2), Play::AtMost(2), Play::AtMost(2)],
        vec![Play::LoseReply, busy, Play::AtMost(3)],
    ] {
        let collector = Collector::start(script, Play::Accept);
        let client = collector.client();
        let endpoint = endpoint(|options| options.client = Some(client.clone()));
        forge(&endpoint, FORGED / 2);
        record(&endpoint, "msg_1");
        forge(&endpoint, FORGED / 2);
        assert_identity(&client.stats());
        let started = Instant::now();
        while !client.flush(Duration::from_secs(5)) {
            assert!(started.elapsed() < LONG, "{:?}", client.stats());
            assert_identity(&client.stats());
        }
        // When a minute ends in between there are ten of each.
        let stored = usize::try_from(client.stats().stored).unwrap();
        assert!(stored == 11 || stored == 21, "{stored}");
        assert_told(&collector, &client, stored);
    }
}

#[test]
fn what_is_not_told_at_the_end_is_counted_as_lost() {
    let collector = Collector::start([], Play::Stall);
    let client = collector.client();
    let endpoint = endpoint(|options| options.client = Some(client.clone()));
    forge(&endpoint, 100);
    assert!(!client.shutdown(Duration::from_millis(100)));
    let stats = client.stats();
    assert_identity(&stats);
    assert_eq!((stats.recorded, stats.queued, stats.dropped.values().sum::<u64>()), (100, 0, 100), "{stats:?}");
}

#[test]
fn the_log_is_not_flooded_either() {
    let endpoint = endpoint(|options| options.name = Some("flooded".to_owned()));
    forge(&endpoint, 1_000);
    let lines = take_notices().iter().filter(|notice| notice.text.starts_with("flooded: rejected")).count();
    assert!((10..=20).contains(&lines), "{lines}");
}
