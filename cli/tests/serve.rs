//! `surehook serve` and `surehook dev`: what they print, what they keep, what they refuse.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use common::{PATIENCE, Running, refusal, run, surehook, text};

const DEV_READY: &str = "SUREHOOK_ENDPOINT=";
const SERVE_READY: &str = "Dashboard:";

fn dev(dir: &Path) -> Running {
    Running::start(surehook(&["dev", "--port", "0", "--data-dir"]).arg(dir), DEV_READY)
}

fn serve(dir: &Path) -> Running {
    Running::start(surehook(&["serve", "--port", "0", "--data-dir"]).arg(dir), SERVE_READY)
}

/// The status and the text of an answer.
fn ask(endpoint: &str, request: &str) -> String {
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let head = head.replace('\n', "\r\n");
    let length = body.len();
    write!(stream, "{head}\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn batch(endpoint: &str, key: &str) -> String {
    let body = r#"{"schema":1,"sdk":{"name":"test","version":"0","language":"rust"},
        "instance":{"id":"0197a1f0-0000-7000-8000-000000000000","pid":1},"sent_at":1,"attempts":[]}"#;
    ask(
        endpoint,
        &format!("POST /v1/batches HTTP/1.1\nauthorization: Bearer {key}\ncontent-type: application/json\n\n{body}"),
    )
}

#[test]
fn dev_is_ready_at_once_and_keeps_its_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut first = dev(dir.path());
    let (key, endpoint) = (first.value("SUREHOOK_API_KEY="), first.value("SUREHOOK_ENDPOINT="));
    assert!(key.starts_with("shk_") && endpoint.starts_with("http://127.0.0.1:"), "{}", first.all());
    assert_eq!(first.value("Dashboard:"), format!("{endpoint}/"));
    assert_eq!(first.printed.iter().filter(|line| line.starts_with("SUREHOOK_")).count(), 2);
    assert!(ask(&endpoint, "GET /healthz HTTP/1.1").contains("\"ok\""));
    assert!(batch(&endpoint, &key).starts_with("HTTP/1.1 202"));
    assert!(batch(&endpoint, "shk_ffffffffffffffffffffffff").starts_with("HTTP/1.1 401"));
    assert!(ask(&endpoint, "GET /api/setup HTTP/1.1").contains(&key), "the Setup page has no key to show");
    assert_eq!(first.end_by("-TERM"), Some(0));

    let second = dev(dir.path());
    assert_eq!(second.value("SUREHOOK_API_KEY="), key);
}

#[test]
fn serve_prints_its_secrets_once_and_asks_for_the_token() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut first = serve(dir.path());
    let (key, endpoint) = (first.value("SUREHOOK_API_KEY="), first.value("SUREHOOK_ENDPOINT="));
    let link = first.value("Dashboard:");
    let token = link.split_once("/#token=").expect("a link with the token").1;
    assert!(batch(&endpoint, &key).starts_with("HTTP/1.1 202"));
    assert!(ask(&endpoint, "GET /api/overview HTTP/1.1").starts_with("HTTP/1.1 401"));
    let login = |token: &str| {
        ask(
            &endpoint,
            &format!(
                "POST /api/session HTTP/1.1\norigin: {endpoint}\ncontent-type: application/json\n\n{{\"token\":\"{token}\"}}"
            ),
        )
    };
    assert!(login(token).to_lowercase().contains("set-cookie"), "{}", login(token));
    assert!(login("0123456789abcdef0123456789abcdef").starts_with("HTTP/1.1 401"));
    assert_eq!(first.end_by("-INT"), Some(0));

    let second = serve(dir.path());
    assert!(!second.all().contains(&key) && !second.all().contains(token), "{}", second.all());
    assert!(batch(&second.printed[0][second.printed[0].find("http").expect("an address")..], &key).contains("202"));
}

#[cfg(unix)]
#[test]
fn what_it_keeps_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("new");
    let _running = serve(&data);
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("dashboard-token")), 0o600);
}

#[test]
fn the_environment_and_the_file_are_heard() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("surehook.toml");
    std::fs::write(&file, format!("data_dir = {:?}\nport = 1\nhost = \"127.0.0.1\"\n", dir.path().join("filed")))
        .expect("a file");
    let mut command = surehook(&["serve", "--config"]);
    let running = Running::start(command.arg(&file).env("SUREHOOK_PORT", "0"), SERVE_READY);
    assert!(running.all().contains("filed"), "{}", running.all());
    assert!(!running.value("SUREHOOK_ENDPOINT=").ends_with(":1"));
}

#[test]
fn what_cannot_be_is_one_clear_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(at("wrong.toml"), "prot = 1\n").expect("a file");
    std::fs::write(at("file"), "").expect("a file");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let running = dev(&dir.path().join("used"));
    let cases: Vec<(Vec<String>, i32, String)> = [
        (
            vec!["serve", "--port", &port, "--data-dir", &at("a")],
            1,
            format!("port {port} of 127.0.0.1 is in use; choose another with --port"),
        ),
        (vec!["dev", "--port", &port, "--data-dir", &at("b")], 1, format!("port {port}")),
        (vec!["dev", "--port", "0", "--data-dir", &at("used")], 1, "another collector".to_owned()),
        (vec!["dev", "--port", "0", "--data-dir", &at("file")], 1, at("file")),
        (vec!["dev", "--port", "0"], 2, "--data-dir".to_owned()),
        (vec!["serve", "--config", &at("none.toml")], 2, "none.toml".to_owned()),
        (vec!["serve", "--config", &at("wrong.toml")], 2, "line 1: unknown field `prot`".to_owned()),
        (vec!["serve", "--port", "70000"], 2, "70000".to_owned()),
        (vec!["serve", "--host", "everywhere"], 2, "everywhere".to_owned()),
        (vec!["serve", "--port", "0", "--host", "192.0.2.1", "--data-dir", &at("c")], 1, "--host".to_owned()),
    ]
    .into_iter()
    .map(|(args, code, named)| (args.into_iter().map(str::to_owned).collect(), code, named))
    .collect();
    for (args, code, named) in cases {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = run(&mut surehook(&args));
        let (found, said) = refusal(&output);
        assert_eq!(found, code, "{args:?}: {said}");
        assert!(said.contains(&named), "{args:?}: {said}");
        assert!(code == 2 || said.lines().count() == 1, "{args:?}: {said}");
        assert_eq!(text(&output.stdout), "");
    }
    assert!(!dir.path().join("a").exists(), "a taken port left a directory behind");
    drop(running);
}
