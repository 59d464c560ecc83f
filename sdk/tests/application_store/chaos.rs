//! Attempts that are stopped, interrupted and told lies at any of their statements, in any order.

use std::time::Duration;

use surehook::core::dedup::Entry;
use surehook::{Answer, AnswerKind};

use crate::host::{App, Attempt, Fault};
use crate::support::{Message, ok, status};

/// The longest tolerance there is, and no life is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    fn fault(&mut self) -> Fault {
        match self.below(25) {
            0 => Fault::Refused,
            1 => Fault::ReplyLost,
            _ => Fault::None,
        }
    }
}

/// `SEED`, or one of this run.
fn seed() -> u64 {
    let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into())
}

/// Tells the seed of a life in which something was wrong.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SEED={}", self.0);
        }
    }
}

#[test]
fn work_stands_once_exactly_when_the_entry_says_so() {
    let first = seed();
    for seed in first..first + 200 {
        let _told = Told(seed);
        one_life(seed);
    }
}

fn one_life(seed: u64) {
    let (app, mut random) = (App::new(|options| options.tolerance = Some(LONGEST)), Random(seed));
    let message = Message::user_created("msg_1");
    let mut running: Vec<(Attempt, u16)> = Vec::new();
    for _ in 0..120 {
        match random.below(20) {
            0..4 => app.clock.advance(Duration::from_secs(random.below(45))),
            4 if !running.is_empty() => {
                // The process dies: SQLite rolls back, and nothing is said to anybody.
                let index = random.below(running.len() as u64);
                drop(running.swap_remove(usize::try_from(index).unwrap()));
            }
            5..8 if running.len() < 4 => {
                let db = app.connect();
                db.busy_timeout(Duration::ZERO).unwrap();
                let code = if random.below(4) == 0 { 500 } else { 200 };
                running.push((Attempt::new(&app, db, &message), code));
            }
            _ if !running.is_empty() => {
                let index = usize::try_from(random.below(running.len() as u64)).unwrap();
                let (attempt, code) = &mut running[index];
                let response = if *code == 200 { ok(b"done") } else { status(*code) };
                // A handler takes longer than a statement.
                if attempt.is_handling() && random.below(8) > 0 {
                    continue;
                }
                if attempt.step(response, random.fault()) {
                    check_reply(&app, running.swap_remove(index).0.reply());
                }
            }
            _ => {}
        }
        check(&app);
    }
    drop(running);
    app.clock.advance(Duration::from_secs(31));
    check_reply(&app, app.serve(&message, ok(b"done")));
    assert_eq!(app.work(), 1);
    check(&app);
}

/// The work and the entry stand or fall together.
fn check(app: &App) {
    let done = matches!(app.entry(), Some(Entry::Done { .. }));
    assert_eq!(app.work(), i64::from(done));
}

/// A provider that hears of a success does not come again, so there must be one.
fn check_reply(app: &App, reply: Result<u16, Answer>) {
    match reply {
        Ok(200) => assert_eq!(app.work(), 1),
        Ok(code) => assert_eq!(code, 500),
        Err(answer) if answer.kind == AnswerKind::Replay => {
            assert_eq!((app.work(), answer.status, &answer.body[..]), (1, 200, &b"done"[..]));
        }
        Err(answer) => assert!(matches!(answer.status, 409 | 503), "{answer:?}"),
    }
}
