//! Whole requests as providers send them: each is taken by the provider's own scheme, and none with a byte changed.

use std::sync::Arc;

use surehook_core::scheme::{self, Scheme};
use surehook_core::{Incoming, SignedRequest, Signer, Timestamp, Unsigned, Verifier, generate_secret};

const URL: &str = "https://shop.example/webhooks";
const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn verifies(scheme: &Arc<Scheme>, secret: &str, sent: &SignedRequest) -> Option<String> {
    let verifier = Verifier::for_scheme(Arc::clone(scheme), &[secret]).and_then(|verifier| verifier.with_url(URL));
    let path = if sent.query.is_empty() { "/webhooks".to_owned() } else { format!("/webhooks?{}", sent.query) };
    let headers: Vec<(&[u8], &[u8])> =
        sent.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let incoming = Incoming { method: "POST", path: &path, headers: &headers, body: &sent.body };
    verifier
        .expect("the secret is one")
        .verify_request(&incoming, NOW)
        .ok()
        .map(|message| message.message_id().to_owned())
}

#[test]
fn every_provider_with_a_shared_secret_takes_what_is_signed_and_nothing_else() {
    let mut signed = 0;
    for scheme in scheme::providers() {
        let Ok(secret) = generate_secret(scheme, &[5; 24]) else { continue };
        let signer = Signer::new(Arc::clone(scheme), &secret).unwrap().with_url(URL);
        let body = br#"{"type":"user.created","eventId":1,"event-data":{},"notificationItems":[{"NotificationRequestItem":{}}]}"#;
        let unsigned = Unsigned { message_id: "msg_1", timestamp: NOW, ..Unsigned::post(body) };
        let sent = signer.sign_request(&unsigned).unwrap();
        assert!(verifies(scheme, &secret, &sent).is_some(), "{}", scheme.provider);
        let other = generate_secret(scheme, &[6; 24]).unwrap();
        assert_eq!(verifies(scheme, &other, &sent), None, "{}", scheme.provider);
        signed += 1;
    }
    assert_eq!(signed, scheme::providers().len() - 3);
}

#[test]
fn a_body_that_cannot_be_written_into_is_refused_where_it_must_be() {
    let sign = |provider: &str, body: &[u8]| {
        let scheme = scheme::find(provider).unwrap();
        let secret = generate_secret(&scheme, &[5; 24]).unwrap();
        let unsigned = Unsigned { message_id: "msg_1", timestamp: NOW, ..Unsigned::post(body) };
        Signer::new(scheme, &secret).unwrap().sign_request(&unsigned)
    };
    for body in [&b"no JSON"[..], b"[]", b"7", br#"{"event-data":7,"signature":"x"}"#] {
        assert_eq!(sign("mailgun", body).unwrap_err().code(), "invalid_option", "{}", String::from_utf8_lossy(body));
    }
    for body in [&b"no JSON"[..], b"[]", b"", b"7"] {
        assert_eq!(sign("stripe", body).unwrap().body, body);
    }
    assert_eq!(sign("stripe", br#"{ "id" : "evt_own" }"#).unwrap().body, br#"{ "id" : "evt_own" }"#);
}
