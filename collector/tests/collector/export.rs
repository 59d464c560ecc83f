//! The figures that other systems read.

use std::collections::BTreeSet;

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::json;
use surehook_collector::Access;

use crate::setup::*;

const DASHBOARD: &str = include_str!("../../../docs/grafana-dashboard.json");
const TOKEN: &str = "a-long-dashboard-token";

async fn metrics(bench: &Bench, headers: &[(&str, &str)]) -> (StatusCode, String) {
    let mut request = Request::get("/metrics").header(header::HOST, "localhost:4600");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (status, _, body) = bench.call(request.body(Body::empty()).unwrap()).await;
    (status, String::from_utf8(body).unwrap())
}

/// One attempt of every outcome, a suspected silent drop, and a loss on the sender's side, told twice.
async fn a_bit_of_everything() -> Bench {
    let bench = Bench::local();
    let outcomes = ["processed", "silent_drop", "failed", "duplicate", "in_flight", "unavailable", "ignored"];
    let mut attempts: Vec<_> =
        outcomes.iter().map(|outcome| with(attempt(outcome), json!({ "outcome": outcome }))).collect();
    attempts.push(forged("forged"));
    let first = deferred("deferred");
    attempts.extend([rest(&first, "processed"), first]);
    // Of a type of its own, whose habit is a step that the last one lacks.
    let learned = json!({ "event_type": "user.updated", "steps": [{ "name": "update", "at_us": 1 }] });
    attempts.extend((0..50).map(|number| with(attempt(&format!("msg_{number}")), learned.clone())));
    attempts.push(with(attempt("lacking"), json!({ "event_type": "user.updated" })));
    let mut batch = batch(&attempts);
    batch["dropped"] = json!({ "queue_full": 7 });
    for _ in 0..2 {
        let (status, _) = bench.send(batch.to_string().into_bytes(), &[]).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    bench
}

#[tokio::test]
async fn each_stored_attempt_is_counted_once() {
    let (_, text) = metrics(&a_bit_of_everything().await, &[]).await;
    let clerk = r#"provider="clerk",endpoint="clerk""#;
    for line in [
        format!(r#"surehook_attempts_total{{{clerk},event_type="user.created",outcome="processed"}} 1"#),
        format!(r#"surehook_attempts_total{{{clerk},event_type="",outcome="rejected"}} 1"#),
        format!(r#"surehook_handler_duration_seconds_count{{{clerk},event_type="user.created"}} 5"#),
        format!(r#"surehook_handler_duration_seconds_bucket{{{clerk},event_type="user.created",le="0.005"}} 5"#),
        format!(r#"surehook_delivery_lag_seconds_sum{{{clerk}}} 59"#),
        format!(r#"surehook_verification_failures_total{{{clerk},code="signature_mismatch"}} 1"#),
        format!(r#"surehook_duplicates_total{{{clerk},event_type="user.created"}} 1"#),
        format!(r#"surehook_silent_drops_total{{{clerk},event_type="user.created"}} 1"#),
        format!(r#"surehook_deferred_work_total{{{clerk},event_type="user.created",outcome="processed"}} 1"#),
        format!(r#"surehook_suspected_silent_drops_total{{{clerk},event_type="user.updated"}} 1"#),
        r#"surehook_telemetry_dropped_total{reason="queue_full"} 7"#.to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n\n{text}");
    }
    assert!(!text.contains("user.deleted"), "what a forger says is no label");
}

/// Every word of the text that names a metric of ours.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("surehook_")).collect()
}

#[tokio::test]
async fn every_metric_of_the_grafana_dashboard_is_served_and_every_one_served_is_on_it() {
    let (_, text) = metrics(&a_bit_of_everything().await, &[]).await;
    let samples: String = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let (served, shown) = (names(&samples), names(DASHBOARD));
    assert!(shown.len() >= 9, "{shown:?}");
    assert_eq!(shown.difference(&served).collect::<Vec<_>>(), Vec::<&&str>::new());
    let unshown: Vec<_> = served
        .iter()
        .filter(|name| !shown.contains(*name) && !name.ends_with("_sum") && !name.ends_with("_count"))
        .collect();
    assert_eq!(unshown, Vec::<&&str>::new());
}

#[tokio::test]
async fn made_up_names_do_not_fill_the_memory_of_those_who_read() {
    let bench = Bench::local();
    for batch in 0..2 {
        let types: Vec<_> = (0..250)
            .map(|number| with(attempt("m"), json!({ "event_type": format!("made.up.{batch}.{number}") })))
            .collect();
        bench.store(&types).await;
        let endpoints: Vec<_> = (0..250)
            .map(|number| with(attempt("m"), json!({ "endpoint": format!("endpoint-{batch}-{number}") })))
            .collect();
        bench.store(&endpoints).await;
    }
    let (_, text) = metrics(&bench, &[]).await;
    let attempts = text.lines().filter(|line| line.starts_with("surehook_attempts_total{")).count();
    assert!((390..=402).contains(&attempts), "{attempts}");
    assert!(text.contains(r#"endpoint="clerk",event_type="_other""#));
    assert!(text.contains(r#"endpoint="_other""#));
}

#[tokio::test]
async fn a_server_tells_its_figures_to_who_has_its_token() {
    let bench = Bench::open(Access::Token(TOKEN.to_owned()), |_| {});
    let ingest_key = format!("Bearer {}", bench.key);
    for wrong in ["", "Bearer ", "Bearer a-long-dashboard-tokem", TOKEN, ingest_key.as_str()] {
        assert_eq!(metrics(&bench, &[("authorization", wrong)]).await.0, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    assert_eq!(metrics(&bench, &[]).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(metrics(&bench, &[("authorization", &format!("Bearer {TOKEN}"))]).await.0, StatusCode::OK);
}
