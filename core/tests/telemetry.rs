//! Queueing, retrying and the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use surehook_core::telemetry::attempt::{
    Attempt, Batch, Dedup, DedupResult, DropReason, ErrorInfo, Failure, Instance, RequestInfo, SdkInfo, Step,
    Verification, VerificationResult,
};
use surehook_core::telemetry::backoff::{Backoff, MAX_RETRY_AFTER, Verdict, classify, retry_after};
use surehook_core::telemetry::queue::{AttemptQueue, InFlight, QueueLimits};
use surehook_core::telemetry::wire::{Ack, Answer, RejectedAttempt, encode, read_answer};
use surehook_core::{Outcome, Timestamp};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn attempt(id: u128) -> Attempt {
    Attempt {
        id: Uuid::from_u128(id),
        continues: None,
        sender_left: false,
        deferred_until: None,
        endpoint: "clerk".to_owned(),
        provider: "clerk".to_owned(),
        message_id: Some("msg_1".to_owned()),
        event_type: Some("user.created".to_owned()),
        entity_id: None,
        received_at: Timestamp::from_unix_seconds(1_700_000_000),
        provider_timestamp: None,
        duration_us: 1500,
        status: Some(500),
        outcome: Outcome::Failed,
        verification: Verification { result: VerificationResult::Verified, code: None, diagnosis: None },
        dedup: Dedup { result: DedupResult::New, store: Some("memory".to_owned()), key: None },
        steps: vec![Step { name: "create_profile".to_owned(), at_us: 10, duration_us: None, error: None }],
        missing_steps: Vec::new(),
        failure: Some(Failure {
            reason: None,
            error: Some(ErrorInfo {
                kind: "E".to_owned(),
                message: "no".to_owned(),
                fingerprint: "0123456789abcdef".to_owned(),
            }),
        }),
        request: RequestInfo { method: "POST".to_owned(), path: "/".to_owned(), headers: BTreeMap::new(), size: 2 },
        response: None,
        bodies: None,
        metadata: serde_json::Map::new(),
    }
}

fn large_attempt(id: u128, bytes: usize) -> Attempt {
    Attempt { event_type: Some("x".repeat(bytes)), ..attempt(id) }
}

fn queue() -> AttemptQueue {
    AttemptQueue::new(QueueLimits::default())
}

fn filled(count: u128) -> AttemptQueue {
    let mut queue = queue();
    for id in 0..count {
        queue.push(attempt(id)).expect("there is room");
    }
    queue
}

fn ids(batch: &InFlight) -> Vec<u128> {
    batch.attempts().map(|attempt| attempt.id.as_u128()).collect()
}

fn accepted(count: u64) -> Ack {
    Ack { accepted: count, ..Ack::default() }
}

fn dropped(reason: DropReason, count: u64) -> BTreeMap<DropReason, u64> {
    BTreeMap::from([(reason, count)])
}

fn balance(queue: &AttemptQueue) {
    let counts = queue.counts();
    assert_eq!(
        counts.recorded,
        counts.stored + counts.dropped_total() + counts.queued + counts.in_flight,
        "{counts:?}"
    );
}

// The queue

#[test]
fn a_full_queue_drops_the_newest_and_counts_it() {
    let mut queue = filled(10_000);
    assert_eq!(queue.push(attempt(10_000)), Err(DropReason::QueueFull));
    assert_eq!(queue.counts().dropped, dropped(DropReason::QueueFull, 1));
    let batch = queue.take(NOW).expect("a batch");
    assert_eq!(ids(&batch)[0], 0);
    // What is in flight keeps its room, so that it can come back.
    assert_eq!(queue.push(attempt(10_001)), Err(DropReason::QueueFull));
    queue.acknowledge(batch, &accepted(100));
    assert_eq!(queue.push(attempt(10_002)), Ok(()));
    balance(&queue);
}

#[test]
fn a_queue_is_bounded_in_bytes_with_what_is_in_flight() {
    let mut queue = queue();
    let taken = (0..1000).take_while(|id| queue.push(large_attempt(*id, 200_000)).is_ok()).count();
    assert!((80..84).contains(&taken), "{taken}");
    let batch = queue.take(NOW).expect("a batch");
    assert_eq!(queue.push(large_attempt(2000, 200_000)), Err(DropReason::QueueFull));
    queue.restore(batch);
    let batch = queue.take(NOW).expect("a batch");
    queue.acknowledge(batch, &accepted(1));
    assert_eq!(queue.push(large_attempt(2001, 200_000)), Ok(()));
    balance(&queue);
}

#[test]
fn an_attempt_that_no_batch_could_hold_is_dropped() {
    let mut queue = queue();
    assert_eq!(queue.push(large_attempt(1, 256 * 1024)), Err(DropReason::TooLarge));
    let metadata = serde_json::json!({"deep": [{"text": "x".repeat(256 * 1024)}]});
    let metadata = metadata.as_object().cloned().expect("an object");
    assert_eq!(queue.push(Attempt { metadata, ..attempt(2) }), Err(DropReason::TooLarge));
    assert_eq!(queue.counts().dropped, dropped(DropReason::TooLarge, 2));
    assert!(queue.take(NOW).is_none());
    balance(&queue);
}

#[test]
fn a_batch_is_bounded_in_attempts_and_in_bytes() {
    let mut queue = filled(250);
    let sizes: Vec<_> = std::iter::from_fn(|| queue.take(NOW)).map(|batch| batch.attempt_count()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    for id in 0..5 {
        queue.push(large_attempt(id, 100_000)).expect("there is room");
    }
    let sizes: Vec<_> = std::iter::from_fn(|| queue.take(NOW)).map(|batch| batch.attempt_count()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    balance(&queue);
}

#[test]
fn a_full_batch_is_known() {
    assert!(!filled(99).has_full_batch());
    assert!(filled(100).has_full_batch());
    let mut queue = filled(1);
    queue.push(large_attempt(2, 250_000)).expect("there is room");
    queue.push(large_attempt(3, 250_000)).expect("there is room");
    assert!(queue.has_full_batch());
}

#[test]
fn the_json_of_a_batch_is_not_much_longer_than_estimated() {
    let mut queue = queue();
    for id in 0..1000 {
        let steps = (0..20)
            .map(|step| Step { name: format!("step {step}"), at_us: u64::MAX, duration_us: None, error: None })
            .collect();
        queue.push(Attempt { steps, ..attempt(id) }).expect("there is room");
    }
    while let Some(batch) = queue.take(NOW) {
        let json = encode(&sdk(), &instance(), Some("shop"), &batch, NOW).expect("JSON");
        assert!(json.len() <= 300 * 1024, "{}", json.len());
    }
}

#[test]
fn a_batch_that_comes_back_keeps_its_place() {
    let mut queue = filled(250);
    let (first, second) = (queue.take(NOW).expect("a batch"), queue.take(NOW).expect("a batch"));
    queue.restore(second);
    queue.restore(first);
    let order: Vec<u128> = std::iter::from_fn(|| queue.take(NOW)).flat_map(|batch| ids(&batch)).collect();
    assert_eq!(order, (0..250).collect::<Vec<_>>());
    balance(&queue);
}

#[test]
fn a_batch_is_halved_down_to_single_attempts() {
    let mut queue = filled(3);
    queue.lost(DropReason::InternalError, 1);
    let (older, newer) = queue.take(NOW).expect("a batch").halve().expect("two halves");
    assert_eq!((ids(&older), ids(&newer)), (vec![0], vec![1, 2]));
    // A loss is told once.
    assert!(older.dropped().is_some() && newer.dropped().is_none());
    let older = older.halve().expect_err("one attempt has no halves");
    queue.give_up(older, DropReason::TooLarge);
    queue.restore(newer);
    assert_eq!(ids(&queue.take(NOW).expect("a batch")), [1, 2]);
    balance(&queue);
}

#[test]
fn losses_are_told_until_a_batch_is_accepted_and_each_report_stays_as_it_was() {
    let mut queue = filled(2);
    queue.lost(DropReason::Network, 1);
    let batch = queue.take(NOW).expect("a batch");
    assert_eq!((batch.dropped(), batch.sent_at()), (Some(&dropped(DropReason::Network, 1)), NOW));
    queue.lost(DropReason::Network, 1);
    queue.restore(batch);
    // The collector may have heard the first report, and knows it again by its time.
    let later = NOW + Duration::from_secs(5);
    let batch = queue.take(later).expect("a batch");
    assert_eq!((batch.dropped(), batch.sent_at()), (Some(&dropped(DropReason::Network, 1)), NOW));
    queue.give_up(batch, DropReason::Network);
    for id in 7..10 {
        queue.push(attempt(id)).expect("there is room");
    }
    let batch = queue.take(later).expect("a batch");
    assert_eq!((batch.dropped(), batch.sent_at()), (Some(&dropped(DropReason::Network, 1)), NOW));
    queue.acknowledge(batch, &accepted(3));
    queue.push(attempt(11)).expect("there is room");
    // A clock that went back makes no second report under the time of the first.
    let batch = queue.take(NOW).expect("a batch");
    assert_eq!(batch.dropped(), Some(&dropped(DropReason::Network, 3)));
    assert!(batch.sent_at() > NOW);
    queue.acknowledge(batch, &accepted(1));
    queue.push(attempt(12)).expect("there is room");
    assert!(queue.take(NOW).expect("a batch").dropped().is_none());
    balance(&queue);
}

#[test]
fn what_a_collector_rejects_is_dropped_and_what_it_had_is_stored() {
    let mut queue = filled(4);
    let batch = queue.take(NOW).expect("a batch");
    let rejected = vec![RejectedAttempt { index: 1, code: "invalid_attempt".to_owned() }];
    queue.acknowledge(batch, &Ack { accepted: 2, duplicates: 1, rejected });
    let counts = queue.counts();
    assert_eq!((counts.stored, counts.dropped), (3, dropped(DropReason::RejectedByServer, 1)));
    assert!(queue.is_empty());
    balance(&queue);
}

#[test]
fn what_waits_at_the_end_is_given_up_and_counted() {
    let mut queue = filled(150);
    let batch = queue.take(NOW).expect("a batch");
    queue.give_up_waiting(DropReason::ShutdownTimeout);
    assert!(!queue.is_empty());
    queue.give_up(batch, DropReason::Network);
    assert!(queue.is_empty());
    let expected = BTreeMap::from([(DropReason::Network, 100), (DropReason::ShutdownTimeout, 50)]);
    assert_eq!(queue.counts().dropped, expected);
    balance(&queue);
}

#[test]
fn batches_that_are_lost_with_their_taker_are_counted_too() {
    let mut queue = filled(150);
    drop(queue.take(NOW).expect("a batch"));
    queue.give_up_all(DropReason::InternalError);
    assert!(queue.is_empty());
    assert_eq!(queue.counts().dropped, dropped(DropReason::InternalError, 150));
    balance(&queue);
}

#[test]
fn each_attempt_is_screened_once_and_the_refused_ones_are_counted() {
    let mut queue = filled(4);
    let mut shown = Vec::new();
    let mut screen = |batch: &mut InFlight| {
        batch.screen(|attempt| {
            shown.push(attempt.id.as_u128());
            attempt.id.as_u128() % 2 == 0
        })
    };
    let mut batch = queue.take(NOW).expect("a batch");
    let refused = screen(&mut batch);
    queue.give_up(refused, DropReason::BeforeSend);
    queue.restore(batch);
    let mut again = queue.take(NOW).expect("a batch");
    let refused = screen(&mut again);
    assert_eq!((refused.attempt_count(), ids(&again), shown), (0, vec![0, 2], vec![0, 1, 2, 3]));
    assert_eq!(queue.counts().dropped, dropped(DropReason::BeforeSend, 2));
    queue.give_up(refused, DropReason::BeforeSend);
    queue.acknowledge(again, &accepted(2));
    assert!(queue.is_empty());
    balance(&queue);
}

#[derive(Clone, Debug)]
enum Operation {
    Push(usize),
    Lost,
    Take,
    Acknowledge { rejected: usize },
    Restore,
    Halve,
    GiveUp,
    GiveUpWaiting,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => (0..4000_usize).prop_map(Operation::Push),
        1 => Just(Operation::Lost),
        4 => Just(Operation::Take),
        2 => (0..3_usize).prop_map(|rejected| Operation::Acknowledge { rejected }),
        3 => Just(Operation::Restore),
        2 => Just(Operation::Halve),
        1 => Just(Operation::GiveUp),
        1 => Just(Operation::GiveUpWaiting),
    ]
}

proptest! {
    #[test]
    fn every_attempt_is_accounted_for_and_kept_in_order(
        operations in prop::collection::vec(operation(), 1..200),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let mut queue =
            AttemptQueue::new(QueueLimits { attempts: 30, bytes: 64 * 1024, batch_attempts: 7, batch_bytes: 8 * 1024 });
        let mut flying: Vec<InFlight> = Vec::new();
        let mut next = 0;
        for (operation, pick) in operations.into_iter().zip(picks) {
            let mut picked = || (!flying.is_empty()).then(|| flying.swap_remove(pick.index(flying.len())));
            match operation {
                Operation::Push(bytes) => {
                    next += 1;
                    let _ = queue.push(large_attempt(next, bytes));
                }
                Operation::Lost => queue.lost(DropReason::InternalError, 1),
                Operation::Take => flying.extend(queue.take(NOW)),
                Operation::Acknowledge { rejected } => {
                    let Some(batch) = picked() else { continue };
                    let rejected = rejected.min(batch.attempt_count());
                    let list = (0..rejected as u64).map(|index| RejectedAttempt { index, code: String::new() }).collect();
                    let accepted = (batch.attempt_count() - rejected) as u64;
                    queue.acknowledge(batch, &Ack { accepted, duplicates: 0, rejected: list });
                }
                Operation::Restore => if let Some(batch) = picked() { queue.restore(batch) },
                Operation::Halve => match picked().map(InFlight::halve) {
                    Some(Ok((older, newer))) => flying.extend([older, newer]),
                    Some(Err(whole)) => flying.push(whole),
                    None => {}
                },
                Operation::GiveUp => if let Some(batch) = picked() { queue.give_up(batch, DropReason::Network) },
                Operation::GiveUpWaiting => queue.give_up_waiting(DropReason::ShutdownTimeout),
            }
            balance(&queue);
            let counts = queue.counts();
            let in_flight: usize = flying.iter().map(InFlight::attempt_count).sum();
            prop_assert_eq!(counts.in_flight, in_flight as u64);
            prop_assert!(counts.queued + counts.in_flight <= 30);
            prop_assert!(flying.iter().all(|batch| (1..=7).contains(&batch.attempt_count())));
            prop_assert!(flying.iter().all(|batch| ids(batch).is_sorted()));
        }
        // With everything back, all that is left is in the order of recording.
        for batch in flying {
            queue.restore(batch);
        }
        let order: Vec<u128> = std::iter::from_fn(|| queue.take(NOW)).flat_map(|batch| ids(&batch)).collect();
        prop_assert!(order.is_sorted());
        balance(&queue);
    }
}

// Retrying

#[test]
fn waits_double_up_to_their_ceiling() {
    let mut backoff = Backoff::default();
    let waits: Vec<_> = (0..9).map(|_| backoff.next(1.0, None).as_millis()).collect();
    assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    backoff.reset();
    assert_eq!(backoff.next(1.0, None).as_millis(), 500);
}

#[test]
fn waits_are_spread_over_their_whole_range() {
    let wait = |random| Backoff::default().next(random, None);
    assert_eq!(wait(0.0), Duration::ZERO);
    assert_eq!(wait(0.25), Duration::from_millis(125));
    for nonsense in [f64::NAN, f64::INFINITY, 7.0] {
        assert_eq!(wait(nonsense), Duration::from_millis(500));
    }
    assert_eq!(wait(-1.0), Duration::ZERO);
}

#[test]
fn a_collector_that_is_down_for_long_overflows_nothing() {
    let mut backoff = Backoff::default();
    for _ in 0..1000 {
        assert!(backoff.next(1.0, None) <= Duration::from_secs(30));
    }
}

#[test]
fn a_wait_is_at_least_what_the_collector_asks_for() {
    let asked = Some(Duration::from_secs(9));
    assert_eq!(Backoff::default().next(0.9, asked), Duration::from_secs(9));
    let mut backoff = Backoff::default();
    for _ in 0..8 {
        let _ = backoff.next(0.0, None);
    }
    assert_eq!(backoff.next(0.5, asked), Duration::from_secs(15));
}

#[test]
fn retry_after_is_read_in_both_forms_and_capped() {
    let now = Timestamp::from_unix_seconds(784_111_777);
    for (value, seconds) in [
        ("0", Some(0)),
        (" 120 ", Some(120)),
        ("86400", Some(MAX_RETRY_AFTER.as_secs())),
        ("99999999999999999999999999", Some(MAX_RETRY_AFTER.as_secs())),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("Sat, 06 Nov 2094 08:00:00 GMT", Some(MAX_RETRY_AFTER.as_secs())),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("soon", None),
        ("१", None),
    ] {
        assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value:?}");
    }
}

#[test]
fn every_status_has_its_verdict() {
    let table: [(&[u16], Verdict); 5] = [
        (&[202], Verdict::Accepted),
        (&[0, 100, 200, 201, 204, 301, 302, 304, 307, 408, 425, 429, 500, 502, 503, 504, 599, 999], Verdict::Retry),
        (&[413], Verdict::Split),
        (&[401, 403], Verdict::Unauthorized),
        (&[400, 404, 405, 410, 415, 422, 499], Verdict::Refused),
    ];
    for (statuses, verdict) in table {
        for status in statuses {
            assert_eq!(classify(*status), verdict, "{status}");
        }
    }
}

// The wire

fn sdk() -> SdkInfo {
    SdkInfo {
        name: "surehook".to_owned(),
        version: "0.1.0".to_owned(),
        language: "rust".to_owned(),
        framework: Some("axum".to_owned()),
        runtime: None,
    }
}

fn instance() -> Instance {
    Instance { id: Uuid::from_u128(7), host: None, pid: 42 }
}

#[test]
fn a_batch_is_encoded_as_its_type_says() {
    let mut queue = filled(2);
    queue.lost(DropReason::QueueFull, 1);
    let sent_at = Timestamp::from_unix_micros(1_700_000_000_123_456);
    let batch = queue.take(sent_at).expect("a batch");
    let posted_at = Timestamp::from_unix_micros(1_700_000_009_000_000);
    let bytes = encode(&sdk(), &instance(), Some("shop"), &batch, posted_at).expect("JSON");
    let read: Batch = serde_json::from_slice(&bytes).expect("a batch");
    let again = encode(&sdk(), &instance(), Some("shop"), &batch, posted_at + Duration::from_secs(1)).expect("JSON");
    let again: Batch = serde_json::from_slice(&again).expect("a batch");
    assert!(read.report_id.is_some() && read.report_id == again.report_id, "a report that is told again has its id");
    let expected = Batch {
        posted_at: Some(posted_at),
        report_id: read.report_id,
        refused: vec![],
        schema: 1,
        sdk: sdk(),
        instance: instance(),
        service: Some("shop".to_owned()),
        sent_at,
        dropped: dropped(DropReason::QueueFull, 1),
        attempts: vec![attempt(0), attempt(1)],
    };
    assert_eq!(serde_json::from_slice::<Batch>(&bytes).expect("a batch"), expected);
    assert_eq!(bytes, serde_json::to_vec(&expected).expect("JSON"));
    queue.restore(batch);
}

#[test]
fn only_an_answer_that_accounts_for_every_attempt_is_a_yes() {
    let answers: [(&[u8], Option<u64>); 14] = [
        (br#"{"accepted":3,"duplicates":0,"rejected":[]}"#, Some(3)),
        (br#"{"accepted":1,"duplicates":2,"rejected":[],"new_member":1}"#, Some(1)),
        (br#"{"accepted":2,"duplicates":0,"rejected":[{"index":2,"code":"invalid_attempt"}]}"#, Some(2)),
        (br#"{"accepted":2,"duplicates":0,"rejected":[]}"#, None),
        (br#"{"accepted":4,"duplicates":0,"rejected":[]}"#, None),
        (br#"{"accepted":18446744073709551615,"duplicates":4,"rejected":[]}"#, None),
        (br#"{"accepted":-1,"duplicates":4,"rejected":[]}"#, None),
        (br#"{"accepted":2,"duplicates":0,"rejected":[{"index":3,"code":"invalid_attempt"}]}"#, None),
        (br#"{"accepted":1,"duplicates":0,"rejected":[{"index":0,"code":"a"},{"index":0,"code":"a"}]}"#, None),
        (br#"{"accepted":3}"#, None),
        (br#"{"accepted":3,"duplicates":0,"rej"#, None),
        (b"<html>Sign in to the Wi-Fi</html>", None),
        (b"[]", None),
        (b"", None),
    ];
    for (body, accepted) in answers {
        let text = String::from_utf8_lossy(body);
        match read_answer(202, body, 3) {
            Answer::Stored(ack) => assert_eq!(Some(ack.accepted), accepted, "{text}"),
            answer => assert_eq!((answer, accepted), (Answer::Retry, None), "{text}"),
        }
        assert_eq!(read_answer(200, body, 3), Answer::Retry, "{text}");
    }
}

#[test]
fn an_attempt_that_the_application_changed_has_names_that_exist() {
    let written = serde_json::to_value(attempt(1)).unwrap();
    assert_eq!(Attempt::read_own(&written).unwrap(), attempt(1));
    let mut rejected = written.clone();
    rejected["verification"] = serde_json::json!({ "result": "rejected", "code": "signature_mismatch", "diagnosis":
        { "finding": "secret_not_decoded", "certainty": "proved", "evidence": "", "fix": "" } });
    for at in [
        "outcome",
        "verification.result",
        "verification.code",
        "verification.diagnosis.finding",
        "verification.diagnosis.certainty",
        "dedup.result",
    ] {
        let mut changed = rejected.clone();
        *changed.pointer_mut(&format!("/{}", at.replace('.', "/"))).unwrap() = "splendid".into();
        assert!(serde_json::from_value::<Attempt>(changed.clone()).is_ok(), "{at}: one of a later version is read");
        assert_eq!(Attempt::read_own(&changed).unwrap_err().to_string(), format!("unknown name in {at}"));
        *changed.pointer_mut(&format!("/{}", at.replace('.', "/"))).unwrap() = "other".into();
        assert!(Attempt::read_own(&changed).is_ok(), "{at}: a record in the spool of a later version");
    }
}

#[test]
fn other_answers_are_read_by_their_status_alone() {
    let body = br#"{"accepted":3,"duplicates":0,"rejected":[]}"#;
    assert_eq!(read_answer(413, body, 3), Answer::Split);
    assert_eq!(read_answer(401, body, 3), Answer::Unauthorized);
    assert_eq!(read_answer(422, body, 3), Answer::Refused);
    assert_eq!(read_answer(503, body, 3), Answer::Retry);
}
