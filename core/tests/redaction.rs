//! What leaves the process: nothing that opens anything.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use surehook_core::telemetry::bodies::{BodyFilter, CaptureBody};
use surehook_core::telemetry::error_fingerprint;
use surehook_core::telemetry::redact::Redactor;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const PLUS_SECRET: &str = "whsec_AAAA+BBBB/CCCC+DDDD/EEEE+FF==";

fn redactor() -> Redactor {
    Redactor::new(&[SECRET, PLUS_SECRET])
}

/// A text with a credential in it, and the credential.
const CREDENTIALS: &[(&str, &str)] = &[
    ("bad secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("key whsk_aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=", "aGVsbG8"),
    ("shk_0123456789abcdef0123", "0123456789abcdef0123"),
    ("No such key: sk_live_51H8xCanary", "51H8xCanary"),
    ("sk_test_canarycanary", "canarycanary"),
    ("rk_live_canarycanary", "canarycanary"),
    ("OPENAI sk-proj-abcdefghijklmnopqrstuv", "abcdefghijklmnop"),
    ("Bearer abcdef123456", "abcdef123456"),
    ("authorization bearer canary-token", "canary-token"),
    ("Authorization: Bearer x.y.z", "x.y.z"),
    ("Authorization: Custom one two three", "two"),
    ("Proxy-Authorization: Negotiate YIIcanary", "YIIcanary"),
    ("Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
    ("jwt cut short eyJhbGciOiJIUzI1NiJ9.eyJzdWI", "eyJzdWI"),
    ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F292c"),
    ("github_pat_11ABCDEFG0123456789_abc", "11ABCDEFG"),
    ("glpat-abcdefghij0123456789", "abcdefghij"),
    // In two pieces, or scanners of repositories take it for a real one.
    (concat!("xox", "b-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"), "pdFZKVeTuE8"),
    ("https://hooks.slack.com/services/T0/B0/canary", "canary"),
    ("AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "9tSrke72"),
    ("npm_abcdefghijklmnop", "abcdefghijklmnop"),
    ("SG.canarycanary.canarycanary", "canarycanary"),
    ("postgres://app:hunter2@db/prod failed", "hunter2"),
    ("redis://:hunter2@cache:6379", "hunter2"),
    ("https://canarytoken@git.example.com/x", "canarytoken"),
    ("password=hunter2", "hunter2"),
    ("Password: 'hunter 2 go'", "hunter 2 go"),
    (r#"{"api_key": "hun ter2"}"#, "ter2"),
    (r#"{\"clientSecret\": \"hunter2\"}"#, "hunter2"),
    ("{:password=>\"hunter2\"}", "hunter2"),
    ("token=abc&x=1", "abc"),
    ("Cookie: a=1; session=canary", "canary"),
    ("('set-cookie', 'session=canary')", "canary"),
    ("expected v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=", "tZ1I4/hDyg"),
    ("t=1700000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd", "5257a869"),
    ("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "757107ea"),
    ("card 4111111111111111 declined", "4111111111111111"),
    ("card 4111 1111 1111 1111, order 77", "4111 1111"),
    ("order 77 5500-0000-0000-0004", "5500-0000"),
    ("amex 378282246310005", "378282246310005"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEcanary\n-----END RSA PRIVATE KEY-----", "MIIEcanary"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEcanary cut", "MIIEcanary"),
];

/// Texts that say nothing secret, and must stay as they are.
const HARMLESS: &[&str] = &[
    "IntegrityError: duplicate key value violates unique constraint \"users_pkey\"",
    "DETAIL:  Key (id)=(user_29w83sxmDNGwOuEthce5gg56FcC) already exists.",
    "Svix-Webhooks/1.24.0 (sender-9YMgn; +https://www.svix.com/http-sender/)",
    "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj",
    "took 1654012591835 ms at 1700000000123456",
    "order 4111111111111112 is no card number",
    "call +49 30 1234567 or write to someone@example.com",
    "Unexpected token } in JSON at position 12",
    "550e8400-e29b-41d4-a716-446655440000",
    "/api/v1/webhooks/clerk",
    "the tokens were monkeys",
    "risk_test and task_live",
];

#[test]
fn credentials_are_redacted_wherever_they_stand() {
    let redactor = redactor();
    for (text, credential) in CREDENTIALS {
        for text in [(*text).to_owned(), format!("before {text} after"), format!("é({text})\nnext line")] {
            let clean = redactor.text(&text);
            assert!(!clean.contains(credential), "{clean}");
            assert!(clean.contains("[redacted]"), "{clean}");
        }
    }
}

#[test]
fn harmless_text_stays_as_it_is() {
    for text in HARMLESS {
        assert_eq!(redactor().text(text), *text);
    }
}

#[test]
fn a_pair_of_a_name_and_its_value_is_read_together() {
    let filter = BodyFilter::new(&CaptureBody::default()).unwrap();
    let body = br#"{"fields":[{"name":"password","value":"hunter2"},{"key":"city","value":"Ulm"}],"headers":[["x-api-key","hunter2"],["a","b"]],"otp_code":123456}"#;
    assert_eq!(
        filter.told(body, &redactor()).unwrap(),
        r#"{"fields":[{"name":"password","value":"[redacted]"},{"key":"city","value":"Ulm"}],"headers":[["x-api-key","[redacted]"],["a","b"]],"otp_code":"[redacted]"}"#
    );
}

#[test]
fn redaction_is_stable() {
    for (text, _) in CREDENTIALS {
        let once = redactor().text(text).into_owned();
        assert!(!redactor().text(&once).contains("[[redacted]"), "{once}");
    }
}

#[test]
fn known_secrets_are_redacted_in_all_their_forms() {
    let plain = Redactor::new::<&str>(&[]);
    for text in [
        "secret was C2FVsBQIhrscChlQIMV+b5sSYspob7oD!",
        "xC2FVsBQIhrscChlQIMV+b5sSYspob7oDx",
        "in a url C2FVsBQIhrscChlQIMV%2Bb5sSYspob7oD",
        "in a url C2FVsBQIhrscChlQIMV%2bb5sSYspob7oD",
    ] {
        assert_eq!(plain.text(text), text);
        assert!(!redactor().text(text).contains("sSYspob7oD"), "{text}");
    }
    assert!(!redactor().text("AAAA+BBBB/CCCC+DDDD/EEEE+FF without its padding").contains("CCCC"));
    assert!(!redactor().path("/hook?AAAA%2BBBBB%2FCCCC%2BDDDD%2FEEEE%2BFF%3D%3D").contains("CCCC"));
}

#[test]
fn a_redactor_does_not_show_its_secrets() {
    let shown = format!("{:?}", redactor());
    assert!(!shown.contains("C2FV") && !shown.contains("AAAA"), "{shown}");
}

#[test]
fn short_secrets_do_not_eat_the_text() {
    assert_eq!(Redactor::new(&["", "e", "whsec_"]).text("every letter"), "every letter");
}

#[test]
fn only_headers_of_the_allow_list_are_told() {
    let headers: [(&[u8], &[u8]); 16] = [
        (b"User-Agent", b"Svix-Webhooks/1.24.0 (sender-9YMgn; +https://www.svix.com/http-sender/)"),
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"312"),
        (b"svix-id", b"msg_1"),
        (b"SVIX-ID", b"msg_2"),
        (b"svix-timestamp", b"1700000000"),
        (b"svix-signature", b"v1,canary"),
        (b"webhook-signature", b"v1,canary"),
        (b"stripe-signature", b"t=1,v1=canary"),
        (b"Authorization", b"Bearer canary"),
        (b"Cookie", b"session=canary"),
        (b"X-Api-Key", b"canary"),
        (b"Host", b"internal-canary.example"),
        (b"X-Forwarded-For", b"203.0.113.7"),
        (b"X-Forwarded-Proto", b"https"),
        (b"Referer", b"https://canary"),
    ];
    let told = redactor().headers(&headers);
    let told: Vec<_> = told.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        told,
        [
            ("content-length", "312"),
            ("content-type", "application/json"),
            ("svix-id", "msg_1"),
            ("svix-timestamp", "1700000000"),
            ("user-agent", "Svix-Webhooks/1.24.0 (sender-9YMgn; +https://www.svix.com/http-sender/)"),
            ("x-forwarded-proto", "https"),
        ]
    );
}

#[test]
fn headers_without_their_form_are_redacted() {
    let long = "x".repeat(5000);
    let headers: [(&[u8], &[u8]); 6] = [
        (b"content-length", b"canary"),
        (b"svix-timestamp", b"1700000000 canary"),
        (b"webhook-id", b"<canary>"),
        (b"content-type", b"\xffcanary"),
        (b"user-agent", b"curl Bearer canary123"),
        (b"x-request-id", long.as_bytes()),
    ];
    let told = redactor().headers(&headers);
    assert!(told.values().all(|value| !value.contains("canary")), "{told:?}");
    assert_eq!(told["user-agent"], "curl Bearer [redacted]");
    assert_eq!(told["x-request-id"], "…", "a word that was split is not told");
}

#[test]
fn queries_keep_their_names_only() {
    for (path, told) in [
        ("/", "/"),
        ("/api/webhooks/clerk", "/api/webhooks/clerk"),
        ("/hook?a=1&b=canary", "/hook?a=[redacted]&b=[redacted]"),
        ("/hook?token=canary#canary", "/hook?token=[redacted]"),
        ("/hook?v=2&lang=en&source=clerk", "/hook?v=2&lang=en&source=clerk"),
        ("/hook?v=canary-canary-canary", "/hook?v=[redacted]"),
        ("/hook?lang=c4n4ry", "/hook?lang=[redacted]"),
        ("/hook?3f9ac8e2canary77", "/hook?[redacted]"),
        ("/hook?debug&empty=", "/hook?debug&empty="),
        ("/hook?a=1?b=canary", "/hook?a=[redacted]"),
        ("/hook?3f9ac8e2d1b04c5f8a7e6d5c4b3a2910=1", "/hook?[redacted]=[redacted]"),
        ("/hook/3f9ac8e2d1b04c5f8a7e6d5c4b3a2910/x", "/hook/[redacted]/x"),
        ("/hook/whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "/hook/[redacted]"),
        ("/tenants/550e8400-e29b-41d4-a716-446655440000", "/tenants/550e8400-e29b-41d4-a716-446655440000"),
        ("/a-rather-long-name-of-a-webhook-route", "/a-rather-long-name-of-a-webhook-route"),
    ] {
        assert_eq!(redactor().path(path), told, "{path}");
    }
    let many = format!("/?{}", vec!["k=v"; 100_000].join("&"));
    assert_eq!(redactor().path(&many).matches("k=").count(), 20);
    assert!(redactor().path(&"/é".repeat(100_000)).len() <= 1000);
}

#[test]
fn messages_are_cut_after_they_are_redacted() {
    let message = format!("{}password=hunter2", "é".repeat(495));
    let told = redactor().message(&message);
    assert!(told.len() <= 1000);
    assert!(told.ends_with("password=["), "{told}");
    // The cut of the input never leaves half of a secret, however much is redacted before it.
    let bare = SECRET.trim_start_matches("whsec_");
    for offset in 0..60 {
        let block = format!("-----BEGIN PRIVATE KEY-----{}-----END PRIVATE KEY-----", "x".repeat(8090 + offset));
        let told = redactor().message(&format!("{block} {bare} {}", "y".repeat(9000)));
        assert!(!told.contains("C2FV"), "{told}");
    }
}

#[test]
fn an_error_is_told_without_its_secrets() {
    let error = redactor().error("IntegrityError", &format!("cannot decode {SECRET}"), Some("app.py:3"));
    assert_eq!((error.kind.as_str(), error.message.as_str()), ("IntegrityError", "cannot decode [redacted]"));
    assert_eq!(error.fingerprint.len(), 16);
}

// Fingerprints

#[test]
fn one_cause_has_one_fingerprint() {
    for (first, second) in [
        ("row 12 failed", "row 7 failed"),
        ("no user user_29w83sx", "no user user_30aa1bz"),
        ("id 550e8400-e29b-41d4-a716-446655440000 is gone", "id ffffffff-aaaa-bbbb-cccc-dddddddddddd is gone"),
        ("object at 0x7f3a2c", "object at 0x55d0ff"),
        ("commit deadbeef", "commit 0123abcd"),
        ("no column \"email\"", "no column \"a longer name\""),
        ("no key 'a'", "no key 'it's b'"),
        ("can't open 'a.txt'", "can't open 'b.txt'"),
        ("two  spaces", "two\n\tspaces"),
    ] {
        assert_eq!(error_fingerprint("E", first, None), error_fingerprint("E", second, None), "{first} | {second}");
    }
    assert_eq!(error_fingerprint("E", "m", Some("views.py:42")), error_fingerprint("E", "m", Some("views.py:43")));
}

#[test]
fn different_causes_have_different_fingerprints() {
    let base = error_fingerprint("E", "row 12 failed", Some("views.py:42 in create"));
    for (kind, message, location) in [
        ("F", "row 12 failed", Some("views.py:42 in create")),
        ("E", "column 12 failed", Some("views.py:42 in create")),
        ("E", "row 12 failed", Some("views.py:42 in delete")),
        ("E", "row 12 failed", None),
        ("E", "", Some("views.py:42 in create")),
    ] {
        assert_ne!(base, error_fingerprint(kind, message, location));
    }
    assert_ne!(error_fingerprint("E", "no user user_1", None), error_fingerprint("E", "no user order_1", None));
    assert_ne!(error_fingerprint("a", "b", None), error_fingerprint("", "a\0b", None));
}

proptest! {
    #[test]
    fn any_text_is_redacted_and_fingerprinted(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        let redactor = redactor();
        prop_assert!(redactor.message(&text).len() <= 1000);
        prop_assert!(redactor.path(&text).len() <= 1000);
        prop_assert_eq!(error_fingerprint(&text, &text, Some(&text)).len(), 16);
        let _ = redactor.headers(&[(b"user-agent", &bytes)]);
    }

    #[test]
    fn a_known_secret_never_gets_through(before in ".{0,40}", after in ".{0,40}") {
        let redactor = redactor();
        let text = format!("{before}{SECRET}{after}");
        prop_assert!(!redactor.message(&text).contains("sSYspob7oD"));
        prop_assert!(!redactor.path(&text).contains("sSYspob7oD"));
        prop_assert!(!redactor.headers(&[(b"user-agent", text.as_bytes())]).values().any(|value| value.contains("sSYspob7oD")));
    }
}

#[test]
fn a_credential_in_an_encoded_name_of_the_query_is_seen() {
    let path = redactor().path("/hooks?postgres%3A//app%3Ahunter2%40db/prod=1&filter%5Bid%5D=1");
    assert_eq!(path, "/hooks?[redacted]=[redacted]&filter%5Bid%5D=[redacted]");
}
