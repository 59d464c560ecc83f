//! `surehook send` against real receivers: what it sends is taken by the SDK, and wrong answers are noticed.

mod common;

use common::receiver::{Manner, Receiver, SECRET};
use common::{refusal, run, surehook, text};

fn send(url: &str, more: &str) -> std::process::Output {
    let args: Vec<&str> = ["send", url].into_iter().chain(more.split_whitespace()).collect();
    run(surehook(&args).env("CLERK_WEBHOOK_SIGNING_SECRET", SECRET))
}

fn summary(stdout: &str) -> &str {
    stdout.lines().rfind(|line| line.contains("requests:")).expect("a summary")
}

#[test]
fn a_right_receiver_passes_and_handles_each_message_once() {
    let receiver = Receiver::start(Manner::Right);
    let output = send(&receiver.url, "--event user.created --count 10 --duplicate --bad-signature --stale");
    let stdout = text(&output.stdout);
    assert!(output.status.success(), "{stdout}{}", text(&output.stderr));
    assert_eq!(receiver.handled(), 10);
    assert!(summary(&stdout).starts_with("22 requests: 10 handled, 10 replayed, 2 refused, 0 unexpected"), "{stdout}");
    assert_eq!(stdout.lines().filter(|line| line.contains("user.created")).count(), 22);
}

#[test]
fn every_event_type_is_taken() {
    let receiver = Receiver::start(Manner::Right);
    let output = send(&receiver.url, "--event all --count 46 --concurrency 8 --json");
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert_eq!(receiver.handled(), 46);
    let stdout = text(&output.stdout);
    assert!(stdout.lines().any(|line| line.contains("\"subscriptionItem.freeTrialEnding\"")));
    assert!(stdout.lines().all(|line| line.starts_with('{') && line.ends_with('}')));
}

#[test]
fn the_same_seed_is_a_retry_of_the_same_messages() {
    let receiver = Receiver::start(Manner::Right);
    assert!(summary(&text(&send(&receiver.url, "--count 5 --seed 7").stdout)).contains("5 handled, 0 replayed"));
    assert!(summary(&text(&send(&receiver.url, "--count 3 --seed 7").stdout)).contains("0 handled, 3 replayed"));
    assert!(summary(&text(&send(&receiver.url, "--count 3 --seed 8").stdout)).contains("3 handled, 0 replayed"));
    assert_eq!(receiver.handled(), 8);
}

#[test]
fn a_receiver_that_believes_everything_is_found_out() {
    let receiver = Receiver::start(Manner::Credulous);
    let output = send(&receiver.url, "--count 2 --duplicate --bad-signature --stale");
    let stdout = text(&output.stdout);
    let (code, said) = refusal(&output);
    assert_eq!((code, said.as_str()), (1, "surehook: 4 of 6 answers were not what such a request should get"));
    for named in ["a forged signature was accepted", "ten minutes old was accepted", "handled a second time"] {
        assert!(stdout.contains(named), "{stdout}");
    }
}

#[test]
fn failures_redirects_and_the_wrong_secret_are_found_out() {
    for (manner, more, named) in [
        (Manner::Failing, "", "500"),
        (Manner::Failing, "--duplicate=2", "3 of 3 answers"),
        (Manner::Redirecting, "", "302"),
        (Manner::Right, "--secret whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "is it the receiver's secret?"),
    ] {
        let output = send(&Receiver::start(manner).url, more);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains(named), "{said}");
    }
}

#[test]
fn nobody_there_is_one_clear_line_an_attempt() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let output = send(&format!("http://{free}/"), "--count 2");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("no answer: Connection refused"), "{}", text(&output.stdout));
}

#[test]
fn a_wrong_command_line_is_named_and_ends_with_2() {
    let url = "http://127.0.0.1:9/";
    for (args, named) in [
        (vec!["send", url], "set CLERK_WEBHOOK_SIGNING_SECRET"),
        (vec!["send", url, "--secret", "whsec_short"], "secret"),
        (vec!["send", url, "--secret", ""], "secret"),
        (vec!["send", url, "--secret", SECRET, "--event", "user.exploded"], "user.created, user.updated, user.deleted"),
        (vec!["send", url, "--secret", SECRET, "--event", "invoice.paid"], "no such event type"),
        (vec!["send", url, "--secret", SECRET, "--concurrency", "0"], "concurrency"),
        (vec!["send", "ftp://127.0.0.1/", "--secret", SECRET], "http://"),
        (vec!["send", "127.0.0.1:9", "--secret", SECRET], "URL"),
        (vec!["frobnicate"], "frobnicate"),
    ] {
        let (code, said) = refusal(&run(&mut surehook(&args)));
        assert_eq!(code, 2, "{args:?}: {said}");
        assert!(said.contains(named), "{args:?}: {said}");
        assert!(!said.contains("MfKQ9r8"), "the secret was repeated: {said}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let receiver = Receiver::start(Manner::Right);
    let mut child = surehook(&["send", &receiver.url, "--secret", SECRET, "--count", "2000"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(refusal(&output), (141, String::new()));
}

#[test]
fn the_version_is_the_workspaces() {
    let output = run(&mut surehook(&["--version"]));
    assert_eq!(text(&output.stdout), format!("surehook {}\n", env!("CARGO_PKG_VERSION")));
}

/// uvicorn does so when a handler raises: it answers, does not say that it will close, and closes.
#[test]
fn a_server_that_hangs_up_after_an_answer_costs_the_next_message_nothing() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                let mut part = [0; 4096];
                let length = stream.read(&mut part).expect("a request");
                request.extend_from_slice(&part[..length]);
            }
            write!(stream, "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n").expect("an answer");
        }
    });
    let stdout = text(&send(&url, "--count 50").stdout);
    assert!(!stdout.contains("no answer"), "{stdout}");
    assert_eq!(stdout.matches("  500  ").count(), 50, "{stdout}");
}
