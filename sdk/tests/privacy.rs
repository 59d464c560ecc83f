//! What leaves the process: no credential, whatever it was put into, and nothing the application keeps back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;
use support::collector::{Collector, Play};
use support::redaction::filled;
use support::{Message, assert_identity, endpoint, handled, ok};
use surehook::core::telemetry::attempt::DropReason;
use surehook::{BeforeSend, Body, CaptureBody, Client, ClientOptions, ErrorKind, HandlerError, Request};

const LONG: Duration = Duration::from_secs(20);
const CANARIES: usize = 320;

fn client(collector: &Collector, before_send: Option<BeforeSend>) -> Client {
    let endpoint = Some(format!("http://{}", collector.address()));
    let api_key = Some("shk_test".to_owned());
    Client::new(ClientOptions { api_key, endpoint, before_send, ..ClientOptions::default() }).unwrap()
}

/// The kinds of credentials that every language knows, and a card number.
fn kinds() -> Vec<String> {
    let contract: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/contract/redaction.json")).unwrap();
    let texts = contract["credentials"].as_array().unwrap().iter();
    texts.map(|kind| kind["text"].as_str().unwrap().to_owned()).chain(["4111111111111111".to_owned()]).collect()
}

/// A credential of one kind in the words around it, and the part of it that must not be seen again.
fn canary(kinds: &[String], number: usize) -> (String, String) {
    filled(&kinds[number % kinds.len()], 0x5eed + number as u64)
}

#[test]
fn of_320_credentials_none_is_on_the_wire() {
    let collector = Collector::start([], Play::Accept);
    let client = client(&collector, None);
    let endpoint = endpoint(|options| {
        options.client = Some(client.clone());
        options.capture_body = Some(CaptureBody::default());
    });
    let kinds = kinds();
    let mut secrets = Vec::new();
    for number in 0..CANARIES {
        let (text, secret) = canary(&kinds, number);
        secrets.push(secret);
        let body = json!({ "type": "user.created", "data": { "id": text, "note": text, "access_token": text, "list": [text] } });
        let is_label =
            text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-=:".contains(&byte));
        let id = if is_label { text.clone() } else { format!("msg_{number}") };
        let message = Message::new(&id, &body.to_string());
        let path = format!("/hooks?key={text}&{text}#{text}");
        let delivery = handled(message.with_request(|request| {
            let mut headers = request.headers.to_vec();
            headers.extend([
                (b"cookie".as_slice(), text.as_bytes()),
                (b"authorization", text.as_bytes()),
                (b"user-agent", text.as_bytes()),
                (b"x-request-id", text.as_bytes()),
                (b"x-custom", text.as_bytes()),
            ]);
            endpoint.begin(Request { path: &path, headers: &headers, ..request })
        }));
        delivery.step(&text);
        let error = HandlerError { kind: ErrorKind::Raised, error_type: "E", message: &text, location: Some(&text) };
        delivery.step_ended("step", Duration::from_millis(1), Some(error));
        match number % 3 {
            0 => {
                let details = json!({ "detail": text, "password": text, "deep": { "list": [text] } });
                delivery.failed_with(&text, details.as_object().unwrap().clone());
                delivery.finish(ok(text.as_bytes()));
            }
            1 => {
                delivery.finish(ok(json!({ "echo": text, "token": text }).to_string().as_bytes()));
            }
            _ => delivery.fail(error),
        }
    }
    // A body that did not pass the check is nobody's, and is not told.
    let (text, secret) = canary(&kinds, CANARIES);
    secrets.push(secret);
    let message = Message::user_created("msg_forged");
    message.with_request(|request| endpoint.begin(Request { body: Body::Bytes(text.as_bytes()), ..request }));
    assert!(client.flush(LONG));

    let seen = collector.seen();
    assert_eq!(seen.stored.len(), CANARIES + 1);
    let wire = serde_json::to_string(&seen.batches).unwrap();
    assert!(
        wire.contains("redacted-")
            && wire.contains("user.created")
            && wire.contains("[redacted]")
            && wire.contains(r#""bodies""#)
    );
    for (number, secret) in secrets.iter().enumerate() {
        // A few digits are found anywhere.
        assert!(secret.len() < 8 || !wire.contains(secret), "canary {number}: {:?}", canary(&kinds, number));
    }
}

#[test]
fn bodies_are_told_as_far_as_the_paths_say_and_only_when_asked_for() {
    let body = r#"{"type":"user.created","data":{"id":"user_1","emails":[{"address":"a@b.example","ok":true}],"card":4111111111111111}}"#;
    let captured = |capture_body: Option<CaptureBody>| {
        let collector = Collector::start([], Play::Accept);
        let client = client(&collector, None);
        let endpoint = endpoint(|options| {
            options.client = Some(client.clone());
            options.capture_body = capture_body;
        });
        handled(Message::new("msg_1", body).begin(&endpoint)).finish(ok(b"fine"));
        assert!(client.flush(LONG));
        let attempt = collector.seen().stored.values().next().unwrap().clone();
        let json = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap();
        attempt.bodies.map(|bodies| (json(bodies.request.unwrap()), bodies.response))
    };
    let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    assert_eq!(captured(None), None);
    let all = captured(Some(CaptureBody::default())).unwrap();
    assert_eq!(
        all.0,
        json!({ "type": "user.created", "data": {
            "id": "user_1", "emails": [{ "address": "a@b.example", "ok": true }], "card": "[redacted]"
        } })
    );
    assert_eq!(all.1.as_deref(), Some("fine"));
    let removed = captured(Some(CaptureBody { remove: paths(&["data.emails.address", "data.card"]), keep: vec![] }));
    // What is not JSON has no paths, so none of it is told.
    assert_eq!(
        removed,
        Some((json!({ "type": "user.created", "data": { "id": "user_1", "emails": [{ "ok": true }] } }), None))
    );
    let kept = captured(Some(CaptureBody { keep: paths(&["type", "data.*.ok"]), remove: vec![] }));
    assert_eq!(kept.unwrap().0, json!({ "type": "user.created", "data": { "emails": [{ "ok": true }] } }));
    for wrong in ["", "data..id", "."] {
        let options = surehook::EndpointOptions {
            secrets: vec![support::SECRET.to_owned()],
            capture_body: Some(CaptureBody { keep: paths(&[wrong]), remove: vec![] }),
            ..surehook::EndpointOptions::new("clerk")
        };
        assert_eq!(surehook::Endpoint::new(options).unwrap_err().code(), "invalid_option");
    }
}

#[test]
fn before_send_may_change_an_attempt_or_keep_it_back_once() {
    // The first try is refused, so that each attempt is sent twice and must be shown once.
    let collector = Collector::start([Play::Answer(503, "retry-after: 0\r\n", "{}")], Play::Accept);
    let (shown, seen_ids) = mpsc::channel();
    let client = client(
        &collector,
        Some(BeforeSend::new(move |attempt| {
            shown.send(attempt.id).unwrap();
            attempt.entity_id = None;
            attempt.id = uuid::Uuid::nil();
            match attempt.message_id.as_deref() {
                Some("msg_0") => false,
                Some("msg_1") => panic!("a callback that fails"),
                _ => true,
            }
        })),
    );
    let endpoint = endpoint(|options| options.client = Some(client.clone()));
    for number in 0..10 {
        let message = Message::user_created(&format!("msg_{number}"));
        assert!(handled(message.begin(&endpoint)).finish(ok(b"done")).is_none());
    }
    assert!(client.flush(LONG));
    let stats = client.stats();
    assert_eq!((stats.stored, stats.dropped[&DropReason::BeforeSend]), (8, 2));
    assert_identity(&stats);
    assert_eq!(seen_ids.try_iter().count(), 10);
    let seen = collector.seen();
    assert_eq!(seen.stored.len(), 8, "their ids are their own");
    assert!(seen.stored.values().all(|attempt| attempt.entity_id.is_none()));
}

#[test]
fn a_before_send_that_keeps_everything_back_leaves_nothing_waiting() {
    let collector = Collector::start([], Play::Accept);
    let client = client(&collector, Some(BeforeSend::new(|_| false)));
    let endpoint = endpoint(|options| options.client = Some(client.clone()));
    for number in 0..150 {
        handled(Message::user_created(&format!("msg_{number}")).begin(&endpoint)).finish(ok(b"done"));
    }
    assert!(client.flush(LONG));
    assert_eq!(client.stats().dropped[&DropReason::BeforeSend], 150);
    assert_identity(&client.stats());
    assert_eq!(collector.seen().requests, 0);
}

#[test]
fn a_before_send_that_hangs_holds_up_no_handler_and_no_exit() {
    let collector = Collector::start([], Play::Accept);
    let (release, hold) = mpsc::channel::<()>();
    let hold = std::sync::Mutex::new(hold);
    let client = client(
        &collector,
        Some(BeforeSend::new(move |_| {
            // Until the test ends.
            let _ = hold.lock().unwrap().recv();
            true
        })),
    );
    let endpoint = endpoint(|options| options.client = Some(client.clone()));
    let started = Instant::now();
    for number in 0..500 {
        let message = Message::user_created(&format!("msg_{number}"));
        assert!(handled(message.begin(&endpoint)).finish(ok(b"done")).is_none());
    }
    assert!(!client.flush(Duration::from_millis(50)));
    assert!(!client.shutdown(Duration::from_millis(50)));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_identity(&client.stats());
    drop(release);
}
