//! A dedup store in the application's own database, inside of its own transaction.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic, and its modules are its own")]

mod chaos;
mod host;
#[cfg(unix)]
mod postgres;
mod refusals;
#[cfg(unix)]
#[path = "../stores/servers.rs"]
#[allow(dead_code, reason = "only one of the servers is needed")]
mod servers;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Barrier;
use std::time::{Duration, Instant};

use host::{App, RAISED, answer, finish, run, work};
use support::collector::{Collector, Play};
use support::{Message, answered, handled, ok, status};
use surehook::core::Outcome;
use surehook::core::dedup::Entry;
use surehook::core::telemetry::attempt::{Attempt, DedupResult};
use surehook::{
    Answer, AnswerKind, Asked, AttributeValue, Begun, Body, Client, Decision, EndpointOptions, Hooks, OnIdReuse,
    OnSilentDrop, Question, Request, Verification,
};

const LEASE: Duration = Duration::from_secs(30);

fn message() -> Message {
    Message::user_created("msg_1")
}

/// The kind, the status, and whether the sender is told when to come again.
fn told(answer: &Answer) -> (AnswerKind, u16, bool) {
    (answer.kind, answer.status, answer.headers.iter().any(|(name, _)| name == "retry-after"))
}

const BUSY: (AnswerKind, u16, bool) = (AnswerKind::Busy, 409, true);
const UNAVAILABLE: (AnswerKind, u16, bool) = (AnswerKind::Unavailable, 503, true);

/// An application whose records are looked at in the end.
struct Watched {
    app: App,
    client: Client,
    collector: Collector,
}

impl Watched {
    fn new(change: impl FnOnce(&mut EndpointOptions)) -> Self {
        let collector = Collector::start([], Play::Accept);
        let client = collector.client();
        let app = App::new(|options| {
            options.client = Some(client.clone());
            change(options);
        });
        Self { app, client, collector }
    }

    /// What was recorded of each attempt, sorted, for they all came at the same time.
    fn records(&self) -> Vec<Recorded> {
        assert!(self.client.flush(Duration::from_secs(20)), "{:?}", self.client.stats());
        let seen = self.collector.seen();
        assert!(seen.stored.values().all(|attempt| attempt.dedup.store.as_deref() == Some("rusqlite")));
        let mut records: Vec<_> = seen.stored.values().map(recorded).collect();
        records.sort();
        records
    }
}

/// The outcome, what de-duplication found, the status and the type of the error.
type Recorded = (Outcome, String, Option<u16>, String);

fn recorded(attempt: &Attempt) -> Recorded {
    let error = attempt.failure.as_ref().and_then(|failure| failure.error.as_ref());
    let error = error.map_or(String::new(), |error| error.kind.clone());
    (attempt.outcome, format!("{:?}", attempt.dedup.result), attempt.status, error)
}

fn record(outcome: Outcome, dedup: DedupResult, status: Option<u16>, error: &str) -> Recorded {
    (outcome, format!("{dedup:?}"), status, error.to_owned())
}

#[test]
fn the_work_and_the_answer_are_committed_together_and_a_duplicate_gets_the_same_bytes() {
    let watched = Watched::new(|_| {});
    let app = &watched.app;
    let db = app.connect();
    let delivery = handled(app.begin(&db, &message()));
    work(&db);
    let settled = answer(&db, finish(&delivery, ok(b"\xff created")));
    assert!(settled.commit() && settled.replacement().is_none());
    assert!(matches!(app.entry(), Some(Entry::Running { .. })), "nobody else sees it before it is committed");
    db.execute_batch("COMMIT").unwrap();
    settled.committed();
    assert!(matches!(app.entry(), Some(Entry::Done { .. })));

    let replay = app.serve(&message(), status(200)).unwrap_err();
    assert_eq!((replay.kind, replay.status, &replay.body[..]), (AnswerKind::Replay, 200, &b"\xff created"[..]));
    assert!(replay.headers.contains(&("content-type".to_owned(), "text/plain".to_owned())));
    assert_eq!(app.work(), 1);
    let first = record(Outcome::Processed, DedupResult::New, Some(200), "");
    assert_eq!(watched.records(), [first, record(Outcome::Duplicate, DedupResult::Duplicate, Some(200), "")]);
}

#[test]
fn a_handled_message_is_forgotten_after_its_time() {
    let app = App::new(|options| options.dedup_ttl = Some(Duration::from_secs(600)));
    assert_eq!(app.serve(&message(), ok(b"1")), Ok(200));
    app.clock.advance(Duration::from_secs(600));
    let again = Message { sent_at: message().sent_at + 600, ..message() };
    assert_eq!(app.serve(&again, ok(b"2")), Ok(200));
    assert_eq!(app.work(), 2);
}

#[test]
fn while_a_handler_runs_its_duplicates_are_told_to_come_later() {
    let app = App::new(|_| {});
    let db = app.connect();
    let delivery = handled(app.begin(&db, &message()));
    assert_eq!(told(&app.serve(&message(), ok(b"")).unwrap_err()), BUSY);
    work(&db);
    let settled = answer(&db, finish(&delivery, ok(b"")));
    db.execute_batch("COMMIT").unwrap();
    settled.committed();
    assert_eq!(app.work(), 1);
}

#[test]
fn a_stale_owner_is_fenced_and_its_work_rolled_back() {
    let watched = Watched::new(|_| {});
    let app = &watched.app;
    let stale = app.connect();
    let delivery = handled(app.begin(&stale, &message()));
    app.clock.advance(LEASE);
    assert_eq!(app.serve(&message(), ok(b"second")), Ok(200));

    work(&stale);
    let settled = answer(&stale, finish(&delivery, ok(b"first")));
    assert!(!settled.commit());
    assert_eq!(settled.replacement().map(told), Some(BUSY));
    stale.execute_batch("ROLLBACK").unwrap();
    answer(&stale, settled.rolled_back(None));

    assert_eq!(app.serve(&message(), ok(b"third")).unwrap_err().body, b"second");
    assert_eq!(app.work(), 1);
    let fenced = record(Outcome::Failed, DedupResult::Fenced, Some(409), "Fenced");
    assert!(watched.records().contains(&fenced), "{:?}", watched.records());
}

#[test]
fn a_stale_owner_is_fenced_while_the_next_one_runs() {
    let app = App::new(|_| {});
    let (stale, db) = (app.connect(), app.connect());
    let first = handled(app.begin(&stale, &message()));
    app.clock.advance(LEASE);
    let second = handled(app.begin(&db, &message()));
    let settled = answer(&stale, finish(&first, ok(b"first")));
    assert_eq!((settled.commit(), settled.replacement().map(told)), (false, Some(BUSY)));
    assert!(matches!(settled.rolled_back(None), Asked::Done(())), "the claim is not its own to give back");
    work(&db);
    let settled = answer(&db, finish(&second, ok(b"second")));
    db.execute_batch("COMMIT").unwrap();
    settled.committed();
    assert_eq!(app.serve(&message(), ok(b"third")).unwrap_err().body, b"second");
    assert_eq!(app.work(), 1);
}

#[test]
fn a_stale_owner_that_failed_is_fenced_too() {
    let app = App::new(|_| {});
    let stale = app.connect();
    let delivery = handled(app.begin(&stale, &message()));
    app.clock.advance(LEASE);
    assert_eq!(app.serve(&message(), ok(b"second")), Ok(200));
    delivery.failed("half of it");
    let settled = answer(&stale, finish(&delivery, ok(b"first")));
    assert_eq!((settled.commit(), settled.replacement().map(told)), (false, Some(BUSY)));
}

#[test]
fn a_lapsed_lease_that_nobody_took_is_still_its_owners() {
    let app = App::new(|_| {});
    let db = app.connect();
    let delivery = handled(app.begin(&db, &message()));
    app.clock.advance(LEASE * 10);
    work(&db);
    assert!(answer(&db, finish(&delivery, ok(b"late"))).commit());
}

#[test]
fn work_that_ends_after_15_minutes_is_rolled_back_for_its_record_says_that_it_failed() {
    let watched = Watched::new(|_| {});
    let app = &watched.app;
    let db = app.connect();
    let delivery = handled(app.begin(&db, &message()));
    work(&db);
    app.clock.advance(Duration::from_secs(15 * 60));
    let end = Instant::now() + Duration::from_secs(20);
    while watched.client.stats().recorded == 0 {
        assert!(Instant::now() < end, "nothing was recorded");
        std::thread::yield_now();
    }
    let settled = answer(&db, finish(&delivery, ok(b"late")));
    assert_eq!((settled.commit(), settled.replacement().map(told)), (false, Some(UNAVAILABLE)));
    db.execute_batch("ROLLBACK").unwrap();
    answer(&db, settled.rolled_back(None));
    assert_eq!(watched.records(), [record(Outcome::Failed, DedupResult::New, None, "NeverAnswered")]);
    let again = Message { sent_at: message().sent_at + 900, ..message() };
    assert_eq!(app.serve(&again, ok(b"")), Ok(200));
    assert_eq!(app.work(), 1);
}

#[test]
fn when_a_process_dies_the_next_attempt_after_the_lease_handles_the_message() {
    let app = App::new(|_| {});
    let db = app.connect();
    let delivery = handled(app.begin(&db, &message()));
    work(&db);
    let asked = finish(&delivery, ok(b"lost"));
    // Neither a drop nor a rollback is told to anybody.
    drop(db);
    std::mem::forget((delivery, asked));
    assert_eq!(app.work(), 0);
    assert_eq!(told(&app.serve(&message(), ok(b"early")).unwrap_err()), BUSY);
    app.clock.advance(LEASE);
    assert_eq!(app.serve(&message(), ok(b"kept")), Ok(200));
    assert_eq!(app.work(), 1);
}

#[test]
fn the_work_of_an_answer_that_makes_the_provider_try_again_is_rolled_back() {
    let app = App::new(|_| {});
    for code in [302, 404, 500, 503] {
        assert_eq!(app.serve(&message(), status(code)), Ok(code));
        assert_eq!((app.work(), app.entry()), (0, None), "{code}");
    }
    assert_eq!(app.serve(&message(), ok(b"")), Ok(200));
    assert_eq!(app.work(), 1);
}

#[test]
fn a_silent_drop_is_rolled_back_where_the_provider_is_to_try_again() {
    let retried = App::new(|options| {
        options.require_processing_mark = true;
        options.on_silent_drop = OnSilentDrop::Retry;
    });
    let answer = retried.serve(&message(), ok(b"")).unwrap_err();
    assert_eq!((answer.kind, answer.status), (AnswerKind::SilentDrop, 500));
    assert_eq!((retried.work(), retried.entry()), (0, None));
}

#[test]
fn a_success_that_is_not_stored_is_committed_for_the_provider_will_not_come_again() {
    let watched = Watched::new(|options| options.require_processing_mark = true);
    let app = &watched.app;
    assert_eq!(app.serve(&message(), ok(b"")), Ok(200));
    assert_eq!((app.work(), app.entry()), (1, None));

    let db = app.connect();
    let delivery = handled(app.begin(&db, &message()));
    work(&db);
    delivery.failed("no such organization");
    let settled = answer(&db, finish(&delivery, ok(b"")));
    assert!(settled.commit() && settled.replacement().is_none());
    db.execute_batch("COMMIT").unwrap();
    settled.committed();
    assert_eq!((app.work(), app.entry()), (2, None));
    let dropped = record(Outcome::SilentDrop, DedupResult::New, Some(200), "");
    assert_eq!(watched.records(), [dropped, record(Outcome::Failed, DedupResult::New, Some(200), "")]);
}

#[test]
fn a_handler_that_raised_gives_the_message_back() {
    let watched = Watched::new(|_| {});
    let app = &watched.app;
    let db = app.connect();
    let delivery = handled(app.begin(&db, &message()));
    work(&db);
    db.execute_batch("ROLLBACK").unwrap();
    answer(&db, delivery.fail_without_waiting(RAISED));
    assert_eq!((app.work(), app.entry()), (0, None));
    assert!(matches!(delivery.fail_without_waiting(RAISED), Asked::Done(())), "what comes after the end is ignored");
    assert_eq!(watched.records(), [record(Outcome::Failed, DedupResult::New, None, "ValueError")]);
}

#[test]
fn a_commit_that_fails_is_recorded_and_gives_the_message_back() {
    let watched = Watched::new(|_| {});
    let app = &watched.app;
    let db = app.connect();
    // What no statement finds, but the commit does.
    db.execute_batch(
        "PRAGMA foreign_keys = ON;
         CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE parent (id INTEGER PRIMARY KEY);",
    )
    .unwrap();
    let delivery = handled(app.begin(&db, &message()));
    work(&db);
    db.execute_batch("INSERT INTO child VALUES (7)").unwrap();
    let settled = answer(&db, finish(&delivery, ok(b"")));
    assert!(settled.commit());
    let error = db.execute_batch("COMMIT").unwrap_err().to_string();
    db.execute_batch("ROLLBACK").unwrap();
    answer(&db, settled.rolled_back(Some(&error)));
    assert_eq!((app.work(), app.entry()), (0, None));
    assert_eq!(watched.records(), [record(Outcome::Failed, DedupResult::New, None, "NotCommitted")]);
    let message_of = |attempt: &Attempt| attempt.failure.clone().unwrap().error.unwrap().message;
    let told: Vec<_> = watched.collector.seen().stored.values().map(message_of).collect();
    assert_eq!(told, ["the transaction was not committed: FOREIGN KEY constraint failed"]);
    assert_eq!(app.serve(&message(), ok(b"")), Ok(200));
}

#[test]
fn work_that_was_deferred_in_a_transaction_that_did_not_commit_failed() {
    let watched = Watched::new(|options| options.traced = true);
    let db = watched.app.connect();
    let delivery = handled(watched.app.begin(&db, &message()));
    work(&db);
    delivery.defer(Duration::from_secs(60)).unwrap();
    let settled = answer(&db, finish(&delivery, ok(b"")));
    assert!(delivery.attributes().is_empty(), "nobody knows yet");
    db.execute_batch("ROLLBACK").unwrap();
    answer(&db, settled.rolled_back(Some("the disk is full")));
    assert_eq!(watched.records(), [record(Outcome::Failed, DedupResult::New, None, "NotCommitted")]);
    assert!(watched.collector.seen().stored.values().all(|attempt| attempt.deferred_until.is_none()));
    let text = |value: &str| AttributeValue::Text(value.to_owned());
    assert_eq!(delivery.attributes(), [("surehook.outcome", text("failed")), ("error.type", text("NotCommitted"))]);
}

#[test]
fn a_commit_whose_reply_was_lost_is_replayed() {
    let app = App::new(|_| {});
    let db = app.connect();
    let delivery = handled(app.begin(&db, &message()));
    work(&db);
    let settled = answer(&db, finish(&delivery, ok(b"kept")));
    db.execute_batch("COMMIT").unwrap();
    answer(&db, settled.rolled_back(Some("connection lost")));
    assert_eq!(app.serve(&message(), ok(b"again")).unwrap_err().body, b"kept");
    assert_eq!(app.work(), 1);
}

#[test]
fn of_100_concurrent_duplicates_the_work_of_one_stands() {
    let app = App::new(|_| {});
    let start = Barrier::new(100);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let serve = || {
            start.wait();
            app.serve(&message(), ok(b"once"))
        };
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(serve)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(app.work(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for answer in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(told(answer) == BUSY || (answer.kind == AnswerKind::Replay && answer.body == b"once"), "{answer:?}");
    }
}

#[test]
fn of_two_that_find_nothing_one_gets_the_message() {
    let app = App::new(|_| {});
    let db = app.connect();
    let load = |question| match run(&db, question) {
        Asked::Again(question) => question,
        Asked::Done(_) => panic!("it has to be replaced"),
    };
    let (first, second) = (load(app.ask(&message())), load(app.ask(&message())));
    let _running = handled(answer(&db, Asked::Again(first)));
    assert_eq!(told(&answered(answer(&db, Asked::Again(second)))), BUSY);
}

#[test]
fn forged_requests_ask_nothing() {
    let app = App::new(|_| {});
    let begun = message().with_request(|request| {
        app.endpoint.begin_without_waiting(Request { body: Body::Bytes(b"{}"), ..request }, Hooks::default())
    });
    let Begun::Now(decision) = begun else { panic!("nobody signed it") };
    assert_eq!(answered(decision).status, 401);
}

#[test]
fn a_reused_id_that_is_handled_is_committed_and_not_stored() {
    let app = App::new(|options| options.on_id_reuse = Some(OnIdReuse::Handle));
    assert_eq!(app.serve(&message(), ok(b"first")), Ok(200));
    assert_eq!(app.serve(&Message::new("msg_1", "{}"), ok(b"other")), Ok(200));
    assert_eq!(app.work(), 2);
    assert_eq!(app.serve(&message(), ok(b"")).unwrap_err().body, b"first");
}

#[test]
fn without_verification_the_transaction_is_spoken_of_all_the_same() {
    let app = App::new(|options| options.verification = Verification::Off);
    for (code, commit) in [(200, true), (500, false)] {
        let delivery = handled(message().begin(&app.endpoint));
        let Asked::Done(settled) = finish(&delivery, status(code)) else { panic!("there is nothing to ask") };
        assert_eq!(settled.commit(), commit);
    }
}

/// Bindings hand them from thread to thread.
#[test]
fn questions_can_be_answered_on_any_thread() {
    fn sendable<T: Send>() {}
    sendable::<Question<Decision>>();
    sendable::<Question<surehook::Settled>>();
    sendable::<surehook::Settled>();
}
