//! S6: how long it takes to refuse what is over a limit, before anybody is authenticated, and to make hostile text safe to tell.
//!
//! `cargo bench -p surehook-core --bench limits` prints one JSON line per figure; a slow figure never fails it.
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]

use std::hint::black_box;
use std::time::Instant;

use surehook_core::telemetry::redact::Redactor;
use surehook_core::{Timestamp, Verifier};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const ROUNDS: usize = 2_001;

fn main() {
    let verifier = Verifier::new("clerk", &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]).expect("the secret is valid");
    let body = vec![b' '; 1024 * 1024 + 1];
    let long_header = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= ".repeat(1024);
    let many_entries = "v1,a ".repeat(65);
    let signature: &[u8] = b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let long_id = vec![b'a'; 64 * 1024];
    let (id, small): (&[u8], &[u8]) = (b"msg_1", b"{}");
    for (case, id, signature, body) in [
        ("body of 1 MiB + 1", id, signature, body.as_slice()),
        ("signature header of 48 KiB", id, long_header.as_bytes(), small),
        ("65 signatures", id, many_entries.as_bytes(), small),
        ("id of 64 KiB", long_id.as_slice(), signature, small),
    ] {
        let headers: [(&[u8], &[u8]); 3] =
            [(b"svix-id", id), (b"svix-timestamp", b"1700000000"), (b"svix-signature", signature)];
        measure(case, || verifier.verify(black_box(body), black_box(&headers), NOW).is_err());
    }
    redaction();
}

/// Texts that begin again and again what has to be looked for.
const HOSTILE: [&str; 8] = ["://", "a://b@", "password=", "token:\"", "1234 ", "-----BEGIN ", "eyJ.", "values ("];
const HEADERS: [&[u8]; 12] = [
    b"content-encoding",
    b"content-length",
    b"content-type",
    b"svix-id",
    b"svix-timestamp",
    b"traceparent",
    b"transfer-encoding",
    b"user-agent",
    b"webhook-id",
    b"webhook-timestamp",
    b"x-forwarded-proto",
    b"x-request-id",
];

fn redaction() {
    let redactor = Redactor::new(&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    for hostile in HOSTILE {
        let text = hostile.repeat(64 * 1024 / hostile.len());
        for name in HEADERS {
            let headers: [(&[u8], &[u8]); 1] = [(name, text.as_bytes())];
            let name = String::from_utf8_lossy(name);
            measure(&format!("{name} of 64 KiB: {}", hostile.replace('"', "'")), || {
                redactor.headers(black_box(&headers)).is_empty()
            });
        }
        measure(&format!("path of 64 KiB: {}", hostile.replace('"', "'")), || {
            redactor.path(black_box(&text)).is_empty()
        });
        measure(&format!("message of 64 KiB: {}", hostile.replace('"', "'")), || {
            redactor.message(black_box(&text)).is_empty()
        });
    }
}

fn measure(case: &str, mut run: impl FnMut() -> bool) {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let (median, p99) = (times[ROUNDS / 2], times[ROUNDS * 99 / 100]);
    println!("{{\"bar\": \"S6\", \"case\": \"{case}\", \"unit\": \"us\", \"value\": {median:.3}, \"p99\": {p99:.3}}}");
}
