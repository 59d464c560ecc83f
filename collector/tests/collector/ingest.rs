//! What is sent is stored once, counted once, and only then acknowledged.

use http::StatusCode;
use serde_json::{Value, json};
use surehook_collector::Collector;

use crate::setup::*;

#[tokio::test]
async fn every_encoding_is_stored() {
    let bench = Bench::local();
    for (encoding, encode) in [
        ("gzip", (|text: &[u8]| gzip(text)) as fn(&[u8]) -> Vec<u8>),
        ("zstd", |text| zstd::encode_all(text, 3).unwrap()),
        ("identity", |text| text.to_vec()),
    ] {
        let body = encode(batch(&[attempt("msg_1")]).to_string().as_bytes());
        let (status, answer) = bench.send(body, &[("content-encoding", encoding)]).await;
        assert_eq!(
            (status, &answer),
            (StatusCode::ACCEPTED, &json!({ "accepted": 1, "duplicates": 0, "rejected": [] }))
        );
    }
    assert_eq!(bench.message("msg_1").await["attempts"], 3);
}

#[tokio::test]
async fn an_attempt_is_stored_once() {
    let bench = Bench::local();
    let body = batch(&[attempt("msg_1"), attempt("msg_1")]).to_string().into_bytes();
    bench.send(body.clone(), &[]).await;
    let (status, answer) = bench.send(body, &[]).await;
    assert_eq!((status, answer), (StatusCode::ACCEPTED, json!({ "accepted": 0, "duplicates": 2, "rejected": [] })));

    let twice = attempt("msg_2");
    let (_, answer) = bench.send(batch(&[twice.clone(), twice]).to_string().into_bytes(), &[]).await;
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(1), &json!(1)));

    let (_, overview) = bench.get("/api/overview").await;
    assert_eq!(overview["totals"]["attempts"], 3);
    assert_eq!(bench.message("msg_1").await["attempts"], 2);
}

fn diagnosis() -> Value {
    json!({ "finding": "body_bom", "certainty": "proved", "evidence": "It verifies without it.", "fix": "Remove it." })
}

/// A refused attempt with its diagnosis, some members of which are set to other values.
fn diagnosed(members: Value) -> Value {
    let verification = json!({
        "result": "rejected", "code": "signature_mismatch", "diagnosis": with(diagnosis(), members),
    });
    with(forged("x"), json!({ "verification": verification }))
}

#[tokio::test]
async fn a_diagnosis_is_kept_as_it_was_sent() {
    let bench = Bench::local();
    bench.store(&[diagnosed(json!({ "evidence": "é".repeat(1000) }))]).await;
    let id = bench.message("x").await["id"].clone();
    let (_, timeline) = bench.get(&format!("/api/messages/{id}")).await;
    let kept = &timeline["attempts_list"][0]["verification"]["diagnosis"];
    assert_eq!(kept, &with(diagnosis(), json!({ "evidence": "é".repeat(1000) })));
}

#[tokio::test]
async fn a_bad_attempt_does_not_take_the_others_with_it() {
    let bench = Bench::local();
    let bad = [
        with(attempt("x"), json!({ "id": "not-a-uuid" })),
        with(attempt("x"), json!({ "endpoint": "" })),
        with(attempt("x"), json!({ "endpoint": "e".repeat(201) })),
        with(attempt("x"), json!({ "provider": "p".repeat(101) })),
        with(attempt("x"), json!({ "event_type": "t".repeat(1001) })),
        with(attempt("x"), json!({ "message_id": 5 })),
        with(attempt("x"), json!({ "status": 99 })),
        with(attempt("x"), json!({ "status": 1000 })),
        with(attempt("x"), json!({ "duration_us": -1 })),
        with(attempt("x"), json!({ "received_at": "2026-11-24" })),
        with(attempt("x"), json!({ "outcome": 3 })),
        diagnosed(json!({ "finding": null })),
        diagnosed(json!({ "evidence": "" })),
        diagnosed(json!({ "evidence": "e".repeat(1001) })),
        diagnosed(json!({ "fix": "f".repeat(1001) })),
        with(diagnosed(json!({})), json!({ "verification": { "result": "rejected", "diagnosis": diagnosis() } })),
        with(attempt("x"), json!({ "failure": { "error": { "type": "E", "message": "", "fingerprint": "ABC" } } })),
        with(attempt("x"), json!({ "metadata": { "large": "m".repeat(300_000) } })),
        json!(null),
        json!([]),
        serde_json::from_str(&format!("{{\"metadata\":{}{}}}", "[".repeat(120), "]".repeat(120))).unwrap(),
    ];
    let mut attempts = vec![attempt("msg_first")];
    attempts.extend(bad.iter().cloned());
    attempts.push(attempt("msg_last"));
    let (status, answer) = bench.send(batch(&attempts).to_string().into_bytes(), &[]).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let expected: Vec<Value> =
        (1..=bad.len()).map(|index| json!({ "index": index, "code": "invalid_attempt" })).collect();
    assert_eq!(answer, json!({ "accepted": 2, "duplicates": 0, "rejected": expected }));
    bench.message("msg_first").await;
    bench.message("msg_last").await;
}

#[tokio::test]
async fn lengths_are_counted_in_characters() {
    let bench = Bench::local();
    bench.store(&[with(attempt("msg_1"), json!({ "endpoint": "é".repeat(200) }))]).await;
}

#[tokio::test]
async fn members_that_are_not_known_are_ignored() {
    let bench = Bench::local();
    let mut later = batch(&[with(attempt("msg_1"), json!({ "from_a_later_version": { "a": [1] } }))]);
    later["also_later"] = json!("x");
    let (status, answer) = bench.send(later.to_string().into_bytes(), &[]).await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::ACCEPTED, &json!(1)));
}

#[tokio::test]
async fn what_senders_lost_is_counted_once_however_often_it_is_told() {
    let bench = Bench::local();
    let mut report = batch(&[]);
    report["dropped"] = json!({ "queue_full": 7, "network": 2 });
    for _ in 0..3 {
        let (status, _) = bench.send(report.to_string().into_bytes(), &[]).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    report["sent_at"] = json!(NOW + SECOND);
    report["dropped"] = json!({ "queue_full": u64::MAX });
    bench.send(report.to_string().into_bytes(), &[]).await;
    report["sent_at"] = json!(NOW + 2 * SECOND);
    report["dropped"] = json!({ "queue_full": 1 });
    bench.send(report.to_string().into_bytes(), &[]).await;
    let (status, overview) = bench.get("/api/overview").await;
    assert_eq!(status, StatusCode::OK);
    assert!(overview["totals"]["client_dropped"].as_i64().unwrap() >= 10, "{overview}");
}

#[tokio::test]
async fn a_closed_collector_acknowledges_nothing() {
    let bench = Bench::local();
    bench.collector.close();
    let (status, answer) = bench.send(batch(&[attempt("msg_1")]).to_string().into_bytes(), &[]).await;
    assert_eq!((status, code(&answer)), (StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable"));
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let bench = Bench::local();
    bench.store(&[attempt("msg_1"), forged("msg_2")]).await;
    let again =
        Collector::open(surehook_collector::Config::new(bench.directory.path(), surehook_collector::Access::Local));
    assert_eq!(again.unwrap_err().code(), "data_dir_in_use");
    let Bench { collector, key, now, directory } = bench;
    drop(collector);
    let mut config = surehook_collector::Config::new(directory.path(), surehook_collector::Access::Local);
    config.clock = surehook_collector::Clock::from_fn(|| surehook_core::Timestamp::from_unix_micros(NOW));
    let bench = Bench { collector: Collector::open(config).unwrap(), key, now, directory };
    bench.store(&[attempt("msg_1")]).await;
    assert_eq!(bench.message("msg_1").await["attempts"], 2);
}

#[tokio::test]
async fn many_senders_at_once_are_all_stored() {
    let bench = Bench::local();
    let sends = (0..20).map(|sender| {
        let attempts: Vec<Value> = (0..50).map(|number| attempt(&format!("msg_{sender}_{number}"))).collect();
        let bench = &bench;
        async move { bench.store(&attempts).await }
    });
    futures_util::future::join_all(sends).await;
    let (_, overview) = bench.get("/api/overview").await;
    assert_eq!(overview["totals"]["attempts"], 1_000);
}

#[tokio::test]
async fn made_up_event_types_are_counted_together_beyond_the_cap() {
    let bench = Bench::local();
    for part in 0..3 {
        let attempts: Vec<Value> = (0..500)
            .map(|number| {
                with(attempt(&format!("msg_{part}_{number}")), json!({ "event_type": format!("type.{part}.{number}") }))
            })
            .collect();
        bench.store(&attempts).await;
    }
    let (_, overview) = bench.get("/api/overview").await;
    let rows = overview["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1_001);
    let other = rows.iter().find(|row| row["event_type"] == "_other").unwrap();
    assert_eq!(other["attempts"], 500);
    assert_eq!(bench.message("msg_2_7").await["event_type"], "type.2.7");
}

#[tokio::test]
async fn a_report_of_refused_requests_is_counted_once_whoever_sends_it_again() {
    let bench = Bench::local();
    let refused = json!([
        { "endpoint": "clerk", "provider": "clerk", "code": "signature_mismatch", "shape": "named", "count": 990 },
        { "endpoint": "clerk", "provider": "clerk", "code": "of_a_later_version", "shape": "odd", "count": 5 },
        { "endpoint": "", "provider": "clerk", "code": "missing_header", "shape": "named", "count": 7 },
    ]);
    let report = json!({ "report_id": uuid::Uuid::now_v7(), "refused": refused });
    let first = with(batch(&[attempt("msg_1")]), report.clone()).to_string().into_bytes();
    let again = with(batch(&[]), report).to_string().into_bytes();
    for body in [first.clone(), first, again] {
        assert_eq!(bench.send(body, &[]).await.0, StatusCode::ACCEPTED);
    }
    let (_, overview) = bench.get("/api/overview").await;
    assert_eq!(overview["totals"]["rejected"], 995);
    assert_eq!(overview["totals"]["attempts"], 996);
    let rejections = overview["rejections"].as_array().unwrap();
    let counts: Vec<_> =
        rejections.iter().map(|row| (row["code"].as_str().unwrap(), row["count"].as_i64().unwrap())).collect();
    assert_eq!(counts, [("signature_mismatch", 990), ("of_a_later_version", 5)]);
    let other = json!({ "report_id": uuid::Uuid::now_v7(), "refused": [
        { "endpoint": "clerk", "provider": "clerk", "code": "missing_header", "shape": "nameless", "count": 1 },
    ] });
    bench.send(with(batch(&[]), other).to_string().into_bytes(), &[]).await;
    let (_, overview) = bench.get("/api/overview").await;
    assert_eq!(overview["totals"]["rejected"], 996);
}
