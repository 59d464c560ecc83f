//! What the dashboard reads is what was sent.

use http::StatusCode;
use serde_json::{Value, json};

use crate::setup::*;

#[tokio::test]
async fn the_overview_adds_up() {
    let bench = Bench::local();
    let mut attempts: Vec<Value> = (1..=90)
        .map(|number| with(attempt(&format!("msg_{number}")), json!({ "duration_us": number * 1_000 })))
        .collect();
    attempts.push(with(attempt("msg_f"), json!({ "outcome": "failed", "status": 500, "duration_us": 500_000 })));
    attempts.push(with(attempt("msg_s"), json!({ "outcome": "silent_drop" })));
    attempts.push(with(attempt("msg_1"), json!({ "outcome": "duplicate", "duration_us": 9_000_000 })));
    attempts.push(with(attempt("msg_i"), json!({ "outcome": "in_flight" })));
    attempts.push(with(attempt("msg_u"), json!({ "outcome": "unavailable" })));
    attempts.push(with(attempt("msg_g"), json!({ "outcome": "ignored", "event_type": "session.created" })));
    attempts.push(forged("msg_x"));
    attempts.push(forged("msg_y"));
    bench.store(&attempts).await;

    for window in ["15m", "1h", "24h", "7d"] {
        let (status, overview) = bench.get(&format!("/api/overview?window={window}")).await;
        assert_eq!(status, StatusCode::OK);
        let totals = &overview["totals"];
        assert_eq!(totals["attempts"], 98);
        let counted =
            ["processed", "failed", "silent_drop", "rejected", "duplicate", "in_flight", "unavailable", "ignored"]
                .map(|outcome| totals[outcome].as_i64().unwrap());
        assert_eq!(counted, [90, 1, 1, 2, 1, 1, 1, 1]);
        assert!((totals["success_rate"].as_f64().unwrap() - 90.0 / 93.0).abs() < 1e-9);
        assert_eq!(overview["rejections"], json!([{ "endpoint": "clerk", "code": "signature_mismatch", "count": 2 }]));

        let rows = overview["rows"].as_array().unwrap();
        let row = |event_type: Value| rows.iter().find(|row| row["event_type"] == event_type).unwrap();
        let created = row(json!("user.created"));
        assert_eq!(created["attempts"], 95);
        assert_eq!(created["last_seen"], NOW - SECOND);
        let (p50, p95) = (created["p50_us"].as_f64().unwrap(), created["p95_us"].as_f64().unwrap());
        assert!((p50 / 46_000.0 - 1.0).abs() < 0.03, "{p50}");
        assert!((p95 / 88_000.0 - 1.0).abs() < 0.03, "{p95}");
        let refused = row(Value::Null);
        assert_eq!(
            (&refused["attempts"], &refused["p50_us"], &refused["success_rate"]),
            (&json!(2), &Value::Null, &Value::Null)
        );
        assert!(rows.iter().all(|row| row["event_type"] != "user.deleted"), "a forged type is not counted");

        let points = created["series"].as_array().unwrap();
        let sum = |member: &str| points.iter().map(|point| point[member].as_i64().unwrap()).sum::<i64>();
        assert_eq!((sum("attempts"), sum("failed")), (95, 3));
        let step = overview["step_seconds"].as_i64().unwrap() * SECOND;
        assert_eq!(points[0]["at"], overview["from"]);
        assert!(
            points.windows(2).all(|pair| pair[1]["at"].as_i64().unwrap() - pair[0]["at"].as_i64().unwrap() == step)
        );
    }
    let (_, week) = bench.get("/api/overview?window=7d").await;
    assert_eq!(week["rows"][0]["series"].as_array().unwrap().len(), 28);
}

#[tokio::test]
async fn what_is_older_than_the_window_is_left_out() {
    let bench = Bench::local();
    bench.store(&[with(attempt("msg_1"), json!({ "received_at": NOW - 3 * 3_600 * SECOND }))]).await;
    assert_eq!(bench.get("/api/overview").await.1["totals"]["attempts"], 0);
    assert_eq!(bench.get("/api/overview").await.1["totals"]["success_rate"], Value::Null);
    assert_eq!(bench.get("/api/overview?window=24h").await.1["totals"]["attempts"], 1);
    let (status, answer) = bench.get("/api/overview?window=2y").await;
    assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "invalid_request"));
}

#[tokio::test]
async fn a_forged_attempt_never_changes_a_real_message() {
    let bench = Bench::local();
    bench.store(&[attempt("msg_1")]).await;
    let before = bench.message("msg_1").await;
    bench.store(&[with(forged("msg_1"), json!({ "received_at": NOW }))]).await;
    let after = bench.message("msg_1").await;
    assert_eq!(after, with(before, json!({ "attempts": 2 })));

    let (_, timeline) = bench.get(&format!("/api/messages/{}", after["id"])).await;
    let results: Vec<&Value> = timeline["attempts_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["verification"]["result"])
        .collect();
    assert_eq!(results, ["verified", "rejected"]);
}

#[tokio::test]
async fn a_sender_that_contradicts_itself_is_not_believed() {
    let bench = Bench::local();
    bench.store(&[attempt("msg_1")]).await;
    bench.store(&[with(forged("msg_1"), json!({ "outcome": "failed", "status": 500 }))]).await;
    assert_eq!(bench.message("msg_1").await["outcome"], "processed");
    assert_eq!(bench.get("/api/overview").await.1["totals"]["rejected"], 1);
}

#[tokio::test]
async fn a_forged_attempt_has_its_own_message_until_a_real_one_comes() {
    let bench = Bench::local();
    bench.store(&[forged("msg_1")]).await;
    let refused = bench.message("msg_1").await;
    assert_eq!((&refused["outcome"], &refused["event_type"]), (&json!("rejected"), &Value::Null));
    assert_eq!(refused["entity_id"], Value::Null);
    bench.store(&[attempt("msg_1")]).await;
    let real = bench.message("msg_1").await;
    assert_eq!(
        (&real["outcome"], &real["event_type"], &real["attempts"]),
        (&json!("processed"), &json!("user.created"), &json!(2))
    );
    assert_eq!(real["id"], refused["id"]);
}

#[tokio::test]
async fn a_request_without_an_id_is_a_message_of_its_own() {
    let bench = Bench::local();
    let nameless = || {
        let mut attempt = forged("x");
        attempt.as_object_mut().unwrap().remove("message_id");
        attempt
    };
    bench.store(&[nameless(), nameless()]).await;
    let (_, page) = bench.get("/api/messages").await;
    assert_eq!(page["messages"].as_array().unwrap().len(), 2);
    assert_eq!(page["messages"][0]["message_id"], Value::Null);
}

#[tokio::test]
async fn one_id_at_two_endpoints_is_two_messages() {
    let bench = Bench::local();
    bench.store(&[attempt("msg_1"), with(attempt("msg_1"), json!({ "endpoint": "billing" }))]).await;
    let (_, page) = bench.get("/api/messages?message_id=msg_1").await;
    assert_eq!(page["messages"].as_array().unwrap().len(), 2);
    let (_, page) = bench.get("/api/messages?message_id=msg_1&endpoint=billing").await;
    assert_eq!(page["messages"][0]["endpoint"], "billing");
    assert_eq!(page["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_timeline_holds_the_attempts_as_they_were_sent_oldest_first() {
    let bench = Bench::local();
    let failed = with(
        attempt("msg_1"),
        json!({
            "received_at": NOW - 60 * SECOND, "outcome": "failed", "status": 500,
            "steps": [{ "name": "create_profile", "at_us": 120 }], "missing_steps": ["send_mail"],
            "failure": { "error": { "type": "IntegrityError", "message": "UNIQUE", "fingerprint": "0123456789abcdef" } },
            "metadata": { "tenant": "t1" }, "response": { "size": 2 },
        }),
    );
    let done = attempt("msg_1");
    bench.store(&[done.clone(), failed.clone()]).await;
    let message = bench.message("msg_1").await;
    let (_, timeline) = bench.get(&format!("/api/messages/{}", message["id"])).await;
    let sent = |attempt: Value| with(attempt, json!({ "stored_at": NOW }));
    assert_eq!(timeline["attempts_list"], json!([sent(failed), sent(done)]));
    assert_eq!((&timeline["outcome"], &timeline["first_seen"]), (&json!("processed"), &json!(NOW - 60 * SECOND)));

    for missing in ["/api/messages/999", "/api/messages/x", "/api/messages/-1", "/api/nothing"] {
        let (status, answer) = bench.get(missing).await;
        assert_eq!((status, code(&answer)), (StatusCode::NOT_FOUND, "not_found"), "{missing}");
    }
}

#[tokio::test]
async fn pages_hold_every_message_once_under_every_filter() {
    let bench = Bench::local();
    let attempts: Vec<Value> = (0..200)
        .map(|number| {
            with(
                attempt(&format!("msg_{number}")),
                json!({
                    // Some come in at the very same moment.
                    "received_at": NOW - (number / 3) * SECOND,
                    "endpoint": if number % 2 == 0 { "clerk" } else { "billing" },
                    "event_type": if number % 5 == 0 { "user.deleted" } else { "user.created" },
                    "outcome": if number % 4 == 0 { "failed" } else { "processed" },
                }),
            )
        })
        .collect();
    bench.store(&attempts).await;
    for (query, expected) in [
        ("", 200),
        ("&endpoint=clerk", 100),
        ("&event_type=user.deleted", 40),
        ("&outcome=failed", 50),
        ("&outcome=failed&event_type=user.deleted&endpoint=clerk", 10),
        ("&endpoint=&event_type=&outcome=&message_id=", 200),
        ("&endpoint=nobody", 0),
        ("&outcome=ignored", 0),
        ("&message_id=msg_7", 1),
        ("&message_id=msg_7&outcome=failed", 0),
    ] {
        let mut seen = Vec::new();
        let mut before = String::new();
        loop {
            let (status, page) = bench.get(&format!("/api/messages?limit=7&before={before}{query}")).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            let messages = page["messages"].as_array().unwrap().clone();
            seen.extend(
                messages
                    .iter()
                    .map(|message| (message["last_seen"].as_i64().unwrap(), message["id"].as_i64().unwrap())),
            );
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut before),
                None => break,
            }
        }
        assert_eq!(seen.len(), expected, "{query}");
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "latest first, each once: {query}");
    }
    for wrong in ["limit=0", "limit=x", "before=x", "before=1", "outcome=lost"] {
        let (status, answer) = bench.get(&format!("/api/messages?{wrong}")).await;
        assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "invalid_request"), "{wrong}");
    }
}

#[tokio::test]
async fn setup_tells_what_was_stored() {
    let bench = Bench::local();
    bench.collector.ensure_key("dev", "shk_dev_0123456789abcdef").unwrap();
    bench.collector.ensure_key("dev", "shk_dev_0123456789abcdef").unwrap();
    let (_, setup) = bench.get("/api/setup").await;
    assert_eq!(setup["endpoint_url"], "http://localhost:4600");
    assert_eq!(setup["dev_key"], "shk_dev_0123456789abcdef");
    assert_eq!((&setup["first_event_at"], &setup["attempts_stored"]), (&Value::Null, &json!(0)));
    assert_eq!(setup["keys"].as_array().unwrap().len(), 2);
    assert_eq!(setup["keys"][0]["prefix"], bench.key[..8]);
    assert!(!setup["keys"].to_string().contains(&bench.key), "a key is shown once");

    bench.store(&[attempt("msg_1"), attempt("msg_2")]).await;
    let (_, setup) = bench.get("/api/setup").await;
    assert_eq!((&setup["first_event_at"], &setup["attempts_stored"]), (&json!(NOW), &json!(2)));
    assert_eq!((&setup["keys"][0]["last_used_at"], &setup["keys"][1]["last_used_at"]), (&json!(NOW), &Value::Null));
    for wrong in ["", "shk_", "short", "sk_live_0123456789abcdef", "shk_with spaces in between"] {
        assert_eq!(bench.collector.ensure_key("dev", wrong).unwrap_err().code(), "invalid_config", "{wrong:?}");
    }
}

#[tokio::test]
async fn an_attempt_is_told_with_the_key_of_its_message() {
    let bench = Bench::local();
    let key = "0123456789abcdef".repeat(4);
    let sent = with(attempt("msg_1"), json!({ "dedup": { "result": "new", "store": "redis", "key": key } }));
    bench.store(std::slice::from_ref(&sent)).await;
    let (status, told) = bench.get(&format!("/api/attempts/{}", sent["id"].as_str().unwrap())).await;
    assert_eq!((status, &told["dedup"]), (StatusCode::OK, &sent["dedup"]));
    let wrong = with(attempt("msg_2"), json!({ "dedup": { "result": "new", "key": "short" } }));
    let (_, answer) = bench.send(batch(&[wrong]).to_string().into_bytes(), &[]).await;
    assert_eq!(answer["rejected"], json!([{ "index": 0, "code": "invalid_attempt" }]));
}
