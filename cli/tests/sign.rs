//! `surehook sign`: what it signs is what a provider signs, and what it prints can be read again.

mod common;

use std::fs;

use common::{refusal, run, run_with, surehook, text};
use serde_json::Value;

const SVIX_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn sign(line: &str, body: &[u8]) -> std::process::Output {
    let args: Vec<&str> = ["sign"].into_iter().chain(line.split_whitespace()).collect();
    run_with(surehook(&args).env("SVIX_WEBHOOK_SECRET", SVIX_SECRET).env("WEBHOOK_SECRET", STANDARD_SECRET), body)
}

#[test]
fn the_published_answers_come_out() {
    for (line, body, signature) in [
        (
            "--provider svix --id msg_27UH4WbU6Z5A5EzD8u03UvzRbpk --timestamp 1649367553",
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "svix-signature: v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            "--provider standard-webhooks --id msg_p5jXN8AQM9LWM0D4loKWxJek --timestamp 2021-02-25T15:02:10Z",
            r#"{"test": 2432232314}"#,
            "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        // Published by GitHub.
        (
            "--provider github --secret-file github",
            "Hello, World!",
            "x-hub-signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let secret = dir.path().join("github").display().to_string();
        fs::write(&secret, "It's a Secret to Everybody").expect("a file");
        let output = sign(&line.replace("--secret-file github", &format!("--secret-file {secret}")), body.as_bytes());
        let printed = text(&output.stdout);
        assert!(printed.lines().any(|line| line == signature), "{line}: {printed}{}", text(&output.stderr));
    }
}

/// What signs, what checks it, and what must not: by the form of a provider's secret. The key pairs are those of RFC 8032,
/// section 7.1, and RFC 6979, appendix A.2.5.
fn keys(form: &str) -> [String; 3] {
    let both = |right: &str, wrong: &str| [right, right, wrong].map(str::to_owned);
    match form {
        "standard" | "standard_or_utf8" => both(STANDARD_SECRET, SVIX_SECRET),
        "hex" => both(&"0123456789abcdef".repeat(4), &"0123456789abcdee".repeat(4)),
        "utf8" => both("a-shared-secret-of-a-provider", "another-secret-of-a-provider"),
        "ed25519_hex" => [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        ]
        .map(str::to_owned),
        "p256_spki" => [
            "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ",
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==",
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEptyfDsWjabmGFBeErenVyE5U/oQUW3dWk52l4XRGNnJCcf2+Cy2kQKFxxixFGJlcPSWdTeSDxlRCdDDs6I2F3A==",
        ]
        .map(str::to_owned),
        other => panic!("no keys of the form {other}"),
    }
}

#[test]
fn what_is_signed_is_valid_for_every_provider() {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/src/scheme/providers.json");
    let table: Value = serde_json::from_slice(&fs::read(table).expect("the table")).expect("JSON");
    let rows = table["providers"].as_array().expect("rows");
    assert!(rows.len() > 30);
    for row in rows {
        round_trip(row);
    }
}

fn round_trip(row: &Value) {
    let provider = row["provider"].as_str().expect("a name");
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, content: &str| fs::write(dir.path().join(name), content).expect("a file");
    for (name, key) in ["signs", "right", "wrong"].iter().zip(keys(row["secret"].as_str().expect("a form"))) {
        write(name, &key);
    }
    // Twilio signs the parameters of a form, and Linear has its time in the body.
    write(
        "body",
        match provider {
            "twilio" => "From=%2B15550100&Body=hello",
            _ => r#"{"id":"evt_1","type":"user.created","webhookTimestamp":1700000000000}"#,
        },
    );
    let place = ["--provider", provider, "--url", "https://app.example/hook?a=1"];
    for form in ["http", "curl", "headers"] {
        let mut sign = surehook(&["sign", "--secret-file", "signs", "--timestamp", "1700000000", "--format", form]);
        let to = ["--to", "http://localhost:3000/hook?a=1", "body"];
        let signed = run(sign.args(place).args(to).current_dir(dir.path()));
        if row["signature"].get("body").is_some() {
            let (code, said) = refusal(&signed);
            assert!(code == 2 && said.contains("puts its signature into the body"), "{provider}: {said}");
            continue;
        }
        assert!(signed.status.success(), "{provider} {form}: {signed:?}");
        fs::write(dir.path().join("saved"), &signed.stdout).expect("a file");
        let saved: &[&str] = if form == "headers" { &["--headers", "saved", "--body", "body"] } else { &["saved"] };
        for (key, code) in [("right", 0), ("wrong", 1)] {
            let mut verify = surehook(&["verify", "--secret-file", key, "--now", "1700000001"]);
            let output = run(verify.args(place).args(saved).current_dir(dir.path()));
            assert_eq!(
                output.status.code(),
                Some(code),
                "{provider} {form}, {key}: {}{}",
                text(&output.stdout),
                text(&output.stderr)
            );
        }
    }
}

#[test]
fn json_is_one_object() {
    let output = sign("--provider svix --format json --timestamp 1 --id msg_1 --to http://localhost:3000/x", b"{}");
    let object: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(object["method"], "POST");
    assert_eq!(object["url"], "http://localhost:3000/x");
    assert_eq!(object["headers"]["svix-id"], "msg_1");
    assert_eq!(object["headers"]["svix-timestamp"], "1");
    assert_eq!(object["headers"]["content-type"], "application/json");
}

#[test]
fn ids_and_times_are_new_unless_they_are_given() {
    let id = |output: std::process::Output| {
        let printed = text(&output.stdout);
        printed.lines().find_map(|line| line.strip_prefix("svix-id: ").map(str::to_owned)).expect("an id")
    };
    let (first, second) = (id(sign("--provider svix", b"{}")), id(sign("--provider svix", b"{}")));
    assert!(first.starts_with("msg_") && first.len() == 31 && first != second, "{first} {second}");
}

/// The printed command means the same to a shell: `sh` runs it with a curl that prints its arguments.
#[cfg(unix)]
#[test]
fn a_shell_reads_the_printed_command_as_it_is_meant() {
    let body = "{\"a\":\"it's $HOME `id` \\\\ ! é\",\n\"b\":\"^\"}";
    let printed = sign(
        "--provider svix --timestamp 1 --id msg_1 --header x:$(id) --to http://localhost:3000/x?a=1&b='",
        body.as_bytes(),
    );
    assert!(printed.status.success(), "{printed:?}");
    let script = format!("curl() {{ for a in \"$@\"; do printf '%s\\0' \"$a\"; done; }}\n{}", text(&printed.stdout));
    let output = run(std::process::Command::new("sh").args(["-c", &script]));
    let arguments = text(&output.stdout);
    let arguments: Vec<&str> = arguments.trim_end_matches('\0').split('\0').collect();
    assert_eq!(arguments[0], "http://localhost:3000/x?a=1&b='");
    assert_eq!(arguments[1..5], ["-H", "content-type: application/json", "-H", "x: $(id)"]);
    assert_eq!(arguments[arguments.len() - 2..], ["--data-raw", body]);
}

#[test]
fn a_wrong_command_line_is_one_clear_line_and_ends_with_2() {
    let dir = tempfile::tempdir().expect("a directory");
    let two = dir.path().join("two").display().to_string();
    fs::write(&two, format!("{SVIX_SECRET}\n{STANDARD_SECRET}\n")).expect("a file");
    let one = dir.path().join("one").display().to_string();
    fs::write(&one, SVIX_SECRET).expect("a file");
    for (line, body, named) in [
        ("", &b"{}"[..], "--provider"),
        ("--provider clark", b"{}", "unknown provider"),
        ("--provider clerk", b"{}", "set CLERK_WEBHOOK_SIGNING_SECRET"),
        ("--provider svix --secret whsec_short", b"{}", "secret"),
        (&format!("--provider svix --secret-file {two}"), b"{}", "one secret"),
        ("--provider svix --timestamp soon", b"{}", "RFC 3339"),
        ("--provider svix --method P()ST", b"{}", "--method"),
        ("--provider svix --url app.example", b"{}", "--url"),
        ("--provider svix --to ftp://a/", b"{}", "--to"),
        ("--provider svix --format curl", b"{}", "--to"),
        (&format!("--provider twilio --secret-file {one}"), b"{}", "pass --url"),
        (&format!("--provider twilio --secret-file {one} --url https://a.example/"), b"{}", "bodySHA256"),
        (&format!("--provider discord --secret-file {one}"), b"{}", "secret"),
        ("--provider svix --to http://a/", b"\0", "NUL"),
        ("--provider svix --format yaml", b"{}", "yaml"),
        ("--provider svix --header nocolon", b"{}", "--header number 1"),
        ("--provider svix --id a\x01b", b"{}", "message_id"),
        ("--provider svix nowhere.json", b"{}", "cannot read nowhere.json"),
    ] {
        let (code, said) = refusal(&sign(line, body));
        assert_eq!(code, 2, "{line}: {said}");
        assert!(said.contains(named), "{line}: {said}");
        assert!(!said.contains("C2FVsBQI"), "a secret was repeated: {said}");
    }
}

#[test]
fn the_secret_is_not_printed() {
    for form in ["headers", "curl", "http", "json"] {
        let output = sign(&format!("--provider svix --secret {SVIX_SECRET} --to http://a/ --format {form}"), b"{}");
        assert!(output.status.success());
        assert!(!(text(&output.stdout) + &text(&output.stderr)).contains("C2FVsBQI"), "{output:?}");
        assert!(text(&output.stderr).contains("list of processes"));
    }
}
