//! Work that goes on after the answer: its end, in whatever order it is told, and its deadline when nobody tells it.

use std::sync::atomic::Ordering;

use http::StatusCode;
use serde_json::{Value, json};

use crate::setup::*;

/// The outcomes of a message's timeline, in order.
async fn outcomes(bench: &Bench, message_id: &str) -> Vec<String> {
    let attempts = bench.attempts(message_id).await;
    attempts.iter().map(|attempt| attempt["outcome"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_message_waits_until_it_is_told_how_its_work_ended() {
    for outcome in ["processed", "failed", "silent_drop"] {
        let bench = Bench::local();
        let first = deferred("msg_1");
        bench.store(std::slice::from_ref(&first)).await;
        assert_eq!(bench.message("msg_1").await["outcome"], "deferred");
        bench.store(&[rest(&first, outcome)]).await;
        let message = bench.message("msg_1").await;
        assert_eq!((&message["outcome"], &message["attempts"]), (&json!(outcome), &json!(1)));
        assert_eq!((&message["last_seen"], &message["event_type"]), (&json!(NOW), &json!("user.created")));
        assert_eq!(outcomes(&bench, "msg_1").await, ["deferred", outcome]);
    }
}

#[tokio::test]
async fn the_order_makes_no_difference_and_the_same_record_counts_once() {
    let first = deferred("msg_1");
    let end = rest(&first, "processed");
    let mut found = Vec::new();
    for order in [[&first, &end, &end, &first], [&end, &first, &end, &first]] {
        let bench = Bench::sweeping();
        for record in order {
            let (status, _) = bench.send(batch(std::slice::from_ref(record)).to_string().into_bytes(), &[]).await;
            assert_eq!(status, StatusCode::ACCEPTED);
        }
        bench.now.store(NOW + 3_600 * SECOND, Ordering::Relaxed);
        // Something else that misses its deadline shows that it was looked.
        bench.store(&[deferred("msg_other")]).await;
        bench.becomes("msg_other", "silent_drop").await;
        found.push((bench.message("msg_1").await, outcomes(&bench, "msg_1").await));
    }
    assert_eq!(found[0], found[1]);
    assert_eq!((&found[0].0["outcome"], &found[0].0["attempts"]), (&json!("processed"), &json!(1)));
    assert_eq!(found[0].1, ["deferred", "processed"]);
}

#[tokio::test]
async fn a_continuation_is_an_outcome_and_no_request() {
    let bench = Bench::local();
    let (done, failed, waiting) = (deferred("msg_1"), deferred("msg_2"), deferred("msg_3"));
    // The provider's time is the request's; told once more, it is no second delivery.
    let end = with(rest(&failed, "failed"), json!({ "provider_timestamp": NOW - 90 * SECOND }));
    bench.store(&[end, attempt("msg_0"), done.clone(), failed.clone(), waiting]).await;
    bench.store(&[rest(&done, "processed")]).await;
    let totals = bench.totals().await;
    let counts =
        ["attempts", "continued", "deferred", "processed", "failed"].map(|name| totals[name].as_i64().unwrap());
    assert_eq!(counts, [4, 2, 3, 2, 1]);
    assert!((totals["success_rate"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9, "what is deferred is in no rate");

    let (_, overview) = bench.get("/api/overview").await;
    let row = &overview["rows"][0];
    let points: i64 = row["series"].as_array().unwrap().iter().map(|point| point["attempts"].as_i64().unwrap()).sum();
    assert_eq!(points, 4);
    assert!(row["p95_us"].as_i64().unwrap() < 3_000, "a minute of work elsewhere is no latency of the handler: {row}");

    let text = bench.metrics().await;
    let labels = r#"provider="clerk",endpoint="clerk",event_type="user.created""#;
    for line in [
        format!(r#"surehook_attempts_total{{{labels},outcome="deferred"}} 3"#),
        format!(r#"surehook_attempts_total{{{labels},outcome="processed"}} 1"#),
        format!(r#"surehook_deferred_work_total{{{labels},outcome="processed"}} 1"#),
        format!(r#"surehook_deferred_work_total{{{labels},outcome="failed"}} 1"#),
        format!(r#"surehook_handler_duration_seconds_count{{{labels}}} 4"#),
        r#"surehook_delivery_lag_seconds_count{provider="clerk",endpoint="clerk"} 4"#.to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n\n{text}");
    }
}

#[tokio::test]
async fn a_missed_deadline_is_a_silent_drop_and_is_told_once() {
    let mut bench = Bench::sweeping();
    let (early, late) =
        (deferred("msg_early"), with(deferred("msg_late"), json!({ "deferred_until": NOW + 900 * SECOND })));
    bench.store(&[early.clone(), late]).await;
    // At the deadline it has not passed yet.
    bench.now.store(NOW + 300 * SECOND, Ordering::Relaxed);
    bench.store(&[with(deferred("msg_past"), json!({ "deferred_until": NOW }))]).await;
    bench.becomes("msg_past", "silent_drop").await;
    assert_eq!(bench.message("msg_early").await["outcome"], "deferred");

    bench.now.store(NOW + 300 * SECOND + 1, Ordering::Relaxed);
    bench.becomes("msg_early", "silent_drop").await;
    assert_eq!(bench.message("msg_late").await["outcome"], "deferred");
    for _ in 0..2 {
        let attempts = bench.attempts("msg_early").await;
        assert_eq!(attempts.len(), 2);
        let missed = &attempts[1];
        assert_eq!((&missed["continues"], &missed["outcome"]), (&early["id"], &json!("silent_drop")));
        assert_eq!(missed["failure"]["reason"], "not marked by its deadline");
        assert_eq!(
            (&missed["received_at"], &missed["stored_at"]),
            (&json!(NOW + 300 * SECOND), &json!(NOW + 300 * SECOND + 1))
        );
        assert_eq!((&missed["event_type"], &missed["verification"]), (&early["event_type"], &early["verification"]));
        bench = bench.restarted(sweep_often);
        bench.store(&[attempt("msg_another")]).await;
    }
    let text = bench.database().query_row("SELECT count(*) FROM deadlines", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(text, 1, "only the late one still waits");

    // It was done after all, late.
    bench.store(&[with(rest(&early, "processed"), json!({ "received_at": NOW + 299 * SECOND }))]).await;
    assert_eq!(bench.message("msg_early").await["outcome"], "processed");
    assert_eq!(bench.message("msg_early").await["attempts"], 1);
    assert_eq!(bench.attempts("msg_early").await.len(), 3);
}

#[tokio::test]
async fn a_deadline_passes_while_the_collector_is_down() {
    let bench = Bench::local();
    bench.store(&[deferred("msg_1")]).await;
    bench.now.store(NOW + 3_600 * SECOND, Ordering::Relaxed);
    let bench = bench.restarted(sweep_often);
    bench.becomes("msg_1", "silent_drop").await;
}

#[tokio::test]
async fn many_deadlines_at_once_are_each_told_once() {
    let bench = Bench::local();
    let all: Vec<Value> = (0..600).map(|number| deferred(&format!("msg_{number}"))).collect();
    bench.store(&all).await;
    bench.store(&(600..1_200).map(|number| deferred(&format!("msg_{number}"))).collect::<Vec<_>>()).await;
    bench.now.store(NOW + 400 * SECOND, Ordering::Relaxed);
    let bench = bench.restarted(sweep_often);
    bench.becomes("msg_1199", "silent_drop").await;
    let totals = bench.totals().await;
    assert_eq!(
        (&totals["silent_drop"], &totals["continued"], &totals["attempts"]),
        (&json!(1_200), &json!(1_200), &json!(1_200))
    );
    // The figures follow the commit, which was seen already.
    let figure = r#"surehook_silent_drops_total{provider="clerk",endpoint="clerk",event_type="user.created"} 1200"#;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !bench.metrics().await.contains(figure) {
        assert!(std::time::Instant::now() < end, "{}", bench.metrics().await);
    }
}

#[tokio::test]
async fn nothing_that_continues_a_refused_request_is_believed() {
    let bench = Bench::local();
    let refused = forged("msg_1");
    bench.store(&[attempt("msg_victim"), refused.clone()]).await;
    let victim = bench.message("msg_victim").await;
    let claim = with(rest(&refused, "processed"), json!({ "verification": { "result": "verified" } }));
    bench
        .store(&[
            claim.clone(),
            with(claim.clone(), json!({ "id": uuid::Uuid::now_v7(), "message_id": "msg_victim", "outcome": "failed" })),
        ])
        .await;
    assert_eq!(bench.message("msg_victim").await, victim);
    let message = bench.message("msg_1").await;
    assert_eq!(
        (&message["outcome"], &message["attempts"], &message["event_type"]),
        (&json!("rejected"), &json!(1), &Value::Null)
    );
    let attempts = bench.attempts("msg_1").await;
    assert_eq!(attempts.len(), 3, "it is stored and shown");
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt["verification"]["result"] == "rejected" && attempt["outcome"] == "rejected")
    );
    let totals = bench.totals().await;
    assert_eq!(
        (&totals["processed"], &totals["failed"], &totals["rejected"], &totals["continued"]),
        (&json!(1), &json!(0), &json!(1), &json!(0))
    );
    assert!(!bench.metrics().await.contains("surehook_deferred_work_total{"));
}

#[tokio::test]
async fn a_continuation_of_an_unknown_attempt_is_stored_and_shown() {
    let bench = Bench::local();
    bench.store(&[rest(&deferred("msg_1"), "failed")]).await;
    let message = bench.message("msg_1").await;
    assert_eq!((&message["outcome"], &message["attempts"]), (&json!("failed"), &json!(0)));
    assert_eq!(bench.attempts("msg_1").await.len(), 1);
}

#[tokio::test]
async fn both_halves_are_one_message_also_where_the_provider_gives_no_id() {
    let mut first = deferred("x");
    first.as_object_mut().unwrap().remove("message_id");
    let end = rest(&first, "processed");
    for order in [[&first, &end], [&end, &first]] {
        let bench = Bench::local();
        for record in order {
            bench.store(std::slice::from_ref(record)).await;
        }
        let (_, page) = bench.get("/api/messages").await;
        assert_eq!(page["messages"].as_array().unwrap().len(), 1);
        assert_eq!(
            (&page["messages"][0]["outcome"], &page["messages"][0]["attempts"]),
            (&json!("processed"), &json!(1))
        );
    }
}

#[tokio::test]
async fn an_attempt_of_another_endpoint_is_not_continued() {
    let bench = Bench::local();
    let first = deferred("msg_1");
    bench.store(std::slice::from_ref(&first)).await;
    bench.store(&[with(rest(&first, "processed"), json!({ "endpoint": "billing", "message_id": "msg_2" }))]).await;
    assert_eq!(bench.message("msg_1").await["outcome"], "deferred");
    assert_eq!(bench.message("msg_2").await["endpoint"], "billing");
    // The other way round.
    let second = with(deferred("msg_3"), json!({ "endpoint": "billing" }));
    bench.store(&[with(rest(&second, "processed"), json!({ "endpoint": "clerk" }))]).await;
    bench.store(&[second]).await;
    let (_, page) = bench.get("/api/messages?message_id=msg_3&endpoint=billing").await;
    assert_eq!(page["messages"][0]["outcome"], "deferred");
    // Their deadlines are still theirs.
    bench.now.store(NOW + 400 * SECOND, Ordering::Relaxed);
    let bench = bench.restarted(sweep_often);
    bench.becomes("msg_1", "silent_drop").await;
    let (_, page) = bench.get("/api/messages?message_id=msg_3&endpoint=billing").await;
    assert_eq!(page["messages"][0]["outcome"], "silent_drop");
}

#[tokio::test]
async fn what_can_no_longer_be_read_stops_nothing() {
    let bench = Bench::local();
    let (kept, broken) = (deferred("msg_kept"), deferred("msg_broken"));
    bench.store(&[kept.clone(), broken.clone()]).await;
    for poison in ["'{'", "''", "'{\"outcome\":\"of a later version\"}'", "CAST(x'ff00fe' AS TEXT)"] {
        bench.database().execute(&format!("UPDATE attempts SET record = {poison}"), []).unwrap();
        let message = bench.message("msg_kept").await;
        let (status, timeline) = bench.get(&format!("/api/messages/{}", message["id"])).await;
        assert_eq!(
            (status, &timeline["attempts_list"], &timeline["unreadable"]),
            (StatusCode::OK, &json!([]), &json!(1))
        );
    }
    bench.store(&[rest(&kept, "processed")]).await;
    assert_eq!(bench.message("msg_kept").await["outcome"], "processed");
    bench.now.store(NOW + 400 * SECOND, Ordering::Relaxed);
    let bench = bench.restarted(sweep_often);
    bench.becomes("msg_broken", "silent_drop").await;
}

#[tokio::test]
async fn deadlines_at_the_ends_of_time_are_no_panic() {
    let bench = Bench::sweeping();
    bench
        .store(&[
            with(deferred("msg_never"), json!({ "deferred_until": i64::MAX })),
            with(deferred("msg_always"), json!({ "deferred_until": i64::MIN })),
        ])
        .await;
    bench.becomes("msg_always", "silent_drop").await;
    assert_eq!(bench.message("msg_never").await["outcome"], "deferred");
}

#[tokio::test]
async fn a_miss_that_someone_else_told_is_not_found_again_and_again() {
    let bench = Bench::local();
    let first = deferred("msg_1");
    bench.store(std::slice::from_ref(&first)).await;
    bench.now.store(NOW + 400 * SECOND, Ordering::Relaxed);
    let bench = bench.restarted(sweep_often);
    bench.becomes("msg_1", "silent_drop").await;
    // The same deadline once more, as if its row had been left behind.
    bench
        .database()
        .execute("INSERT INTO deadlines SELECT id, 1, message, 1 FROM attempts ORDER BY seq LIMIT 1", [])
        .unwrap();
    let waiting =
        || bench.database().query_row("SELECT count(*) FROM deadlines", [], |row| row.get::<_, i64>(0)).unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while waiting() > 0 {
        assert!(std::time::Instant::now() < end, "it still waits");
    }
    assert_eq!(bench.attempts("msg_1").await.len(), 2);
}

#[tokio::test]
async fn work_that_ended_in_time_while_the_collector_was_away_is_no_silent_drop() {
    let bench = Bench::local();
    let jobs: Vec<_> = (0..10).map(|number| deferred(&format!("msg_{number}"))).collect();
    bench.store(&jobs).await;
    let Bench { collector, now, directory, .. } = bench;
    drop(collector);
    now.store(NOW + 3_600 * SECOND, Ordering::Relaxed);
    let often = |config: &mut surehook_collector::Config| config.sweep_interval = std::time::Duration::from_millis(2);
    let bench = Bench::open_in(directory, now, surehook_collector::Access::Local, often);
    // Nothing is concluded before the senders had time to tell.
    for number in 0..10 {
        assert_eq!(bench.message(&format!("msg_{number}")).await["outcome"], "deferred");
    }
    let ends: Vec<_> = jobs.iter().map(|job| rest(job, "processed")).collect();
    bench.store(&ends).await;
    bench.now.store(NOW + 7_200 * SECOND, Ordering::Relaxed);
    bench.store(&[deferred("msg_other")]).await;
    bench.becomes("msg_other", "silent_drop").await;
    let (_, week) = bench.get("/api/overview?window=7d").await;
    assert_eq!((&week["totals"]["processed"], &week["totals"]["silent_drop"]), (&json!(10), &json!(1)));
}

#[tokio::test]
async fn a_drop_that_was_told_too_soon_is_taken_back() {
    for (outcome, counted) in [("processed", "processed"), ("failed", "failed")] {
        let bench = Bench::sweeping();
        let job = deferred("msg_1");
        bench.store(std::slice::from_ref(&job)).await;
        bench.now.store(NOW + 3_600 * SECOND, Ordering::Relaxed);
        bench.becomes("msg_1", "silent_drop").await;
        // From the spool of a host that was away: it ended one minute after it was taken up, four before its deadline.
        bench.store(&[rest(&job, outcome)]).await;
        assert_eq!(bench.message("msg_1").await["outcome"], outcome);
        assert_eq!(outcomes(&bench, "msg_1").await, ["deferred", outcome]);
        let (_, week) = bench.get("/api/overview?window=7d").await;
        assert_eq!((&week["totals"][counted], &week["totals"]["silent_drop"]), (&json!(1), &json!(0)), "{outcome}");
    }
}
