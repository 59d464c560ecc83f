//! What is recorded arrives, once, or is counted: recorded = stored + dropped + queued, in every fault.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::collector::{Collector, Play, client, nobody};
use support::{ManualClock, Message, SECRET, answered, assert_identity, endpoint, handled, ok};
use surehook::core::Timestamp;
use surehook::core::telemetry::attempt::DropReason;
use surehook::{Client, ClientOptions, Clock, Endpoint, Forget};

const LONG: Duration = Duration::from_secs(20);

fn watched(client: &Client) -> Endpoint {
    endpoint(|options| options.client = Some(client.clone()))
}

fn record(endpoint: &Endpoint, count: usize) {
    for number in 0..count {
        let delivery = handled(Message::user_created(&format!("msg_{number}")).begin(endpoint));
        assert!(delivery.finish(ok(b"done")).is_none());
    }
}

/// Records 100 attempts against the script and expects all of them stored, each once.
fn all_arrive(script: Vec<Play>, after: Play) -> (Collector, Client) {
    let collector = Collector::start(script, after);
    let client = collector.client();
    record(&watched(&client), 100);
    assert!(client.flush(LONG), "{:?}", client.stats());
    assert_eq!(collector.seen().stored.len(), 100);
    let stats = client.stats();
    assert_eq!((stats.recorded, stats.stored, stats.queued), (100, 100, 0));
    assert_identity(&stats);
    (collector, client)
}

#[test]
fn every_attempt_arrives_in_batches_of_at_most_100() {
    let collector = Collector::start([], Play::Accept);
    let client = collector.client();
    record(&watched(&client), 250);
    assert!(client.flush(LONG));
    let seen = collector.seen();
    assert_eq!(seen.stored.len(), 250);
    assert!(seen.batches.iter().all(|batch| batch.attempts.len() <= 100));
    let attempt = seen.stored.values().next().unwrap();
    assert_eq!(attempt.event_type.as_deref(), Some("user.created"));
    assert_eq!(attempt.entity_id.as_deref(), Some("user_1"));
    assert_eq!(attempt.status, Some(200));
    assert!(!attempt.request.headers.contains_key("svix-signature"));
}

#[test]
fn a_step_that_names_the_secret_is_told_without_it() {
    let collector = Collector::start([], Play::Accept);
    let client = collector.client();
    let delivery = handled(Message::user_created("msg_1").begin(&watched(&client)));
    delivery.step(&format!("signed_with {SECRET}"));
    delivery.step("create_profile");
    assert!(delivery.finish(ok(b"done")).is_none());
    assert!(client.flush(LONG));
    let seen = collector.seen();
    let names: Vec<_> = seen.stored.values().flat_map(|attempt| &attempt.steps).map(|step| &step.name).collect();
    assert_eq!(names, ["signed_with [redacted]", "create_profile"]);
}

#[test]
fn an_attempt_is_sent_within_seconds_without_being_asked_for() {
    let collector = Collector::start([], Play::Accept);
    let client = collector.client();
    record(&watched(&client), 1);
    let deadline = Instant::now() + LONG;
    while collector.seen().stored.is_empty() {
        assert!(Instant::now() < deadline, "nothing arrived");
        std::thread::yield_now();
    }
}

#[test]
fn a_full_batch_does_not_wait_for_more() {
    let collector = Collector::start([], Play::Accept);
    let client = collector.client();
    // The first starts the thread, and its second of waiting.
    record(&watched(&client), 1);
    let started = Instant::now();
    for round in 1..=5_usize {
        record(&watched(&client), 100);
        while collector.seen().stored.len() < round * 100 {
            assert!(started.elapsed() < LONG, "nothing arrived");
            std::thread::yield_now();
        }
    }
    // Were each to wait for its second, it would be four of them.
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[test]
fn what_a_busy_collector_refuses_is_sent_again() {
    let busy = Play::Answer(503, "retry-after: 0\r\n", "{}");
    all_arrive(vec![busy.clone(), Play::Answer(429, "", "{}"), busy], Play::Accept);
}

#[test]
fn a_reply_that_is_lost_after_the_commit_stores_nothing_twice() {
    all_arrive(vec![Play::LoseReply], Play::Accept);
}

#[test]
fn a_200_of_a_captive_portal_is_no_acknowledgement() {
    all_arrive(vec![Play::Answer(200, "", "<html>Welcome to our Wi-Fi</html>")], Play::Accept);
    all_arrive(vec![Play::Answer(202, "", "<html>Welcome to our Wi-Fi</html>")], Play::Accept);
}

#[test]
fn batches_that_are_too_large_are_halved_until_they_fit() {
    all_arrive(Vec::new(), Play::AtMost(7));
}

#[test]
fn one_attempt_that_is_too_large_alone_is_counted() {
    let collector = Collector::start([], Play::AtMost(0));
    let client = collector.client();
    record(&watched(&client), 3);
    assert!(client.flush(LONG));
    let stats = client.stats();
    assert_eq!(stats.dropped[&DropReason::TooLarge], 3);
    assert_identity(&stats);
}

#[test]
fn what_is_refused_for_good_is_counted_and_reported_with_the_next_batch() {
    let collector = Collector::start([Play::Answer(422, "", "{}")], Play::Accept);
    let client = collector.client();
    let endpoint = watched(&client);
    record(&endpoint, 5);
    assert!(client.flush(LONG));
    assert_eq!(client.stats().dropped[&DropReason::RejectedByServer], 5);
    let delivery = handled(Message::user_created("msg_later").begin(&endpoint));
    delivery.finish(ok(b""));
    assert!(client.flush(LONG));
    assert_eq!(collector.seen().batches[0].dropped[&DropReason::RejectedByServer], 5);
    assert_identity(&client.stats());
}

#[test]
fn a_wrong_key_keeps_the_queue() {
    let collector = Collector::start([], Play::Answer(401, "", "{}"));
    let client = collector.client();
    record(&watched(&client), 5);
    assert!(!client.flush(Duration::from_millis(300)));
    let stats = client.stats();
    assert_eq!((stats.queued, stats.stored), (5, 0));
    assert_identity(&stats);
}

#[test]
fn a_collector_that_is_down_never_slows_a_handler_and_delays_the_exit_for_two_seconds_at_most() {
    let stalling = Collector::start([], Play::Stall);
    for client in [client(nobody()), stalling.client()] {
        let endpoint = watched(&client);
        record(&endpoint, 1);
        let started = Instant::now();
        record(&endpoint, 0);
        for number in 0..1000 {
            handled(Message::user_created(&format!("msg_down_{number}")).begin(&endpoint)).finish(ok(b""));
        }
        assert!(started.elapsed() < Duration::from_secs(2), "1,000 deliveries took {:?}", started.elapsed());
        let started = Instant::now();
        assert!(!client.shutdown(Duration::from_secs(2)));
        assert!(started.elapsed() < Duration::from_millis(2_300), "{:?}", started.elapsed());
        let stats = client.stats();
        assert_eq!(stats.dropped[&DropReason::ShutdownTimeout], 1001);
        assert_identity(&stats);
    }
}

#[test]
fn shutdown_sends_what_is_queued_and_a_later_attempt_starts_anew() {
    let collector = Collector::start([], Play::Accept);
    let client = collector.client();
    let endpoint = watched(&client);
    record(&endpoint, 100);
    assert!(client.shutdown(LONG));
    assert_eq!(collector.seen().stored.len(), 100);
    handled(Message::user_created("msg_after").begin(&endpoint)).finish(ok(b""));
    assert!(client.shutdown(LONG));
    assert_eq!(collector.seen().stored.len(), 101);
}

#[test]
fn more_than_the_queue_holds_is_counted() {
    let client = client(nobody());
    record(&watched(&client), 10_050);
    let stats = client.stats();
    assert!(stats.dropped[&DropReason::QueueFull] >= 50, "{stats:?}");
    assert!(stats.queued <= 10_000);
    assert_identity(&stats);
    client.shutdown(Duration::ZERO);
    assert_identity(&client.stats());
}

/// A clock that fails when told.
struct FailingClock(std::sync::Arc<ManualClock>, AtomicBool);

impl Clock for FailingClock {
    fn now(&self) -> Timestamp {
        assert!(!self.1.load(Ordering::SeqCst), "the clock is broken");
        self.0.now()
    }
}

#[test]
fn a_fault_inside_changes_no_answer_of_the_handler_and_is_counted() {
    let collector = Collector::start([], Play::Accept);
    let client = collector.client();
    let clock = Arc::new(FailingClock(ManualClock::new(), AtomicBool::new(false)));
    let endpoint = endpoint(|options| {
        options.client = Some(client.clone());
        options.clock = Some(clock.clone());
    });
    let delivery = handled(Message::user_created("msg_1").begin(&endpoint));
    clock.1.store(true, Ordering::SeqCst);
    assert!(delivery.finish(ok(b"done")).is_none());
    // Before the handler, a check that fails lets nothing through.
    assert_eq!(answered(Message::user_created("msg_2").begin(&endpoint)).status, 401);
    let stats = client.stats();
    assert_eq!((stats.recorded, stats.dropped[&DropReason::InternalError]), (2, 2));
    assert_identity(&stats);
}

#[test]
fn a_batch_names_the_application_and_an_attempt_the_key_that_lets_its_message_run_again() {
    let collector = Collector::start([], Play::Accept);
    let client = Client::new(ClientOptions {
        api_key: Some("shk_test".to_owned()),
        endpoint: Some(format!("http://{}", collector.address())),
        service: Some("shop".to_owned()),
        ..ClientOptions::default()
    });
    let client = client.unwrap();
    let (endpoint, message) = (watched(&client), Message::user_created("msg_1"));
    handled(message.begin(&endpoint)).finish(ok(b"done"));
    answered(message.begin(&endpoint));
    message.with_request(|request| answered(endpoint.begin(surehook::Request { headers: &[], ..request })));
    assert!(client.flush(LONG));
    let keys: Vec<_> = {
        let seen = collector.seen();
        assert!(seen.batches.iter().all(|batch| batch.service.as_deref() == Some("shop")));
        seen.stored.values().filter_map(|attempt| attempt.dedup.key.clone()).collect()
    };
    assert_eq!(keys.len(), 2, "the one that was refused has none");
    assert_eq!(keys[0], keys[1]);

    let forgotten = |named| endpoint.forget(&endpoint.keys(named).unwrap());
    assert_eq!(forgotten(Forget::Key(&keys[0])), Ok(true));
    handled(message.begin(&endpoint)).finish(ok(b"again"));
    assert_eq!(forgotten(Forget::Id("msg_1")), Ok(true));
    assert_eq!(forgotten(Forget::Id("msg_1")), Ok(false));
    assert!(endpoint.keys(Forget::Key("short")).is_err());
}
