//! Which refused requests are told in full, and that every other one is counted.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::time::Duration;

use surehook_core::diagnose::Finding;
use surehook_core::telemetry::attempt::{
    Attempt, Dedup, DedupResult, DropReason, RequestInfo, Verification, VerificationResult,
};
use surehook_core::telemetry::queue::{AttemptQueue, QueueLimits};
use surehook_core::telemetry::refusals::{AT_ONCE, Kind, Log, PROVED, Refusals, SAMPLED, Shape, Tally, Verdict};
use surehook_core::telemetry::wire::Ack;
use surehook_core::{Outcome, ReasonCode, Timestamp};
use uuid::Uuid;

const START: Timestamp = Timestamp::from_unix_seconds(1_700_000_040);

fn kind(endpoint: &str, finding: Option<Finding>) -> Kind {
    Kind {
        endpoint: endpoint.to_owned(),
        provider: "clerk".to_owned(),
        code: ReasonCode::SignatureMismatch,
        finding,
        shape: Shape::Named,
    }
}

fn attempt(number: u64, result: VerificationResult) -> Attempt {
    Attempt {
        id: Uuid::from_u128(u128::from(number)),
        continues: None,
        sender_left: false,
        endpoint: "clerk".into(),
        provider: "clerk".into(),
        message_id: None,
        event_type: None,
        entity_id: None,
        received_at: START,
        provider_timestamp: None,
        duration_us: 1,
        status: Some(401),
        outcome: Outcome::Rejected,
        verification: Verification { result, code: None, diagnosis: None },
        dedup: Dedup { result: DedupResult::Off, store: None, key: None },
        deferred_until: None,
        steps: vec![],
        missing_steps: vec![],
        failure: None,
        request: RequestInfo::default(),
        response: None,
        bodies: None,
        metadata: serde_json::Map::new(),
    }
}

fn refused(number: u64) -> Attempt {
    attempt(number, VerificationResult::Rejected)
}

/// Numbers in no order, the same each time (SplitMix64).
fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[test]
fn sixty_proved_ones_and_ten_of_the_rest_are_told_and_all_others_counted() {
    let (mut refusals, mut random) = (Refusals::default(), random(1));
    let mut told = 0;
    for number in 0..1_000 {
        let proved = number % 2 == 0;
        let kind = kind("a", proved.then_some(Finding::BodyReserialized));
        match refusals.add(kind, proved, START, random(), || refused(number)) {
            Verdict::Told(_) => told += 1,
            Verdict::Kept => {}
        }
    }
    let at_once = u64::from(PROVED) + AT_ONCE as u64;
    assert_eq!((told, refusals.held()), (at_once, 1_000 - at_once));
    assert!(refusals.draw(START, false).sample.is_empty(), "the minute has not ended");
    let drawn = refusals.draw(START + Duration::from_secs(60), false);
    assert_eq!(drawn.sample.len(), SAMPLED - AT_ONCE);
    assert_eq!(drawn.counted.values().sum::<u64>(), 1_000 - u64::from(PROVED) - SAMPLED as u64);
    assert_eq!(drawn.counted.len(), 2, "by kind");
    assert_eq!(refusals.held(), 0);
}

#[test]
fn nothing_is_made_of_a_request_that_is_only_counted() {
    let (mut refusals, mut random) = (Refusals::default(), random(2));
    let mut made = 0;
    for number in 0..100_000 {
        refusals.add(kind("a", None), false, START, random(), || {
            made += 1;
            refused(number)
        });
    }
    // 5 at once, 5 + 5 ln(20 000) for the sample, nearly.
    assert!((30..150).contains(&made), "{made}");
}

#[test]
fn each_of_a_minute_has_the_same_chance_to_be_told() {
    let mut random = random(3);
    let mut times = [0_u32; 45];
    for minute in 0..8_000 {
        let now = START + Duration::from_secs(60 * minute);
        let mut refusals = Refusals::default();
        for number in 0..45 {
            refusals.add(kind("a", None), false, now, random(), || refused(number));
        }
        for told in refusals.draw(now, true).sample {
            times[told.id.as_u128() as usize] += 1;
        }
    }
    // 1 000 each but for those that were told at once, with a deviation of 30.
    assert!(times[AT_ONCE..].iter().all(|times| (850..1_150).contains(times)), "{times:?}");
}

#[test]
fn what_is_drawn_early_leaves_less_room_in_its_minute_and_endpoints_are_apart() {
    let (mut refusals, mut random) = (Refusals::default(), random(4));
    let mut add = |refusals: &mut Refusals, endpoint: &str, count: u64, now| {
        for number in 0..count {
            refusals.add(kind(endpoint, None), false, now, random(), || refused(number));
        }
    };
    add(&mut refusals, "a", 6, START);
    assert_eq!(refusals.draw(START, true).sample.len(), 1);
    add(&mut refusals, "a", 100, START);
    add(&mut refusals, "b", 100, START);
    let drawn = refusals.draw(START, true);
    assert_eq!(drawn.sample.len(), 4 + 5);
    assert_eq!(drawn.counted.values().copied().collect::<Vec<_>>(), [96, 90]);
    let next = START + Duration::from_secs(60);
    assert!(refusals.draw(next, false).sample.is_empty(), "nothing of the minute before is left");
    add(&mut refusals, "a", 100, next);
    assert_eq!(refusals.draw(next, true).sample.len(), SAMPLED - AT_ONCE);
    add(&mut refusals, "a", 3, next);
    assert_eq!((refusals.give_up(), refusals.held()), (3, 0));
}

fn tally(count: u64) -> Tally {
    BTreeMap::from([(kind("a", None), count)])
}

fn assert_identity(queue: &AttemptQueue) {
    let counts = queue.counts();
    let known = counts.stored + counts.summarised + counts.dropped_total() + counts.queued + counts.in_flight;
    assert_eq!(counts.recorded, known, "{counts:?}");
}

#[test]
fn counted_ones_are_accounted_for_whatever_becomes_of_their_report() {
    let mut queue = AttemptQueue::new(QueueLimits::default());
    queue.refused(tally(100));
    assert_eq!(queue.counts().queued, 100);
    assert!(!queue.is_empty());
    let batch = queue.take(START).unwrap();
    assert_eq!((batch.attempt_count(), batch.refused()), (0, Some(&tally(100))));
    assert_eq!((queue.counts().queued, queue.counts().in_flight), (0, 100));
    assert!(queue.take(START).is_none() && !queue.is_empty());
    queue.restore(batch);
    assert_identity(&queue);

    // More are counted meanwhile: the report is told again as it was, so that a collector counts it once.
    queue.refused(tally(1));
    for number in 0..4 {
        queue.push(attempt(number, VerificationResult::Verified)).unwrap();
    }
    let batch = queue.take(START).unwrap();
    assert_eq!((batch.refused(), batch.reported_at()), (Some(&tally(100)), Some(START)));
    let (older, newer) = batch.halve().unwrap();
    assert_eq!((older.refused(), newer.refused()), (Some(&tally(100)), None));
    queue.acknowledge(older, &Ack { accepted: 2, ..Ack::default() });
    assert_eq!((queue.counts().stored, queue.counts().summarised), (2, 100));
    assert_identity(&queue);
    queue.give_up(newer, DropReason::Network);
    assert_identity(&queue);

    let batch = queue.take(START).unwrap();
    assert!(batch.reported_at() > Some(START));
    queue.give_up(batch, DropReason::RejectedByServer);
    assert_eq!(queue.counts().dropped[&DropReason::RejectedByServer], 1);
    assert_identity(&queue);

    queue.refused(tally(5));
    queue.give_up_refused(DropReason::ShutdownTimeout);
    queue.refused(tally(7));
    let lost = queue.take(START).unwrap();
    assert!(lost.refused().is_some() || lost.dropped().is_some());
    queue.refused(tally(2));
    queue.give_up_all(DropReason::InternalError);
    assert_identity(&queue);
    assert!(queue.is_empty());
    assert_eq!(queue.counts().dropped[&DropReason::InternalError], 9);
}

#[test]
fn a_share_of_the_queue_is_kept_for_attempts_that_were_not_refused() {
    let limits = QueueLimits { attempts: 100, ..QueueLimits::default() };
    let mut queue = AttemptQueue::new(limits);
    for number in 0..200 {
        let _ = queue.push(refused(number));
    }
    assert_eq!(queue.counts().queued, 75);
    for number in 200..225 {
        queue.push(attempt(number, VerificationResult::Verified)).unwrap();
    }
    assert_eq!(queue.push(attempt(300, VerificationResult::Verified)), Err(DropReason::QueueFull));
    assert_identity(&queue);
}

#[test]
fn the_log_says_some_and_sums_up_the_others() {
    let mut log = Log::default();
    let mut said = 0;
    for number in 0..1_000 {
        let proved = number % 2 == 0;
        let (is_said, summary) = log.hear(ReasonCode::SignatureMismatch, proved, START);
        said += u32::from(is_said);
        assert_eq!(summary, None);
    }
    assert_eq!(said, PROVED + SAMPLED as u32);
    let (is_said, summary) = log.hear(ReasonCode::MissingHeader, false, START + Duration::from_secs(60));
    assert!(is_said);
    assert_eq!(summary.unwrap(), "930 more requests were rejected within a minute: signature_mismatch 930");
}
