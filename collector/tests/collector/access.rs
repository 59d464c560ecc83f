//! Who may look, and what a browser is told.

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use surehook_collector::{Access, Collector, Config};

use crate::setup::*;

const TOKEN: &str = "a-long-dashboard-token";

/// Every address of the dashboard's API, with the method that is served there.
const ADDRESSES: [(Method, &str); 9] = [
    (Method::GET, "/api/overview"),
    (Method::GET, "/api/messages"),
    (Method::GET, "/api/messages/1"),
    (Method::GET, "/api/cases"),
    (Method::POST, "/api/cases/1/acknowledge"),
    (Method::GET, "/api/setup"),
    (Method::GET, "/api/live"),
    (Method::POST, "/api/keys"),
    (Method::DELETE, "/api/keys/1"),
];

fn request(method: &Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.to_owned().into()).unwrap()
}

async fn call(
    bench: &Bench,
    method: &Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, HeaderMap, Value) {
    let (status, head, body) = bench.call(request(method, path, headers, body)).await;
    (status.as_u16(), head, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn a_local_dashboard_is_served_under_loopback_names_only() {
    let bench = Bench::local();
    for host in ["evil.example", "localhost.evil.example", "192.168.0.7:4600", ""] {
        for (method, path) in ADDRESSES.iter().chain(&[(Method::GET, "/"), (Method::POST, "/api/session")]) {
            let (status, _, answer) = call(&bench, method, path, &[("host", host)], "{}").await;
            assert_eq!((status, code(&answer)), (403, "forbidden_host"), "{method} {path} under {host:?}");
        }
    }
    let (status, _, _) = call(&bench, &Method::GET, "/api/overview", &[("host", "127.0.0.1:4600")], "").await;
    assert_eq!(status, 200);
    let (status, _, answer) = call(&bench, &Method::GET, "/healthz", &[("host", "evil.example")], "").await;
    assert_eq!((status, answer), (200, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })));
}

#[tokio::test]
async fn pages_of_other_sites_cannot_change_anything() {
    let bench = Bench::local();
    for foreign in [("origin", "http://localhost:3000"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        for (method, path) in [
            (Method::POST, "/api/keys"),
            (Method::DELETE, "/api/keys/1"),
            (Method::POST, "/api/cases/1/acknowledge"),
            (Method::POST, "/api/session"),
        ] {
            let headers = [("host", "localhost:4600"), foreign];
            let (status, _, answer) = call(&bench, &method, path, &headers, r#"{"name":"x"}"#).await;
            assert_eq!((status, code(&answer)), (403, "forbidden_origin"), "{method} {path} {foreign:?}");
        }
    }
    assert_eq!(bench.get("/api/setup").await.1["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_made_on_the_page_may_send() {
    let mut bench = Bench::local();
    let headers = [("host", "localhost:4600"), ("origin", "http://localhost:4600"), ("sec-fetch-site", "same-origin")];
    let (status, head, created) = call(&bench, &Method::POST, "/api/keys", &headers, r#"{"name":"production"}"#).await;
    assert_eq!((status, &created["name"]), (201, &json!("production")));
    assert_eq!(head[header::CACHE_CONTROL], "no-store");
    bench.key = created["key"].as_str().unwrap().to_owned();
    assert!(bench.key.starts_with("shk_") && bench.key.len() == 47);
    bench.store(&[attempt("msg_1")]).await;

    let long = format!(r#"{{"name":"{}"}}"#, "n".repeat(101));
    let huge = format!(r#"{{"name":"{}"}}"#, "n".repeat(20_000));
    for wrong in [r#"{"name":""}"#, r#"{"name":"\u0000"}"#, "{}", "[", "", &long, &huge] {
        let (status, _, answer) = call(&bench, &Method::POST, "/api/keys", &headers, wrong).await;
        assert_eq!((status, code(&answer)), (400, "invalid_request"));
    }
}

#[tokio::test]
async fn a_server_asks_for_its_token() {
    let bench = Bench::open(Access::Token(TOKEN.to_owned()), |_| {});
    let host = ("host", "hooks.example");
    for (method, path) in &ADDRESSES {
        for headers in [vec![host], vec![host, ("cookie", "surehook_session=guess")]] {
            let (status, _, answer) = call(&bench, method, path, &headers, r#"{"name":"x"}"#).await;
            assert_eq!((status, code(&answer)), (401, "login_required"), "{method} {path}");
        }
        let ingest_key = format!("Bearer {}", bench.key);
        let (status, _, _) = call(&bench, method, path, &[host, ("authorization", &ingest_key)], "").await;
        assert_eq!(status, 401, "an API key opens no page: {method} {path}");
    }
    for wrong in ["", "a-long-dashboard-tokem", "a-long-dashboard-token-and-more"] {
        let (status, head, answer) =
            call(&bench, &Method::POST, "/api/session", &[host], &json!({ "token": wrong }).to_string()).await;
        assert_eq!((status, code(&answer)), (401, "invalid_token"));
        assert!(!head.contains_key(header::SET_COOKIE));
    }

    let headers = [host, ("origin", "https://hooks.example")];
    let (status, head, _) =
        call(&bench, &Method::POST, "/api/session", &headers, &json!({ "token": TOKEN }).to_string()).await;
    assert_eq!(status, 204);
    let cookie = head[header::SET_COOKIE].to_str().unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let session = cookie.split(';').next().unwrap().to_owned();
    let with_session = [host, ("cookie", session.as_str())];
    assert_eq!(call(&bench, &Method::GET, "/api/setup", &with_session, "").await.0, 200);
    assert_eq!(call(&bench, &Method::GET, "/api/setup", &with_session, "").await.2["dev_key"], Value::Null);

    bench.now.fetch_add(8 * 24 * 3_600 * SECOND, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(call(&bench, &Method::GET, "/api/setup", &with_session, "").await.0, 401, "a login ends");
}

#[test]
fn a_short_token_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for token in ["", "short", "               "] {
        let opened = Collector::open(Config::new(directory.path(), Access::Token(token.to_owned())));
        assert_eq!(opened.unwrap_err().code(), "invalid_config");
    }
    assert!(!format!("{:?}", Config::new(directory.path(), Access::Token(TOKEN.to_owned()))).contains(TOKEN));
}

#[tokio::test]
async fn every_page_of_the_dashboard_is_served_with_a_strict_policy() {
    let bench = Bench::local();
    for path in ["/", "/messages", "/messages/17", "/setup", "/index.html", "/../../Cargo.toml", "/%2e%2e/Cargo.toml"] {
        let (status, headers, body) = bench.call(request(&Method::GET, path, &[("host", "localhost")], "")).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        assert!(!String::from_utf8_lossy(&body).contains("[package]"));
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    for (method, path, status, expected) in [
        (Method::GET, "/assets/missing.js", 404, "not_found"),
        (Method::GET, "/api", 404, "not_found"),
        (Method::GET, "/v1/nothing", 404, "not_found"),
        (Method::POST, "/messages", 404, "not_found"),
        (Method::GET, "/v1/batches", 405, "method_not_allowed"),
        (Method::PUT, "/api/overview", 405, "method_not_allowed"),
        (Method::GET, "/api/attempts/x", 404, "not_found"),
        (Method::GET, "/api/attempts/0197a1f0-0000-7000-8000-000000000001", 404, "not_found"),
    ] {
        let (found, _, answer) = call(&bench, &method, path, &[("host", "localhost")], "").await;
        assert_eq!((found, code(&answer)), (status, expected), "{method} {path}");
    }
}

#[cfg(unix)]
#[test]
fn the_data_directory_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("new/data");
    let _collector = Collector::open(Config::new(&inner, Access::Local)).unwrap();
    assert_eq!(inner.metadata().unwrap().permissions().mode() & 0o077, 0);
}

#[tokio::test]
async fn without_a_token_only_this_machine_is_served() {
    let bench = Bench::local();
    for (address, served) in [("0.0.0.0:0", false), ("[::]:0", false), ("127.0.0.1:0", true)] {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let result = bench.collector.serve(listener, std::future::ready(())).await;
        assert_eq!(result.map_err(|error| error.code()).err(), (!served).then_some("invalid_config"), "{address}");
    }
    let bench = Bench::open(Access::Token(TOKEN.to_owned()), |_| {});
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    bench.collector.serve(listener, std::future::ready(())).await.unwrap();
}
