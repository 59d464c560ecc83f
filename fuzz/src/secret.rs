//! Any text as a secret of any provider: refused with a code, or strong enough and usable; never repeated.

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use surehook_core::scheme::{SecretForm, TimestampPlace};
use surehook_core::{Incoming, Scheme, Secret, Signer, Unsigned, Verifier};

use super::{input, signed};

/// Shorter texts, and those with fewer digits, may be words of an error by chance.
const TELLING: usize = 12;
const TELLING_DIGITS: usize = 5;

pub fn run(bytes: &[u8]) {
    // What the fuzzer's bytes do not suffice for is no input.
    let _ = check(Unstructured::new(bytes));
}

fn check(mut input: Unstructured<'_>) -> Result<()> {
    let scheme = input::scheme(&mut input)?;
    let Ok(text) = std::str::from_utf8(input.take_rest()) else { return Ok(()) };
    let signer = Signer::new(scheme.clone(), text);
    match Secret::for_scheme(text, &scheme) {
        Ok(secret) => {
            assert_eq!(text.trim(), text);
            assert!(!text.is_empty() && text.len() <= 1024);
            assert_silent(text, &format!("{secret:?}"));
            if let Ok(signer) = &signer {
                assert_round_trip(&scheme, text, signer);
            }
        }
        Err(error) => {
            assert_eq!(error.code(), "secret_invalid");
            assert_silent(text, &format!("{error} {error:?}"));
        }
    }
    match signer {
        Ok(signer) => assert_silent(text, &format!("{signer:?}")),
        Err(error) => assert_silent(text, &format!("{error} {error:?}")),
    }
    Ok(())
}

fn assert_silent(text: &str, shown: &str) {
    let telling = text.len() >= TELLING && text.bytes().filter(u8::is_ascii_digit).count() >= TELLING_DIGITS;
    assert!(!telling || !shown.contains(text), "{shown}");
}

/// What a receiver's secret signs, that secret verifies.
fn assert_round_trip(scheme: &Arc<Scheme>, text: &str, signer: &Signer) {
    let unsigned = Unsigned { message_id: "msg_1", timestamp: signed::NOW, ..Unsigned::post(b"") };
    let Ok(headers) = signer.sign(&unsigned) else { return };
    let pairs: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let verifier = Verifier::for_scheme(scheme.clone(), &[text]).expect("the secret was taken before");
    let verdict = verifier.verify_request(&Incoming::post(&pairs, b""), signed::NOW).map(|_| ());
    // A public key in the same form as its private key is another key.
    let public = matches!(scheme.secret, SecretForm::Ed25519Hex | SecretForm::P256Spki);
    let by_body = matches!(scheme.timestamp.as_ref().map(|rule| &rule.place), Some(TimestampPlace::Body(_)));
    assert!(public || by_body || verdict.is_ok(), "{}: {verdict:?}", scheme.provider);
}
