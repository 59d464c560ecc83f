//! A database of an earlier version stays readable, and goes on.

use serde_json::json;
use surehook_collector::{Access, Collector, Config};

use crate::setup::*;

const FIRST: &str = include_str!("../../src/store/sqlite/migrations/0001_first.sql");

/// A file as the first version left it: a message that failed and was then processed, with its counts.
fn first_version(directory: &std::path::Path) {
    let connection = rusqlite::Connection::open(directory.join("surehook.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute_batch(FIRST).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection
        .execute_batch(&format!(
            "INSERT INTO endpoints VALUES (1, 'clerk', 'clerk');
             INSERT INTO series VALUES (1, 1, 'user.created'), (2, 1, NULL);
             INSERT INTO messages VALUES (1, 1, 1, 'msg_old', NULL, 'user_1', {at}, {at}, 2, 0, {at}, 1);
             INSERT INTO rollups VALUES (60, {minute}, 1, 1, 0, 1, 0, 0, 0, 3, 0, {at}, x'');
             INSERT INTO rejections VALUES (60, {minute}, 1, 'signature_mismatch', 4);
             INSERT INTO client_drops VALUES (x'00', 1, 'queue_full', 5, {at});",
            at = NOW - SECOND,
            minute = NOW / SECOND - 60,
        ))
        .unwrap();
    for outcome in ["failed", "processed"] {
        let attempt = with(attempt("msg_old"), json!({ "outcome": outcome }));
        let id = uuid::Uuid::parse_str(attempt["id"].as_str().unwrap()).unwrap();
        connection
            .execute(
                "INSERT INTO attempts (id, message, received_at, stored_at, record) VALUES (?, 1, ?, ?, ?)",
                rusqlite::params![id.as_bytes(), NOW - SECOND, NOW, attempt.to_string()],
            )
            .unwrap();
    }
}

#[tokio::test]
async fn a_database_of_the_first_version_is_read_and_goes_on() {
    let bench = Bench::local();
    let Bench { collector, now, directory, .. } = bench;
    drop(collector);
    std::fs::remove_file(directory.path().join("surehook.db")).unwrap();
    first_version(directory.path());
    let bench = Bench::open_in(directory, now, Access::Local, |_| {});

    let message = bench.message("msg_old").await;
    assert_eq!((&message["outcome"], &message["attempts"]), (&json!("processed"), &json!(2)));
    assert_eq!(message["suspected_silent_drop"], false);
    assert_eq!(bench.attempts("msg_old").await.len(), 2);
    let totals = bench.totals().await;
    let counts = ["attempts", "processed", "failed", "duplicate", "deferred", "continued", "client_dropped"];
    assert_eq!(counts.map(|name| totals[name].as_i64().unwrap()), [5, 1, 1, 3, 0, 0, 5]);

    let first = with(deferred("msg_new"), json!({ "received_at": NOW - 60 * SECOND }));
    bench.store(&[first.clone(), rest(&first, "processed"), attempt("msg_old")]).await;
    assert_eq!(bench.message("msg_old").await["attempts"], 3);
    assert_eq!(bench.message("msg_new").await["outcome"], "processed");
    let totals = bench.totals().await;
    assert_eq!(counts.map(|name| totals[name].as_i64().unwrap()), [7, 3, 1, 3, 1, 1, 5]);
    let sound: String = bench.database().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

#[test]
fn a_database_that_cannot_be_migrated_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    first_version(directory.path());
    let open = || rusqlite::Connection::open(directory.path().join("surehook.db")).unwrap();
    // Half of the second step was done by hand.
    open().execute_batch("CREATE TABLE habits (x)").unwrap();
    assert_eq!(
        Collector::open(Config::new(directory.path(), Access::Local)).unwrap_err().code(),
        "storage_unavailable"
    );
    let version: u32 = open().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
    let kept: i64 = open().query_row("SELECT count(*) FROM attempts", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 2);
}
