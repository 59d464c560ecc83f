//! P5: the core's verify of 256 KiB beside a raw HMAC-SHA-256 of the same bytes, in one run.
//!
//! `cargo bench -p surehook-core --bench verify` prints one JSON line per figure, as `bars.md` words it; a slow figure
//! never fails it.
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use surehook_core::{Timestamp, Verifier, sign};

const SIGNED_AT: i64 = 1_700_000_000;
/// A batch of either side lasts about this long: short, so that another process meets few of them.
const BATCH: Duration = Duration::from_millis(1);
/// Batches of the two sides take turns, so that a change of the machine's speed meets both.
const ROUNDS: usize = 501;

fn main() {
    let key = [7_u8; 24];
    let secret = format!("whsec_{}", STANDARD.encode(key));
    let verifier = Verifier::new("clerk", &[&secret]).expect("the secret is valid");
    for (case, bytes) in [("1 KiB", 1024), ("20 KiB", 20 * 1024), ("256 KiB", 256 * 1024)] {
        let body: Vec<u8> = (0..bytes).map(|index| (index * 31 % 251) as u8).collect();
        let signature =
            sign(&secret, "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj", SIGNED_AT, &body).expect("the secret can sign");
        let headers: [(&[u8], &[u8]); 3] = [
            (b"svix-id", b"msg_2Lh9KRb0pzN4LePd3XiA4v12Axj"),
            (b"svix-timestamp", b"1700000000"),
            (b"svix-signature", signature.as_bytes()),
        ];
        let now = Timestamp::from_unix_seconds(SIGNED_AT + 5);
        let ours = || {
            black_box(verifier.verify(black_box(&body), black_box(&headers), now).is_ok());
        };
        let raw = || {
            let mac = Hmac::<Sha256>::new_from_slice(black_box(&key))
                .expect("any length is a key")
                .chain_update(black_box(&body));
            black_box(mac.finalize());
        };
        let (ours, raw) = medians(ours, raw);
        println!(
            "{{\"bar\": \"P5\", \"case\": \"{case}\", \"unit\": \"us\", \"value\": {ours:.3}, \"peer\": \"hmac + sha2\", \
             \"peer_value\": {raw:.3}, \"ratio\": {:.3}}}",
            ours / raw
        );
    }
}

/// The median time of one call of each, in microseconds.
fn medians(ours: impl Fn(), peer: impl Fn()) -> (f64, f64) {
    let (our_calls, peer_calls) = (calls_per_batch(&ours), calls_per_batch(&peer));
    let (mut our_times, mut peer_times) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        our_times.push(time(&ours, our_calls));
        peer_times.push(time(&peer, peer_calls));
    }
    (median(our_times), median(peer_times))
}

fn calls_per_batch(call: &impl Fn()) -> u32 {
    let mut calls = 1;
    while time(call, calls) * f64::from(calls) < BATCH.as_secs_f64() * 1e6 {
        calls *= 2;
    }
    calls
}

fn time(call: &impl Fn(), calls: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
