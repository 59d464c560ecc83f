//! D6: a store that fails costs a 503 and little time, and is used again soon after it is back.

use std::time::{Duration, Instant};

use surehook::core::dedup::{Entry, Store};
use surehook::{AnswerKind, Clock, Decision, DedupStore, Endpoint, OnStoreError};

use crate::behaviour::{Random, decided, seed};
use crate::bench::Bench;
use crate::proxy::{Fault, Proxy};
use crate::support::{Message, answered, handled, ok};

/// The budget of 250 ms, and what a loaded machine adds to it.
const ADDED_AT_MOST: Duration = Duration::from_millis(400);
const RECOVERS_WITHIN: Duration = Duration::from_secs(5);

fn through(bench: &Bench, proxy: &Proxy) -> String {
    bench.url.replace(&bench.port.unwrap().to_string(), &proxy.port.to_string())
}

/// Asks about new messages until one is handled.
pub fn recovered(endpoint: &Endpoint, label: &str) -> Duration {
    let began = Instant::now();
    for attempt in 0.. {
        match Message::user_created(&format!("msg_{label}_{attempt}")).begin(endpoint) {
            Decision::Handle(delivery) => {
                delivery.finish(ok(b"back"));
                break;
            }
            Decision::Answer(answer) => assert_eq!(answer.kind, AnswerKind::Unavailable),
        }
        assert!(began.elapsed() < RECOVERS_WITHIN, "{label}: it is not back after {:?}", began.elapsed());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    began.elapsed()
}

/// Asks more often than it takes to open the breaker: each time 503 within the budget. Returns the longest time it took.
pub fn answered_for(endpoint: &Endpoint, label: &str) -> Duration {
    let ask = |attempt| {
        let began = Instant::now();
        let answer = answered(Message::user_created(&format!("msg_{label}_{attempt}")).begin(endpoint));
        assert_eq!((answer.kind, answer.status), (AnswerKind::Unavailable, 503), "{label}");
        assert!(answer.headers.contains(&("retry-after".to_owned(), "30".to_owned())));
        began.elapsed()
    };
    let longest = (0..8).map(ask).max().unwrap();
    assert!(longest <= ADDED_AT_MOST, "{label} added {longest:?}");
    longest
}

/// Every fault: 503 within the budget, whether it meets the breaker closed or open; then the store is used again.
pub fn a_failing_store_is_answered_for(bench: &Bench) {
    let proxy = Proxy::before(bench.port.unwrap());
    let url = through(bench, &proxy);
    let endpoint = bench.endpoint(|options| options.dedup = Some(url));
    recovered(&endpoint, "start");
    let faults = [Fault::Refuse, Fault::Stall, Fault::Reset, Fault::CutAfter(3), Fault::CutAfter(10), Fault::LoseReply];
    for (index, fault) in faults.into_iter().enumerate() {
        proxy.set(fault);
        let longest = answered_for(&endpoint, &format!("fault_{index}"));
        proxy.set(Fault::None);
        let recovery = recovered(&endpoint, &format!("{index}"));
        eprintln!("{}: {fault:?}: at most {longest:?} added, back after {recovery:?}", bench.store.kind());
    }
    for notice in surehook::take_notices() {
        assert!(!notice.text.contains("canary"), "{}", notice.text);
    }
}

/// A claim whose reply was lost is given back as soon as the store can be asked: no retry waits for a lease that nobody knows
/// of.
pub fn a_claim_whose_reply_was_lost_is_given_back(bench: &Bench) {
    let proxy = Proxy::before(bench.port.unwrap());
    let url = through(bench, &proxy);
    let endpoint = bench.endpoint(|options| options.dedup = Some(url));
    recovered(&endpoint, "start");
    let (message, key) = (Message::user_created("msg_lost_claim"), bench.key("msg_lost_claim"));
    proxy.set(Fault::LoseReply);
    assert_eq!(answered(message.begin(&endpoint)).status, 503);
    // The proxy closes the connection once the server has answered, so the claim is there.
    assert!(matches!(bench.store.get(&key), Ok(Some(Entry::Running { .. }))));
    proxy.set(Fault::None);
    let began = Instant::now();
    while bench.store.get(&key) != Ok(None) {
        assert!(began.elapsed() < RECOVERS_WITHIN, "the claim was not given back");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    handled(message.begin(&endpoint)).finish(ok(b""));
}

/// A store far away is connected to again in so few exchanges that one call has the time for them.
pub fn a_connection_is_made_again_in_few_exchanges(bench: &Bench) {
    let proxy = Proxy::before(bench.port.unwrap());
    let url = through(bench, &proxy);
    let endpoint = bench.endpoint(|options| options.dedup = Some(url));
    recovered(&endpoint, "start");
    proxy.set(Fault::Late(Duration::from_millis(30)));
    proxy.cut();
    proxy.exchanges();
    recovered(&endpoint, "far");
    // Logging in takes Redis one and Postgres three, on each of its connections. Then one for the statements, one for the claim,
    // and one for the claim that the lost connection may have taken along.
    let (connections, login) = if bench.store.kind() == "postgres" { (2, 3) } else { (1, 1) };
    let (exchanges, most) = (proxy.exchanges(), connections * (login + 3));
    assert!(exchanges <= most, "{exchanges} exchanges, {most} at most");
}

/// A message whose entry cannot be read is refused, again and again; the others are handled, on the same connection.
pub fn one_unreadable_message_is_no_failing_store(bench: &Bench) {
    let endpoint = bench.endpoint(|_| {});
    for (index, spoil) in bench.spoil.iter().enumerate() {
        let id = format!("msg_spoilt_{index}");
        let message = Message::user_created(&id);
        handled(message.begin(&endpoint)).finish(ok(b"good"));
        spoil(&bench.key(&id));
        for retry in 0..8 {
            let answer = answered(message.begin(&endpoint));
            assert_eq!((answer.kind, answer.status), (AnswerKind::Unavailable, 503), "{index}");
            handled(Message::user_created(&format!("msg_beside_{index}_{retry}")).begin(&endpoint)).finish(ok(b""));
        }
        for _ in 0..8 {
            assert_eq!(answered(message.begin(&endpoint)).status, 503);
        }
        handled(Message::user_created(&format!("msg_after_{index}")).begin(&endpoint)).finish(ok(b""));
    }
}

/// An answer that could not be stored is stored as soon as the store is back: the handler does not run twice.
pub fn an_answer_outlives_a_short_failure(bench: &Bench) {
    let proxy = Proxy::before(bench.port.unwrap());
    let url = through(bench, &proxy);
    let endpoint = bench.endpoint(|options| options.dedup = Some(url));
    recovered(&endpoint, "start");
    for (id, fault) in [("msg_lost_reply", Fault::LoseReply), ("msg_refused", Fault::Refuse)] {
        let (message, key) = (Message::user_created(id), bench.key(id));
        let delivery = handled(message.begin(&endpoint));
        proxy.set(fault);
        assert!(delivery.finish(ok(b"kept")).is_none(), "the handler's answer stands");
        proxy.set(Fault::None);
        let began = Instant::now();
        while !matches!(bench.store.get(&key), Ok(Some(Entry::Done { .. }))) {
            assert!(began.elapsed() < RECOVERS_WITHIN, "{id} was not stored");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let retry = Message::user_created(id).begin(&bench.endpoint(|_| {}));
        assert_eq!(answered(retry).body, b"kept");
    }
}

/// One process behind a network that fails at random, another beside the store: each message ends with one answer, a lease
/// has one holder, and an answer that is stored never changes.
pub fn partitions_lose_nothing(bench: &Bench) {
    let seed = seed();
    let (proxy, mut random) = (Proxy::before(bench.port.unwrap()), Random(seed));
    let url = through(bench, &proxy);
    let (far, near) = (bench.endpoint(|options| options.dedup = Some(url)), bench.endpoint(|_| {}));
    recovered(&far, "start");
    for index in 0..30 {
        let id = format!("msg_partition_{index}");
        let sent_at = bench.clock.now().unix_micros() / 1_000_000;
        let (message, key) = (Message { sent_at, ..Message::user_created(&id) }, bench.key(&id));
        proxy.set(any_fault(&mut random));
        let first = message.begin(&far);
        proxy.set(any_fault(&mut random));
        if let Decision::Handle(delivery) = first {
            assert_eq!(answered(decided(&message, &near)).kind, AnswerKind::Busy, "seed {seed}: {id} has two holders");
            delivery.finish(ok(b"far"));
        }
        proxy.set(Fault::None);
        // The provider tries again, after any lease of an owner that nobody hears from.
        bench.pass(&[key], Duration::from_secs(30));
        let body: &[u8] = match decided(&message, &near) {
            Decision::Handle(delivery) => {
                delivery.finish(ok(b"near"));
                b"near"
            }
            Decision::Answer(answer) => {
                assert_eq!((answer.status, &answer.body[..]), (200, &b"far"[..]), "seed {seed}: {id}");
                b"far"
            }
        };
        assert_eq!(answered(decided(&message, &near)).body, body, "seed {seed}: {id}");
        let again = message.begin(&far);
        if let Decision::Answer(answer) = &again {
            let heard = answer.kind != AnswerKind::Unavailable;
            assert!(!heard || answer.body == body, "seed {seed}: {id}: {answer:?}");
        } else {
            panic!("seed {seed}: {id} is handled although it has an answer");
        }
    }
}

/// Half of the time none.
fn any_fault(random: &mut Random) -> Fault {
    match random.below(10) {
        0 => Fault::Refuse,
        1 => Fault::Stall,
        2 => Fault::Reset,
        3 => Fault::CutAfter(random.below(60)),
        4 => Fault::LoseReply,
        _ => Fault::None,
    }
}

/// With `onStoreError: "process"` the handler runs, without de-duplication.
pub fn a_failing_store_can_be_ignored(bench: &Bench) {
    let proxy = Proxy::before(bench.port.unwrap());
    let url = through(bench, &proxy);
    let endpoint = bench.endpoint(|options| {
        options.dedup = Some(url);
        options.on_store_error = OnStoreError::Process;
    });
    proxy.set(Fault::Refuse);
    for _ in 0..2 {
        handled(Message::user_created("msg_ignored").begin(&endpoint)).finish(ok(b""));
    }
    assert_eq!(endpoint.dedup_counts().unprotected, 2);
    assert!(surehook::take_notices().iter().any(|notice| notice.text.contains("handled without de-duplication")));
}

/// What is wrong is said in one sentence that holds no password.
pub fn says(url: &str, what: &str) {
    let error = DedupStore::open(url).unwrap().stats().unwrap_err().to_string();
    assert!(error.contains(what), "{error}");
    assert!(!error.contains("canary"), "{error}");
}
