//! The same where two transactions can write at the same time.

use std::sync::{Arc, Barrier};
use std::time::{Duration, SystemTime};

use surehook::core::Timestamp;
use surehook::{AnswerKind, Decision};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use crate::host::{App, Table, answer, finish};
use crate::servers::{self, PASSWORD_IN_URL, Server, Shared};
use crate::support::{answered, handled, ok};
use crate::{LEASE, message};

static SERVER: Shared<Server> = Shared::new();

const TABLES: &str = "
    CREATE TABLE surehook_messages (key text PRIMARY KEY, value bytea NOT NULL, expires_at timestamptz NOT NULL);
    CREATE TABLE work (message text NOT NULL);";

/// A connection, in autocommit until it begins a transaction.
struct Postgres {
    runtime: Runtime,
    client: Client,
}

impl Postgres {
    fn connect(port: u16, database: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = format!("postgres://surehook:{PASSWORD_IN_URL}@127.0.0.1:{port}/{database}");
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        Self { runtime, client }
    }

    fn execute(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap();
    }

    fn count(&self, sql: &str) -> i64 {
        self.runtime.block_on(self.client.query_one(sql, &[])).unwrap().get(0)
    }
}

impl Table for Postgres {
    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let sql = "SELECT value FROM surehook_messages WHERE key = $1";
        let row = self.runtime.block_on(self.client.query_opt(sql, &[&key]));
        row.map(|row| row.map(|row| row.get(0))).map_err(|error| error.to_string())
    }

    fn replace(
        &self,
        key: &str,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        expires_at: Option<Timestamp>,
    ) -> Result<bool, String> {
        let since_epoch = |at: Timestamp| Duration::from_micros(at.unix_micros().unsigned_abs());
        let expires_at = expires_at.map(|at| SystemTime::UNIX_EPOCH + since_epoch(at));
        let changed = self.runtime.block_on(async {
            match (old, new) {
                (None, new) => {
                    let sql = "INSERT INTO surehook_messages VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING";
                    self.client.execute(sql, &[&key, &new, &expires_at]).await
                }
                (Some(old), Some(new)) => {
                    let sql = "UPDATE surehook_messages SET value = $1, expires_at = $2 WHERE key = $3 AND value = $4";
                    self.client.execute(sql, &[&new, &expires_at, &key, &old]).await
                }
                (Some(old), None) => {
                    let sql = "DELETE FROM surehook_messages WHERE key = $1 AND value = $2";
                    self.client.execute(sql, &[&key, &old]).await
                }
            }
        });
        changed.map(|rows| rows == 1).map_err(|error| error.to_string())
    }
}

/// A database of its own in the one server.
struct Database {
    server: Arc<Server>,
    name: &'static str,
}

impl Database {
    fn new(name: &'static str) -> Option<Self> {
        let server = SERVER.get(servers::postgres)?;
        Postgres::connect(server.port, "postgres").execute(&format!("CREATE DATABASE {name}"));
        let database = Self { server, name };
        database.connect().execute(TABLES);
        Some(database)
    }

    fn connect(&self) -> Postgres {
        Postgres::connect(self.server.port, self.name)
    }

    fn work(&self) -> i64 {
        self.connect().count("SELECT COUNT(*) FROM work")
    }
}

/// A late owner has stored its answer and not committed yet; meanwhile another attempt asks for the message, and has to wait
/// for what the transaction comes to.
fn claim_beside_an_open_transaction(name: &'static str, end: &str) -> Option<(Decision, i64)> {
    let (app, database) = (App::new(|_| {}), Database::new(name)?);
    let late = database.connect();
    let delivery = handled(app.begin(&late, &message()));
    app.clock.advance(LEASE);
    late.execute("BEGIN; INSERT INTO work VALUES ('msg_1')");
    let settled = answer(&late, finish(&delivery, ok(b"late")));
    assert!(settled.commit());
    let decision = std::thread::scope(|scope| {
        let other = scope.spawn(|| app.begin(&database.connect(), &message()));
        let onlooker = database.connect();
        let waiting =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while onlooker.count(waiting) == 0 {
            std::thread::yield_now();
        }
        late.execute(end);
        other.join().unwrap()
    });
    match end {
        "COMMIT" => settled.committed(),
        _ => answer(&late, settled.rolled_back(Some("it was told to"))),
    }
    Some((decision, database.work()))
}

#[test]
fn an_attempt_that_meets_a_late_commit_gets_its_answer() {
    let Some((decision, work)) = claim_beside_an_open_transaction("late_commit", "COMMIT") else { return };
    let replay = answered(decision);
    assert_eq!((replay.kind, &replay.body[..], work), (AnswerKind::Replay, &b"late"[..], 1));
}

#[test]
fn an_attempt_that_meets_a_late_rollback_gets_the_message() {
    let Some((decision, work)) = claim_beside_an_open_transaction("late_rollback", "ROLLBACK") else { return };
    assert!(matches!(decision, Decision::Handle(_)));
    assert_eq!(work, 0);
}

/// As a handler that began its transaction before its lease passed to another, in an isolation that does not see that.
#[test]
fn a_stale_snapshot_is_rolled_back() {
    let Some(database) = Database::new("stale_snapshot") else { return };
    let app = App::new(|_| {});
    let (stale, db) = (database.connect(), database.connect());
    let first = handled(app.begin(&stale, &message()));
    stale.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO work VALUES ('msg_1')");
    app.clock.advance(LEASE);
    let second = handled(app.begin(&db, &message()));
    let settled = answer(&stale, finish(&first, ok(b"first")));
    assert!(!settled.commit());
    stale.execute("ROLLBACK");
    answer(&stale, settled.rolled_back(None));
    db.execute("BEGIN; INSERT INTO work VALUES ('msg_1')");
    let settled = answer(&db, finish(&second, ok(b"second")));
    assert!(settled.commit());
    db.execute("COMMIT");
    settled.committed();
    assert_eq!(database.work(), 1);
}

#[test]
fn of_50_concurrent_duplicates_the_work_of_one_stands() {
    let Some(database) = Database::new("concurrent_duplicates") else { return };
    let (app, start) = (App::new(|_| {}), Barrier::new(50));
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                let db = database.connect();
                start.wait();
                let Decision::Handle(delivery) = app.begin(&db, &message()) else { return };
                db.execute("BEGIN; INSERT INTO work VALUES ('msg_1')");
                let settled = answer(&db, finish(&delivery, ok(b"")));
                assert!(settled.commit());
                db.execute("COMMIT");
                settled.committed();
            });
        }
    });
    assert_eq!(database.work(), 1);
}
