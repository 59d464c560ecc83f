//! How often a process diagnoses: five times a second at most, whichever way the forged requests come, and one of the five is
//! kept for what came before. The limit is the process's, so these cases run one after the other.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use surehook::core::diagnose::Finding;
use surehook::core::{Incoming, Signer, Timestamp, Unsigned, scheme};
use surehook::{Body, Clock, Decision, Endpoint, EndpointOptions, Rejection, Request, SystemClock, Webhook};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What was signed, and what is sent: JSON that was written again.
const SIGNED: &[u8] = b"{\"a\": 1}";
const SENT: &[u8] = b"{\"a\":1}";
/// So many requests that some second sees far more than its five.
const STORM: usize = 2000;

fn main() {
    a_storm_is_diagnosed_five_times_a_second_on_every_path_together();
    whoever_asks_for_it_gets_every_diagnosis();
    a_request_that_came_before_is_diagnosed_in_the_middle_of_a_storm();
    what_no_diagnosis_explains_takes_none_away();
    a_forged_request_is_cheap_once_the_budget_is_spent();
}

type Headers = Vec<(String, String)>;

fn signed(id: &str) -> Headers {
    let signer = Signer::new(scheme::find("svix").unwrap(), SECRET).unwrap();
    signer.sign(&Unsigned { message_id: id, timestamp: SystemClock.now(), ..Unsigned::post(SIGNED) }).unwrap()
}

fn pairs(headers: &Headers) -> Vec<(&[u8], &[u8])> {
    headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

fn endpoint(name: &str) -> Endpoint {
    let options = EndpointOptions {
        name: Some(name.to_owned()),
        secrets: vec![SECRET.to_owned()],
        ..EndpointOptions::new("svix")
    };
    Endpoint::new(options).unwrap()
}

fn refused_by(endpoint: &Endpoint, headers: &Headers) -> Rejection {
    let request = Request { method: "POST", path: "/", headers: &pairs(headers), body: Body::Bytes(SENT) };
    let Decision::Answer(answer) = endpoint.begin(request) else { panic!("nobody signed it") };
    answer.rejection.unwrap()
}

fn refused(webhook: &Webhook, headers: &Headers, body: &[u8]) -> Rejection {
    webhook.verify(body, &pairs(headers)).unwrap_err()
}

/// The most that may be diagnosed from `begun` to now: each second that was touched has its own five.
fn allowed(begun: Instant) -> usize {
    5 * (begun.elapsed().as_secs() as usize + 2)
}

fn a_storm_is_diagnosed_five_times_a_second_on_every_path_together() {
    let (one, two) = (endpoint("one"), endpoint("two"));
    let (webhook, cached) = (Webhook::new(SECRET).unwrap(), Webhook::new(SECRET).unwrap());
    let headers = signed("msg_storm");
    let begun = Instant::now();
    let diagnosed = (0..STORM)
        .filter(|turn| {
            let rejection = match turn % 4 {
                0 => refused_by(&one, &headers),
                1 => refused_by(&two, &headers),
                2 => refused(&webhook, &headers, SENT),
                _ => cached.verify_request(&Incoming::post(&pairs(&headers), SENT), SystemClock.now()).unwrap_err(),
            };
            rejection.diagnosis().is_some()
        })
        .count();
    assert!((5..=allowed(begun)).contains(&diagnosed), "{diagnosed} in {:?}", begun.elapsed());
}

fn whoever_asks_for_it_gets_every_diagnosis() {
    let webhook = Webhook::new(SECRET).unwrap();
    let headers = signed("msg_always");
    let cause = |_: &usize| {
        let rejection =
            webhook.verify_and_diagnose(&Incoming::post(&pairs(&headers), SENT), SystemClock.now()).unwrap_err();
        rejection.diagnosis().map(|found| found.finding) == Some(Finding::BodyReserialized)
    };
    // A busy machine may take the 5 ms of some away; the limit would leave five or ten.
    let found = (0..200).filter(cause).count();
    assert!(found >= 50, "{found}");
}

fn a_request_that_came_before_is_diagnosed_in_the_middle_of_a_storm() {
    let webhook = Webhook::new(SECRET).unwrap();
    let genuine = signed("msg_genuine");
    let mut found = 0;
    // The provider tries again while somebody makes up requests: each time the share of those that came before is free.
    for attempt in 0..4 {
        let begun = Instant::now();
        let mut forged = 0;
        while begun.elapsed() < Duration::from_millis(1100) {
            if forged == STORM {
                std::thread::yield_now();
                continue;
            }
            forged += 1;
            let made_up = signed(&format!("msg_made_up_{attempt}_{forged}"));
            refused(&webhook, &made_up, format!("{{\"forged\":\"{attempt}-{forged}\"}}").as_bytes());
        }
        found += usize::from(refused(&webhook, &genuine, SENT).diagnosis().is_some());
    }
    // The first attempt came never before.
    assert!(found >= 3, "{found}");
}

fn what_no_diagnosis_explains_takes_none_away() {
    let webhook = Webhook::new(SECRET).unwrap();
    let begun = Instant::now();
    let mut found = 0;
    while begun.elapsed() < Duration::from_millis(2100) {
        for n in 0..50 {
            assert_eq!(refused(&webhook, &Headers::new(), &[n]).code().as_str(), "missing_header");
        }
        found += usize::from(refused(&webhook, &signed("msg_beside"), SENT).diagnosis().is_some());
    }
    assert!(found >= 9, "{found}");
}

fn a_forged_request_is_cheap_once_the_budget_is_spent() {
    let webhook = Webhook::new(SECRET).unwrap();
    let body = format!("{{\"a\":\"{}\"}}", "x".repeat(63 * 1024));
    let headers = signed("msg_large");
    let headers = pairs(&headers);
    let at: Timestamp = SystemClock.now();
    let raw = least(|| drop(webhook.verifier().verify(body.as_bytes(), &headers, at)));
    let whole = least(|| drop(webhook.verify(body.as_bytes(), &headers)));
    // The check alone takes most of it; a debug build is slower at both.
    assert!(whole < raw + Duration::from_micros(100), "{whole:?} beside {raw:?}");
}

fn least(mut work: impl FnMut()) -> Duration {
    let one = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    (0..500).map(|_| one(&mut work)).min().unwrap()
}
