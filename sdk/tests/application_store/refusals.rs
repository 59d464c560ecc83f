//! What cannot be asked, read, answered or set: nothing is let through, nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use surehook::core::telemetry::attempt::DedupResult;
use surehook::core::{Outcome, Timestamp};
use surehook::{Asked, Clock, DedupStore, Endpoint, EndpointOptions, OnInFlight, OnStoreError, Operation};

use crate::host::{App, RAISED, answer, finish, work};
use crate::support::{self, Message, answered, handled, ok, status};
use crate::{UNAVAILABLE, Watched, message, record, told};

#[test]
fn an_entry_that_always_changes_is_given_up() {
    let app = App::new(|_| {});
    let mut asked = Asked::Again(app.ask(&message()));
    let mut replaces = 0;
    let decision = loop {
        asked = match asked {
            Asked::Done(decision) => break decision,
            Asked::Again(question) => match question.operation() {
                Operation::Load { .. } => question.loaded(None),
                Operation::Replace { .. } => {
                    replaces += 1;
                    question.replaced(false)
                }
            },
        };
    };
    assert_eq!((told(&answered(decision)), replaces), (UNAVAILABLE, 8));
}

#[test]
fn an_entry_that_cannot_be_read_never_counts_as_a_message_that_was_not_seen() {
    let app = App::new(|_| {});
    let whole = {
        let db = app.connect();
        handled(app.begin(&db, &message())).finish(ok(b""));
        app.entry().unwrap().to_bytes()
    };
    let newer = [&[whole[0] + 1], &whole[1..]].concat();
    for value in [&newer[..], &whole[..whole.len() - 1], b"", b"\x00", b"\x01\x07"] {
        app.connect().execute("UPDATE surehook_messages SET value = ?", [value]).unwrap();
        assert_eq!(told(&app.serve(&message(), ok(b"")).unwrap_err()), UNAVAILABLE);
        let kept = app.connect().query_row("SELECT value FROM surehook_messages", [], |row| row.get::<_, Vec<u8>>(0));
        assert_eq!((kept.unwrap(), app.work()), (value.to_vec(), 0));
    }
}

#[test]
fn a_database_that_cannot_be_asked_is_answered_for() {
    let watched = Watched::new(|_| {});
    let refused = answered(watched.app.ask(&message()).failed("no such table"));
    assert_eq!(told(&refused), UNAVAILABLE);
    assert_eq!(watched.records(), [record(Outcome::Unavailable, DedupResult::Unavailable, Some(503), "")]);
}

#[test]
fn a_database_that_cannot_be_asked_can_be_ignored() {
    let watched = Watched::new(|options| options.on_store_error = OnStoreError::Process);
    let app = &watched.app;
    let db = app.connect();
    let delivery = handled(app.ask(&message()).failed("no such table"));
    work(&db);
    let Asked::Done(settled) = finish(&delivery, ok(b"")) else { panic!("there is nothing to ask") };
    assert!(settled.commit());
    db.execute_batch("COMMIT").unwrap();
    settled.committed();
    assert_eq!(watched.records(), [record(Outcome::Processed, DedupResult::Unavailable, Some(200), "")]);

    let delivery = handled(app.ask(&message()).failed("no such table"));
    let Asked::Done(settled) = finish(&delivery, status(500)) else { panic!("there is nothing to ask") };
    assert!(!settled.commit(), "the provider comes again");
    assert!(matches!(settled.rolled_back(None), Asked::Done(())));
}

#[test]
fn work_whose_answer_cannot_be_stored_is_rolled_back() {
    let watched = Watched::new(|_| {});
    let app = &watched.app;
    let db = app.connect();
    let delivery = handled(app.begin(&db, &message()));
    work(&db);
    let Asked::Again(question) = finish(&delivery, ok(b"")) else { panic!("the answer is to be stored") };
    let settled = question.failed("current transaction is aborted");
    assert_eq!((settled.commit(), settled.replacement().map(told)), (false, Some(UNAVAILABLE)));
    db.execute_batch("ROLLBACK").unwrap();
    answer(&db, settled.rolled_back(None));
    assert_eq!((app.work(), app.entry()), (0, None));
    assert_eq!(watched.records(), [record(Outcome::Failed, DedupResult::Unavailable, Some(503), "StoreError")]);
}

#[test]
fn a_caller_that_cannot_be_asked_is_refused() {
    let app = App::new(|_| {});
    assert_eq!(told(&answered(message().begin(&app.endpoint))), UNAVAILABLE);
    let delivery = handled(app.begin(&app.connect(), &message()));
    assert_eq!(delivery.finish(ok(b"")).as_ref().map(told), Some(UNAVAILABLE));
}

#[test]
fn an_answer_that_does_not_fit_the_statement_is_a_store_error() {
    let app = App::new(|_| {});
    let Asked::Done(decision) = app.ask(&message()).replaced(true) else { panic!("it was to be loaded") };
    assert_eq!(told(&answered(decision)), UNAVAILABLE);
    let Asked::Again(question) = app.ask(&message()).loaded(None) else { panic!("it has to be inserted") };
    let Asked::Done(decision) = question.loaded(None) else { panic!("it was to be replaced") };
    assert_eq!(told(&answered(decision)), UNAVAILABLE);
}

#[test]
fn whatever_is_dropped_is_recorded_as_a_failure() {
    let watched = Watched::new(|_| {});
    let app = &watched.app;
    let db = app.connect();
    let begun = || {
        db.execute("DELETE FROM surehook_messages", []).unwrap();
        handled(app.begin(&db, &message()))
    };
    drop(app.ask(&message()));
    drop(begun());
    drop(begun().fail_without_waiting(RAISED));
    drop(finish(&begun(), ok(b"")));
    drop(answer(&db, finish(&begun(), ok(b""))));
    drop(answer(&db, finish(&begun(), ok(b""))).rolled_back(Some("gone")));
    drop(answer(&db, finish(&begun(), status(500))));
    let failed = |dedup, status, error| record(Outcome::Failed, dedup, status, error);
    let mut expected = vec![
        record(Outcome::Unavailable, DedupResult::Unavailable, Some(503), ""),
        failed(DedupResult::New, None, "Abandoned"),
        failed(DedupResult::New, None, "ValueError"),
        failed(DedupResult::Unavailable, Some(503), "StoreError"),
        failed(DedupResult::New, None, "NotCommitted"),
        failed(DedupResult::New, None, "NotCommitted"),
        failed(DedupResult::New, Some(500), ""),
    ];
    expected.sort();
    assert_eq!(watched.records(), expected);
}

#[test]
fn the_reason_of_a_failure_is_told_without_passwords() {
    let app = App::new(|_| {});
    drop(app.ask(&message()).failed("cannot connect to postgres://app:hunter2@db/app"));
    let notices = surehook::take_notices();
    assert!(notices.iter().any(|notice| notice.text.contains("cannot connect to")), "{notices:?}");
    assert!(notices.iter().all(|notice| !notice.text.contains("hunter2")), "{notices:?}");
}

/// The operating system's clock, until it breaks.
struct BrokenClock(AtomicBool);

impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        assert!(!self.0.load(Ordering::SeqCst), "the clock is broken");
        Timestamp::from_unix_seconds(message().sent_at)
    }
}

#[test]
fn a_decision_that_fails_lets_nothing_through() {
    let clock = Arc::new(BrokenClock(AtomicBool::new(false)));
    let app = App::new(|options| options.clock = Some(Arc::clone(&clock) as Arc<dyn Clock>));
    let db = app.connect();
    let (delivery, question) = (handled(app.begin(&db, &message())), app.ask(&Message::user_created("msg_2")));
    clock.0.store(true, Ordering::SeqCst);
    assert_eq!(told(&answered(answer(&db, Asked::Again(question)))), UNAVAILABLE);
    let settled = answer(&db, finish(&delivery, ok(b"")));
    assert_eq!((settled.commit(), settled.replacement().map(told)), (false, Some(UNAVAILABLE)));
}

#[test]
fn options_that_cannot_be_are_refused() {
    let longest = "a".repeat(40);
    for kind in ["django", "sql_alchemy-2", &longest] {
        assert!(DedupStore::application(kind).is_ok());
    }
    for kind in ["", "Django", "a b", "pg\n", &"a".repeat(41)] {
        assert!(DedupStore::application(kind).is_err(), "{kind:?}");
    }
    let waiting = EndpointOptions {
        secrets: vec![support::SECRET.to_owned()],
        store: Some(DedupStore::application("django").unwrap()),
        on_in_flight: Some(OnInFlight::Wait),
        ..EndpointOptions::new("clerk")
    };
    let error = Endpoint::new(waiting).unwrap_err().to_string();
    assert!(error.contains("on_in_flight"), "{error}");
}

#[test]
fn operators_are_told_that_only_the_application_can_ask() {
    let store = DedupStore::application("django").unwrap();
    assert!(store.stats().unwrap_err().to_string().contains("only the application"));
    assert!(store.migrate().is_err());
}
