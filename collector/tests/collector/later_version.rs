//! What a later version of a sender says: it is stored, and what is not known here is `other`.

use http::StatusCode;
use serde_json::json;

use crate::setup::*;

#[tokio::test]
async fn names_that_are_not_known_here_reject_nothing() {
    let bench = Bench::local();
    let later = [
        with(attempt("msg_outcome"), json!({ "outcome": "postponed" })),
        with(attempt("msg_deadline"), json!({ "outcome": "postponed", "deferred_until": NOW + SECOND })),
        with(
            attempt("msg_dedup"),
            json!({ "dedup": { "result": "same_body_other_id", "store": "memory", "key": "0a".repeat(32) } }),
        ),
        with(
            attempt("msg_verdict"),
            json!({ "verification": { "result": "half_verified" }, "event_type": "user.evil" }),
        ),
        with(
            forged("msg_code"),
            json!({ "verification": {
                "result": "rejected", "code": "secret_from_mars",
                "diagnosis": { "finding": "body_sung", "certainty": "felt", "evidence": "a tune", "fix": "hum" },
            } }),
        ),
        with(attempt("msg_member"), json!({ "weather": { "is": ["fine"] } })),
    ];
    let sent = with(
        batch(&later),
        json!({ "dropped": { "eaten": 3, "lost_at_sea": 4, "network": 5 }, "posted_at": NOW, "weather": "fine" }),
    );
    let (status, answer) = bench.send(sent.to_string().into_bytes(), &[]).await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::ACCEPTED, &json!(later.len())), "{answer}");

    let totals = bench.totals().await;
    assert_eq!((&totals["attempts"], &totals["client_dropped"]), (&json!(6), &json!(12)));
    assert_eq!((&totals["other"], &totals["failed"], &totals["processed"]), (&json!(2), &json!(0), &json!(2)));
    assert_eq!(bench.message("msg_outcome").await["outcome"], "other");
    let unknown = bench.message("msg_verdict").await;
    assert_eq!(
        (&unknown["outcome"], &unknown["event_type"]),
        (&json!("rejected"), &json!(null)),
        "nothing is believed"
    );
    let refused = bench.attempts("msg_code").await;
    assert_eq!(refused[0]["verification"]["code"], "other");
    assert_eq!(refused[0]["verification"]["diagnosis"]["finding"], "other");
    let drops = bench
        .database()
        .query_row("SELECT sum(count) FROM client_drops WHERE reason = 'other'", [], |row| row.get::<_, i64>(0));
    assert_eq!(drops.unwrap(), 7);
    let kept: String = bench
        .database()
        .query_row("SELECT record FROM attempts WHERE record LIKE '%weather%'", [], |row| row.get(0))
        .unwrap();
    assert!(kept.contains("fine"), "a later version of the collector finds it: {kept}");
    let (_, page) = bench.get("/api/messages?outcome=other").await;
    assert_eq!(page["messages"].as_array().unwrap().len(), 2);
    assert_eq!(bench.get("/api/messages?outcome=postponed").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_schema_that_is_not_known_here_is_refused_clearly() {
    let bench = Bench::local();
    let (status, answer) = bench.send(with(batch(&[]), json!({ "schema": 2 })).to_string().into_bytes(), &[]).await;
    assert_eq!((status, code(&answer)), (StatusCode::UNPROCESSABLE_ENTITY, "unsupported_schema"));
}

#[tokio::test]
async fn a_clock_that_runs_ahead_puts_nothing_on_top() {
    let bench = Bench::local();
    let year = 365 * 24 * 3_600 * SECOND;
    bench.store(&[with(attempt("msg_next_year"), json!({ "received_at": NOW + year }))]).await;
    bench.now.store(NOW + SECOND, std::sync::atomic::Ordering::Relaxed);
    bench.store(&[with(attempt("msg_now"), json!({ "received_at": NOW + SECOND }))]).await;
    let (_, page) = bench.get("/api/messages").await;
    let ids: Vec<_> = page["messages"].as_array().unwrap().iter().map(|it| it["message_id"].clone()).collect();
    assert_eq!(ids, ["msg_now", "msg_next_year"]);
    assert_eq!(page["messages"][1]["last_seen"], NOW);
}

#[tokio::test]
async fn messages_that_found_the_store_away_are_no_success() {
    let bench = Bench::local();
    let mut sent = vec![attempt("msg_fine")];
    sent.extend(
        (0..9)
            .map(|number| with(attempt(&format!("msg_{number}")), json!({ "outcome": "unavailable", "status": 503 }))),
    );
    bench.store(&sent).await;
    let (_, overview) = bench.get("/api/overview").await;
    assert_eq!(overview["totals"]["success_rate"], 0.1);
    let points = overview["rows"][0]["series"].as_array().unwrap();
    assert_eq!(points.iter().map(|point| point["failed"].as_i64().unwrap()).sum::<i64>(), 9);
}
