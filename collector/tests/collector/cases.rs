//! Identical messages under other ids: one case for each entry, not handled until somebody has looked at it.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::setup::*;

/// An attempt that was answered from the store because an identical message came before under another id.
fn other_id(message_id: &str, entry: u8) -> Value {
    let key = format!("{entry:064x}");
    with(
        attempt(message_id),
        json!({
            "outcome": "duplicate", "endpoint": "github", "provider": "github", "event_type": "push",
            "dedup": { "result": "same_body_other_id", "store": "memory", "key": key },
        }),
    )
}

async fn cases(bench: &Bench) -> Vec<Value> {
    let (status, answer) = bench.get("/api/cases").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(bench.get("/api/overview").await.1["cases"], answer["cases"]);
    answer["cases"].as_array().unwrap().clone()
}

async fn acknowledge(bench: &Bench, id: &Value, body: &str) -> StatusCode {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/api/cases/{id}/acknowledge"))
        .header(header::HOST, "localhost:4600")
        .header(header::ORIGIN, "http://localhost:4600")
        .body(Body::from(body.to_owned()))
        .unwrap();
    bench.call(request).await.0
}

async fn listed(bench: &Bench) -> Vec<String> {
    let (_, page) = bench.get("/api/messages?outcome=not_handled").await;
    let ids = page["messages"].as_array().unwrap().iter();
    ids.map(|message| message["message_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_came_under_another_id_is_not_handled_until_somebody_has_looked() {
    let bench = Bench::local();
    bench.store(&[attempt("msg_1"), other_id("a-2", 1), other_id("a-3", 1), other_id("b-2", 2)]).await;
    let open = cases(&bench).await;
    let first = open.iter().find(|case| case["count"] == 2).unwrap();
    assert_eq!((&first["endpoint"], &first["event_type"]), (&json!("github"), &json!("push")));
    assert_eq!((&first["not_handled"], &first["message_id"]), (&json!(2), &json!("a-2")));
    assert_eq!(open.len(), 2);
    assert_eq!(bench.message("a-3").await["not_handled"], true);
    assert_eq!(bench.message("msg_1").await["not_handled"], false);
    let mut ids = listed(&bench).await;
    ids.sort();
    assert_eq!(ids, ["a-2", "a-3", "b-2"]);

    assert_eq!(acknowledge(&bench, &first["id"], r#"{"count":2}"#).await, StatusCode::NO_CONTENT);
    assert_eq!(bench.message("a-3").await["not_handled"], false);
    assert_eq!(listed(&bench).await, ["b-2"]);
    assert_eq!(cases(&bench).await.len(), 1);
}

#[tokio::test]
async fn what_comes_after_the_look_is_open_again() {
    let bench = Bench::local();
    bench.store(&[other_id("a-2", 1)]).await;
    let id = cases(&bench).await[0]["id"].clone();
    bench.store(&[other_id("a-3", 1)]).await;
    // Its reader saw one of the two.
    assert_eq!(acknowledge(&bench, &id, r#"{"count":1}"#).await, StatusCode::NO_CONTENT);
    assert_eq!(cases(&bench).await[0]["not_handled"], 1);
    assert_eq!(acknowledge(&bench, &id, r#"{"count":999}"#).await, StatusCode::NO_CONTENT);
    assert!(cases(&bench).await.is_empty());
    bench.store(&[other_id("a-4", 1)]).await;
    let open = cases(&bench).await;
    assert_eq!((&open[0]["count"], &open[0]["not_handled"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn ten_are_kept_in_full_and_the_rest_is_counted_each_once() {
    let bench = Bench::local();
    let many: Vec<Value> = (0..25).map(|number| other_id(&format!("a-{number}"), 1)).collect();
    bench.store(&many).await;
    let (_, again) = bench.send(batch(&many).to_string().into_bytes(), &[]).await;
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(25)));
    assert_eq!(cases(&bench).await[0]["count"], 25);
    assert_eq!(bench.totals().await["duplicate"], 25, "each is counted on the overview");
    let kept: i64 = bench.database().query_row("SELECT count(*) FROM attempts", [], |row| row.get(0)).unwrap();
    let messages: i64 = bench.database().query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).unwrap();
    assert_eq!((kept, messages), (10, 10));
    let bench = bench.restarted(|_| {});
    assert_eq!(cases(&bench).await[0]["count"], 25);
}

#[tokio::test]
async fn only_what_was_verified_opens_a_case() {
    let bench = Bench::local();
    let said = json!({ "verification": { "result": "rejected", "code": "signature_mismatch" }, "outcome": "rejected" });
    bench.store(&[with(other_id("a-1", 1), said)]).await;
    assert!(cases(&bench).await.is_empty());
    assert!(listed(&bench).await.is_empty());
}

#[tokio::test]
async fn a_call_that_makes_no_sense_is_refused() {
    let bench = Bench::local();
    assert_eq!(acknowledge(&bench, &json!(7), r#"{"count":1}"#).await, StatusCode::NOT_FOUND);
    bench.store(&[other_id("a-2", 1)]).await;
    let id = cases(&bench).await[0]["id"].clone();
    for body in ["", "{}", "[", r#"{"count":"1"}"#] {
        assert_eq!(acknowledge(&bench, &id, body).await, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(acknowledge(&bench, &id, r#"{"count":-5}"#).await, StatusCode::NO_CONTENT);
    assert_eq!(cases(&bench).await.len(), 1);
}
