//! A sender that hangs up does not end the handler; nothing is held for longer than 15 minutes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::{ManualClock, Message, answered, endpoint, handled, ok, status};
use surehook::core::telemetry::attempt::Attempt;
use surehook::core::{Outcome, Timestamp};
use surehook::{
    Answer, AnswerKind, Capture, Client, ClientOptions, Clock, Delivery, Endpoint, ErrorKind, HandlerError,
};

const LIMIT: Duration = Duration::from_secs(15 * 60);
const ERROR: HandlerError<'static> =
    HandlerError { kind: ErrorKind::Raised, error_type: "SmtpError", message: "no route to mail", location: None };

struct Bench {
    capture: Capture,
    clock: Arc<ManualClock>,
    endpoint: Endpoint,
}

impl Bench {
    fn new() -> Self {
        let (capture, clock) = (Capture::new(), ManualClock::new());
        let client = Client::new(ClientOptions { capture: Some(capture.clone()), ..ClientOptions::default() }).unwrap();
        let endpoint = endpoint(|options| {
            options.client = Some(client);
            options.clock = Some(Arc::clone(&clock) as Arc<dyn Clock>);
        });
        Self { capture, clock, endpoint }
    }

    fn handle(&self) -> Delivery {
        handled(Message::user_created("msg_1").begin(&self.endpoint))
    }

    fn duplicate(&self) -> Answer {
        answered(Message::user_created("msg_1").begin(&self.endpoint))
    }

    fn last(&self) -> Attempt {
        self.capture.attempts().pop().unwrap()
    }

    /// Waits for the watch, which looks once a second.
    fn wait_for_a_record(&self) -> Attempt {
        let end = Instant::now() + Duration::from_secs(20);
        while self.capture.attempts().is_empty() {
            assert!(Instant::now() < end, "nothing was recorded");
            std::thread::yield_now();
        }
        self.last()
    }
}

#[test]
fn a_message_stays_claimed_after_its_sender_left_and_the_retry_gets_the_stored_answer() {
    let bench = Bench::new();
    let delivery = bench.handle();
    delivery.sender_left();
    assert_eq!(bench.duplicate().kind, AnswerKind::Busy);
    assert!(delivery.finish(ok(b"done")).is_none());

    let attempt = bench.last();
    assert_eq!((attempt.outcome, attempt.status, attempt.sender_left), (Outcome::Processed, Some(200), true));
    assert_eq!(attempt.answered(), None, "nobody got the answer");
    let replay = bench.duplicate();
    assert_eq!((replay.kind, replay.status, &replay.body[..]), (AnswerKind::Replay, 200, &b"done"[..]));
    let duplicate = bench.last();
    assert_eq!((duplicate.sender_left, duplicate.answered()), (false, Some(200)));
}

#[test]
fn a_handler_that_fails_after_its_sender_left_gives_the_message_back() {
    for end in [|delivery: &Delivery| delivery.fail(ERROR), |delivery: &Delivery| drop(delivery.finish(status(503)))] {
        let bench = Bench::new();
        let delivery = bench.handle();
        delivery.sender_left();
        end(&delivery);
        assert_eq!((bench.last().outcome, bench.last().sender_left), (Outcome::Failed, true));
        assert!(bench.handle().finish(ok(b"")).is_none());
    }
}

#[test]
fn after_the_end_it_is_too_late_to_say_so() {
    let bench = Bench::new();
    let delivery = bench.handle();
    assert!(delivery.finish(ok(b"")).is_none());
    delivery.sender_left();
    assert!(!bench.last().sender_left);
    let json = serde_json::to_value(bench.last()).unwrap();
    assert!(json.get("sender_left").is_none(), "what is usual takes no room: {json}");
}

#[test]
fn a_handler_that_never_answers_fails_after_15_minutes_and_its_message_is_given_back() {
    let (late, in_time) = (Bench::new(), Bench::new());
    let (overdue, running) = (late.handle(), in_time.handle());
    overdue.sender_left();
    late.clock.advance(LIMIT);
    in_time.clock.advance(LIMIT - Duration::from_secs(1));

    let attempt = late.wait_for_a_record();
    let error = attempt.failure.unwrap().error.unwrap();
    assert_eq!((attempt.outcome, attempt.status, attempt.sender_left), (Outcome::Failed, None, true));
    assert_eq!(error.kind, "NeverAnswered");
    assert!(in_time.capture.attempts().is_empty());
    assert!(running.finish(ok(b"")).is_none());
    assert_eq!(in_time.last().outcome, Outcome::Processed);

    // Whatever the handler says by now, the message is another attempt's.
    let message = Message { sent_at: support::START + 900, ..Message::user_created("msg_1") };
    let next = handled(message.begin(&late.endpoint));
    assert!(overdue.finish(ok(b"too late")).is_none());
    overdue.fail(ERROR);
    assert_eq!(late.capture.attempts().len(), 1);
    assert!(next.finish(ok(b"the next one's")).is_none());
    assert_eq!(answered(message.begin(&late.endpoint)).body, b"the next one's");
}

/// A clock that can be broken.
struct Fragile(AtomicBool, Arc<ManualClock>);

impl Clock for Fragile {
    fn now(&self) -> Timestamp {
        assert!(!self.0.load(Ordering::SeqCst), "a test breaks it");
        self.1.now()
    }
}

#[test]
fn a_fault_in_one_delivery_leaves_the_watch_over_the_others() {
    let clock = Arc::new(Fragile(AtomicBool::new(false), ManualClock::new()));
    let broken = endpoint(|options| options.clock = Some(Arc::clone(&clock) as Arc<dyn Clock>));
    let running = handled(Message::user_created("msg_1").begin(&broken));
    clock.0.store(true, Ordering::SeqCst);

    for _ in 0..2 {
        let bench = Bench::new();
        let overdue = bench.handle();
        bench.clock.advance(LIMIT);
        assert_eq!(bench.wait_for_a_record().outcome, Outcome::Failed);
        drop(overdue);
    }
    clock.0.store(false, Ordering::SeqCst);
    drop(running);
}
