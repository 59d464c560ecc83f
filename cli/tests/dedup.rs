//! `surehook dedup` and `surehook migrate`.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{refusal, run, surehook, text};
use surehook::core::Timestamp;
use surehook::core::dedup::{Fingerprint, LEASE, OperatorId, OwnerToken, Store, StoredResponse};
use surehook::{Clock, DedupStore, SystemClock};

fn said(args: &[&str]) -> String {
    let output = run(&mut surehook(args));
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

#[test]
fn an_operator_looks_a_message_up_and_lets_it_run_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite://{}/dedup.db", dir.path().display());
    assert_eq!(said(&["migrate", &url]), "sqlite: the table was created");
    assert_eq!(said(&["migrate", &url]), "sqlite: there is nothing to do");

    let store = DedupStore::open(&url).expect("a store");
    let key = |id| DedupStore::key("clerk", "users", id).expect("a key");
    let now: Timestamp = SystemClock.now();
    let answer = Arc::new(StoredResponse::capture(201, &[(b"location", b"/users/1")], Some(b"canary")));
    for (id, owner) in
        [(OperatorId::Provider("msg_1"), OwnerToken::new(1)), (OperatorId::User("order-7"), OwnerToken::new(2))]
    {
        store.claim(&key(id), Fingerprint::of(b"{}"), owner, now, LEASE).expect("it can be claimed");
    }
    store
        .complete(&key(OperatorId::Provider("msg_1")), OwnerToken::new(1), answer, now, Duration::from_secs(3600))
        .expect("it can be completed");

    let message = |command: &str, id: &[&str]| {
        let mut args = vec!["dedup", command, &url, "--provider", "clerk", "--endpoint", "users"];
        args.extend(id);
        said(&args)
    };
    assert_eq!(said(&["dedup", "stats", &url]), r#"{"done":1,"running":1}"#);
    let done = message("get", &["--id", "msg_1"]);
    assert!(
        done.contains(r#""state":"done""#) && done.contains(r#""status":201"#) && done.contains("/users/1"),
        "{done}"
    );
    assert!(!done.contains("canary"), "{done}");
    let running = message("get", &["--key", "order-7"]);
    assert!(running.contains(r#""state":"running""#) && running.contains(r#""lapsed":false"#), "{running}");
    message("forget", &["--id", "msg_1"]);
    assert_eq!(said(&["dedup", "stats", &url]), r#"{"done":0,"running":1}"#);
}

#[test]
fn what_cannot_be_is_one_clear_line_without_a_password() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite://{}/dedup.db", dir.path().display());
    let missing = format!("sqlite://{}/none/dedup.db", dir.path().display());
    let message = ["--provider", "clerk", "--id", "msg_1"];
    let cases: [(Vec<&str>, i32, &str); 7] = [
        ([&["dedup", "get", &url][..], &message].concat(), 1, "does not know this message"),
        ([&["dedup", "forget", &url][..], &message].concat(), 1, "does not know this message"),
        (vec!["dedup", "stats", "memory://"], 2, "memory of another process"),
        (vec!["dedup", "stats", "redis://user:canary@host:port"], 2, "a port must be a number"),
        (vec!["dedup", "stats", &missing], 1, "the directory of"),
        (vec!["dedup", "get", &url, "--provider", "github", "--id", "1"], 2, "does not sign it"),
        (vec!["migrate", "redis://user:canary@127.0.0.1:1"], 1, "Redis"),
    ];
    for (args, code, named) in cases {
        let (found, said) = refusal(&run(&mut surehook(&args)));
        assert_eq!(found, code, "{args:?}: {said}");
        assert!(said.contains(named) && said.lines().count() == 1, "{args:?}: {said}");
        assert!(!said.contains("canary"), "{said}");
    }
}
