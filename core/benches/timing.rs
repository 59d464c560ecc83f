//! Does the time of a check tell where a wrong signature differs from the right one? After dudect (Reparaz, Balasch and
//! Verbauwhede, 2017): two classes of inputs in random order, cropped, then Welch's t-test.
//!
//! `cargo bench -p surehook-core --bench timing` prints one JSON line per case. The control is a comparison that stops at
//! the first difference: where the test does not find it, the run shows nothing and fails, as it does for a leak.
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use surehook_core::{Signer, Timestamp, Unsigned, Verifier, scheme};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const MEASUREMENTS: usize = 200_000;
/// Calls of one measurement: more than the clock's grain, less than the time to the next interrupt.
const CALLS: usize = 8;
/// The parts of the measurements, fastest first, that are tested: an interrupt slows down the others.
const CROPS: [f64; 4] = [0.5, 0.75, 0.9, 1.0];
/// A larger |t| is a leak.
const LEAK: f64 = 10.0;

/// Where a wrong signature differs.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    First,
    Last,
}

fn main() -> ExitCode {
    let kept = [("standard HMAC-SHA-256", standard()), ("GitHub HMAC-SHA-256", github()), ("GitLab token", gitlab())];
    let mut as_it_should = true;
    for (case, mut check) in kept {
        let t = largest_t(&mut check);
        print(case, t, "must stay below");
        as_it_should &= t.abs() < LEAK;
    }
    let t = largest_t(&mut control());
    print("control: stops at the first difference", t, "must exceed");
    as_it_should &= t.abs() > LEAK;
    if as_it_should { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(case: &str, t: f64, words: &str) {
    println!(
        "{{\"bar\": \"constant time\", \"case\": \"{case}\", \"unit\": \"|t|\", \"value\": {:.2}, \"{words}\": {LEAK}, \
         \"measurements\": {MEASUREMENTS}}}",
        t.abs()
    );
}

/// A check of a signature of the given class: always wrong.
type Check = Box<dyn FnMut(Class)>;

/// The request of a provider whose one header holds a signature; its first or last byte is wrong.
fn by_header(provider: &str, secret: &str, wrong: impl Fn(&str, Class) -> String) -> Check {
    let scheme = scheme::find(provider).expect("a provider of the table");
    let unsigned = Unsigned { message_id: "msg_1", timestamp: NOW, ..Unsigned::post(b"{}") };
    let headers = Signer::new(scheme.clone(), secret).and_then(|signer| signer.sign(&unsigned)).expect("it can sign");
    let at = headers.iter().position(|(name, _)| name.contains("signature") || name.contains("token"));
    let at = at.expect("the signature is in a header");
    let right = headers[at].1.clone();
    let texts = [wrong(&right, Class::First), wrong(&right, Class::Last)];
    assert!(texts.iter().all(|text| text.len() == right.len() && *text != right));
    let verifier = Verifier::for_scheme(scheme, &[secret]).expect("the secret is valid");
    // Both classes lie in the same place, so that only what is in it can matter.
    let mut value = right.into_bytes();
    Box::new(move |class| {
        value.copy_from_slice(texts[class as usize].as_bytes());
        let pairs: Vec<(&[u8], &[u8])> = headers
            .iter()
            .enumerate()
            .map(|(own, (name, text))| (name.as_bytes(), if own == at { value.as_slice() } else { text.as_bytes() }))
            .collect();
        for _ in 0..CALLS {
            black_box(verifier.verify(black_box(b"{}"), black_box(&pairs), NOW).is_ok());
        }
    })
}

fn standard() -> Check {
    by_header("standard-webhooks", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", |right, class| {
        let mut tag = STANDARD.decode(&right[3..]).expect("it is base64");
        spoil(&mut tag, class);
        format!("v1,{}", STANDARD.encode(tag))
    })
}

fn github() -> Check {
    by_header("github", "It's a Secret to Everybody", |right, class| {
        let mut digits = right["sha256=".len()..].to_owned().into_bytes();
        let at = if class == Class::First { 0 } else { digits.len() - 1 };
        digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
        format!("sha256={}", String::from_utf8_lossy(&digits))
    })
}

fn gitlab() -> Check {
    by_header("gitlab", "glwt-0123456789abcdefghijklmnop", |right, class| {
        let mut token = right.to_owned().into_bytes();
        spoil(&mut token, class);
        String::from_utf8_lossy(&token).into_owned()
    })
}

/// What a hasty check does: the same MAC, then byte by byte until two differ.
fn control() -> Check {
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 24]).expect("any length is a key");
    let right = keyed.clone().chain_update(b"{}").finalize().into_bytes();
    let mut tags = [right.to_vec(), right.to_vec()];
    spoil(&mut tags[Class::First as usize], Class::First);
    spoil(&mut tags[Class::Last as usize], Class::Last);
    let mut given = right.to_vec();
    Box::new(move |class| {
        given.copy_from_slice(&tags[class as usize]);
        for _ in 0..CALLS {
            let expected = keyed.clone().chain_update(black_box(b"{}")).finalize().into_bytes();
            let differs = expected.iter().zip(&given).any(|(expected, given)| black_box(expected) != black_box(given));
            black_box(differs);
        }
    })
}

fn spoil(tag: &mut [u8], class: Class) {
    let at = if class == Class::First { 0 } else { tag.len() - 1 };
    tag[at] ^= 1;
}

/// The t of the crop that shows most.
fn largest_t(check: &mut Check) -> f64 {
    let mut coin = 0x9e37_79b9_7f4a_7c15_u64;
    let mut measured: Vec<(f64, Class)> = (0..MEASUREMENTS)
        .map(|_| {
            // xorshift64: a fair coin is enough.
            coin ^= coin << 13;
            coin ^= coin >> 7;
            coin ^= coin << 17;
            let class = if coin >> 63 == 0 { Class::First } else { Class::Last };
            let start = Instant::now();
            check(class);
            (start.elapsed().as_nanos() as f64, class)
        })
        .collect();
    measured.sort_by(|one, other| one.0.total_cmp(&other.0));
    let crop = |part: f64| welch(&measured[..(part * measured.len() as f64) as usize]);
    CROPS.into_iter().map(crop).max_by(|one, other| one.abs().total_cmp(&other.abs())).unwrap_or_default()
}

/// Welch's t of the two classes.
fn welch(measured: &[(f64, Class)]) -> f64 {
    let [first, last] = [Class::First, Class::Last].map(|class| {
        let times: Vec<f64> = measured.iter().filter(|(_, own)| *own == class).map(|(time, _)| *time).collect();
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (first.0 - last.0) / (first.1 + last.1).sqrt()
}
