//! What a verifier, its scheme and its messages say of themselves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod signed;

use std::sync::Arc;
use std::time::Duration;

use signed::{Draft, NOW};
use surehook_core::diagnose::Finding;
use surehook_core::{
    ConfigError, CustomVerdict, Incoming, ReasonCode, Scheme, Secret, Signer, Unsigned, Verifier, handshake, scheme,
};

const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn draft(body: &[u8]) -> Draft<'_> {
    Draft { method: "POST", query: "", id: "msg_1", body, form: true }
}

/// Calls `with` with the verified message of a provider.
fn verified<T>(provider: &str, body: &[u8], with: impl FnOnce(&surehook_core::VerifiedMessage<'_>) -> T) -> T {
    let scheme = scheme::find(provider).unwrap();
    let verifier = signed::verifier(&scheme);
    let request = signed::request(&scheme, &draft(body)).unwrap();
    request.with(|incoming| with(&verifier.verify_request(incoming, NOW).unwrap()))
}

fn custom(members: &str) -> Result<Scheme, ConfigError> {
    Scheme::from_json(&format!(
        r#"{{"provider": "acme", "secret": "utf8", "algorithm": "hmac_sha256", "content": "{{body}}"{members}}}"#
    ))
}

fn finding(provider: &str, secret: &str) -> Option<Finding> {
    match Verifier::new(provider, &[secret]) {
        Err(ConfigError::SecretInvalid { finding, .. }) => finding,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_scheme_has_the_defaults_that_the_contract_names() {
    let scheme = custom(r#", "signature": {"header": "x-acme"}"#).unwrap();
    let mut scheme = scheme;
    scheme.content = "{timestamp}.{body}".parse().unwrap();
    scheme.timestamp = serde_json::from_str(r#"{"header": "x-time"}"#).unwrap();
    assert_eq!((scheme.max_body_bytes, scheme.constant_body, scheme.title.as_str()), (1_048_576, false, "acme"));
    let verifier = Verifier::for_scheme(Arc::new(scheme), &["0123456789abcdef"]).unwrap();
    assert_eq!(verifier.tolerance(), Some(Duration::from_secs(300)));
    assert_eq!(verifier.max_body_bytes(), 1_048_576);
    let verifier = verifier.with_tolerance(Duration::from_secs(9)).unwrap().with_max_body_bytes(7).unwrap();
    assert_eq!((verifier.tolerance(), verifier.max_body_bytes()), (Some(Duration::from_secs(9)), 7));
    assert!(scheme::providers().len() >= 35);
}

#[test]
fn a_scheme_without_families_or_with_a_key_of_another_kind_is_refused() {
    let families = r#"{"families": [{"id": "a", "timestamp": "b", "signature": "c"}]}"#;
    let row = |secret: &str, signature: &str| {
        Scheme::from_json(&format!(
            r#"{{"provider": "acme", "secret": "{secret}", "algorithm": "standard", "signature": {signature},
                "content": "{{id}}.{{timestamp}}.{{body}}", "timestamp": {{}}}}"#
        ))
    };
    assert!(row("standard", families).is_ok());
    assert!(row("utf8", families).unwrap_err().to_string().contains("do not go together"));
    assert!(row("standard", r#"{"families": []}"#).unwrap_err().to_string().contains("exactly one of"));
}

#[test]
fn what_of_a_message_is_signed_is_told_from_what_is_not() {
    for (provider, body, url, id) in [
        ("clerk", true, false, true),
        ("stripe", true, false, true),
        ("github", true, false, false),
        ("lemon-squeezy", true, false, true),
        ("square", true, true, true),
        ("twilio", false, true, false),
        ("hubspot", true, true, true),
        ("gitlab", false, false, false),
        ("mailgun", false, false, true),
        ("adyen", false, false, true),
    ] {
        let scheme = scheme::find(provider).unwrap();
        assert_eq!((scheme.signs_body(), scheme.signs_url(), scheme.signs_message_id()), (body, url, id), "{provider}");
    }
    // An id in the body, of which only another field is signed.
    let row = custom(r#", "signature": {"header": "x-acme"}, "message_id": {"body": ["id"]}"#).unwrap();
    assert!(row.signs_message_id());
    let mut fields = row.clone();
    fields.content = "{field:other}".parse().unwrap();
    assert!(!fields.signs_message_id());
    fields.message_id = None;
    assert!(!fields.signs_message_id());
}

#[test]
fn a_verified_message_tells_its_time_and_whether_its_id_was_signed() {
    verified("svix", b"{}", |message| {
        assert_eq!((message.message_id(), message.id_is_signed(), message.timestamp()), ("msg_1", true, Some(NOW)));
    });
    verified("github", b"{}", |message| {
        assert_eq!((message.message_id(), message.id_is_signed(), message.timestamp()), ("msg_1", false, None));
    });
    verified("lemon-squeezy", b"{}", |message| {
        assert!(message.message_id().starts_with("sha256-") && message.id_is_signed());
    });
}

/// A shifted boundary must not make two messages one.
#[test]
fn members_of_an_id_cannot_be_shifted_into_one_another() {
    let acme = custom(r#", "signature": {"header": "x-acme"}, "message_id": {"body": ["a", "b", "c"]}"#).unwrap();
    let acme = Arc::new(acme);
    let signer = Signer::new(Arc::clone(&acme), "0123456789abcdef").unwrap();
    let verifier = Verifier::for_scheme(acme, &["0123456789abcdef"]).unwrap();
    let id = |members: [&str; 3]| {
        let [a, b, c] = members;
        let body = serde_json::json!({"a": a, "b": b, "c": c}).to_string();
        let signed = signer.sign(&Unsigned { timestamp: NOW, ..Unsigned::post(body.as_bytes()) }).unwrap();
        let headers: Vec<(&[u8], &[u8])> =
            signed.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        verifier.verify(body.as_bytes(), &headers, NOW).unwrap().message_id().to_owned()
    };
    let same_text = [["a:b", "c", "d"], ["a", "b:c", "d"], ["a", "b", "c:d"], ["", "a:b:c", "d"], ["a:b:c", "", "d"]];
    let ids: std::collections::BTreeSet<_> = same_text.iter().map(|members| id(*members)).collect();
    assert_eq!(ids.len(), same_text.len(), "{ids:?}");
    assert_eq!(id(["a", "b", "12:30:00"]), "a:b:12:30:00", "what cannot be taken for another is readable");
}

#[test]
fn an_id_of_the_body_is_kept_up_to_256_bytes_and_named_by_its_hash_beyond() {
    let id = |length: usize| verified("stripe", &body(length), |message| message.message_id().to_owned());
    fn body(length: usize) -> Vec<u8> {
        format!(r#"{{"id":"{}"}}"#, "a".repeat(length)).into_bytes()
    }
    assert_eq!(id(255), "a".repeat(255));
    assert_eq!(id(256), "a".repeat(256));
    assert_eq!(id(257).len(), 128 + 1 + "sha256-".len() + 32);
    assert!(id(257).starts_with(&format!("{}-sha256-", "a".repeat(128))));
    assert!(id(0).starts_with("sha256-"));
}

#[test]
fn a_url_must_be_absolute_and_end_before_its_query() {
    let verifier = Verifier::new("square", &["0123456789abcdef"]).unwrap();
    assert!(verifier.clone().complete().is_err());
    for url in ["https://example.com", "http://example.com/a/b"] {
        assert!(verifier.clone().with_url(url).unwrap().complete().is_ok(), "{url}");
    }
    let wrong = [
        "",
        "example.com",
        "ftp://a",
        "https://",
        "https:///a",
        "https://a?b",
        "https://a#b",
        "https://a b",
        "https://a\n",
    ];
    for url in wrong {
        assert_eq!(verifier.clone().with_url(url).unwrap_err().code(), "invalid_option", "{url:?}");
    }
}

#[test]
fn a_users_own_verifier_is_called_within_the_limit_and_may_name_the_message() {
    let verifier = Verifier::custom(scheme::find("github").unwrap()).with_max_body_bytes(3).unwrap();
    let headers: [(&[u8], &[u8]); 2] = [(b"x-github-delivery", b"msg_2"), (b"x-hub-signature-256", b"sha256=00")];
    let verdict = |body: &[u8], verdict: CustomVerdict| {
        verifier
            .verify_by(&Incoming::post(&headers, body), || verdict)
            .map(|message| message.message_id().to_owned())
            .map_err(|rejection| (rejection.code(), rejection.claimed_message_id().map(str::to_owned)))
    };
    let accepted = |id: Option<&str>| CustomVerdict::Accepted { message_id: id.map(str::to_owned), sender: None };
    assert_eq!(verdict(b"123", accepted(Some("own"))), Ok("own".to_owned()));
    assert_eq!(verdict(b"", accepted(Some(""))), Ok("msg_2".to_owned()));
    assert_eq!(verdict(b"12", accepted(None)), Ok("msg_2".to_owned()));
    let signed = |verdict: CustomVerdict| {
        verifier.verify_by(&Incoming::post(&headers, b"{}"), || verdict).unwrap().id_is_signed()
    };
    assert!(signed(accepted(Some("own"))), "whoever verifies vouches for the id");
    assert!(!signed(accepted(None)), "a header that nobody signs is no better for it");
    let claimed = Some("msg_2".to_owned());
    assert_eq!(verdict(b"1234", accepted(None)), Err((ReasonCode::BodyTooLarge, claimed.clone())));
    assert_eq!(verdict(b"12", CustomVerdict::Refused), Err((ReasonCode::VerifierError, claimed.clone())));
    assert_eq!(verdict(b"12", CustomVerdict::Failed), Err((ReasonCode::VerifierError, claimed)));
}

#[test]
fn a_request_that_is_refused_unread_claims_its_id() {
    let verifier = Verifier::new("clerk", &[WHSEC]).unwrap();
    let headers: [(&[u8], &[u8]); 3] = [(b"svix-id", b"msg_3"), (b"svix-timestamp", b"1"), (b"svix-signature", b"x")];
    assert_eq!(verifier.refuse(ReasonCode::BodyUnavailable, &headers).claimed_message_id(), Some("msg_3"));
    assert_eq!(verifier.refuse(ReasonCode::BodyUnavailable, &headers[..2]).claimed_message_id(), None);
}

#[test]
fn a_secret_shows_its_kind_and_a_request_its_length_and_nothing_else() {
    for (provider, kind) in [("clerk", "hmac"), ("discord", "ed25519"), ("sendgrid", "p256"), ("gitlab", "token")] {
        let verifier = signed::verifier(&scheme::find(provider).unwrap());
        assert!(format!("{verifier:?}").contains(&format!("Secret({kind}, [redacted])")), "{verifier:?}");
    }
    let shown = format!("{:?}", Incoming::post(&[(b"x-token", b"canary")], b"canary"));
    assert!(shown.contains("6 bytes") && shown.contains("POST") && !shown.contains("canary"), "{shown}");
}

#[test]
fn the_limits_of_what_looks_like_a_secret_are_where_they_are_said_to_be() {
    let github = scheme::find("github").unwrap();
    assert!(Secret::for_scheme(&"a".repeat(1024), &github).is_ok());
    assert!(Secret::for_scheme(&"a".repeat(1025), &github).is_err());
    // A backslash may be part of a secret that is plain text; nothing else of it looks like a line's end.
    assert!(Secret::for_scheme("0123456789abcdef\\n", &github).is_ok());
    assert_eq!(finding("clerk", &format!("{WHSEC}\\n")), Some(Finding::SecretWhitespaceOrQuotes));
    // Only both together make a JWT.
    assert!(Secret::for_scheme("eyJ0123456789abcdef", &github).is_ok());
    assert!(Secret::for_scheme("0123456789.abcdef", &github).is_ok());
    assert_eq!(finding("clerk", "eyJ0123456789.abcdef"), Some(Finding::NotAWebhookSecret));
    // Where the user chooses the secret, an odd one is only warned about.
    assert_eq!(Verifier::new("github", &["eyJ0123456789.abcdefghijklmnop"]).unwrap().warnings().count(), 1);
}

#[test]
fn a_private_key_of_every_kind_signs_and_a_public_one_does_not() {
    for provider in ["discord", "sendgrid", "gitlab", "adyen", "polar"] {
        assert!(verified(provider, b"{}", |message| !message.message_id().is_empty()), "{provider}");
    }
    let standard = scheme::find("standard-webhooks").unwrap();
    let signer = |secret: &str| surehook_core::Signer::new(standard.clone(), secret);
    assert!(signer("whsk_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=").is_ok());
    for wrong in ["whsk_AAAA", "whsk_%", "whpk_/RckOFqgx1tk+3jNYC+h2ZH96/drE8WO1wLqyDXp9hg="] {
        assert!(signer(wrong).is_err(), "{wrong}");
    }
    // With one private key of Ed25519, the signature is the one that its public key verifies.
    let entry =
        surehook_core::sign("whsk_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=", "msg_1", NOW.unix_seconds(), b"{}");
    let entry = entry.unwrap();
    let verifier = Verifier::new("svix", &["whpk_/RckOFqgx1tk+3jNYC+h2ZH96/drE8WO1wLqyDXp9hg="]).unwrap();
    let headers: [(&[u8], &[u8]); 3] =
        [(b"svix-id", b"msg_1"), (b"svix-timestamp", b"1700000000"), (b"svix-signature", entry.as_bytes())];
    assert!(verifier.verify(b"{}", &headers, NOW).is_ok());
}

#[test]
fn a_reply_without_a_status_is_200() {
    let answer = |provider: &str, body: &[u8]| verified(provider, body, handshake::answer);
    assert_eq!(answer("discord-interactions", b"{\"type\":1}").unwrap().status, 200);
    assert_eq!(answer("discord", b"{\"type\":0}").unwrap().status, 204);
    assert_eq!(answer("discord", b"{\"type\":1}"), None);
}
