//! Every kind of bad input has its code, and costs nobody else anything.

use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use surehook_collector::Access;

use crate::setup::*;

async fn answer(bench: &Bench, body: Vec<u8>, encoding: &str) -> (u16, String) {
    let (status, answer) = bench.send(body, &[("content-encoding", encoding)]).await;
    (status.as_u16(), code(&answer).to_owned())
}

/// After whatever happened, an honest sender is served.
async fn assert_serves(bench: &Bench) {
    bench.store(&[attempt("msg_honest")]).await;
}

#[tokio::test]
async fn a_batch_cut_anywhere_is_refused() {
    let bench = Bench::local();
    let text = batch(&[attempt("msg_1")]).to_string();
    for end in (0..text.len()).step_by(7) {
        let expected = (400, "invalid_json".to_owned());
        assert_eq!(answer(&bench, text.as_bytes()[..end].to_vec(), "identity").await, expected, "cut at {end}");
    }
    let zipped = gzip(text.as_bytes());
    for end in (0..zipped.len()).step_by(5).skip(1) {
        let expected = (400, "invalid_gzip".to_owned());
        assert_eq!(answer(&bench, zipped[..end].to_vec(), "gzip").await, expected, "cut at {end}");
    }
    assert_serves(&bench).await;
}

#[tokio::test]
async fn what_is_not_a_batch_has_its_code() {
    let bench = Bench::local();
    let mut without_sdk = batch(&[]);
    without_sdk.as_object_mut().unwrap().remove("sdk");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("nothing", vec![], 400, "invalid_json"),
        ("text", b"hello".to_vec(), 400, "invalid_json"),
        ("two documents", b"{} {}".to_vec(), 400, "invalid_json"),
        ("not UTF-8", b"{\"schema\":1,\"x\":\"\xff\"}".to_vec(), 400, "invalid_json"),
        ("a list", b"[1]".to_vec(), 400, "invalid_batch"),
        ("null", b"null".to_vec(), 400, "invalid_batch"),
        ("no members", b"{}".to_vec(), 400, "invalid_batch"),
        ("nested deep", deep.into_bytes(), 400, "invalid_batch"),
        ("schema twice", b"{\"schema\":1,\"schema\":1}".to_vec(), 400, "invalid_batch"),
        ("no sdk", without_sdk.to_string().into_bytes(), 400, "invalid_batch"),
        ("schema 2", with(batch(&[]), json!({ "schema": 2 })).to_string().into_bytes(), 422, "unsupported_schema"),
        ("schema 2 of another shape", b"{\"schema\":2,\"events\":[]}".to_vec(), 422, "unsupported_schema"),
        ("schema 0", with(batch(&[]), json!({ "schema": 0 })).to_string().into_bytes(), 422, "unsupported_schema"),
        ("schema as text", with(batch(&[]), json!({ "schema": "1" })).to_string().into_bytes(), 400, "invalid_batch"),
        (
            "attempts not a list",
            with(batch(&[]), json!({ "attempts": {} })).to_string().into_bytes(),
            400,
            "invalid_batch",
        ),
        (
            "pid too large",
            with(batch(&[]), json!({ "instance": { "id": "0193b5a0-0000-7000-8000-000000000001", "pid": 1e300 } }))
                .to_string()
                .into_bytes(),
            400,
            "invalid_batch",
        ),
    ];
    for (what, body, status, code) in cases {
        assert_eq!(answer(&bench, body, "identity").await, (status, code.to_owned()), "{what}");
    }
    assert_serves(&bench).await;
}

#[tokio::test]
async fn too_much_is_refused() {
    let bench = Bench::local();
    let many: Vec<Value> = (0..1_001).map(|_| json!({})).collect();
    assert_eq!(
        answer(&bench, batch(&many).to_string().into_bytes(), "identity").await,
        (413, "batch_too_large".into())
    );
    assert_eq!(answer(&bench, vec![b' '; (1 << 20) + 1], "identity").await, (413, "batch_too_large".into()));
    let (status, _) = bench.send(batch(&many[..1_000]).to_string().into_bytes(), &[]).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_serves(&bench).await;
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_off_at_the_limit() {
    let bench = Bench::local();
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 4096])));
    let request = Request::post("/v1/batches")
        .header(header::AUTHORIZATION, format!("Bearer {}", bench.key))
        .body(Body::from_stream(endless))
        .unwrap();
    let (status, headers, _) = bench.call(request).await;
    assert_eq!((status, headers[header::CONNECTION].as_bytes()), (StatusCode::PAYLOAD_TOO_LARGE, &b"close"[..]));
}

#[tokio::test]
async fn a_bomb_costs_no_more_than_the_limit() {
    let bench = Bench::local();
    // 300 MiB of zeros in less than 1 MiB; the decoder must stop after 8 MiB.
    let zeros = vec![0; 1 << 20];
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..300 {
        std::io::Write::write_all(&mut bomb, &zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let mut zstd_bomb = zstd::Encoder::new(Vec::new(), 1).unwrap();
    for _ in 0..300 {
        std::io::Write::write_all(&mut zstd_bomb, &zeros).unwrap();
    }
    let zstd_bomb = zstd_bomb.finish().unwrap();
    assert!(zstd_bomb.len() < 1 << 20);
    for (encoding, bomb) in [("gzip", bomb), ("zstd", zstd_bomb)] {
        let start = Instant::now();
        let before = peak_memory();
        assert_eq!(answer(&bench, bomb, encoding).await, (413, "batch_too_large".into()));
        assert!(start.elapsed() < Duration::from_secs(5));
        if let (Some(before), Some(after)) = (before, peak_memory()) {
            assert!(after - before <= 64 << 10, "{encoding}: rose by {} KiB", after - before);
        }
    }
    assert_serves(&bench).await;
}

/// The most memory this process ever held, in KiB, where the system tells. Other tests run in the same process, so the
/// bound above is wide; without the limit it would be broken by hundreds of MiB.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test]
async fn an_encoding_that_is_not_known_is_refused() {
    let bench = Bench::local();
    for encoding in ["br", "deflate", "gzip, gzip", "gzip;q=1"] {
        assert_eq!(answer(&bench, b"{}".to_vec(), encoding).await, (415, "unsupported_encoding".into()), "{encoding}");
    }
    let twice = bench.send(b"{}".to_vec(), &[("content-encoding", "gzip"), ("content-encoding", "gzip")]).await;
    assert_eq!((twice.0.as_u16(), code(&twice.1)), (415, "unsupported_encoding"));
    assert_eq!(answer(&bench, b"{}".to_vec(), "gzip").await, (400, "invalid_gzip".into()));
}

/// Sends with an `Authorization` header, or without, and a body that must not be read.
async fn with_authorization(bench: &Bench, authorization: Option<&str>) -> (u16, String) {
    let unread = stream::once(async { Err::<Bytes, _>(std::io::Error::other("the body was read")) });
    let mut request = Request::post("/v1/batches");
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let (status, _, body) = bench.call(request.body(Body::from_stream(unread)).unwrap()).await;
    let answer: Value = serde_json::from_slice(&body).unwrap();
    (status.as_u16(), code(&answer).to_owned())
}

#[tokio::test]
async fn a_wrong_key_is_refused_before_the_body_is_read() {
    let bench = Bench::local();
    let almost = format!("Bearer {}x", &bench.key[..bench.key.len() - 1]);
    let missing = (401, "missing_api_key".to_owned());
    let invalid = (401, "invalid_api_key".to_owned());
    for nothing in [None, Some("Bearer"), Some("Bearer  "), Some("Basic c2hr"), Some("shk_x")] {
        assert_eq!(with_authorization(&bench, nothing).await, missing, "{nothing:?}");
    }
    let long = format!("Bearer {}", "k".repeat(5_000));
    for wrong in ["Bearer shk_wrong", almost.as_str(), long.as_str(), "Bearer é"] {
        let expected = if wrong.is_ascii() { &invalid } else { &missing };
        assert_eq!(&with_authorization(&bench, Some(wrong)).await, expected);
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused() {
    let bench = Bench::local();
    let (_, setup) = bench.get("/api/setup").await;
    let id = &setup["keys"][0]["id"];
    let revoke = |id: String| {
        let request = Request::delete(format!("/api/keys/{id}")).header(header::HOST, "localhost");
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(bench.call(revoke(id.to_string())).await.0, StatusCode::NO_CONTENT);
    assert_eq!(bench.call(revoke(id.to_string())).await.0, StatusCode::NOT_FOUND);
    assert_eq!(bench.call(revoke("x".into())).await.0, StatusCode::NOT_FOUND);
    let authorization = format!("Bearer {}", bench.key);
    assert_eq!(with_authorization(&bench, Some(&authorization)).await, (403, "key_revoked".into()));
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_off() {
    let bench = Bench::open(Access::Local, |config| config.limits.receive_timeout = Duration::from_millis(100));
    let never = stream::pending::<Result<Bytes, std::io::Error>>();
    let request = Request::post("/v1/batches")
        .header(header::AUTHORIZATION, format!("Bearer {}", bench.key))
        .body(Body::from_stream(never))
        .unwrap();
    let (status, _, body) = bench.call(request).await;
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status.as_u16(), code(&answer)), (408, "request_timeout"));
}

#[tokio::test]
async fn times_and_counts_at_the_ends_of_their_range_are_no_panic() {
    let bench = Bench::local();
    bench
        .store(&[
            with(
                attempt("msg_1"),
                json!({ "received_at": i64::MAX, "duration_us": u64::MAX, "provider_timestamp": i64::MIN }),
            ),
            with(attempt("msg_2"), json!({ "received_at": i64::MIN })),
        ])
        .await;
    for window in ["15m", "1h", "24h", "7d"] {
        let (status, overview) = bench.get(&format!("/api/overview?window={window}")).await;
        assert_eq!(status, StatusCode::OK, "{overview}");
        assert_eq!(overview["totals"]["attempts"], 1, "the one from the future counts now");
    }
    assert_eq!(bench.get("/api/messages").await.1["messages"].as_array().unwrap().len(), 2);
}
