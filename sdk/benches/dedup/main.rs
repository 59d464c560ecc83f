//! P11 and P12: what de-duplication adds to a message, in memory and through Redis.
//!
//! `cargo bench -p surehook --bench dedup` prints one JSON line per figure, as `bars.md` words it; a slow figure never fails it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench may panic, and measures time")]

mod messages;
#[path = "../../tests/stores/servers.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use the rest of it")]
mod servers;

mod memory;
mod redis_loopback;

use std::time::Instant;

/// Rounds of the two sides take turns, so that a change of the machine's speed meets both.
const ROUNDS: usize = 201;

fn main() {
    memory::run();
    redis_loopback::run();
}

/// The median times of both sides, in microseconds for each of the `messages` of a round.
fn medians(messages: usize, mut ours: impl FnMut(usize), mut peer: impl FnMut(usize)) -> (f64, f64) {
    let (mut our_times, mut peer_times) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for round in 0..ROUNDS {
        our_times.push(time(messages, || ours(round)));
        peer_times.push(time(messages, || peer(round)));
    }
    (median(our_times), median(peer_times))
}

fn time(messages: usize, round: impl FnOnce()) -> f64 {
    let start = Instant::now();
    round();
    start.elapsed().as_secs_f64() * 1e6 / messages as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn print(bar: &str, case: &str, value: f64, peer: &str, peer_value: f64) {
    println!(
        "{{\"bar\": \"{bar}\", \"case\": \"{case}\", \"unit\": \"us\", \"value\": {value:.3}, \"peer\": \"{peer}\", \
         \"peer_value\": {peer_value:.3}, \"ratio\": {:.3}}}",
        value / peer_value
    );
}
