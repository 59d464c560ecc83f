//! What an endpoint does with requests: verify, remember, replay.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::{ManualClock, Message, SECRET, answered, endpoint, handled, ok, status};
use surehook::{
    AnswerKind, Body, Decision, Endpoint, EndpointOptions, ErrorKind, HandlerError, Hooks, OnIdReuse, OnSilentDrop,
    Request, Response, ResponseBody, STORED_BODY_LIMIT, Verification,
};

const RAISED: HandlerError<'_> =
    HandlerError { kind: ErrorKind::Raised, error_type: "ValueError", message: "no", location: None };

#[test]
fn a_retry_of_a_handled_message_gets_the_same_bytes_and_runs_nothing() {
    let endpoint = endpoint(|_| {});
    let message = Message::user_created("msg_1");
    assert!(handled(message.begin(&endpoint)).finish(ok(b"\xff created")).is_none());
    let retry = Message { sent_at: message.sent_at + 5, ..message };
    let replay = answered(retry.begin(&endpoint));
    assert_eq!((replay.kind, replay.status), (AnswerKind::Replay, 200));
    assert_eq!(replay.body, b"\xff created");
    assert!(replay.headers.contains(&("content-type".to_owned(), "text/plain".to_owned())));
    assert!(replay.headers.contains(&("Idempotent-Replayed".to_owned(), "true".to_owned())));
}

#[test]
fn of_200_concurrent_duplicates_one_runs() {
    let endpoint = endpoint(|_| {});
    let (runs, start) = (AtomicUsize::new(0), Barrier::new(200));
    std::thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| {
                start.wait();
                match Message::user_created("msg_1").begin(&endpoint) {
                    Decision::Handle(delivery) => {
                        runs.fetch_add(1, Ordering::SeqCst);
                        delivery.finish(ok(b""));
                    }
                    Decision::Answer(answer) => assert!(matches!(answer.status, 200 | 409)),
                }
            });
        }
    });
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[test]
fn while_a_handler_runs_its_duplicates_are_told_to_come_later() {
    let endpoint = endpoint(|_| {});
    let message = Message::user_created("msg_1");
    let _running = handled(message.begin(&endpoint));
    let busy = answered(message.begin(&endpoint));
    assert_eq!((busy.kind, busy.status), (AnswerKind::Busy, 409));
    assert!(busy.headers.iter().any(|(name, _)| name == "retry-after"));
}

#[test]
fn whatever_is_not_handled_is_handled_again() {
    let endpoint = endpoint(|_| {});
    let message = Message::user_created("msg_1");
    for code in [302, 400, 404, 500, 503] {
        handled(message.begin(&endpoint)).finish(status(code));
    }
    handled(message.begin(&endpoint)).fail(RAISED);
    drop(handled(message.begin(&endpoint)));
    let failed = handled(message.begin(&endpoint));
    failed.failed("no such organization");
    assert!(failed.finish(ok(b"")).is_none(), "failed() leaves the answer alone");
    let _ = handled(message.begin(&endpoint));
}

#[test]
fn a_message_that_was_cut_off_runs_no_handler_even_where_nothing_is_verified() {
    for verification in [Verification::On, Verification::Off] {
        let endpoint = endpoint(|options| options.verification = verification);
        let cut_off = Message::user_created("msg_1")
            .with_request(|request| endpoint.begin(Request { body: Body::Incomplete, ..request }));
        let answer = answered(cut_off);
        assert_eq!(answer.rejection.as_ref().unwrap().code().as_str(), "body_unavailable");
    }
}

#[test]
fn the_sender_is_told_the_same_whatever_is_wrong() {
    let endpoint = endpoint(|options| options.max_body_bytes = Some(1000));
    let good = Message::user_created("msg_1");
    let mut answers = vec![
        answered(Message { sent_at: good.sent_at - 301, ..good.clone() }.begin(&endpoint)),
        answered(Message { sent_at: good.sent_at + 301, ..good.clone() }.begin(&endpoint)),
        answered(Message { id: "a.b".to_owned(), ..good.clone() }.begin(&endpoint)),
        answered(good.with_request(|request| endpoint.begin(Request { body: Body::Bytes(b"{}"), ..request }))),
        answered(good.with_request(|request| endpoint.begin(Request { body: Body::Unavailable, ..request }))),
        answered(good.with_request(|request| endpoint.begin(Request { headers: &[], ..request }))),
    ];
    let codes: Vec<_> = answers.iter().map(|answer| answer.rejection.as_ref().unwrap().code().as_str()).collect();
    assert_eq!(
        codes,
        [
            "timestamp_too_old",
            "timestamp_too_new",
            "malformed_message_id",
            "signature_mismatch",
            "body_unavailable",
            "missing_header"
        ]
    );
    for answer in &mut answers {
        answer.rejection = None;
        assert_eq!((answer.status, &answer.body[..]), (401, &br#"{"error":"invalid webhook signature"}"#[..]));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    for body in [Body::TooLarge, Body::Bytes(&[b' '; 1001])] {
        let large = answered(good.with_request(|request| endpoint.begin(Request { body, ..request })));
        assert_eq!(large.status, 413);
    }
    let _ = handled(good.begin(&endpoint));
}

#[test]
fn a_key_function_sees_verified_messages_only_and_names_them() {
    let endpoint = endpoint(|_| {});
    let mut seen = 0;
    let mut begin = |message: &Message, forged: bool| {
        message.with_request(|request| {
            let body = if forged { Body::Bytes(b"forged") } else { request.body };
            let mut key = |_: &surehook::VerifiedMessage<'_>| {
                seen += 1;
                Some("order-1".to_owned())
            };
            endpoint.begin_with(Request { body, ..request }, Hooks { key: Some(&mut key), ..Hooks::default() })
        })
    };
    assert_eq!(answered(begin(&Message::user_created("msg_1"), true)).status, 401);
    handled(begin(&Message::user_created("msg_1"), false)).finish(ok(b"first"));
    assert_eq!(answered(begin(&Message::user_created("msg_2"), false)).body, b"first");
    // The same key for another body: the handler runs, for the function is not unique.
    handled(begin(&Message::new("msg_3", "{}"), false)).finish(ok(b"other"));
    assert_eq!(answered(begin(&Message::user_created("msg_4"), false)).body, b"first");
    assert_eq!(seen, 4);
}

#[test]
fn a_key_function_without_an_answer_leaves_the_providers_id() {
    let endpoint = endpoint(|_| {});
    for (id, expected) in [("msg_1", true), ("msg_2", true), ("msg_1", false)] {
        let decision = Message::user_created(id).with_request(|request| {
            let hooks = Hooks { key: Some(&mut |_| Some(String::new())), ..Hooks::default() };
            endpoint.begin_with(request, hooks)
        });
        match decision {
            Decision::Handle(delivery) => {
                assert!(expected);
                delivery.finish(ok(b""));
            }
            Decision::Answer(_) => assert!(!expected),
        }
    }
}

#[test]
fn an_id_with_another_body_is_treated_as_set() {
    let (first, second) = (Message::user_created("msg_1"), Message::new("msg_1", "{}"));
    for (policy, expected) in [(None, 200), (Some(OnIdReuse::Replay), 200), (Some(OnIdReuse::Reject), 422)] {
        let endpoint = endpoint(|options| options.on_id_reuse = policy);
        handled(first.begin(&endpoint)).finish(ok(b"first"));
        assert_eq!(answered(second.begin(&endpoint)).status, expected);
    }
    let endpoint = endpoint(|options| options.on_id_reuse = Some(OnIdReuse::Handle));
    handled(first.begin(&endpoint)).finish(ok(b"first"));
    handled(second.begin(&endpoint)).finish(ok(b"second"));
    assert_eq!(answered(first.begin(&endpoint)).body, b"first");
}

#[test]
fn two_endpoints_both_handle_the_same_message() {
    let message = Message::user_created("msg_1");
    for _ in 0..2 {
        handled(message.begin(&endpoint(|_| {}))).finish(ok(b""));
    }
}

#[test]
fn a_handled_message_is_forgotten_after_its_time() {
    let clock = ManualClock::new();
    let endpoint = endpoint(|options| {
        options.clock = Some(clock.clone());
        options.dedup_ttl = Some(Duration::from_secs(600));
    });
    let mut message = Message::user_created("msg_1");
    handled(message.begin(&endpoint)).finish(ok(b""));
    clock.advance(Duration::from_secs(599));
    message.sent_at += 599;
    answered(message.begin(&endpoint));
    clock.advance(Duration::from_secs(1));
    let _ = handled(message.begin(&endpoint));
}

#[test]
fn long_and_streamed_answers_are_replayed_without_a_body() {
    let endpoint = endpoint(|_| {});
    let long = vec![b'x'; STORED_BODY_LIMIT + 1];
    for (id, body) in [("msg_1", ResponseBody::Bytes(&long)), ("msg_2", ResponseBody::NotCaptured)] {
        let message = Message::user_created(id);
        handled(message.begin(&endpoint)).finish(Response { status: 201, headers: &[], body });
        let replay = answered(message.begin(&endpoint));
        assert_eq!((replay.status, &replay.body[..]), (201, &b""[..]));
        assert!(replay.headers.contains(&("Idempotent-Replayed".to_owned(), "body-omitted".to_owned())));
    }
}

#[test]
fn without_dedup_the_very_same_request_is_refused_and_a_retry_is_not() {
    let endpoint = endpoint(|options| options.dedup = Some("off".to_owned()));
    let message = Message::user_created("msg_1");
    handled(message.begin(&endpoint)).finish(ok(b""));
    assert_eq!(answered(message.begin(&endpoint)).rejection.unwrap().code().as_str(), "replayed");
    let retry = Message { sent_at: message.sent_at + 5, ..message };
    handled(retry.begin(&endpoint)).finish(status(500));
    let _ = handled(retry.begin(&endpoint));
}

#[test]
fn a_silent_drop_can_make_the_provider_try_again() {
    let retrying = endpoint(|options| {
        options.require_processing_mark = true;
        options.on_silent_drop = OnSilentDrop::Retry;
        options.ignore = vec!["session.*".to_owned()];
    });
    let message = Message::user_created("msg_1");
    let instead = handled(message.begin(&retrying)).finish(ok(b"fine")).unwrap();
    assert_eq!((instead.kind, instead.status), (AnswerKind::SilentDrop, 500));
    let marked = handled(message.begin(&retrying));
    marked.processed();
    assert!(marked.finish(ok(b"fine")).is_none());
    let ignored = Message::new("msg_2", r#"{"type":"session.created"}"#);
    assert!(handled(ignored.begin(&retrying)).finish(ok(b"")).is_none());
}

#[test]
fn with_verification_off_all_is_let_through_and_nothing_is_remembered() {
    let open = endpoint(|options| {
        options.verification = Verification::Off;
        options.secrets = Vec::new();
    });
    let unsigned = Request { method: "POST", path: "/", headers: &[], body: Body::Bytes(br#"{"type":"a.b"}"#) };
    for _ in 0..2 {
        let delivery = handled(open.begin(unsigned));
        assert_eq!((delivery.event_type(), delivery.message_id()), (Some("a.b"), None));
        delivery.finish(ok(b""));
    }
    assert!(open.warnings()[0].contains("verification is off"));
}

#[test]
fn what_cannot_work_is_refused_when_the_endpoint_is_built() {
    type Change = fn(&mut EndpointOptions);
    let cases: [(Change, &str); 8] = [
        (|options| options.provider = "clark".to_owned(), "unknown_provider"),
        (|options| options.tolerance = Some(Duration::ZERO), "invalid_option"),
        (|options| options.tolerance = Some(Duration::from_secs(3601)), "invalid_option"),
        (|options| options.reject_status = Some(200), "invalid_option"),
        (|options| options.dedup = Some("memory".to_owned()), "invalid_option"),
        (|options| options.dedup_ttl = Some(Duration::from_secs(599)), "invalid_option"),
        (|options| options.name = Some(String::new()), "invalid_option"),
        (|options| options.ignore = vec!["*.created".to_owned()], "invalid_option"),
    ];
    for (change, code) in cases {
        let mut options = EndpointOptions { secrets: vec![SECRET.to_owned()], ..EndpointOptions::new("clerk") };
        change(&mut options);
        assert_eq!(Endpoint::new(options).unwrap_err().code(), code);
    }
}

#[test]
fn a_memory_shorter_than_the_providers_retries_is_warned_about() {
    let with_ttl = |hours: u64| endpoint(|options| options.dedup_ttl = Some(Duration::from_secs(hours * 3600)));
    let warned = with_ttl(27);
    assert!(warned.warnings()[0].contains("Clerk tries again for 27.6 h"), "{:?}", warned.warnings());
    assert!(with_ttl(28).warnings().is_empty());
    let guarded = endpoint(|options| {
        options.dedup = Some("off".to_owned());
        options.dedup_ttl = Some(Duration::from_secs(3600));
    });
    assert!(guarded.warnings().is_empty(), "nothing is remembered there");
}

#[test]
fn every_path_is_counted() {
    let endpoint = endpoint(|_| {});
    let message = Message::user_created("msg_1");
    let running = handled(message.begin(&endpoint));
    answered(message.begin(&endpoint));
    running.finish(ok(b""));
    answered(message.begin(&endpoint));
    answered(Message::new("msg_1", "{}").begin(&endpoint));
    let forged = Message { sent_at: 1, ..message };
    answered(forged.begin(&endpoint));
    let expected = surehook::DedupCounts { new: 1, in_flight: 1, duplicate: 1, id_reuse: 1, ..Default::default() };
    assert_eq!(endpoint.dedup_counts(), expected);
}
