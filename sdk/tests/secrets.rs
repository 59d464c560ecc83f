//! Endpoints whose secret is missing, unusable or exchanged while they serve.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{ManualClock, Message, SECRET, answered, endpoint, handled, ok};
use surehook::{AnswerKind, Capture, Client, ClientOptions, Endpoint, EndpointOptions, Error, Scheme, take_notices};
use surehook_core::Outcome;
use surehook_core::telemetry::attempt::{DedupResult, VerificationResult};

const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Like `clerk`, with a variable that nobody sets.
fn without_a_variable() -> Scheme {
    let row = r#"{
        "provider": "unset", "secret_env": ["SUREHOOK_TEST_UNSET", "SUREHOOK_TEST_UNSET_TOO"],
        "secret": "standard", "algorithm": "standard", "content": "{id}.{timestamp}.{body}",
        "signature": {"families": [{"id": "svix-id", "timestamp": "svix-timestamp", "signature": "svix-signature"}]},
        "timestamp": {"unit": "seconds", "tolerance_seconds": 300}, "event_type": {"body": ["type"]}
    }"#;
    Scheme::from_json(row).unwrap()
}

fn recorded(capture: &Capture) -> Client {
    Client::new(ClientOptions { capture: Some(capture.clone()), ..ClientOptions::default() }).unwrap()
}

/// What was said of an endpoint.
fn said_of(name: &str) -> Vec<String> {
    take_notices().into_iter().map(|notice| notice.text).filter(|text| text.starts_with(&format!("{name}:"))).collect()
}

#[test]
fn without_a_secret_an_endpoint_can_be_built_and_answers_503_without_touching_anything() {
    let capture = Capture::new();
    let unset = endpoint(|options| {
        options.scheme = Some(without_a_variable());
        options.secrets = Vec::new();
        options.client = Some(recorded(&capture));
    });
    let error = unset.check().unwrap_err();
    assert_eq!(error.code(), "secret_missing");
    assert!(error.to_string().contains("SUREHOOK_TEST_UNSET or SUREHOOK_TEST_UNSET_TOO"), "{error}");

    for _ in 0..3 {
        let answer = answered(Message::user_created("msg_1").begin(&unset));
        assert_eq!((answer.kind, answer.status), (AnswerKind::Unconfigured, 503));
        assert!(answer.headers.contains(&("retry-after".to_owned(), "30".to_owned())), "{:?}", answer.headers);
        assert_eq!(answer.rejection.unwrap().code().as_str(), "secret_missing");
        assert!(!String::from_utf8(answer.body).unwrap().contains("secret"), "the sender is not told why");
    }
    let attempts = capture.attempts();
    assert_eq!(attempts.len(), 3);
    let attempt = &attempts[0];
    assert_eq!((attempt.outcome, attempt.dedup.result), (Outcome::Unavailable, DedupResult::Off));
    assert_eq!(attempt.verification.result, VerificationResult::Rejected);
    assert_eq!(attempt.verification.code.map(|code| code.as_str()), Some("secret_missing"));
    assert_eq!(unset.dedup_counts(), surehook::DedupCounts::default());
}

#[test]
fn every_unusable_secret_is_refused_when_it_is_needed_and_never_lets_anything_through() {
    let unusable: [&[&str]; 12] = [
        &[""],
        &[" "],
        &["whsec_"],
        &["whsec_bw=="],
        &["changeme"],
        &["${CLERK_WEBHOOK_SIGNING_SECRET}"],
        &["\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\""],
        &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"],
        &["sk_live_51Habcdefghijklmnopqrstuvwxyz0123456789"],
        &["whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        &["https://app.example.com/api/webhooks/clerk"],
        &[SECRET, ""],
    ];
    for secrets in unusable {
        let broken = endpoint(|options| options.secrets = secrets.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(broken.check().unwrap_err().code(), "secret_invalid", "{secrets:?}");
        assert_eq!(answered(Message::user_created("msg_1").begin(&broken)).status, 503, "{secrets:?}");
    }
    let unreadable = endpoint(|options| {
        options.secret_fault = Some(Error::SecretMissing { hint: "it is a number".to_owned() });
    });
    assert!(unreadable.check().unwrap_err().to_string().contains("it is a number"));
    assert_eq!(answered(Message::user_created("msg_1").begin(&unreadable)).status, 503);
}

#[test]
fn the_log_learns_why_once_a_minute_and_at_the_start_of_a_server() {
    let (clock, name) = (ManualClock::new(), "said once a minute");
    let unset = || {
        endpoint(|options| {
            options.scheme = Some(without_a_variable());
            options.secrets = Vec::new();
            options.name = Some(name.to_owned());
            options.clock = Some(Arc::clone(&clock) as _);
        })
    };
    let requested = unset();
    assert!(said_of(name).is_empty(), "nothing is said before somebody serves");
    for _ in 0..5 {
        answered(Message::user_created("msg_1").begin(&requested));
    }
    let said = said_of(name);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("SUREHOOK_TEST_UNSET") && said[0].contains("secret_missing.md"), "{said:?}");
    clock.advance(Duration::from_secs(61));
    answered(Message::user_created("msg_1").begin(&requested));
    assert_eq!(said_of(name).len(), 1);

    let started = unset();
    started.begin_to_serve();
    assert_eq!(said_of(name).len(), 1);
    answered(Message::user_created("msg_1").begin(&started));
    assert!(said_of(name).is_empty(), "it was said already");
}

#[test]
fn secrets_are_exchanged_without_a_restart() {
    let rotated = endpoint(|options| options.secrets = vec![OTHER.to_owned()]);
    let message = Message::user_created("msg_1");
    assert_eq!(answered(message.begin(&rotated)).status, 401);
    rotated.set_secrets(&[SECRET.to_owned(), OTHER.to_owned()]).unwrap();
    handled(message.begin(&rotated)).finish(ok(b"first"));

    // What cannot be used changes nothing.
    for bad in [vec![], vec![String::new()], vec![OTHER.to_owned(), "whsec_short".to_owned()]] {
        assert!(rotated.set_secrets(&bad).is_err());
        assert_eq!(answered(message.begin(&rotated)).body, b"first");
    }
    rotated.set_secrets(&[OTHER.to_owned()]).unwrap();
    assert_eq!(answered(message.begin(&rotated)).status, 401);

    // It mends an endpoint that had none.
    let unset = endpoint(|options| {
        options.scheme = Some(without_a_variable());
        options.secrets = Vec::new();
    });
    assert_eq!(answered(message.begin(&unset)).status, 503);
    unset.set_secrets(&[SECRET.to_owned()]).unwrap();
    handled(message.begin(&unset)).finish(ok(b""));
    assert!(unset.check().is_ok());
}

#[test]
fn what_a_handler_says_of_the_old_or_the_new_secret_is_redacted_after_a_rotation() {
    let capture = Capture::new();
    let rotated = endpoint(|options| {
        options.secrets = vec![OTHER.to_owned()];
        options.client = Some(recorded(&capture));
    });
    rotated.set_secrets(&[SECRET.to_owned()]).unwrap();
    let delivery = handled(Message::user_created("msg_1").begin(&rotated));
    delivery.failed(&format!("neither {SECRET} nor {OTHER} worked"));
    delivery.finish(ok(b""));
    let told = format!("{:?}", capture.attempts());
    assert!(!told.contains(&SECRET[6..]) && !told.contains(&OTHER[6..]), "{told}");
}

#[test]
fn a_secret_that_the_user_chose_is_warned_about_and_used() {
    let own = r#"{"provider": "paystack", "secret": "utf8", "algorithm": "hmac_sha512", "signature": {"header": "x-paystack-signature"}, "content": "{body}"}"#;
    for secret in ["sk_live_0123456789abcdef0123456789abcdef", "my cat", "$ecret of mine, long enough", "x"] {
        let options = EndpointOptions {
            scheme: Some(Scheme::from_json(own).unwrap()),
            secrets: vec![secret.to_owned()],
            ..EndpointOptions::default()
        };
        let chosen = Endpoint::new(options).unwrap();
        assert!(chosen.check().is_ok(), "{secret}");
        assert!(!chosen.warnings().is_empty(), "{secret}");
        assert!(!format!("{:?}", chosen.warnings()).contains(secret) || secret == "x");
    }
}
