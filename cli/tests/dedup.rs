//! `surehook dedup` and `surehook migrate`.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use common::{Running, refusal, run, surehook, text};
use surehook::core::dedup::{
    DedupKey, Fingerprint, LEASE, MessageName, OperatorId, OwnerToken, RegistryKey, Scope, Sender, Senders, Store,
    StoredResponse,
};
use surehook::core::{Secret, Timestamp, scheme};
use surehook::{Clock, DedupStore, SystemClock};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

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
    let scope = Scope::new("shop", "clerk", "users");
    let registry = RegistryKey::of(&scope);
    let secret = Secret::parse(SECRET).expect("a secret");
    let mut senders = Senders::default();
    senders.register(&[secret.seed().tag(&registry)]);
    store.replace_senders(&registry, None, &senders.to_bytes()).expect("it can be registered");
    let clerk = scheme::find("clerk").expect("a provider");
    let key = |id| {
        let name = MessageName::for_operator(&clerk, id).expect("a name");
        store.operators_key(&scope, &secret, &name).expect("an answer").expect("a key")
    };
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

    let asked = |command: &str, id: &[&str], secret: &str| {
        let mut args =
            vec!["dedup", command, &url, "--provider", "clerk", "--endpoint", "users", "--namespace", "shop"];
        args.extend(["--secret-env", "OWN_SECRET"]);
        args.extend(id);
        run(surehook(&args).env("OWN_SECRET", secret))
    };
    let ask = |command: &str, id: &[&str]| {
        let output = asked(command, id, SECRET);
        assert!(output.status.success(), "{command} {id:?}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    };
    assert_eq!(said(&["dedup", "stats", &url]), r#"{"done":1,"running":1}"#);
    let done = ask("get", &["--id", "msg_1"]);
    assert!(
        done.contains(r#""state":"done""#) && done.contains(r#""status":201"#) && done.contains("/users/1"),
        "{done}"
    );
    assert!(!done.contains("canary"), "{done}");
    let running = ask("get", &["--key", "order-7"]);
    assert!(running.contains(r#""state":"running""#) && running.contains(r#""lapsed":false"#), "{running}");
    ask("forget", &["--id", "msg_1"]);
    assert_eq!(said(&["dedup", "stats", &url]), r#"{"done":0,"running":1}"#);
    // Whoever signs with another secret is another sender.
    let output = asked("get", &["--key", "order-7"], OTHER);
    assert!(refusal(&output).1.contains("no message that was signed with this secret"), "{}", text(&output.stderr));
}

#[test]
fn what_cannot_be_is_one_clear_line_without_a_password() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite://{}/dedup.db", dir.path().display());
    let missing = format!("sqlite://{}/none/dedup.db", dir.path().display());
    let secret = dir.path().join("secret");
    std::fs::write(&secret, SECRET).expect("a file");
    let secret = secret.to_str().expect("a path");
    let message = ["--provider", "clerk", "--id", "msg_1", "--secret-file", secret];
    let cases: [(Vec<&str>, i32, &str); 9] = [
        ([&["dedup", "get", &url][..], &message].concat(), 1, "no message that was signed with this secret"),
        ([&["dedup", "forget", &url][..], &message].concat(), 1, "no message that was signed with this secret"),
        (vec!["dedup", "stats", "memory://"], 2, "memory of another process"),
        (vec!["dedup", "stats", "redis://user:canary@host:port"], 2, "a port must be a number"),
        (vec!["dedup", "stats", &missing], 1, "the directory of"),
        (vec!["dedup", "get", &url, "--provider", "github", "--id", "1"], 2, "does not sign it"),
        (
            vec!["dedup", "get", &url, "--provider", "acme", "--id", "1", "--sender", "shop"],
            1,
            "does not know this message",
        ),
        (
            vec!["dedup", "get", &url, "--provider", "clerk", "--id", "1", "--secret-env", "NO_SUCH_VARIABLE"],
            2,
            "NO_SUCH_VARIABLE",
        ),
        (vec!["migrate", "redis://user:canary@127.0.0.1:1"], 1, "Redis"),
    ];
    for (args, code, named) in cases {
        let (found, said) = refusal(&run(&mut surehook(&args)));
        assert_eq!(found, code, "{args:?}: {said}");
        assert!(said.contains(named) && said.lines().count() == 1, "{args:?}: {said}");
        assert!(!said.contains("canary"), "{said}");
    }
}

/// The way from an attempt on the dashboard to the message in the store.
#[test]
fn an_attempts_message_is_let_run_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite://{}/dedup.db", dir.path().display());
    let collector =
        Running::start(surehook(&["dev", "--port", "0", "--data-dir"]).arg(dir.path()), "SUREHOOK_ENDPOINT=");
    let (endpoint, api_key) = (collector.value("SUREHOOK_ENDPOINT="), collector.value("SUREHOOK_API_KEY="));
    let store = DedupStore::open(&url).expect("a store");
    let name = MessageName::for_operator(&scheme::find("clerk").expect("a provider"), OperatorId::Provider("msg_1"));
    let key = DedupKey::of(&Scope::new("shop", "clerk", "users"), &Sender::Unnamed, &name.expect("a name"));
    let owner = OwnerToken::new(1);
    store.claim(&key, Fingerprint::of(b"{}"), owner, SystemClock.now(), LEASE).expect("it can be claimed");

    let (known, without) = ("0197a1f0-0000-7000-8000-000000000001", "0197a1f0-0000-7000-8000-000000000002");
    let attempt = |id: &str, dedup: &str| {
        format!(
            r#"{{"id":"{id}","endpoint":"users","provider":"clerk","message_id":"msg_1","received_at":1,"duration_us":1,
            "outcome":"processed","verification":{{"result":"verified"}},"dedup":{dedup},
            "request":{{"method":"POST","path":"/","headers":{{}},"size":2}}}}"#
        )
    };
    let attempts = [
        attempt(known, &format!(r#"{{"result":"new","store":"sqlite","key":"{key}"}}"#)),
        attempt(without, r#"{"result":"off"}"#),
    ];
    let batch = format!(
        r#"{{"schema":1,"sdk":{{"name":"test","version":"0","language":"rust"}},"service":"shop",
        "instance":{{"id":"0197a1f0-0000-7000-8000-000000000000","pid":1}},"sent_at":1,"attempts":[{}]}}"#,
        attempts.join(",")
    );
    assert!(post(&endpoint, &api_key, &batch).starts_with("HTTP/1.1 202"));

    let forget = |id: &str| run(&mut surehook(&["dedup", "forget", &url, "--attempt", id, "--collector", &endpoint]));
    let output = forget(known);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(store.get(&key), Ok(None));
    for (id, says) in [
        (known, "does not know this message"),
        (without, "no store was asked"),
        ("0197a1f0-0000-7000-8000-000000000003", "does not know this attempt"),
        ("../keys", "does not know this attempt"),
    ] {
        let (code, said) = refusal(&forget(id));
        assert!(code == 1 && said.contains(says), "{id}: {said}");
    }
    store.claim(&key, Fingerprint::of(b"{}"), owner, SystemClock.now(), LEASE).expect("it can be claimed");
    said(&["dedup", "forget", &url, "--dedup-key", &key.to_string()]);
    assert_eq!(store.get(&key), Ok(None));
}

/// Posts a batch, and gives the answer.
fn post(endpoint: &str, key: &str, body: &str) -> String {
    let address = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let length = body.len();
    write!(
        stream,
        "POST /v1/batches HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}
