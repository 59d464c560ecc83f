//! Every row of `tests/vectors/` through the core: the same verdict, the same code, the same message id.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod rows;

use std::collections::BTreeMap;
use std::time::Duration;

use rows::{File, SecretRow, VerifyRow, load};
use serde::Deserialize;
use surehook_core::{ReasonCode, Secret, Timestamp, Verifier, scheme};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    valid: bool,
    message_id: Option<String>,
    code: Option<String>,
}

fn verdict(row: &VerifyRow<Expect>) -> Expect {
    let verifier = row.verifier().unwrap();
    row.with_request(|incoming, now| match verifier.verify_request(incoming, now) {
        Ok(message) => {
            assert_eq!(message.body(), incoming.body, "{}", row.id);
            Expect { valid: true, message_id: Some(message.message_id().to_owned()), code: None }
        }
        Err(rejection) => Expect { valid: false, message_id: None, code: Some(rejection.code().as_str().to_owned()) },
    })
}

/// What building an endpoint with the secret gives, and what the error says of it.
fn secret_verdict(row: &SecretRow) -> (&'static str, String) {
    match Verifier::new(&row.provider, &[&row.secret]) {
        Ok(verifier) if verifier.warnings().next().is_some() => ("ok_with_warning", String::new()),
        Ok(_) => ("ok", String::new()),
        Err(error) => (error.code(), error.to_string()),
    }
}

#[test]
fn every_row_has_the_same_verdict_and_every_secret_its_fate() {
    let verify: File<VerifyRow<Expect>> = load("verify.json");
    let secrets: File<SecretRow> = load("secrets.json");
    let mut differences = Vec::new();
    for row in &verify.rows {
        let got = verdict(row);
        if got != row.expect {
            differences.push(format!("{}: expected {:?}, got {got:?}", row.id, row.expect));
        }
    }
    for row in &secrets.rows {
        let (got, text) = secret_verdict(row);
        if got != row.expect {
            differences.push(format!("secret {}: expected {}, got {got}", row.id, row.expect));
        }
        if !row.says.as_ref().is_none_or(|word| text.contains(word.as_str())) {
            differences.push(format!("secret {}: {text:?} does not say {:?}", row.id, row.says));
        }
    }
    let negative = verify.rows.iter().filter(|row| !row.expect.valid).count();
    println!(
        "conformance rust: verify {} rows ({negative} negative), secrets {} rows",
        verify.rows.len(),
        secrets.rows.len()
    );
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn the_table_is_large_and_mostly_negative_and_uses_every_code_of_a_pure_check() {
    let verify: File<VerifyRow<Expect>> = load("verify.json");
    let negative = verify.rows.iter().filter(|row| !row.expect.valid).count();
    assert!(verify.rows.len() >= 170, "{} rows", verify.rows.len());
    assert!(negative * 10 >= verify.rows.len() * 6, "{negative} negative of {}", verify.rows.len());

    // Codes of what surrounds the check: the adapter, the replay guard, the set-up, verifiers of other schemes.
    let elsewhere = [
        ReasonCode::BodyUnavailable,
        ReasonCode::Replayed,
        ReasonCode::SecretInvalid,
        ReasonCode::SecretMissing,
        ReasonCode::SecretUnknown,
        ReasonCode::VerifierError,
    ];
    for code in ReasonCode::ALL.iter().filter(|code| !elsewhere.contains(code)) {
        let used = verify.rows.iter().any(|row| row.expect.code.as_deref() == Some(code.as_str()));
        assert!(used, "no row is refused with {code}");
    }
}

#[test]
fn rows_have_ids_of_their_own_and_flags_that_are_explained() {
    fn check<'a>(flags: &BTreeMap<String, String>, rows: impl Iterator<Item = (&'a str, &'a [String])>) {
        let mut seen = std::collections::BTreeSet::new();
        for (id, row_flags) in rows {
            assert!(seen.insert(id.to_owned()), "{id} twice");
            assert!(row_flags.iter().all(|flag| flags.contains_key(flag)), "{id}");
        }
    }
    let verify: File<VerifyRow<Expect>> = load("verify.json");
    check(&verify.flags, verify.rows.iter().map(|row| (row.id.as_str(), row.flags.as_slice())));
    let secrets: File<SecretRow> = load("secrets.json");
    check(&secrets.flags, secrets.rows.iter().map(|row| (row.id.as_str(), row.flags.as_slice())));
}

#[test]
fn the_default_body_limit_of_every_provider_is_one_mebibyte_inclusive() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let now = Timestamp::from_unix_seconds(1_700_000_000);
    for provider in ["clerk", "svix", "standard-webhooks"] {
        let verifier = Verifier::new(provider, &[secret]).unwrap();
        let code = |length: usize| {
            let body = vec![b' '; length];
            let signature = surehook_core::sign(secret, "msg_1", now.unix_seconds(), &body).unwrap();
            let headers: [(&[u8], &[u8]); 3] =
                [(b"svix-id", b"msg_1"), (b"svix-timestamp", b"1700000000"), (b"svix-signature", signature.as_bytes())];
            verifier.verify(&body, &headers, now).err().map(|rejection| rejection.code().as_str())
        };
        assert_eq!(code(1024 * 1024), None, "{provider}");
        assert_eq!(code(1024 * 1024 + 1), Some("body_too_large"), "{provider}");
    }
}

#[test]
fn a_tolerance_beyond_its_range_and_a_limit_of_zero_are_refused() {
    let verifier = Verifier::new("clerk", &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]).unwrap();
    for tolerance in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(3601), Duration::MAX] {
        assert_eq!(verifier.clone().with_tolerance(tolerance).unwrap_err().code(), "invalid_option", "{tolerance:?}");
    }
    assert_eq!(verifier.with_max_body_bytes(0).unwrap_err().code(), "invalid_option");
}

#[test]
fn no_endpoint_without_a_secret_or_with_an_unknown_provider() {
    assert_eq!(Verifier::new::<&str>("clerk", &[]).unwrap_err().code(), "secret_missing");
    assert_eq!(Verifier::new("Clerk ", &["whsec_"]).unwrap_err().code(), "unknown_provider");
    // One bad secret among good ones is an error too: it would otherwise surface at the next rotation.
    let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(Verifier::new("clerk", &[good, "whsec_"]).unwrap_err().code(), "secret_invalid");
}

#[test]
fn errors_and_debug_output_never_repeat_a_secret() {
    let secrets: File<SecretRow> = load("secrets.json");
    for row in secrets.rows.iter().filter(|row| row.secret.len() > 6 && !row.flags.contains(&"length".to_owned())) {
        let tail = row.secret.trim_start_matches("whsec_").trim_start_matches("whpk_");
        let shown = match (
            Verifier::new(&row.provider, &[&row.secret]),
            Secret::for_scheme(&row.secret, &scheme::find(&row.provider).unwrap()),
        ) {
            (Ok(verifier), Ok(secret)) => format!("{verifier:?} {secret:?}"),
            (Err(error), Err(other)) => format!("{error} {error:?} {other} {other:?}"),
            _ => panic!("{}: Verifier and Secret disagree", row.id),
        };
        assert!(!shown.contains(tail), "{}: {shown}", row.id);
    }
}
