//! An application with a database, and what its wrapper does with a request: one statement at a time, so that a test can stop
//! it between any two.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use surehook::core::Timestamp;
use surehook::core::dedup::Entry;
use surehook::{
    Answer, Asked, Begun, Clock, Decision, DedupStore, Delivery, Ended, Endpoint, EndpointOptions, ErrorKind,
    HandlerError, Hooks, Operation, Question, Response, Settled,
};
use tempfile::TempDir;

use crate::support::{ManualClock, Message, endpoint};

const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE surehook_messages (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER NOT NULL);
    CREATE TABLE work (message TEXT NOT NULL);";

pub const RAISED: HandlerError<'_> =
    HandlerError { kind: ErrorKind::Raised, error_type: "ValueError", message: "no", location: None };

pub struct App {
    dir: TempDir,
    /// Sees what is committed.
    onlooker: Mutex<Connection>,
    pub clock: Arc<ManualClock>,
    pub endpoint: Endpoint,
}

impl App {
    pub fn new(change: impl FnOnce(&mut EndpointOptions)) -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
        let endpoint = endpoint(|options| {
            options.store = Some(DedupStore::application("rusqlite").unwrap());
            options.clock = Some(Arc::clone(&clock) as Arc<dyn Clock>);
            change(options);
        });
        let onlooker = open(&dir);
        onlooker.execute_batch(TABLES).unwrap();
        Self { dir, onlooker: Mutex::new(onlooker), clock, endpoint }
    }

    pub fn connect(&self) -> Connection {
        open(&self.dir)
    }

    /// How often the work of the messages stands.
    pub fn work(&self) -> i64 {
        self.onlooker.lock().unwrap().query_row("SELECT COUNT(*) FROM work", [], |row| row.get(0)).unwrap()
    }

    /// The entry of the only message.
    pub fn entry(&self) -> Option<Entry> {
        // The record of the senders is kept for ever.
        let sql = "SELECT value FROM surehook_messages WHERE expires_at < 100000000000000000";
        let onlooker = self.onlooker.lock().unwrap();
        let value: Option<Vec<u8>> = onlooker.query_row(sql, [], |row| row.get(0)).optional().unwrap();
        value.map(|value| Entry::from_bytes(&value).unwrap())
    }

    pub fn ask(&self, message: &Message) -> Question<Decision> {
        match message.with_request(|request| self.endpoint.begin_without_waiting(request, Hooks::default())) {
            Begun::Ask(question) => question,
            Begun::Now(_) | Begun::Later(_) | Begun::Prepare(_) => panic!("the application has to be asked"),
        }
    }

    pub fn begin(&self, table: &impl Table, message: &Message) -> Decision {
        answer(table, Asked::Again(self.ask(message)))
    }

    /// Handles a message as the wrapper does, from its begin to its end.
    pub fn serve(&self, message: &Message, response: Response<'_>) -> Result<u16, Answer> {
        let mut attempt = Attempt::new(self, self.connect(), message);
        while !attempt.step(response, Fault::None) {}
        attempt.reply()
    }
}

fn open(dir: &TempDir) -> Connection {
    let db = Connection::open(dir.path().join("app.db")).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    // No test is about a power cut.
    db.pragma_update(None, "synchronous", "OFF").unwrap();
    db
}

/// Begins a transaction and does the work in it.
pub fn work(db: &Connection) {
    db.execute_batch("BEGIN; INSERT INTO work VALUES ('msg_1')").unwrap();
}

pub fn finish(delivery: &Delivery, response: Response<'_>) -> Asked<Settled> {
    match delivery.finish_without_waiting(response) {
        Ended::Transaction(asked) => asked,
        Ended::Now(_) | Ended::Later(_) => panic!("the transaction has to be asked"),
    }
}

/// The two statements that an application runs.
pub trait Table {
    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, String>;

    /// Whether it took place.
    fn replace(
        &self,
        key: &str,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, String>;
}

impl Table for Connection {
    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let sql = "SELECT value FROM surehook_messages WHERE key = ?";
        self.query_row(sql, [key], |row| row.get(0)).optional().map_err(|error| error.to_string())
    }

    fn replace(
        &self,
        key: &str,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, String> {
        let expires_at = expires_at.map(Timestamp::unix_micros);
        let changed = match (old, new) {
            (None, new) => self.execute(
                "INSERT INTO surehook_messages VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
                params![key, new, expires_at],
            ),
            (Some(old), Some(new)) => self.execute(
                "UPDATE surehook_messages SET value = ?, expires_at = ? WHERE key = ? AND value = ?",
                params![new, expires_at, key, old],
            ),
            (Some(old), None) => {
                self.execute("DELETE FROM surehook_messages WHERE key = ? AND value = ?", params![key, old])
            }
        };
        changed.map(|rows| rows == 1).map_err(|error| error.to_string())
    }
}

pub fn answer<T>(table: &impl Table, mut asked: Asked<T>) -> T {
    loop {
        match asked {
            Asked::Again(question) => asked = run(table, question),
            Asked::Done(end) => return end,
        }
    }
}

/// Runs one statement.
pub fn run<T>(table: &impl Table, question: Question<T>) -> Asked<T> {
    match question.operation() {
        Operation::Load { key } => match table.load(key) {
            Ok(value) => question.loaded(value.as_deref()),
            Err(error) => Asked::Done(question.failed(&error)),
        },
        Operation::Replace { key, old, new, expires_at } => match table.replace(key, old, new, expires_at) {
            Ok(took_place) => question.replaced(took_place),
            Err(error) => Asked::Done(question.failed(&error)),
        },
    }
}

/// What goes wrong with a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// It fails and changes nothing.
    Refused,
    /// It takes place, but the application sees it fail.
    ReplyLost,
}

/// One request on its way through the wrapper.
pub struct Attempt {
    db: Connection,
    state: State,
}

enum State {
    Claiming(Question<Decision>),
    Handling(Delivery),
    /// In a transaction that has read something.
    Reading(Delivery),
    Working(Delivery),
    Ending(Question<Settled>),
    Settled(Settled),
    Releasing(Question<()>, Result<u16, Answer>),
    Over(Result<u16, Answer>),
}

impl Attempt {
    pub fn new(app: &App, db: Connection, message: &Message) -> Self {
        Self { db, state: State::Claiming(app.ask(message)) }
    }

    /// The status of the handler's answer, or Surehook's answer.
    pub fn reply(self) -> Result<u16, Answer> {
        match self.state {
            State::Over(reply) => reply,
            _ => panic!("it is not over"),
        }
    }

    /// Whether it has the message, and nothing of its work.
    pub fn is_handling(&self) -> bool {
        matches!(self.state, State::Handling(_))
    }

    /// Takes one step; true when that was the last.
    pub fn step(&mut self, response: Response<'_>, fault: Fault) -> bool {
        let state = std::mem::replace(&mut self.state, State::Over(Ok(0)));
        self.state = self.next(state, response, fault);
        matches!(self.state, State::Over(_))
    }

    fn next(&self, state: State, response: Response<'_>, fault: Fault) -> State {
        match state {
            State::Claiming(question) => match self.ask(question, fault) {
                Asked::Again(question) => State::Claiming(question),
                Asked::Done(Decision::Handle(delivery)) => State::Handling(delivery),
                Asked::Done(Decision::Answer(answer)) => State::Over(Err(answer)),
            },
            State::Handling(delivery) => match self.execute("BEGIN; SELECT COUNT(*) FROM work", fault) {
                Ok(()) => State::Reading(delivery),
                Err(_) => self.raised(&delivery),
            },
            State::Reading(delivery) => match self.execute("INSERT INTO work VALUES ('msg_1')", fault) {
                Ok(()) => State::Working(delivery),
                Err(_) => self.raised(&delivery),
            },
            State::Working(delivery) => ending(finish(&delivery, response)),
            State::Ending(question) => ending(self.ask(question, fault)),
            State::Settled(settled) => self.end(settled, response.status, fault),
            State::Releasing(question, reply) => releasing(self.ask(question, fault), reply),
            State::Over(reply) => State::Over(reply),
        }
    }

    fn end(&self, settled: Settled, status: u16, fault: Fault) -> State {
        if !settled.commit() {
            self.roll_back();
            let reply = settled.replacement().cloned().map_or(Ok(status), Err);
            return releasing(settled.rolled_back(None), reply);
        }
        match self.execute("COMMIT", fault) {
            Ok(()) => {
                settled.committed();
                State::Over(Ok(status))
            }
            Err(error) => {
                self.roll_back();
                releasing(settled.rolled_back(Some(&error)), Ok(500))
            }
        }
    }

    fn raised(&self, delivery: &Delivery) -> State {
        self.roll_back();
        releasing(delivery.fail_without_waiting(RAISED), Ok(500))
    }

    fn ask<T>(&self, question: Question<T>, fault: Fault) -> Asked<T> {
        match fault {
            Fault::None => run(&self.db, question),
            Fault::Refused => Asked::Done(question.failed("refused")),
            Fault::ReplyLost => {
                if let Operation::Replace { key, old, new, expires_at } = question.operation() {
                    drop(self.db.replace(key, old, new, expires_at));
                }
                Asked::Done(question.failed("the reply was lost"))
            }
        }
    }

    fn execute(&self, sql: &str, fault: Fault) -> Result<(), String> {
        if fault == Fault::Refused {
            return Err("refused".to_owned());
        }
        self.db.execute_batch(sql).map_err(|error| error.to_string())?;
        if fault == Fault::ReplyLost { Err("the reply was lost".to_owned()) } else { Ok(()) }
    }

    fn roll_back(&self) {
        if !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK").unwrap();
        }
    }
}

fn ending(asked: Asked<Settled>) -> State {
    match asked {
        Asked::Again(question) => State::Ending(question),
        Asked::Done(settled) => State::Settled(settled),
    }
}

fn releasing(asked: Asked<()>, reply: Result<u16, Answer>) -> State {
    match asked {
        Asked::Again(question) => State::Releasing(question, reply),
        Asked::Done(()) => State::Over(reply),
    }
}
