//! The credentials of `tests/contract/redaction.json`, and the ordinary text that must stay beside them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use serde::Deserialize;
use surehook_core::telemetry::redact::Redactor;

#[derive(Deserialize)]
struct Contract {
    credentials: Vec<Credential>,
    ordinary: Vec<String>,
}

#[derive(Deserialize)]
struct Credential {
    kind: String,
    text: String,
}

fn contract() -> Contract {
    serde_json::from_str(include_str!("../../tests/contract/redaction.json")).unwrap()
}

fn redactor() -> Redactor {
    Redactor::new::<&str>(&[])
}

fn alphabet(name: &str) -> &'static [u8] {
    let all = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/-_";
    match name {
        "digits" => &all[..10],
        "hex" => &all[..16],
        "lower" => &all[..36],
        "letters" => &all[10..62],
        "alnum" => &all[..62],
        "base64" => &all[..64],
        "UPPER" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "base64url" => b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_",
        other => panic!("{other} is no alphabet"),
    }
}

/// The text with its places filled, and its secret: the longest of what was filled in.
fn filled(template: &str, random: &mut impl FnMut() -> usize) -> (String, String) {
    let (mut text, mut secret) = (String::new(), String::new());
    let mut rest = template;
    while let Some((before, at)) = rest.find('{').and_then(|at| {
        let (before, place) = rest.split_at(at);
        Some((before, place)).filter(|(_, place)| is_place(place)).or_else(|| {
            let next = rest[at + 1..].match_indices('{').find(|(next, _)| is_place(&rest[at + 1 + next..]))?;
            Some(rest.split_at(at + 1 + next.0))
        })
    }) {
        let (place, after) = at[1..].split_once('}').unwrap();
        let (name, length) = place.split_once(':').unwrap();
        let characters = alphabet(name);
        let part: String =
            (0..length.parse().unwrap()).map(|_| char::from(characters[random() % characters.len()])).collect();
        text += before;
        text += &part;
        if part.len() > secret.len() {
            secret = part;
        }
        rest = after;
    }
    (text + rest, secret)
}

fn is_place(text: &str) -> bool {
    let place = text[1..].split_once('}').map(|(place, _)| place).and_then(|place| place.split_once(':'));
    place.is_some_and(|(name, length)| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !length.is_empty()
            && length.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Numbers in no order, the same for the same seed.
fn random(seed: u64) -> impl FnMut() -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    }
}

#[test]
fn every_kind_of_credential_is_redacted_wherever_it_stands() {
    let redactor = redactor();
    let mut missed = Vec::new();
    for (seed, Credential { kind, text }) in (1_u64..).zip(contract().credentials) {
        for variant in 0..5 {
            let (text, secret) = filled(&text, &mut random(seed * 100 + variant));
            for text in [
                text.clone(),
                format!("before {text} after"),
                format!("é({text})\nnext line"),
                format!("failed: {text}"),
                serde_json::to_string(&serde_json::json!({ "note": text })).unwrap(),
            ] {
                let clean = redactor.text(&text);
                if clean.contains(&secret) || !clean.contains("[redacted]") {
                    missed.push(format!("{kind}: {text} -> {clean}"));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn ordinary_text_stays_as_it_is() {
    let redactor = redactor();
    let texts = contract().ordinary;
    let changed: Vec<_> = texts.iter().filter(|text| redactor.text(text) != text.as_str()).collect();
    assert!(changed.is_empty(), "{:#?}", changed.iter().map(|text| redactor.text(text)).collect::<Vec<_>>());
    let whole = texts.join("\n");
    assert_eq!(redactor.text(&whole), whole);
}

#[test]
fn redaction_is_stable() {
    for (seed, Credential { text, kind }) in (1_u64..).zip(contract().credentials) {
        let (text, _) = filled(&text, &mut random(seed));
        let once = redactor().text(&text).into_owned();
        assert_eq!(redactor().text(&once), once, "{kind}: {text}");
    }
}

#[test]
fn labels_with_a_credential_stay_two() {
    let redactor = Redactor::new(&["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]);
    for label in ["msg_2Lh9KRb0pzN4LePd3XiA4v12Axj", "user.created", "user_1", "", "a b"] {
        assert_eq!(redactor.label(label, b"shk_1"), label);
    }
    let long = "x".repeat(5000);
    assert_eq!(redactor.label(&long, b"shk_1").len(), 1000);
    let first = redactor.label("sk_live_51H8xCanary", b"shk_1");
    assert!(first.starts_with("redacted-") && first.len() == 9 + 32, "{first}");
    assert_eq!(first, redactor.label("sk_live_51H8xCanary", b"shk_1"));
    assert_ne!(first, redactor.label("sk_live_51H8xCanarz", b"shk_1"));
    assert_ne!(first, redactor.label("sk_live_51H8xCanary", b"shk_2"));
    assert_eq!(redactor.label(&first, b"shk_1"), first);
    assert!(redactor.label("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", b"").starts_with("redacted-"));
    // Two that differ only where they are not told.
    let (one, other) = (format!("{long}sk_live_51H8xCanary"), format!("{} sk_live_51H8xCanary", "y".repeat(900)));
    assert!(!redactor.label(&one, b"shk_1").contains("51H8x"));
    assert!(!redactor.label(&other, b"shk_1").contains("51H8x"));
}

#[test]
fn a_cut_never_leaves_half_of_a_credential() {
    const SECRET: &str = "AAAA+BBBB/CCCC+DDDD/EEEE+FF";
    let redactor = Redactor::new(&[SECRET]);
    for (seed, Credential { kind, text }) in (1_u64..).zip(contract().credentials) {
        let (text, secret) = filled(&text, &mut random(seed));
        // A code of a few digits is known by words that may be behind the cut.
        if secret.len() < 10 {
            continue;
        }
        let secret = &secret[..10];
        // What is redacted before it makes room, so that the end of what was looked at is told.
        let room = format!("password={} ", "p".repeat(1100));
        for before in (2024 - 40 - room.len()..2024 - room.len()).step_by(3) {
            let message = format!("{room}{} {text} {}", "w ".repeat(before / 2), "z".repeat(3000));
            assert!(!redactor.message(&message).contains(secret), "{kind} {before}");
        }
    }
    for before in 0..60 {
        let message = format!("password={} {}{SECRET}{}", "p".repeat(1100), "w".repeat(870 + before), "z".repeat(3000));
        assert!(!redactor.message(&message).contains("AAAA+"), "{before}");
    }
    for form in ["path", "header"] {
        for before in 1100..1240 {
            let text = format!("/{}/{SECRET}/x", "w".repeat(before));
            let headers: [(&[u8], &[u8]); 1] = [(b"user-agent", text.as_bytes())];
            let told = if form == "path" {
                redactor.path(&text.repeat(3))
            } else {
                redactor.headers(&headers)["user-agent"].clone()
            };
            assert!(!told.contains("AAAA"), "{form} {before}: {told}");
        }
    }
}

/// Texts that begin again and again what has to be looked for to the end. In quadratic time a megabyte takes hours.
#[test]
fn the_time_grows_with_the_length_whatever_the_text() {
    let redactor = redactor();
    for hostile in [
        "://",
        "://a:",
        "://@/",
        "a://b:c/",
        "a://b@",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY",
        "password",
        "password=",
        "token:\"",
        "eyJ",
        "eyJ.",
        "re_",
        "sk-",
        "values (",
        "entry '",
        "parameters: ",
        "name=\"",
        "1234,",
        "4111 ",
        "one time 1234 ",
        "_",
        "a_",
        "A-",
        "key key ",
        "Bearer ",
        "=",
        "\\",
        "\\\"",
        "%",
        "%3D",
        "[",
        "(",
        "token=(",
        "token={",
        "{",
        "code ",
        "otp ",
        "é",
        "a/",
        "Aa1",
        "Aa1/",
        "--token ",
        "<token>",
        "<token",
        "-u ",
        "digest a=",
        "x.",
        "a.b.",
        "1:",
        "1/1",
        "8Q~",
        "live_",
        "test-",
        "token: ",
        "token: '",
        "cookie:",
        "pass ",
        "p",
        "insert ",
    ] {
        let text = hostile.repeat(1024 * 1024 / hostile.len());
        assert!(redactor.text(&text).len() <= 16 * text.len(), "{hostile}");
    }
}

proptest! {
    #[test]
    fn any_text_goes_through(text in any::<String>(), key in any::<Vec<u8>>()) {
        let redactor = redactor();
        prop_assert!(redactor.label(&text, &key).len() <= 1000);
        prop_assert!(redactor.name(&text).len() <= 210);
        let _ = redactor.text(&text);
    }

    #[test]
    fn hostile_text_goes_through(parts in prop::collection::vec(prop::sample::select(vec![
        "://", "@", "/", ":", "password", "=", "\"", "\\", "'", "é", "[", "(", "{", ")", " ", "\n", "token", "Bearer ", "eyJ",
        "-----BEGIN PRIVATE KEY-----", "-----END ", "4111111111111111", "123456", "verification code", "%3D", "sk_live_",
        "values (", "[parameters: ", "]", "<", ">", "--", ",", "&", "a", "Z9", "u", "-u ", "name=\"", "😀",
    ]), 0..40)) {
        let text = parts.concat();
        let once = redactor().text(&text).into_owned();
        prop_assert!(once.len() <= text.len() + 10 * parts.len().max(1));
        let _ = redactor().path(&text);
        let _ = redactor().message(&text);
    }
}
