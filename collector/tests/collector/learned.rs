//! Learned steps: what nearly every message does is expected of the next, as a suspicion and never as an outcome.

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::setup::*;

fn steps(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "name": name, "at_us": 10 })).collect()
}

fn did(message_id: &str, names: &[&str]) -> Value {
    with(attempt(message_id), json!({ "steps": steps(names) }))
}

/// So many messages that create a profile and send a mail.
fn usual(prefix: &str, count: usize) -> Vec<Value> {
    (0..count).map(|number| did(&format!("{prefix}_{number}"), &["create_profile", "send_mail"])).collect()
}

async fn is_suspected(bench: &Bench, message_id: &str) -> bool {
    let flagged = bench.message(message_id).await["suspected_silent_drop"].as_bool().unwrap();
    let attempts = bench.attempts(message_id).await;
    assert_eq!(flagged, attempts.iter().any(|attempt| attempt.get("suspected_silent_drop").is_some()), "they agree");
    flagged
}

#[tokio::test]
async fn a_message_without_a_usual_step_is_suspected_and_stays_processed() {
    let bench = Bench::local();
    bench.store(&usual("usual", 49)).await;
    bench.store(&[did("msg_early", &["create_profile"])]).await;
    assert!(!is_suspected(&bench, "msg_early").await, "49 messages are no habit");
    // That one of 50 did without is no reason to expect less: 98 % is enough.
    bench.store(&[did("msg_1", &["create_profile"]), did("msg_2", &["send_mail", "create_profile", "more"])]).await;
    assert!(is_suspected(&bench, "msg_1").await);
    assert!(!is_suspected(&bench, "msg_2").await);

    let message = bench.message("msg_1").await;
    assert_eq!(message["outcome"], "processed");
    let lacking = &bench.attempts("msg_1").await[0]["suspected_silent_drop"];
    assert_eq!(lacking, &json!([{ "step": "send_mail", "recorded": 49, "of": 50 }]));
}

#[tokio::test]
async fn the_suspicion_is_found_wherever_figures_are() {
    let bench = Bench::local();
    bench.store(&usual("msg", 60)).await;
    bench.store(&[did("msg_bad", &["send_mail"]), did("msg_worse", &[])]).await;
    let totals = bench.totals().await;
    assert_eq!(
        (&totals["suspected_silent_drop"], &totals["processed"], &totals["success_rate"]),
        (&json!(2), &json!(62), &json!(1.0))
    );
    assert_eq!(bench.get("/api/overview?window=7d").await.1["rows"][0]["suspected_silent_drop"], 2);
    for query in ["", "&endpoint=clerk", "&event_type=user.created", "&limit=1"] {
        let (status, page) = bench.get(&format!("/api/messages?outcome=suspected_silent_drop{query}")).await;
        assert_eq!(status, StatusCode::OK);
        let expected = if query == "&limit=1" { 1 } else { 2 };
        assert_eq!(page["messages"].as_array().unwrap().len(), expected, "{query}");
        assert!(page["messages"].as_array().unwrap().iter().all(|message| message["suspected_silent_drop"] == true));
    }
    for (id, count) in [("msg_bad", 1), ("msg_3", 0)] {
        let (_, page) = bench.get(&format!("/api/messages?outcome=suspected_silent_drop&message_id={id}")).await;
        assert_eq!(page["messages"].as_array().unwrap().len(), count);
    }
    assert_eq!(
        bench.get("/api/messages?outcome=processed&limit=200").await.1["messages"].as_array().unwrap().len(),
        62
    );
    let line =
        r#"surehook_suspected_silent_drops_total{provider="clerk",endpoint="clerk",event_type="user.created"} 2"#;
    assert!(bench.metrics().await.lines().any(|found| found == line));
}

#[tokio::test]
async fn the_filter_walks_an_index() {
    let bench = Bench::local();
    let plan: Vec<String> = {
        let connection = bench.database();
        let sql = "EXPLAIN QUERY PLAN SELECT m.id FROM messages m WHERE m.series = ?1 AND m.suspected = 1
                   AND m.last_seen <= ?2 ORDER BY m.last_seen DESC, m.id DESC LIMIT 5";
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([1, 1], |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert!(
        plan[0].contains("messages_suspected") && !plan.iter().any(|line| line.contains("TEMP B-TREE")),
        "{plan:?}"
    );
}

#[tokio::test]
async fn a_step_that_ended_with_an_error_was_not_done() {
    let bench = Bench::local();
    bench.store(&usual("msg", 60)).await;
    let error = json!({ "type": "E", "message": "m", "fingerprint": "0123456789abcdef" });
    let failed = json!({ "name": "send_mail", "at_us": 5, "error": error });
    let done = json!({ "name": "send_mail", "at_us": 9 });
    let create = json!({ "name": "create_profile", "at_us": 1 });
    bench.store(&[with(attempt("msg_bad"), json!({ "steps": [create, failed] }))]).await;
    bench.store(&[with(attempt("msg_good"), json!({ "steps": [create, failed, done] }))]).await;
    assert!(is_suspected(&bench, "msg_bad").await);
    assert!(!is_suspected(&bench, "msg_good").await);
}

#[tokio::test]
async fn only_processed_work_teaches_and_only_processed_work_is_suspected() {
    let bench = Bench::local();
    for outcome in ["failed", "silent_drop", "ignored", "duplicate"] {
        bench
            .store(
                &usual(outcome, 60).into_iter().map(|one| with(one, json!({ "outcome": outcome }))).collect::<Vec<_>>(),
            )
            .await;
    }
    bench.store(&[did("msg_1", &["other"])]).await;
    assert!(!is_suspected(&bench, "msg_1").await);
    bench.store(&usual("msg", 60)).await;
    for outcome in ["failed", "silent_drop", "ignored"] {
        bench.store(&[with(did(outcome, &[]), json!({ "outcome": outcome }))]).await;
        assert!(!is_suspected(&bench, outcome).await, "{outcome}");
    }
}

#[tokio::test]
async fn what_is_sent_twice_teaches_once() {
    let bench = Bench::local();
    let some = batch(&usual("msg", 30)).to_string().into_bytes();
    for _ in 0..3 {
        bench.send(some.clone(), &[]).await;
    }
    bench.store(&[did("msg_1", &[])]).await;
    assert!(!is_suspected(&bench, "msg_1").await);
    // Refused ones, and those of other types and endpoints, teach nothing either.
    let foreign = [
        json!({ "event_type": "user.deleted" }),
        json!({ "endpoint": "billing" }),
        json!({ "verification": { "result": "rejected" } }),
    ];
    for (number, members) in foreign.into_iter().enumerate() {
        let those = usual(&format!("foreign_{number}"), 30).into_iter().map(|one| with(one, members.clone()));
        bench.store(&those.collect::<Vec<_>>()).await;
    }
    bench.store(&[did("msg_2", &[])]).await;
    assert!(!is_suspected(&bench, "msg_2").await);
}

#[tokio::test]
async fn the_steps_of_both_halves_of_deferred_work_count_together() {
    let bench = Bench::local();
    bench.store(&usual("msg", 60)).await;
    for (order, number) in [("forward", 0), ("backward", 1)] {
        for (name, there, suspected) in [("whole", &["send_mail"][..], false), ("lacking", &[], true)] {
            let id = format!("msg_{order}_{name}");
            let first = with(deferred(&id), json!({ "steps": steps(&["create_profile"]) }));
            let end = with(rest(&first, "processed"), json!({ "steps": steps(there) }));
            let mut halves = [first, end];
            halves.rotate_left(number);
            for half in &halves {
                assert!(!bench.get(&format!("/api/messages?message_id={id}")).await.1["messages"][0]["suspected_silent_drop"].as_bool().unwrap_or_default());
                bench.store(std::slice::from_ref(half)).await;
            }
            assert_eq!(is_suspected(&bench, &id).await, suspected, "{id}");
            let attempts = bench.attempts(&id).await;
            assert!(attempts[0].get("suspected_silent_drop").is_none(), "the end of the work is what is suspected");
            assert_eq!(attempts[1].get("suspected_silent_drop").is_some(), suspected);
        }
    }
    assert_eq!(bench.totals().await["suspected_silent_drop"], 2);
    assert!(bench.metrics().await.contains(r#"event_type="user.created"} 2"#));
}

#[tokio::test]
async fn deferred_work_alone_teaches_as_a_whole() {
    let bench = Bench::local();
    for order in 0..2 {
        let mut halves = [Vec::new(), Vec::new()];
        for number in 0..30 {
            let first =
                with(deferred(&format!("msg_{order}_{number}")), json!({ "steps": steps(&["create_profile"]) }));
            halves[1].push(with(rest(&first, "processed"), json!({ "steps": steps(&["send_mail"]) })));
            halves[0].push(first);
        }
        halves.rotate_left(order);
        for half in &halves {
            bench.store(half).await;
        }
    }
    let first = deferred("msg_last");
    bench.store(&[first.clone(), with(rest(&first, "processed"), json!({ "steps": steps(&["send_mail"]) }))]).await;
    let lacking = &bench.attempts("msg_last").await[1]["suspected_silent_drop"];
    assert_eq!(lacking, &json!([{ "step": "create_profile", "recorded": 60, "of": 60 }]));
}

#[tokio::test]
async fn a_renamed_step_is_soon_no_longer_expected() {
    let bench = Bench::local();
    bench.store(&usual("msg", 990)).await;
    let renamed: Vec<Value> =
        (0..60).map(|number| did(&format!("new_{number}"), &["create_profile", "send_email"])).collect();
    bench.store(&renamed).await;
    let flagged = bench.totals().await["suspected_silent_drop"].as_i64().unwrap();
    assert!((1..=20).contains(&flagged), "{flagged}");
    assert!(!is_suspected(&bench, "new_59").await);
}

#[tokio::test]
async fn what_was_learned_is_there_after_a_restart_and_poison_is_learned_anew() {
    let bench = Bench::local();
    bench.store(&usual("msg", 60)).await;
    let bench = bench.restarted(|_| {});
    bench.store(&[did("msg_lacking", &[])]).await;
    assert!(is_suspected(&bench, "msg_lacking").await);
    let mut bench = bench;
    for (number, poison) in
        ["'{'", "''", "'{\"seen\":4294967295,\"steps\":{}}'", "CAST(x'ff00fe' AS TEXT)"].into_iter().enumerate()
    {
        let database = bench.database();
        database.execute(&format!("UPDATE habits SET habit = {poison}"), []).unwrap();
        database.execute(&format!("UPDATE attempts SET suspected = {poison} WHERE suspected IS NOT NULL"), []).unwrap();
        drop(database);
        bench = bench.restarted(|_| {});
        let id = format!("msg_{number}");
        bench.store(&[did(&id, &[])]).await;
        assert!(!bench.message(&id).await["suspected_silent_drop"].as_bool().unwrap(), "nothing is known any more");
        assert_eq!(bench.attempts("msg_lacking").await.len(), 1);
        bench.store(&usual(&format!("again_{number}"), 60)).await;
        bench.store(&[did(&format!("{id}_lacking"), &[])]).await;
        assert!(is_suspected(&bench, &format!("{id}_lacking")).await, "it is learned anew");
    }
}

#[tokio::test]
async fn types_beyond_the_cap_are_not_learned() {
    let bench = Bench::local();
    for part in 0..2 {
        let types = (0..1_000).map(|number| {
            with(
                did(&format!("msg_{part}_{number}"), &["create_profile"]),
                json!({ "event_type": format!("type.{part}.{number}") }),
            )
        });
        bench.store(&types.collect::<Vec<_>>()).await;
    }
    bench.store(&[with(did("msg_lacking", &[]), json!({ "event_type": "type.of.its.own" }))]).await;
    assert!(!is_suspected(&bench, "msg_lacking").await);
    let rows: i64 = bench.database().query_row("SELECT count(*) FROM habits", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1_000);
}

#[tokio::test]
async fn step_names_without_end_take_no_room_without_end() {
    let bench = Bench::local();
    for part in 0..5 {
        let many: Vec<Value> = (0..20)
            .map(|number| {
                let names: Vec<Value> = (0..200)
                    .map(|step| json!({ "name": format!("{} {part} {number} {step}", "n".repeat(300)), "at_us": 1 }))
                    .collect();
                with(attempt(&format!("msg_{part}_{number}")), json!({ "id": Uuid::now_v7(), "steps": names }))
            })
            .collect();
        bench.store(&many).await;
    }
    let length: i64 = bench.database().query_row("SELECT length(habit) FROM habits", [], |row| row.get(0)).unwrap();
    assert!(length < 20_000, "{length}");
}
