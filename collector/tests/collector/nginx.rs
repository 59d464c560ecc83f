//! Behind nginx as it is by default: another `Host`, HTTP/1.0, answers held back until they are whole.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use surehook_collector::Access;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::setup::*;

const TOKEN: &str = "a-long-dashboard-token";
const PATIENCE: Duration = Duration::from_secs(20);

struct Nginx {
    child: Child,
    address: String,
    _directory: tempfile::TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, or nothing: then its test does not run, loudly, and fails in CI.
fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join("nginx")).find(|file| file.is_file());
    if found.is_none() {
        let missing = "nginx is missing, so the dashboard behind it is NOT tested: scripts/doctor servers";
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("\n*** {missing} ***\n");
    }
    found
}

impl Nginx {
    /// Nothing but the line that everybody writes.
    async fn before(collector: &str) -> Option<Self> {
        let program = find()?;
        let directory = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/{name};\n", directory.path().display()))
            .concat();
        let settings = format!(
            "daemon off; master_process off; pid {0}/pid; error_log {0}/errors;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}\
             server {{ listen {address}; location / {{ proxy_pass http://{collector}; }} }}\n}}\n",
            directory.path().display()
        );
        let file = directory.path().join("nginx.conf");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(&file).arg("-p").arg(directory.path()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let nginx = Self { child, address, _directory: directory };
        timeout(PATIENCE, async {
            while TcpStream::connect(&nginx.address).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("nginx answers");
        Some(nginx)
    }

    async fn request(&self, head: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let text = format!(
            "{head} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("an answer").unwrap();
        answer
    }
}

#[tokio::test]
async fn people_can_sign_in_make_a_key_and_watch() {
    let bench = Bench::open(Access::Token(TOKEN.to_owned()), |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let Some(nginx) = Nginx::before(&listener.local_addr().unwrap().to_string()).await else { return };
    let (stop, stopped) = oneshot::channel::<()>();
    let server = bench.collector.serve(listener, async move { drop(stopped.await) });
    let people = async {
        let origin = format!("Origin: http://{}\r\n", nginx.address);
        let login = json!({ "token": TOKEN }).to_string();
        // What browsers say of a page on HTTPS or on this machine, and what the dashboard says of itself elsewhere.
        for word in ["Sec-Fetch-Site: same-origin\r\n", "X-Surehook-Dashboard: 1\r\n"] {
            let headers = format!("{origin}{word}");
            let answer = nginx.request("POST /api/session", &headers, &login).await;
            assert!(answer.starts_with("HTTP/1.1 204"), "{word}: {answer}");
            let cookie =
                answer.lines().find_map(|line| line.strip_prefix("Set-Cookie: ").or(line.strip_prefix("set-cookie: ")));
            let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
            let headers = format!("{headers}Cookie: {cookie}\r\n");
            let answer = nginx.request("POST /api/keys", &headers, r#"{"name":"made behind nginx"}"#).await;
            assert!(answer.starts_with("HTTP/1.1 201") || answer.starts_with("HTTP/1.1 200"), "{answer}");

            let mut stream = TcpStream::connect(&nginx.address).await.unwrap();
            let text = format!("GET /api/live HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", nginx.address);
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut lines = BufReader::new(stream).lines();
            let mut sent = false;
            let seen = async {
                while let Some(line) = lines.next_line().await.unwrap() {
                    if line.contains(": connected") && !sent {
                        sent = true;
                        bench.store(&[attempt("msg_live")]).await;
                    }
                    if line.contains("event: attempts") {
                        return;
                    }
                }
                panic!("the stream ended");
            };
            timeout(PATIENCE, seen).await.expect("nginx passes it on at once");
        }
        // A page of another site, under the same proxy.
        for word in ["Sec-Fetch-Site: cross-site\r\n", ""] {
            let headers = format!("Origin: http://evil.example\r\n{word}");
            let answer = nginx.request("POST /api/session", &headers, &login).await;
            assert!(answer.starts_with("HTTP/1.1 403"), "{word}: {answer}");
        }
        stop.send(()).unwrap();
    };
    let ((), served) = tokio::join!(people, server);
    served.unwrap();
}
