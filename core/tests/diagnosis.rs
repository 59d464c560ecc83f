//! Every row of `tests/vectors/diagnosis.json` through the core: the same finding, as sure; and no finding without a proof.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod rows;

use proptest::prelude::*;
use rows::{File, VerifyRow, load};
use serde::Deserialize;
use surehook_core::diagnose::{Certainty, Context, Diagnosis, Finding, MAX_BODY, MAX_EXPERIMENTS, MAX_TIME, diagnose};
use surehook_core::{ConfigError, Incoming, Timestamp, Verifier, sign};

#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    request: VerifyRow<Expect>,
    others: Vec<Other>,
    recent_drift_seconds: Vec<i64>,
}

#[derive(Deserialize)]
struct Other {
    endpoint: String,
    secret: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Expect {
    code: String,
    finding: Option<Finding>,
    certainty: Option<Certainty>,
}

fn found(row: &Row) -> Expect {
    let verifier = match row.request.verifier() {
        Ok(verifier) => verifier,
        Err(ConfigError::SecretInvalid { finding, .. }) => {
            let certainty = finding.map(|_| Certainty::Likely);
            return Expect { code: "secret_invalid".to_owned(), finding, certainty };
        }
        Err(error) => panic!("{}: {error}", row.request.id),
    };
    let others: Vec<_> = row
        .others
        .iter()
        .map(|other| (other.endpoint.as_str(), Verifier::new(row.request.provider(), &[&other.secret]).unwrap()))
        .collect();
    let others: Vec<_> = others.iter().map(|(name, verifier)| (*name, verifier)).collect();
    row.request.with_request(|incoming, now| {
        let rejection = verifier.verify_request(incoming, now).unwrap_err();
        let context = Context { others: &others, recent_drift: &row.recent_drift_seconds, ..Context::default() };
        let diagnosis = diagnose(&verifier, incoming, &rejection, now, &context);
        Expect {
            code: rejection.code().as_str().to_owned(),
            finding: diagnosis.as_ref().map(|diagnosis| diagnosis.finding),
            certainty: diagnosis.map(|diagnosis| diagnosis.certainty),
        }
    })
}

#[test]
fn every_row_has_the_same_finding() {
    let file: File<Row> = load("diagnosis.json");
    let differences: Vec<_> = file
        .rows
        .iter()
        .map(|row| (row, found(row)))
        .filter(|(row, got)| *got != row.request.expect)
        .map(|(row, got)| format!("{}: expected {:?}, got {got:?}", row.request.id, row.request.expect))
        .collect();
    println!("conformance rust: diagnosis {} rows", file.rows.len());
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn every_finding_has_rows() {
    let file: File<Row> = load("diagnosis.json");
    for finding in Finding::ALL {
        let rows = file.rows.iter().filter(|row| row.request.expect.finding == Some(*finding)).count();
        assert!(rows >= 3, "{finding}: {rows} rows");
    }
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

/// The diagnosis of a request signed over `signed` that arrives with `body`.
fn changed(signed: &[u8], body: &[u8], context: &Context<'_>) -> Option<Diagnosis> {
    let verifier = Verifier::new("clerk", &[SECRET]).unwrap();
    let signature = sign(SECRET, "msg_1", 1_700_000_000, signed).unwrap();
    let headers: [(&[u8], &[u8]); 3] =
        [(b"svix-id", b"msg_1"), (b"svix-timestamp", b"1700000000"), (b"svix-signature", signature.as_bytes())];
    let incoming = Incoming::post(&headers, body);
    let rejection = verifier.verify_request(&incoming, NOW).err()?;
    diagnose(&verifier, &incoming, &rejection, NOW, context)
}

#[test]
fn seconds_where_milliseconds_belong_are_told_from_a_clock_of_1970() {
    let (secret, body) = ("0123456789abcdef0123456789abcdef", b"{}");
    let workos = surehook_core::scheme::find("workos").unwrap();
    let signer = surehook_core::Signer::new(workos, secret).unwrap();
    let in_seconds = Timestamp::from_unix_millis(NOW.unix_seconds());
    let unsigned = surehook_core::Unsigned { timestamp: in_seconds, ..surehook_core::Unsigned::post(body) };
    let headers = signer.sign(&unsigned).unwrap();
    let pairs: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let verifier = Verifier::new("workos", &[secret]).unwrap();
    let incoming = Incoming::post(&pairs, body);
    let rejection = verifier.verify_request(&incoming, NOW).unwrap_err();
    let diagnosis = diagnose(&verifier, &incoming, &rejection, NOW, &Context::default()).unwrap();
    assert_eq!((diagnosis.finding, diagnosis.certainty), (Finding::TimestampUnits, Certainty::Proved));
}

#[test]
fn no_experiment_is_made_when_the_time_is_over_or_the_body_is_large() {
    let late = Context { elapsed: &|| MAX_TIME, ..Context::default() };
    assert!(changed(b"{\"a\": 1}", b"{\"a\":1}", &Context::default()).is_some());
    assert_eq!(changed(b"{\"a\": 1}", b"{\"a\":1}", &late), None);
    let long = |spaces: &str| format!("{{\"a\":{spaces}\"{}\"}}", "x".repeat(MAX_BODY)).into_bytes();
    assert_eq!(changed(&long(" "), &long(""), &Context::default()), None);
    assert_eq!(MAX_EXPERIMENTS, 20);
}

#[test]
fn a_version_that_nobody_knows_is_no_sign_of_the_wrong_key() {
    let headers: [(&[u8], &[u8]); 3] =
        [(b"svix-id", b"msg_1"), (b"svix-timestamp", b"1700000000"), (b"svix-signature", b"v9,AAAA")];
    let incoming = Incoming::post(&headers, b"{}");
    for secret in [SECRET, "whpk_/RckOFqgx1tk+3jNYC+h2ZH96/drE8WO1wLqyDXp9hg="] {
        let verifier = Verifier::new("clerk", &[secret]).unwrap();
        let rejection = verifier.verify_request(&incoming, NOW).unwrap_err();
        assert_eq!(rejection.code().as_str(), "no_supported_version");
        assert_eq!(diagnose(&verifier, &incoming, &rejection, NOW, &Context::default()), None, "{secret:.5}");
    }
}

#[test]
fn a_diagnosis_holds_neither_secret_nor_signature_nor_body() {
    let body = b"{\"name\":\"canary-in-the-body\"}";
    let signature = sign(SECRET, "msg_1", 1_700_000_000, b"{\"name\": \"canary-in-the-body\"}").unwrap();
    let diagnosis = changed(b"{\"name\": \"canary-in-the-body\"}", body, &Context::default()).unwrap();
    let text = format!("{diagnosis} {diagnosis:?} {}", serde_json::to_string(&diagnosis).unwrap());
    for canary in [&SECRET[6..], &signature[3..], "canary-in-the-body"] {
        assert!(!text.contains(canary), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bodies that have nothing to do with each other: no experiment may verify. Fifty bodies a case, 100 000 in all. What is
    /// signed is long enough that chance does not wrap it: "`" arrived as the form "=`&", which is rightly proved.
    #[test]
    fn a_mere_mismatch_is_never_proved(signed in "[!-~]{8,40}", bodies in prop::collection::vec(".{0,60}", 50)) {
        for body in &bodies {
            let found = changed(signed.as_bytes(), body.as_bytes(), &Context::default());
            let proved = found.filter(|diagnosis| diagnosis.certainty == Certainty::Proved);
            prop_assert!(proved.is_none(), "{signed:?} {body:?}: {proved:?}");
        }
    }
}
