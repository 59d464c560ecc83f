//! What must hold for every input, not only for the rows of the vectors.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use proptest::collection::vec;
use proptest::prelude::*;
use surehook_core::{ReasonCode, Secret, Timestamp, Verifier, sign};

const SIGNED_AT: i64 = 1_700_000_000;
const NAMES: [&[u8]; 3] = [b"svix-id", b"svix-timestamp", b"svix-signature"];

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(SIGNED_AT + 5)
}

fn whsec(key: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

fn whsk_and_whpk(seed: [u8; 32]) -> (String, String) {
    let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    (format!("whsk_{}", STANDARD.encode(seed)), format!("whpk_{}", STANDARD.encode(public)))
}

/// Verifies and gives the message id or the code.
fn check(verifier: &Verifier, body: &[u8], values: [&[u8]; 3]) -> Result<String, ReasonCode> {
    let headers: Vec<_> = NAMES.into_iter().zip(values).collect();
    verifier
        .verify(body, &headers, now())
        .map(|message| message.message_id().to_owned())
        .map_err(|rejection| rejection.code())
}

fn flip(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

/// Flips every bit of the body and of the three header values, one at a time: nothing may pass.
fn assert_every_flip_is_refused(verifier: &Verifier, body: &[u8], values: [&[u8]; 3]) -> usize {
    assert!(check(verifier, body, values).is_ok());
    let mut flips = 0;
    for bit in 0..body.len() * 8 {
        assert_eq!(check(verifier, &flip(body, bit), values), Err(ReasonCode::SignatureMismatch), "body bit {bit}");
        flips += 1;
    }
    for part in 0..values.len() {
        for bit in 0..values[part].len() * 8 {
            let flipped = flip(values[part], bit);
            let mut changed = values;
            changed[part] = &flipped;
            assert!(check(verifier, body, changed).is_err(), "header {part} bit {bit}");
            flips += 1;
        }
    }
    for part in 0..NAMES.len() {
        for bit in 0..NAMES[part].len() * 8 {
            let flipped = flip(NAMES[part], bit);
            // The bit that is the case of a letter leaves the name the same name.
            if flipped.eq_ignore_ascii_case(NAMES[part]) {
                continue;
            }
            let mut headers: Vec<_> = NAMES.into_iter().zip(values).collect();
            headers[part].0 = &flipped;
            assert!(verifier.verify(body, &headers, now()).is_err(), "name {part} bit {bit}");
            flips += 1;
        }
    }
    flips
}

#[test]
fn every_one_bit_flip_of_a_1_kib_message_is_refused() {
    let body: Vec<u8> = (0..1024_u32).map(|index| (index * 31 + index / 7) as u8).collect();
    let secret = whsec(&[7; 24]);
    let signature = sign(&secret, "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj", SIGNED_AT, &body).unwrap();
    let verifier = Verifier::new("clerk", &[&secret]).unwrap();
    let values: [&[u8]; 3] = [b"msg_2Lh9KRb0pzN4LePd3XiA4v12Axj", b"1700000000", signature.as_bytes()];
    let flips = assert_every_flip_is_refused(&verifier, &body, values);
    println!("refused {flips} one-bit flips (v1)");
}

#[test]
fn every_one_bit_flip_of_an_ed25519_message_is_refused() {
    let (private, public) = whsk_and_whpk([9; 32]);
    let body = br#"{"type":"user.created"}"#;
    let signature = sign(&private, "msg_1", SIGNED_AT, body).unwrap();
    let verifier = Verifier::new("standard-webhooks", &[&public]).unwrap();
    let flips = assert_every_flip_is_refused(&verifier, body, [b"msg_1", b"1700000000", signature.as_bytes()]);
    println!("refused {flips} one-bit flips (v1a)");
}

fn message_ids() -> impl Strategy<Value = String> {
    "[!-\\-/-~]{1,256}"
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 16..=64)
}

/// Header names and values, with a bias for the ones that matter.
fn header() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let known = proptest::sample::select(vec![
        "svix-id",
        "svix-timestamp",
        "svix-signature",
        "webhook-id",
        "Webhook-Timestamp",
        "WEBHOOK-SIGNATURE",
    ]);
    let name = prop_oneof![4 => known.prop_map(|name| name.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..40)];
    let value = prop_oneof![
        2 => vec(any::<u8>(), 0..80),
        2 => "[0-9]{1,13}".prop_map(String::into_bytes),
        1 => Just(b"1700000000".to_vec()),
        2 => "(v1a?,[A-Za-z0-9+/]{0,44}={0,2} ?){0,70}".prop_map(String::into_bytes),
        2 => "msg_[a-z.]{0,20}".prop_map(String::into_bytes),
    ];
    (name, value)
}

fn secret_texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(whsec_|whpk_|whsk_|sk_|pk_|eyJ|\\$\\{| |\"|\n)?[A-Za-z0-9+/_-]{0,96}={0,3}( |\n|'|\")?",
        keys().prop_map(|key| whsec(&key)),
        any::<[u8; 32]>().prop_map(|bytes| format!("whpk_{}", STANDARD.encode(bytes))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_signed_verifies(
        key in keys(),
        id in message_ids(),
        body in vec(any::<u8>(), 0..2048),
        age in -300_i64..=300,
    ) {
        let secret = whsec(&key);
        let signed_at = now().unix_seconds() - age;
        let timestamp = signed_at.to_string();
        let signature = sign(&secret, &id, signed_at, &body).unwrap();
        let verifier = Verifier::new("svix", &[&secret]).unwrap();
        let values: [&[u8]; 3] = [id.as_bytes(), timestamp.as_bytes(), signature.as_bytes()];
        prop_assert_eq!(check(&verifier, &body, values), Ok(id.clone()));
    }

    #[test]
    fn what_is_signed_with_ed25519_verifies(seed: [u8; 32], id in message_ids(), body in vec(any::<u8>(), 0..512)) {
        let (private, public) = whsk_and_whpk(seed);
        let signature = sign(&private, &id, SIGNED_AT, &body).unwrap();
        let verifier = Verifier::new("svix", &[&public]).unwrap();
        let values: [&[u8]; 3] = [id.as_bytes(), b"1700000000", signature.as_bytes()];
        prop_assert_eq!(check(&verifier, &body, values), Ok(id.clone()));
    }

    #[test]
    fn another_key_another_body_or_another_id_never_verifies(
        key in keys(),
        other_key in keys(),
        body in vec(any::<u8>(), 0..256),
        other_body in vec(any::<u8>(), 0..256),
        id in message_ids(),
        other_id in message_ids(),
    ) {
        prop_assume!(key != other_key && body != other_body && id != other_id);
        let signature = sign(&whsec(&key), &id, SIGNED_AT, &body).unwrap();
        let right = Verifier::new("clerk", &[whsec(&key)]).unwrap();
        let wrong = Verifier::new("clerk", &[whsec(&other_key)]).unwrap();
        let time: &[u8] = b"1700000000";
        let mismatch = Err(ReasonCode::SignatureMismatch);
        prop_assert_eq!(check(&wrong, &body, [id.as_bytes(), time, signature.as_bytes()]), mismatch.clone());
        prop_assert_eq!(check(&right, &other_body, [id.as_bytes(), time, signature.as_bytes()]), mismatch.clone());
        prop_assert_eq!(check(&right, &body, [other_id.as_bytes(), time, signature.as_bytes()]), mismatch);
    }

    #[test]
    fn the_order_of_entries_and_secrets_never_matters(
        entries in Just(list_of_entries()).prop_shuffle(),
        secrets in Just(vec![whsec(&[1; 24]), whsec(&[2; 24]), whsk_and_whpk([3; 32]).1]).prop_shuffle(),
        gap in " {1,3}",
    ) {
        let verifier = Verifier::new("clerk", &secrets).unwrap();
        let list = entries.join(&gap);
        prop_assert_eq!(check(&verifier, b"{}", [b"msg_1", b"1700000000", list.as_bytes()]), Ok("msg_1".to_owned()));
        // Without the right entry the same list is refused, in every order.
        let without: Vec<_> = entries.iter().filter(|entry| **entry != right_entry()).cloned().collect();
        let list = without.join(&gap);
        prop_assert_eq!(
            check(&verifier, b"{}", [b"msg_1", b"1700000000", list.as_bytes()]),
            Err(ReasonCode::SignatureMismatch)
        );
    }

    #[test]
    fn nothing_panics_and_every_rejection_has_a_code_of_the_contract(
        headers in vec(header(), 0..8),
        body in vec(any::<u8>(), 0..256),
        now in any::<i64>(),
        limit in 1_usize..300,
    ) {
        let verifier = Verifier::new("clerk", &[whsec(&[7; 24]), whsk_and_whpk([9; 32]).1])
            .and_then(|verifier| verifier.with_max_body_bytes(limit))
            .unwrap();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        match verifier.verify(&body, &headers, Timestamp::from_unix_micros(now)) {
            Ok(message) => prop_assert!(false, "nobody signed {:?}", message),
            Err(rejection) => {
                prop_assert!(ReasonCode::ALL.contains(&rejection.code()));
                prop_assert!(rejection.docs().contains(rejection.code().as_str()));
                prop_assert!(!rejection.message().is_empty());
            }
        }
    }

    #[test]
    fn any_text_is_a_secret_or_an_error_with_a_code(text in secret_texts()) {
        match Secret::parse(&text) {
            Ok(secret) => {
                prop_assert!(Verifier::new("clerk", &[&text]).is_ok());
                prop_assert_eq!(text.trim(), text.as_str());
                let encoded = text.strip_prefix("whsec_").or(text.strip_prefix("whpk_")).unwrap_or(&text);
                let plain = encoded.replace('-', "+").replace('_', "/");
                let key = STANDARD_NO_PAD.decode(plain.trim_end_matches('=')).unwrap();
                prop_assert!(key.len() >= 16);
                let texts = [STANDARD.encode(&key), STANDARD_NO_PAD.encode(&key)];
                prop_assert!(texts.contains(&plain), "another text of the same key was taken");
                prop_assert_eq!(secret.warnings().next().is_some(), key.len() < 24);
            }
            Err(error) => prop_assert_eq!(error.code(), "secret_invalid"),
        }
        // Signing takes other keys, but never panics either.
        let _ = sign(&text, "msg_1", SIGNED_AT, b"{}");
    }

    #[test]
    fn debug_output_and_errors_never_contain_the_secret(key in vec(any::<u8>(), 8..=64), stray in "[ \n\"'!*.]{0,2}") {
        let encoded = STANDARD.encode(&key);
        let text = format!("whsec_{encoded}{stray}");
        let raw = format!("{key:?}");
        let shown = match Verifier::new("clerk", &[&text]) {
            Ok(verifier) => {
                let secret = Secret::parse(&text).unwrap();
                let rejection = verifier.verify(b"{}", &[], now()).unwrap_err();
                format!("{verifier:?} {verifier:#?} {secret:?} {rejection} {rejection:?}")
            }
            Err(error) => format!("{error} {error:?}"),
        };
        for secret in [encoded.as_str(), encoded.trim_end_matches('='), raw.as_str()] {
            prop_assert!(!shown.contains(secret), "{}", shown);
        }
    }
}

fn right_entry() -> String {
    sign(&whsec(&[2; 24]), "msg_1", SIGNED_AT, b"{}").unwrap()
}

fn list_of_entries() -> Vec<String> {
    let wrong = sign(&whsec(&[8; 24]), "msg_1", SIGNED_AT, b"{}").unwrap();
    let wrong_v1a = sign(&whsk_and_whpk([4; 32]).0, "msg_1", SIGNED_AT, b"{}").unwrap();
    let mut entries: Vec<String> = ["v1,", "v1,%%%", "v2,abc", "junk", ",", "v1a,AAAA"].map(str::to_owned).into();
    entries.extend([wrong, wrong_v1a, right_entry()]);
    entries
}
