//! What is told of a delivery beside its answer: deferred work, steps with an end, and the attributes of a trace.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::storage::{KEY, Storage};
use support::{Message, SECRET, answered, endpoint, handled, ok, silent_client, status};
use surehook::core::telemetry::attempt::{Attempt, DropReason};
use surehook::core::{Outcome, Timestamp};
use surehook::{
    AttributeValue, BeforeSend, Capture, Client, ClientOptions, Clock as _, Deferred, Delivery, Endpoint,
    EndpointOptions, ErrorKind, HandlerError, SystemClock,
};

const MINUTE: Duration = Duration::from_secs(60);
const ERROR: HandlerError<'static> =
    HandlerError { kind: ErrorKind::Raised, error_type: "SmtpError", message: "no route to mail", location: None };

/// What a worker does with deferred work.
type End = fn(&Deferred);

/// An endpoint whose attempts are looked at.
struct Watched {
    capture: Capture,
    client: Client,
    endpoint: Endpoint,
}

impl Watched {
    fn new(change: impl FnOnce(&mut EndpointOptions)) -> Self {
        let capture = Capture::new();
        let client = Client::new(ClientOptions { capture: Some(capture.clone()), ..ClientOptions::default() }).unwrap();
        let endpoint = endpoint(|options| {
            options.client = Some(client.clone());
            change(options);
        });
        Self { capture, client, endpoint }
    }

    fn begin(&self, id: &str) -> Delivery {
        handled(Message::user_created(id).begin(&self.endpoint))
    }

    fn take_up(&self, token: &str) -> Deferred {
        Deferred::open_with(token, self.client.clone()).unwrap()
    }

    fn last(&self) -> Attempt {
        self.capture.attempts().pop().unwrap()
    }
}

#[test]
fn deferred_work_is_told_by_the_process_that_does_it() {
    let watched = Watched::new(|options| {
        options.require_processing_mark = true;
        options.steps = [("user.*".to_owned(), vec!["create_profile".to_owned(), "send_welcome".to_owned()])].into();
    });
    let delivery = watched.begin("msg_1");
    delivery.step("create_profile");
    let token = delivery.defer(MINUTE).unwrap();
    assert!(delivery.finish(status(202)).is_none());

    let deferred = watched.last();
    assert_eq!((deferred.outcome, deferred.status), (Outcome::Deferred, Some(202)));
    assert!(deferred.deferred_until.unwrap() > Timestamp::from_unix_seconds(support::START));
    // A duplicate gets the answer: the message is being taken care of.
    assert_eq!(answered(Message::user_created("msg_1").begin(&watched.endpoint)).status, 202);

    let work = watched.take_up(&token);
    assert_eq!(
        (work.message_id(), work.event_type(), work.entity_id()),
        (Some("msg_1"), Some("user.created"), Some("user_1"))
    );
    work.step("send_welcome");
    work.processed();
    let rest = watched.last();
    assert_eq!((rest.outcome, rest.continues), (Outcome::Processed, Some(deferred.id)));
    assert_ne!(rest.id, deferred.id);
    assert_eq!((rest.endpoint, rest.message_id.as_deref()), (deferred.endpoint, Some("msg_1")));
    assert_eq!(rest.steps[0].name, "send_welcome");
    assert_eq!((rest.status, rest.deferred_until), (None, None));
}

#[test]
fn deferred_work_that_leaves_a_step_out_is_a_silent_drop() {
    let watched = Watched::new(|options| options.steps = [("*".to_owned(), vec!["send_welcome".to_owned()])].into());
    let delivery = watched.begin("msg_1");
    let token = delivery.defer(MINUTE).unwrap();
    delivery.finish(ok(b""));
    let work = watched.take_up(&token);
    work.step("send_welcome");
    work.step_begun("send_welcome");
    work.step_ended("send_welcome", Duration::from_millis(5), Some(ERROR));
    work.processed();
    let rest = watched.last();
    assert_eq!((rest.outcome, rest.missing_steps), (Outcome::SilentDrop, vec!["send_welcome".to_owned()]));
    assert_eq!(rest.steps[0].error.as_ref().unwrap().kind, "SmtpError");
}

#[test]
fn the_first_end_of_deferred_work_counts_and_none_is_no_end() {
    let watched = Watched::new(|_| {});
    let delivery = watched.begin("msg_1");
    let token = delivery.defer(MINUTE).unwrap();
    assert_eq!(token, delivery.defer(MINUTE * 2).unwrap(), "the first deadline counts");
    delivery.processed();
    delivery.finish(ok(b""));
    assert_eq!(watched.last().outcome, Outcome::Deferred);

    drop(watched.take_up(&token));
    assert_eq!(watched.capture.attempts().len(), 1, "a worker that crashed may be started again");
    let work = watched.take_up(&token);
    work.failed_with(
        &format!("no plan for {SECRET}"),
        json!({ "plan": "pro", "password": "hunter2" }).as_object().unwrap().clone(),
    );
    work.processed();
    work.fail(ERROR);
    let attempts = watched.capture.attempts();
    assert_eq!((attempts.len(), attempts[1].outcome), (2, Outcome::Failed));
    assert_eq!(attempts[1].failure.as_ref().unwrap().reason.as_deref(), Some("no plan for [redacted]"));
    assert_eq!(attempts[1].metadata, *json!({ "plan": "pro", "password": "[redacted]" }).as_object().unwrap());

    watched.take_up(&token).fail(ERROR);
    let failure = watched.last().failure.unwrap();
    assert_eq!((failure.reason, failure.error.unwrap().kind), (None, "SmtpError".to_owned()));
}

#[test]
fn a_collector_joins_deferred_work_and_misses_what_nobody_marks() {
    let storage = Storage::start();
    let (api_key, address) = (Some(KEY.to_owned()), Some(format!("http://{}", storage.address())));
    let client = Client::new(ClientOptions { api_key, endpoint: address, ..ClientOptions::default() }).unwrap();
    let endpoint = endpoint(|options| {
        options.client = Some(client.clone());
        options.steps = [("*".to_owned(), vec!["send_welcome".to_owned()])].into();
    });
    let ends: [(&str, End); 4] = [
        ("msg_1_done", |work| {
            work.step("send_welcome");
            work.processed();
        }),
        ("msg_2_failed", |work| work.fail(ERROR)),
        ("msg_3_left_out", Deferred::processed),
        ("msg_4_forgotten", |_| {}),
    ];
    let mut tokens = Vec::new();
    for (id, end) in ends {
        let delivery = handled(Message::user_created(id).begin(&endpoint));
        tokens.push((delivery.defer(MINUTE).unwrap(), end));
        delivery.finish(status(202));
    }
    assert!(client.flush(MINUTE));
    let told = || storage.outcomes().into_iter().map(|(_, outcome)| outcome).collect::<Vec<_>>();
    assert_eq!(told(), ["deferred"; 4]);
    for (token, end) in &tokens {
        end(&Deferred::open_with(token, client.clone()).unwrap());
    }
    assert!(client.flush(MINUTE));
    assert_eq!(told(), ["processed", "failed", "silent_drop", "deferred"]);

    storage.set_clock(SystemClock.now() + MINUTE * 2);
    let deadline = Instant::now() + MINUTE;
    while told()[3] == "deferred" {
        assert!(Instant::now() < deadline, "it waits for ever");
        std::thread::yield_now();
    }
    assert_eq!(told(), ["processed", "failed", "silent_drop", "silent_drop"]);
    // Better late than never.
    let (token, _) = &tokens[3];
    ends[0].1(&Deferred::open_with(token, client.clone()).unwrap());
    assert!(client.flush(MINUTE));
    assert_eq!(told()[3], "processed");
    support::assert_identity(&client.stats());
}

#[test]
fn what_cannot_be_deferred_is_refused() {
    let watched = Watched::new(|_| {});
    let delivery = watched.begin("msg_1");
    for deadline in [Duration::ZERO, Duration::from_millis(999), MINUTE * 60 * 24 * 8, Duration::MAX] {
        let error = delivery.defer(deadline).unwrap_err();
        assert!(error.to_string().contains("1 second to 7 days"), "{error}");
    }
    delivery.finish(ok(b""));
    assert_eq!(watched.last().outcome, Outcome::Processed, "a refused deferral is none");
    assert!(delivery.defer(MINUTE).unwrap_err().to_string().contains("has ended"));
    assert!(Deferred::open("no token").unwrap_err().to_string().contains("defer()"));
    assert_eq!(Deferred::open_with("shd_", silent_client()).unwrap_err().code(), "invalid_option");
}

#[test]
fn a_step_with_an_end_counts_when_it_ended_well() {
    let watched = Watched::new(|options| options.steps = [("*".to_owned(), vec!["sync".to_owned()])].into());
    let run = |id: &str, error: Option<HandlerError<'_>>, ends: bool| {
        let delivery = watched.begin(id);
        delivery.step("sync");
        delivery.step_begun("sync");
        if ends {
            delivery.step_ended("sync", Duration::from_millis(7), error);
        }
        delivery.finish(ok(b""));
        watched.last()
    };
    let done = run("msg_1", None, true);
    assert_eq!((done.outcome, done.steps[0].duration_us), (Outcome::Processed, Some(7_000)));
    assert_eq!(run("msg_2", Some(ERROR), true).outcome, Outcome::SilentDrop);
    let never_ended = run("msg_3", None, false);
    assert_eq!((never_ended.outcome, never_ended.steps.len()), (Outcome::SilentDrop, 0));
}

#[test]
fn a_capture_shows_what_a_collector_would_get() {
    let capture = Capture::new();
    let client = Client::new(ClientOptions {
        capture: Some(capture.clone()),
        before_send: Some(BeforeSend::new(|attempt| {
            attempt.metadata.insert("seen".to_owned(), true.into());
            attempt.message_id.as_deref() != Some("msg_2")
        })),
        ..ClientOptions::default()
    })
    .unwrap();
    let endpoint = endpoint(|options| options.client = Some(client.clone()));
    for id in ["msg_1", "msg_2"] {
        handled(Message::user_created(id).begin(&endpoint)).finish(ok(b""));
    }
    let attempts = capture.attempts();
    assert_eq!((attempts.len(), &attempts[0].metadata["seen"]), (1, &json!(true)));
    assert!(client.flush(Duration::ZERO) && client.shutdown(Duration::ZERO));
    let stats = client.stats();
    assert_eq!((stats.recorded, stats.stored, stats.dropped[&DropReason::BeforeSend]), (2, 1, 1));
    support::assert_identity(&stats);
    capture.clear();
    assert!(capture.attempts().is_empty());
}

fn text<'a>(attributes: &'a [surehook::Attribute], name: &str) -> Option<&'a str> {
    attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| match value {
        AttributeValue::Text(text) => text.as_str(),
        AttributeValue::Number(_) => panic!("{name} is a number"),
    })
}

#[test]
fn a_trace_is_told_what_a_delivery_is_and_what_became_of_it() {
    let watched = Watched::new(|options| options.traced = true);
    let delivery = watched.begin("msg_1");
    let start = delivery.attributes();
    assert_eq!(text(&start, "messaging.system"), Some("webhook"));
    assert_eq!(text(&start, "messaging.operation.type"), Some("process"));
    assert_eq!(text(&start, "messaging.destination.name"), Some(watched.endpoint.name()));
    assert_eq!(text(&start, "messaging.message.id"), Some("msg_1"));
    assert_eq!(text(&start, "cloudevents.event_type"), Some("user.created"));
    assert_eq!(text(&start, "surehook.verification.result"), Some("verified"));
    assert_eq!(text(&start, "surehook.dedup.result"), Some("new"));
    let size = start.iter().find(|(name, _)| *name == "messaging.message.body.size").unwrap();
    assert_eq!(size.1, AttributeValue::Number(Message::user_created("msg_1").body.len() as u64));
    delivery.finish(ok(b""));
    assert_eq!(delivery.attributes(), [("surehook.outcome", AttributeValue::Text("processed".to_owned()))]);

    let replay = answered(Message::user_created("msg_1").begin(&watched.endpoint));
    assert_eq!(text(&replay.attributes, "surehook.outcome"), Some("duplicate"));
    assert_eq!(text(&replay.attributes, "error.type"), None);

    let failing = watched.begin("msg_2");
    failing.fail(ERROR);
    assert_eq!(text(&failing.attributes(), "error.type"), Some("SmtpError"));
    let answering = watched.begin("msg_3");
    answering.finish(status(500));
    assert_eq!(text(&answering.attributes(), "error.type"), Some("failed"));
}

#[test]
fn a_trace_is_told_nothing_that_a_forged_request_says_and_nothing_where_none_asks() {
    let watched = Watched::new(|options| options.traced = true);
    let forged = Message { body: b"{}".to_vec(), ..Message::user_created("msg_victim") };
    let answer = forged.with_request(|request| {
        let changed = surehook::Request { body: surehook::Body::Bytes(b"{ }"), ..request };
        answered(watched.endpoint.begin(changed))
    });
    assert_eq!(text(&answer.attributes, "surehook.outcome"), Some("rejected"));
    assert_eq!(text(&answer.attributes, "error.type"), Some("signature_mismatch"));
    assert_eq!(text(&answer.attributes, "messaging.message.id"), None);

    let untraced = Watched::new(|_| {});
    let delivery = untraced.begin("msg_1");
    assert!(delivery.attributes().is_empty());
    delivery.finish(ok(b""));
    assert!(delivery.attributes().is_empty());
    assert!(answered(Message::user_created("msg_1").begin(&untraced.endpoint)).attributes.is_empty());
}
