//! What an endpoint makes of the providers' rules beyond the signature: causes, handshakes, own verifiers, unsigned ids.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{SystemTime, UNIX_EPOCH};

use surehook::core::diagnose::Finding;
use surehook::core::{Signer, Timestamp, Unsigned, scheme};
use surehook::{
    Answer, AnswerKind, Body, CustomVerdict, Decision, Endpoint, EndpointOptions, Hooks, Request, Response,
    ResponseBody, Scheme,
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn endpoint(provider: &str, name: &str, secret: &str) -> Endpoint {
    Endpoint::new(EndpointOptions {
        secrets: vec![secret.to_owned()],
        name: Some(name.to_owned()),
        ..EndpointOptions::new(provider)
    })
    .unwrap()
}

fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_unix_seconds(elapsed.as_secs() as i64)
}

/// The headers that a provider sends with a body.
fn signed(provider: &str, secret: &str, message_id: &str, body: &[u8]) -> Vec<(String, String)> {
    let signer = Signer::new(scheme::find(provider).unwrap(), secret).unwrap();
    signer.sign(&Unsigned { message_id, timestamp: now(), ..Unsigned::post(body) }).unwrap()
}

fn begin(endpoint: &Endpoint, headers: &[(String, String)], body: &[u8]) -> Decision {
    let pairs: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    endpoint.begin(Request { method: "POST", path: "/hook", headers: &pairs, body: Body::Bytes(body) })
}

fn answered(decision: Decision) -> Answer {
    match decision {
        Decision::Answer(answer) => answer,
        Decision::Handle(delivery) => panic!("it was handled: {delivery:?}"),
    }
}

fn handled(decision: Decision) {
    match decision {
        Decision::Handle(delivery) => {
            delivery.finish(Response { status: 200, headers: &[], body: ResponseBody::Bytes(b"ok") });
        }
        Decision::Answer(answer) => panic!("it was answered: {answer:?}"),
    }
}

fn is_diagnosed(answer: &Answer) -> bool {
    answer.rejection.as_ref().is_some_and(|rejection| rejection.diagnosis().is_some())
}

#[test]
fn a_refusal_names_the_other_endpoint_whose_secret_it_is_and_tells_the_sender_nothing() {
    let (own, other) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let endpoint = endpoint("clerk", "users", own);
    let _billing = self::endpoint("clerk", "billing of this test", other);
    let headers = signed("clerk", other, "msg_1", b"{}");
    // A process diagnoses five times a second, and the other tests of this one want theirs.
    let diagnosed = || Some(answered(begin(&endpoint, &headers, b"{}"))).filter(is_diagnosed);
    let answer = std::iter::repeat_with(diagnosed).flatten().next().unwrap();
    let diagnosis = answer.rejection.as_ref().unwrap().diagnosis().unwrap();
    assert_eq!(diagnosis.finding, Finding::SecretOfAnotherEndpoint);
    assert!(diagnosis.evidence.contains("billing of this test"), "{}", diagnosis.evidence);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body, br#"{"error":"invalid webhook signature"}"#);
}

#[test]
fn slack_and_zoom_get_the_answer_they_ask_for_and_the_handler_never_runs() {
    let challenge = br#"{"type":"url_verification","challenge":"3eZbrw1a"}"#;
    let slack = endpoint("slack", "slack handshake", SECRET);
    let answer = answered(begin(&slack, &signed("slack", SECRET, "", challenge), challenge));
    assert_eq!((answer.kind, answer.status), (AnswerKind::Handshake, 200));
    assert_eq!(answer.body, br#"{"challenge":"3eZbrw1a"}"#);

    let question = br#"{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#;
    let zoom = endpoint("zoom", "zoom handshake", SECRET);
    let answer = answered(begin(&zoom, &signed("zoom", SECRET, "", question), question));
    // The HMAC-SHA-256 of the token under SECRET, computed with Python's hmac.
    let encrypted = "c1e2d9c8d9a624043bc69abb8320c1bdb5509a8da365cfb8f2cb7f938e630026";
    let expected = format!(r#"{{"encryptedToken":"{encrypted}","plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#);
    assert_eq!(String::from_utf8(answer.body).unwrap(), expected);

    // In a rotation the answer is made with the secret that signed the question, wherever it stands in the list.
    let other = "0123456789abcdef0123456789abcdef";
    for secrets in [[SECRET, other], [other, SECRET]] {
        let options = EndpointOptions {
            name: Some("zoom rotation".to_owned()),
            secrets: secrets.map(str::to_owned).to_vec(),
            ..EndpointOptions::new("zoom")
        };
        let zoom = Endpoint::new(options).unwrap();
        let answer = answered(begin(&zoom, &signed("zoom", SECRET, "", question), question));
        assert_eq!(String::from_utf8(answer.body).unwrap(), expected);
    }

    // Nobody signed it: no answer but a refusal.
    assert_eq!(answered(begin(&slack, &[], challenge)).status, 401);
}

#[test]
fn metas_subscription_is_confirmed_for_the_right_token_only() {
    let meta = |token: Option<&str>| {
        Endpoint::new(EndpointOptions {
            secrets: vec![SECRET.to_owned()],
            verify_token: token.map(str::to_owned),
            name: Some("meta".to_owned()),
            ..EndpointOptions::new("meta")
        })
        .unwrap()
    };
    let ask = |endpoint: &Endpoint, method: &str, path: &str| {
        answered(endpoint.begin(Request { method, path, headers: &[], body: Body::Bytes(b"") }))
    };
    let path = |token: &str| format!("/hook?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
    let answer = ask(&meta(Some("chosen")), "GET", &path("chosen"));
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"1158201444".as_slice()));
    assert_eq!(ask(&meta(Some("chosen")), "GET", &path("guessed")).status, 401);
    assert_eq!(ask(&meta(Some("chosen")), "GET", &path("")).status, 401);
    assert_eq!(ask(&meta(Some("chosen")), "POST", &path("chosen")).status, 401);
    assert_eq!(ask(&meta(Some("")), "GET", &path("")).status, 401);
    assert_eq!(ask(&meta(None), "GET", &path("")).status, 401);
}

#[test]
fn a_message_sent_again_under_another_unsigned_id_is_a_duplicate() {
    let github = endpoint("github", "github unsigned id", SECRET);
    let body = br#"{"action":"opened","number":7}"#;
    handled(begin(&github, &signed("github", SECRET, "delivery-1", body), body));
    let again = answered(begin(&github, &signed("github", SECRET, "delivery-2", body), body));
    assert_eq!(again.kind, AnswerKind::Replay);
    let other = br#"{"action":"opened","number":8}"#;
    handled(begin(&github, &signed("github", SECRET, "delivery-1", other), other));
}

#[test]
fn a_time_whose_age_nobody_checks_gives_an_unsigned_id_no_weight() {
    let zendesk = endpoint("zendesk", "zendesk unsigned id", SECRET);
    let body = br#"{"text":"a ticket was updated"}"#;
    handled(begin(&zendesk, &signed("zendesk", SECRET, "invocation-1", body), body));
    for invocation in ["invocation-2", "invocation-3", "invocation-1"] {
        let again = answered(begin(&zendesk, &signed("zendesk", SECRET, invocation, body), body));
        assert_eq!(again.kind, AnswerKind::Replay, "{invocation}");
    }
    assert_eq!(zendesk.dedup_counts().same_body_other_id, 2);
}

#[test]
fn a_provider_that_signs_the_url_needs_it_and_says_so() {
    let options = || EndpointOptions { secrets: vec![SECRET.to_owned()], ..EndpointOptions::new("square") };
    let error = Endpoint::new(options()).unwrap_err();
    assert_eq!(error.code(), "invalid_option");
    assert!(error.to_string().contains("https://example.com/webhooks/square"), "{error}");
    for url in ["", "example.com", "https://", "ftp://example.com", "https://example.com/?a=1", "https://exa mple.com"]
    {
        let with = EndpointOptions { urls: vec![url.to_owned()], ..options() };
        assert_eq!(Endpoint::new(with).unwrap_err().code(), "invalid_option", "{url}");
    }

    let url = "https://example.com/webhooks/square";
    let square = Endpoint::new(EndpointOptions { urls: vec![url.to_owned()], ..options() }).unwrap();
    let signer = Signer::new(scheme::find("square").unwrap(), SECRET).unwrap().with_url(url);
    let headers = signer.sign(&Unsigned::post(b"{}")).unwrap();
    handled(begin(&square, &headers, b"{}"));
}

#[test]
fn an_own_scheme_verifies_like_a_row_of_the_table() {
    let own = Scheme::from_json(
        r#"{"provider": "acme", "secret": "utf8", "algorithm": "hmac_sha512", "encoding": "base64",
            "signature": {"header": "X-Acme-Signature", "prefix": "v3="}, "content": "{timestamp}|{body}",
            "timestamp": {"header": "X-Acme-Time", "unit": "milliseconds"}, "event_type": {"header": "X-Acme-Event"}}"#,
    )
    .unwrap();
    let options =
        EndpointOptions { scheme: Some(own.clone()), secrets: vec![SECRET.to_owned()], ..EndpointOptions::new("acme") };
    let acme = Endpoint::new(options).unwrap();
    let unsigned = Unsigned { timestamp: now(), ..Unsigned::post(b"{}") };
    let mut headers = Signer::new(own.into(), SECRET).unwrap().sign(&unsigned).unwrap();
    headers.push(("x-acme-event".to_owned(), "thing.made".to_owned()));
    let Decision::Handle(delivery) = begin(&acme, &headers, b"{}") else { panic!("it is signed") };
    assert_eq!((acme.provider(), delivery.event_type()), ("acme", Some("thing.made")));
    assert_eq!(answered(begin(&acme, &headers, b"{ }")).status, 401);
}

#[test]
fn a_function_of_the_user_decides_and_fails_closed() {
    let options = EndpointOptions { custom_verifier: true, ..EndpointOptions::new("inhouse") };
    let endpoint = Endpoint::new(options).unwrap();
    let request =
        Request { method: "POST", path: "/", headers: &[], body: Body::Bytes(br#"{"id":"m1","type":"a.b"}"#) };
    let begin = |mut verdict: Option<CustomVerdict>| {
        let mut verify = || verdict.take().unwrap();
        endpoint.begin_with(request, Hooks { verifier: Some(&mut verify), ..Hooks::default() })
    };
    for verdict in [CustomVerdict::Refused, CustomVerdict::Failed] {
        let answer = answered(begin(Some(verdict)));
        assert_eq!(answer.status, 401);
        assert_eq!(answer.rejection.unwrap().code().as_str(), "verifier_error");
    }
    let panics = answered(begin(None));
    assert_eq!(panics.rejection.unwrap().code().as_str(), "verifier_error");
    assert_eq!(answered(endpoint.begin(request)).status, 401, "no function, no pass");

    let Decision::Handle(delivery) = begin(Some(CustomVerdict::Accepted { message_id: None, sender: None })) else {
        panic!("accepted")
    };
    assert_eq!((delivery.message_id(), delivery.event_type()), (Some("m1"), Some("a.b")));
}

#[test]
fn a_type_with_an_action_is_told_with_it_and_named_without_it() {
    let options = EndpointOptions {
        secrets: vec![SECRET.to_owned()],
        name: Some("patterns".to_owned()),
        ignore: vec!["pull_request".to_owned(), "orders/*".to_owned(), "pull_requests.closed".to_owned()],
        ..EndpointOptions::new("github")
    };
    let github = Endpoint::new(options).unwrap();
    let warned = |words: &str| github.warnings().iter().any(|warning| warning.contains(words));
    assert!(warned("\"pull_requests.closed\"") && warned("\"pull_request.closed\""), "{:?}", github.warnings());
    assert!(warned("\"orders/*\"") && !warned("\"pull_request\""));

    let body = br#"{"action":"closed","number":7}"#;
    let mut headers = signed("github", SECRET, "d-1", body);
    headers.push(("x-github-event".to_owned(), "pull_request".to_owned()));
    let Decision::Handle(delivery) = begin(&github, &headers, body) else { panic!("it is signed") };
    assert_eq!(delivery.event_type(), Some("pull_request.closed"));
}

#[test]
fn a_message_without_a_signed_time_is_remembered_while_its_provider_tries_again() {
    let options = |provider: &str, hours: u64| EndpointOptions {
        secrets: vec![SECRET.to_owned()],
        dedup_ttl: Some(std::time::Duration::from_secs(hours * 3600)),
        ..EndpointOptions::new(provider)
    };
    let error = Endpoint::new(options("shopify", 3)).unwrap_err();
    assert!(error.to_string().contains("14400 s"), "{error}");
    assert!(Endpoint::new(options("shopify", 4)).is_ok());
    assert!(Endpoint::new(options("stripe", 3)).is_ok(), "a late retry is told by its signed time");
}
