//! `surehook verify`: what it prints, what it reads, what it refuses, and that no secret ever shows.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::saved::{FORMS, Received};
use common::{refusal, run, run_with, surehook, text};
use serde_json::{Value, json};

/// Published by the Svix documentation, with its signature.
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OTHER_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SIGNED_AT: &str = "1649367553";
const BODY: &str = r#"{"email":"test@example.com","username":"test_user"}"#;

fn known() -> Received {
    let headers = [
        ("Host", "app.example"),
        ("svix-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
        ("svix-timestamp", SIGNED_AT),
        ("svix-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
    ];
    Received {
        method: "POST".to_owned(),
        url: "https://app.example/hook".to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_owned())).into(),
        body: BODY.as_bytes().to_owned(),
    }
}

fn verify(args: &[&str]) -> Command {
    let mut command = surehook(&["verify", "--provider", "clerk"]);
    command.args(args).env("CLERK_WEBHOOK_SIGNING_SECRET", SECRET);
    command
}

/// Saves the request in its own folder and verifies it there.
fn verdict(request: &Received, form: &str, args: &[&str]) -> Output {
    let dir = tempfile::tempdir().expect("a directory");
    let saved = request.save(dir.path(), form);
    run(verify(args).args(saved).current_dir(dir.path()))
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn write(dir: &Path, name: &str, content: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, content).expect("a file");
    path.display().to_string()
}

#[test]
fn a_valid_request_is_valid_in_every_form() {
    for form in FORMS {
        let output = verdict(&known(), form, &["--now", SIGNED_AT]);
        let expected = "valid\n  provider   clerk\n  message    msg_27UH4WbU6Z5A5EzD8u03UvzRbpk\n  \
                        signed     2022-04-07T21:39:13Z, at the time of the check\n";
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), expected), "{form}");
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn a_changed_body_is_explained_and_proved() {
    let rewritten = Received { body: BODY.replace("\":", "\": ").replace(",", ", ").into_bytes(), ..known() };
    let output = verdict(&rewritten, "request.http", &["--at-signing-time"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    for line in [
        "invalid  signature_mismatch\n",
        "  message    msg_27UH4WbU6Z5A5EzD8u03UvzRbpk (as the request says)\n",
        "  found      body_reserialized (proved)\n",
        "  evidence   ",
        "  fix        ",
        "/docs/diagnostics/body_reserialized.md\n",
    ] {
        assert!(said.contains(line), "{line:?} is not in {said}");
    }
}

#[test]
fn an_old_request_with_a_right_signature_is_told_so() {
    let output = verdict(&known(), "request.http", &[]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with("invalid  timestamp_too_old\n"), "{said}");
    assert!(said.contains("the signature is right, and the request is ") && said.contains(" days old"), "{said}");
    assert!(said.contains("--at-signing-time") && !said.contains("clock_skew"), "{said}");

    let minutes_later = verdict(&known(), "request.http", &["--now", "2022-04-07T21:46:13Z", "--json"]);
    let found = json_of(&minutes_later);
    assert_eq!((&found["code"], &found["signature_valid"]), (&json!("timestamp_too_old"), &json!(true)));
    assert_eq!((&found["age_seconds"], &found["diagnosis"]["finding"]), (&json!(420), &json!("clock_skew")));

    let said = text(&verdict(&known(), "request.http", &["--now", "2022-04-07T21:46:13Z"]).stdout);
    assert!(said.contains("the request is 7 minutes old") && said.contains("found      clock_skew (proved)"), "{said}");

    let early = verdict(&known(), "request.http", &["--now", "2022-04-07T21:29:13Z"]);
    assert!(
        text(&early.stdout).contains("timestamp_too_new") && text(&early.stdout).contains("10 minutes after the check")
    );
    assert_eq!(verdict(&known(), "request.http", &["--at-signing-time"]).status.code(), Some(0));
    assert_eq!(
        verdict(&known(), "request.http", &["--now", "1649367854", "--tolerance", "301"]).status.code(),
        Some(0)
    );
    assert_eq!(verdict(&known(), "request.http", &["--now", "1649367854"]).status.code(), Some(1));
}

#[test]
fn an_old_request_with_a_wrong_signature_is_not_called_right() {
    let mut forged = known();
    forged.body.push(b' ');
    let found = json_of(&verdict(&forged, "request.http", &["--json"]));
    assert_eq!((&found["code"], &found["signature_valid"]), (&json!("timestamp_too_old"), &Value::Null));
    let said = text(&verdict(&forged, "request.http", &[]).stdout);
    assert!(!said.contains("signature is right"), "{said}");
}

#[test]
fn json_is_one_object_with_stable_members() {
    let mut event = known();
    event.body = br#"{"type":"user.created","data":{"id":"user_1"}}"#.to_vec();
    let output = verdict(&event, "request.har", &["--json", "--now", SIGNED_AT]);
    assert_eq!(text(&output.stdout).lines().count(), 1);
    let mut found = json_of(&output);
    for text in ["message", "docs"] {
        assert!(found[text].take().as_str().is_some_and(|text| !text.is_empty()));
    }
    assert_eq!(
        found,
        json!({
            "valid": false, "provider": "clerk", "message_id": "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "event_type": "user.created", "signed_at": 1_649_367_553, "checked_at": 1_649_367_553, "age_seconds": 0,
            "signature_valid": false, "code": "signature_mismatch", "message": null, "docs": null, "diagnosis": null,
            "notes": [],
        })
    );
}

#[test]
fn the_secret_of_another_endpoint_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let request = known().save(dir.path(), "request.http");
    let secret = write(dir.path(), "secret", SECRET);
    let billing = write(dir.path(), "billing", &format!("{SECRET}\n"));
    let mine = write(dir.path(), "mine", &format!("{OTHER_SECRET}\n"));
    for other in [["--other", &format!("billing={SECRET}")], ["--other-file", &format!("billing={billing}")]] {
        let mut command = verify(&["--json", "--at-signing-time", "--secret-file", &mine]);
        let output = run(command.args(other).args(&request).current_dir(dir.path()));
        let found = json_of(&output)["diagnosis"].take();
        assert_eq!((&found["finding"], &found["certainty"]), (&json!("secret_of_another_endpoint"), &json!("proved")));
        assert!(found["evidence"].as_str().expect("evidence").contains("billing"), "{found}");
    }
    let both = run(verify(&["--at-signing-time", "--secret-file", &mine, "--secret-file", &secret])
        .args(&request)
        .current_dir(dir.path()));
    assert_eq!(both.status.code(), Some(0), "one of several secrets is enough");
}

#[test]
fn secrets_come_from_files_before_the_environment() {
    let dir = tempfile::tempdir().expect("a directory");
    let request = known().save(dir.path(), "request.http");
    let right = write(dir.path(), "right", &format!("\n{SECRET}\r\n"));
    let status = |command: &mut Command| {
        run(command.args(["--at-signing-time"]).args(&request).current_dir(dir.path())).status.code()
    };
    let bare = || surehook(&["verify", "--provider", "clerk"]);
    assert_eq!(status(bare().env("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)), Some(0));
    assert_eq!(status(bare().env("CLERK_WEBHOOK_SECRET", SECRET)), Some(0));
    assert_eq!(status(bare().env("CLERK_WEBHOOK_SIGNING_SECRET", OTHER_SECRET)), Some(1));
    assert_eq!(
        status(bare().env("CLERK_WEBHOOK_SIGNING_SECRET", OTHER_SECRET).args(["--secret-file", &right])),
        Some(0)
    );
    assert_eq!(status(bare().env("CLERK_WEBHOOK_SIGNING_SECRET", "").env("CLERK_WEBHOOK_SECRET", SECRET)), Some(2));
}

#[test]
fn standard_input_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    known().save(dir.path(), "request.http");
    known().save(dir.path(), "body");
    let saved = fs::read(dir.path().join("request.http")).expect("saved");
    assert_eq!(run_with(&mut verify(&["--at-signing-time"]), &saved).status.code(), Some(0));
    assert_eq!(run_with(&mut verify(&["--at-signing-time", "-"]), &saved).status.code(), Some(0));
    let headers = dir.path().join("headers").display().to_string();
    let beside = ["--at-signing-time", "--body", "-", "--headers", &headers];
    assert_eq!(run_with(&mut verify(&beside), BODY.as_bytes()).status.code(), Some(0));
    let by_option = |header: &'static str| ["--header", header];
    let one_by_one = [
        by_option("svix-id: msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
        by_option("Svix-Timestamp:1649367553"),
        by_option("svix-signature: v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
    ];
    let mut command = verify(&["--at-signing-time", "--body", "-"]);
    assert_eq!(run_with(command.args(one_by_one.as_flattened()), BODY.as_bytes()).status.code(), Some(0));
}

#[test]
fn one_of_several_requests_is_chosen() {
    let dir = tempfile::tempdir().expect("a directory");
    known().save(dir.path(), "request.http");
    let saved = fs::read_to_string(dir.path().join("request.http")).expect("saved");
    let several = format!("### ping\nGET https://app.example/ping\n\n### the webhook\n{saved}\n### after\nGET /\n\n");
    let output = run_with(&mut verify(&["--at-signing-time", "--entry", "2"]), several.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let (code, said) = refusal(&run_with(&mut verify(&[]), several.as_bytes()));
    assert_eq!(code, 2);
    assert!(
        said.contains("standard input: it holds 3 requests; choose one with --entry: 1 GET /ping, 2 POST /hook"),
        "{said}"
    );
}

#[test]
fn an_editors_line_end_is_told_from_the_body() {
    let dir = tempfile::tempdir().expect("a directory");
    known().save(dir.path(), "request.http");
    let mut saved = fs::read(dir.path().join("request.http")).expect("saved");
    saved.push(b'\n');
    let output = run_with(&mut verify(&["--at-signing-time"]), &saved);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("note       1 byte behind the body was left out"), "{output:?}");
    let without_length = text(&saved).replace("content-length: 51\r\n", "");
    let found = json_of(&run_with(&mut verify(&["--at-signing-time", "--json"]), without_length.as_bytes()));
    assert_eq!(found["diagnosis"]["finding"], "body_trailing_newline");
    assert!(found["notes"][0].as_str().expect("a note").contains("no Content-Length"));
}

#[test]
fn a_scheme_of_your_own_is_used() {
    let dir = tempfile::tempdir().expect("a directory");
    let scheme = write(
        dir.path(),
        "scheme.json",
        r#"{"provider": "acme", "secret": "utf8", "algorithm": "hmac_sha256", "secret_env": ["ACME_SECRET"],
            "signature": {"header": "X-Acme", "prefix": "sha256="}, "content": "{url}\n{body}"}"#,
    );
    let secret = write(dir.path(), "secret", "acme-secret-0123456789abcdef");
    let body = write(dir.path(), "order.json", "{}");
    let mut sign = surehook(&["sign", "--scheme", &scheme, "--secret-file", &secret, "--format", "http"]);
    let signed = run(sign.args(["--url", "https://app.example/hook?a=1", &body]));
    assert!(signed.status.success(), "{signed:?}");
    let check = |args: &[&str]| {
        let mut command = surehook(&["verify", "--scheme", &scheme, "--json"]);
        run_with(command.args(args).env("ACME_SECRET", "acme-secret-0123456789abcdef"), &signed.stdout)
    };
    let found = json_of(&check(&[]));
    assert_eq!((&found["valid"], &found["provider"]), (&json!(true), &json!("acme")));
    assert!(found["notes"][0].as_str().expect("a note").contains("taken to be https://app.example/hook;"), "{found}");
    assert_eq!(check(&["--url", "https://app.example/hook"]).status.code(), Some(0));
    assert_eq!(check(&["--url", "https://app.example/hook?a=1"]).status.code(), Some(0));
    assert_eq!(check(&["--url", "https://app.example/hook?a=2"]).status.code(), Some(1));
    assert_eq!(check(&["--url", "http://app.example/hook"]).status.code(), Some(1));
}

#[test]
fn colours_are_for_terminals() {
    let dir = tempfile::tempdir().expect("a directory");
    let request = known().save(dir.path(), "request.http");
    let said = |variables: &[(&str, &str)]| {
        let mut command = verify(&["--at-signing-time"]);
        text(&run(command.args(&request).envs(variables.iter().copied()).current_dir(dir.path())).stdout)
    };
    assert!(!said(&[]).contains('\x1b'));
    assert!(said(&[("CLICOLOR_FORCE", "1")]).starts_with("\x1b["));
    assert!(!said(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\x1b'));
}

#[test]
fn what_a_request_says_cannot_steer_the_terminal() {
    let body = b"{\"type\":\"\\u001b]0;owned\\u0007\\u202e\"}".to_vec();
    let said = text(&verdict(&Received { body, ..known() }, "request.http", &["--at-signing-time"]).stdout);
    assert!(said.contains("event      \\u{1b}]0;owned\\u{7}\\u{202e}\n"), "{said}");
    assert!(!said.contains(|character: char| character.is_control() && character != '\n'));
}

#[test]
fn a_wrong_command_line_or_file_is_one_clear_line_and_ends_with_2() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str, content: &str| write(dir.path(), name, content);
    let request = dir.path().join(&known().save(dir.path(), "request.http")[0]).display().to_string();
    let none = dir.path().join("none").display().to_string();
    let clerk = |more: &[&str]| [&["--provider", "clerk"], more].concat().iter().map(|arg| (*arg).to_owned()).collect();
    let cases: Vec<(Vec<String>, &str)> = vec![
        (vec![], "--provider"),
        (vec!["--provider".into(), "clark".into(), request.clone()], "unknown provider \"clark\""),
        (vec!["--scheme".into(), none.clone(), request.clone()], "cannot read"),
        (vec!["--scheme".into(), at("s1", "{}"), request.clone()], "provider"),
        (vec!["--scheme".into(), at("s2", "no"), request.clone()], "s2: "),
        (clerk(&["--scheme", &at("s3", "{}"), &request]), "--scheme"),
        (clerk(&[&none]), "cannot read"),
        (clerk(&[&dir.path().display().to_string()]), "cannot read"),
        (clerk(&[&at("empty", "")]), "empty: it holds no request"),
        (clerk(&[&at("prose", "hello there")]), "--body"),
        (clerk(&[&at("payload", "{\"type\":\"a\"}")]), "neither log.entries nor request"),
        (clerk(&[&at("cut", "POST / HTTP/1.1\nsvix-id: a\n")]), "line 2: the headers have no end"),
        (clerk(&["--format", "curl", &request]), "no curl command"),
        (clerk(&["--format", "pcap", &request]), "pcap"),
        (clerk(&[&at("variable", "curl -d \"$BODY\" https://a.example/")]), "line 1: a variable"),
        (clerk(&[&at("missing", "curl -d @nowhere https://a.example/")]), "cannot read nowhere"),
        (clerk(&["--entry", "2", &request]), "no entry 2"),
        (clerk(&["--entry", "-1", &request]), "-1"),
        (clerk(&["--header", "a: b", &request]), "--header"),
        (clerk(&["--method", "PUT", &request]), "--method"),
        (clerk(&["--headers", &request]), "--body"),
        (clerk(&["--body", &none]), "cannot read"),
        (clerk(&["--body", &request, &request]), "--body"),
        (clerk(&["--body", &request, "--header", "a b: c"]), "--header number 1"),
        (clerk(&["--body", &request, "--headers", &at("h", "a: b\nc\n")]), "h: line 2: "),
        (clerk(&["--body", "-", "--headers", "-"]), "only one of"),
        (clerk(&["--tolerance", "0", &request]), "tolerance"),
        (clerk(&["--tolerance", "3601", &request]), "tolerance"),
        (clerk(&["--tolerance", "1.5", &request]), "1.5"),
        (clerk(&["--now", "yesterday", &request]), "RFC 3339"),
        (clerk(&["--now", "1", "--at-signing-time", &request]), "--at-signing-time"),
        (clerk(&["--url", "app.example/hook", &request]), "--url"),
        (clerk(&["--other", "billing", &request]), "--other is NAME=SECRET"),
        (clerk(&["--other", "=x", &request]), "--other is NAME=SECRET"),
        (clerk(&["--other", "billing=short", &request]), "secret"),
        (clerk(&["--other-file", &format!("billing={none}"), &request]), "cannot read"),
        (clerk(&["--secret", "", &request]), "secret"),
        (clerk(&["--secret-file", &none, &request]), "cannot read"),
        (clerk(&["--secret-file", &at("blank", "\n\n"), &request]), "blank holds no secret"),
        (clerk(&["--secret-file", &at("space", &format!("{SECRET} \n")), &request]), "whitespace"),
    ];
    for (args, named) in cases {
        let mut command = surehook(&["verify"]);
        let (code, said) = refusal(&run(command.args(&args).env("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)));
        assert_eq!(code, 2, "{args:?}: {said}");
        assert!(said.contains(named), "{args:?}: {said}");
        assert!(!said.contains("C2FVsBQI"), "a secret was repeated: {said}");
    }
    let (code, said) = refusal(&run(&mut surehook(&["verify", "--provider", "clerk", &request])));
    assert_eq!(code, 2);
    assert!(said.contains("set CLERK_WEBHOOK_SIGNING_SECRET or CLERK_WEBHOOK_SECRET"), "{said}");
    let mut empty = surehook(&["verify", "--provider", "clerk", &request]);
    let (_, said) = refusal(&run(empty.env("CLERK_WEBHOOK_SIGNING_SECRET", "").env("CLERK_WEBHOOK_SECRET", SECRET)));
    assert_eq!(said, "surehook: $CLERK_WEBHOOK_SIGNING_SECRET is empty");
}

#[test]
fn a_file_over_25_mib_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = fs::File::create(dir.path().join("large")).expect("a file");
    file.set_len(25 * 1024 * 1024 + 1).expect("sparse");
    let (code, said) = refusal(&run(verify(&["large"]).current_dir(dir.path())));
    assert_eq!((code, said.as_str()), (2, "surehook: large is larger than 25 MiB"));
}

#[test]
fn rubbish_never_ends_in_a_panic() {
    let mut pieces: Vec<&[u8]> =
        vec![b"", b"\0", b"\xff\xfe", b"{", b"[", b"curl", b"curl '", b"POST", b"POST /", b"###", b"GET / \n\n"];
    pieces.extend([
        b"POST /\nsvix-id".as_slice(),
        b"POST /\ntransfer-encoding: chunked\n\n0",
        b"POST /\r\n\r",
        b"{\"log\":0}",
    ]);
    for start in &pieces {
        for end in &pieces {
            for format in [&[][..], &["--format", "http"], &["--format", "har"], &["--format", "curl"]] {
                let output = run_with(&mut verify(format), &[*start, end].concat());
                let (code, said) = refusal(&output);
                assert!(code == 1 || (code == 2 && !said.is_empty()), "{start:?} {end:?} {format:?}: {output:?}");
            }
        }
    }
}

/// Every way to give a secret, in runs that succeed, refuse and fail.
#[test]
fn no_secret_is_ever_printed() {
    const CANARY: &str = "whsec_Q0FOQVJZQ0FOQVJZQ0FOQVJZQ0FOQVJZ";
    let dir = tempfile::tempdir().expect("a directory");
    let request = known().save(dir.path(), "request.http").remove(0);
    let file = write(dir.path(), "canary", &format!("{CANARY}\n"));
    let quoted = write(dir.path(), "quoted", &format!("'{CANARY}'\n"));
    let not_a_request = write(dir.path(), "token", &format!("Authorization: Bearer {CANARY}"));
    let headers = write(dir.path(), "headers", &format!("authorization {CANARY}\n"));
    let har = write(dir.path(), "secret.har", &format!("{{\"log\":{{\"entries\":\"{CANARY}\"}}}}"));
    let curl = write(
        dir.path(),
        "curl",
        &format!("curl -u me:{CANARY} --datas={CANARY} https://{CANARY}@a.example/?{CANARY}"),
    );
    let cases: Vec<Vec<String>> = [
        &["--secret", CANARY, &request][..],
        &["--secret", CANARY, "--json", &request],
        &["--secret", &format!("{CANARY}x"), &request],
        &["--secret", &format!(" {CANARY}"), &request],
        &["--secret-file", &file, &request],
        &["--secret-file", &quoted, &request],
        &["--other", &format!("billing={CANARY}"), &request],
        &["--other", &format!("={CANARY}"), &request],
        &["--other", CANARY, &request],
        &["--other", &format!("billing={CANARY}x"), &request],
        &["--other-file", &format!("billing={quoted}"), &request],
        &["--body", &request, "--header", CANARY],
        &["--body", &request, "--header", &format!("{CANARY} : x")],
        &["--body", &request, "--header", &format!("x: {CANARY}\0")[..CANARY.len() + 3]],
        &["--body", &request, "--headers", &headers],
        &["--url", &format!("ftp://{CANARY}@a.example/"), &request],
        &["--url", &format!("https://{CANARY}@a.example/?{CANARY}"), &request],
        &[&not_a_request],
        &["--format", "http", &not_a_request],
        &["--format", "curl", &not_a_request],
        &[&har],
        &[&curl],
        &["--format", "http", &curl],
    ]
    .iter()
    .map(|args| args.iter().map(|arg| (*arg).to_owned()).collect())
    .collect();
    for args in cases {
        for canary in [CANARY, &CANARY.to_lowercase()] {
            let mut command = surehook(&["verify", "--provider", "clerk"]);
            let output = run(command.args(&args).env("CLERK_WEBHOOK_SIGNING_SECRET", CANARY).current_dir(dir.path()));
            assert!(matches!(output.status.code(), Some(1 | 2)), "{args:?}: {output:?}");
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(!said.contains(canary), "{args:?}: {said}");
        }
    }
}

#[test]
fn a_secret_on_the_command_line_is_warned_of() {
    let warned = verdict(&known(), "request.http", &["--secret", SECRET, "--at-signing-time"]);
    assert_eq!(warned.status.code(), Some(0));
    assert!(text(&warned.stderr).contains("list of processes; prefer --secret-file or $CLERK_WEBHOOK_SIGNING_SECRET"));
    assert_eq!(text(&verdict(&known(), "request.http", &["--at-signing-time"]).stderr), "");
}
