//! The wire types, the schema and the catalogue of codes say the same.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use surehook_core::diagnose::{Certainty, Diagnosis, Finding};
use surehook_core::telemetry::attempt::{
    Attempt, Batch, Bodies, Dedup, DedupResult, DropReason, ErrorInfo, Failure, Instance, RequestInfo, ResponseInfo,
    SdkInfo, Step, Verification, VerificationResult,
};
use surehook_core::telemetry::refusals::{Kind, Refused, Shape};
use surehook_core::{Outcome, ReasonCode, Timestamp};
use uuid::Uuid;

use crate::setup::*;

fn file(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/contract").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn names<T: DeserializeOwned>(list: &str) -> Vec<T> {
    let names = file("codes.json")[list].clone();
    names
        .as_array()
        .unwrap()
        .iter()
        .map(|name| serde_json::from_value(name.clone()).expect("known to the core"))
        .collect()
}

/// The names that a type reads, which serde tells when it is given another.
fn known<T: DeserializeOwned>() -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(json!("not_one")).err().expect("refused").to_string();
    error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_catalogue_and_the_core_know_the_same_codes() {
    let catalogue =
        |list: &str| -> BTreeSet<String> { serde_json::from_value(file("codes.json")[list].clone()).unwrap() };
    assert_eq!(catalogue("reason_codes"), known::<ReasonCode>());
    assert_eq!(catalogue("outcomes"), known::<Outcome>());
    assert_eq!(catalogue("drop_reasons"), known::<DropReason>());
    assert_eq!(catalogue("dedup_results"), known::<DedupResult>());
    assert_eq!(catalogue("findings"), known::<Finding>());
    assert_eq!(catalogue("certainties"), known::<Certainty>());
    assert_eq!(ReasonCode::ALL, names::<ReasonCode>("reason_codes"));
    assert_eq!(Finding::ALL, names::<Finding>("findings"));
}

/// One attempt for each outcome, reason code and dedup result, with and without what is optional.
fn attempts() -> Vec<Attempt> {
    let (outcomes, codes, dedups) =
        (names::<Outcome>("outcomes"), names::<ReasonCode>("reason_codes"), names("dedup_results"));
    (0..outcomes.len().max(codes.len()) * 2)
        .map(|number| {
            let full = number % 2 == 0;
            let some = |text: &str| full.then(|| text.to_owned());
            let outcome = outcomes[number / 2 % outcomes.len()];
            let refused = outcome == Outcome::Rejected;
            let ended = matches!(outcome, Outcome::Processed | Outcome::SilentDrop | Outcome::Failed);
            Attempt {
                id: Uuid::now_v7(),
                continues: (full && ended).then(Uuid::now_v7),
                endpoint: "clerk".into(),
                provider: "clerk".into(),
                message_id: some("msg_1"),
                event_type: some("user.created"),
                entity_id: some("user_1"),
                received_at: Timestamp::from_unix_micros(NOW),
                provider_timestamp: full.then(|| Timestamp::from_unix_micros(NOW)),
                duration_us: 5,
                status: full.then_some(200),
                sender_left: full && !refused,
                outcome,
                deferred_until: (outcome == Outcome::Deferred).then(|| Timestamp::from_unix_micros(NOW)),
                verification: Verification {
                    result: if refused { VerificationResult::Rejected } else { VerificationResult::Verified },
                    code: refused.then(|| codes[number / 2 % codes.len()]),
                    diagnosis: None,
                },
                dedup: Dedup {
                    result: {
                        let all: &Vec<DedupResult> = &dedups;
                        all[number / 2 % all.len()]
                    },
                    store: some("memory"),
                    key: full.then(|| "0123456789abcdef".repeat(4)),
                },
                steps: if full {
                    vec![Step {
                        name: "create".into(),
                        at_us: 1,
                        duration_us: Some(1),
                        error: Some(ErrorInfo {
                            kind: "E".into(),
                            message: "m".into(),
                            fingerprint: "0123456789abcdef".into(),
                        }),
                    }]
                } else {
                    vec![]
                },
                missing_steps: if full { vec!["mail".into()] } else { vec![] },
                failure: full.then(|| Failure {
                    reason: Some("no".into()),
                    error: Some(ErrorInfo {
                        kind: "E".into(),
                        message: "m".into(),
                        fingerprint: "0123456789abcdef".into(),
                    }),
                }),
                request: RequestInfo {
                    method: "POST".into(),
                    path: "/".into(),
                    headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
                    size: 9,
                },
                response: full.then_some(ResponseInfo { size: 2 }),
                bodies: full.then(|| Bodies { request: Some("{}".into()), response: Some("ok".into()) }),
                metadata: Default::default(),
            }
        })
        .collect()
}

/// One refused attempt for each finding, and both certainties among them.
fn diagnosed() -> Vec<Attempt> {
    let certainties = names::<Certainty>("certainties");
    let findings = names::<Finding>("findings").into_iter().zip(certainties.into_iter().cycle());
    let diagnosis = |finding, certainty| Diagnosis { finding, certainty, evidence: "e".into(), fix: "f".into() };
    findings
        .map(|(finding, certainty)| Attempt {
            id: Uuid::now_v7(),
            continues: None,
            outcome: Outcome::Rejected,
            verification: Verification {
                result: VerificationResult::Rejected,
                code: Some(ReasonCode::SignatureMismatch),
                diagnosis: Some(diagnosis(finding, certainty)),
            },
            ..attempts().remove(0)
        })
        .collect()
}

fn written() -> Value {
    let dropped = names::<DropReason>("drop_reasons").into_iter().map(|reason| (reason, 1)).collect();
    serde_json::to_value(Batch {
        schema: 1,
        sdk: SdkInfo {
            name: "surehook".into(),
            version: "0.1.0".into(),
            language: "rust".into(),
            ..Default::default()
        },
        instance: Instance { id: Uuid::now_v7(), host: None, pid: 1 },
        service: Some("shop".into()),
        sent_at: Timestamp::from_unix_micros(NOW),
        posted_at: Some(Timestamp::from_unix_micros(NOW)),
        report_id: Some(Uuid::now_v7()),
        refused: vec![Refused {
            kind: Kind {
                endpoint: "a".into(),
                provider: "clerk".into(),
                code: ReasonCode::SignatureMismatch,
                finding: Some(Finding::BodyBase64),
                shape: Shape::Named,
            },
            count: 1,
        }],
        dropped,
        attempts: [attempts(), diagnosed()].concat(),
    })
    .unwrap()
}

#[test]
fn what_the_core_writes_keeps_the_schema() {
    let schema = jsonschema::validator_for(&file("batch.v1.schema.json")).unwrap();
    let errors: Vec<String> =
        schema.iter_errors(&written()).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
    let broken = with(written(), json!({ "schema": 2 }));
    assert!(!schema.is_valid(&broken), "the check can fail");
    let broken = with(written(), json!({ "attempts": [with(attempt("x"), json!({ "status": 5 }))] }));
    assert!(!schema.is_valid(&broken), "the references of the schema are followed");
    let mut without_code = written();
    without_code["attempts"].as_array_mut().unwrap().last_mut().unwrap()["verification"]
        .as_object_mut()
        .unwrap()
        .remove("code");
    assert!(!schema.is_valid(&without_code), "a diagnosis belongs to a code");
}

#[tokio::test]
async fn the_collector_stores_what_the_core_writes() {
    let bench = Bench::local();
    let (status, answer) = bench.send(written().to_string().into_bytes(), &[]).await;
    assert_eq!(status.as_u16(), 202);
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(attempts().len() + diagnosed().len()), &json!([])));
}

/// What each of these breaks is said by the schema and by the collector alike.
fn unlawful() -> Vec<(&'static str, Value)> {
    let id = Uuid::now_v7();
    let error = json!({ "type": "E", "message": "m", "fingerprint": "no" });
    let step = |name: &str| json!({ "name": name, "at_us": 1 });
    vec![
        ("deferred without a deadline", json!({ "outcome": "deferred" })),
        ("a deadline of what is not deferred", json!({ "deferred_until": NOW })),
        ("a deadline that is no time", json!({ "outcome": "deferred", "deferred_until": "tomorrow" })),
        ("deferred once more", json!({ "continues": id, "outcome": "deferred", "deferred_until": NOW })),
        ("the rest of nothing", json!({ "continues": "not-an-id" })),
        ("a rest that was a duplicate", json!({ "continues": id, "outcome": "duplicate" })),
        ("a rest that was ignored", json!({ "continues": id, "outcome": "ignored" })),
        ("a rest that was refused", json!({ "continues": id, "verification": { "result": "rejected" } })),
        ("a step of 10 kB", json!({ "steps": [step(&"n".repeat(10_000))] })),
        ("a missing step of 10 kB", json!({ "missing_steps": ["n".repeat(10_000)] })),
        ("10,000 steps", json!({ "steps": (0..10_000).map(|n| step(&n.to_string())).collect::<Vec<_>>() })),
        ("10,000 missing steps", json!({ "missing_steps": vec!["n"; 10_000] })),
        ("a step whose error has no fingerprint", json!({ "steps": [with(step("n"), json!({ "error": error }))] })),
    ]
}

#[tokio::test]
async fn the_schema_and_the_collector_refuse_the_same() {
    let schema = jsonschema::validator_for(&file("batch.v1.schema.json")).unwrap();
    let bench = Bench::local();
    let begun = std::time::Instant::now();
    for (what, members) in unlawful() {
        let broken = batch(&[with(attempt("x"), members), attempt("honest")]);
        assert!(!schema.is_valid(&broken), "{what} keeps the schema");
        let (_, answer) = bench.send(broken.to_string().into_bytes(), &[]).await;
        let refused = json!([{ "index": 0, "code": "invalid_attempt" }]);
        assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(1), &refused), "{what}");
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "it is not slow either");
    let lawful = [
        attempt("x"),
        deferred("x"),
        rest(&deferred("x"), "processed"),
        rest(&deferred("x"), "failed"),
        with(rest(&deferred("x"), "silent_drop"), json!({ "missing_steps": vec!["é".repeat(1_000); 10] })),
        with(attempt("x"), json!({ "steps": vec![json!({ "name": "é".repeat(100), "at_us": 1 }); 1_000] })),
    ];
    assert!(schema.is_valid(&batch(&lawful)));
    bench.store(&lawful).await;
}
