//! The dedup store in a SQLite file, which several processes of one host share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use surehook_core::Timestamp;
use surehook_core::dedup::{
    self, Change, Claim, Completion, DedupKey, Entry, Fingerprint, OwnerToken, RegistryKey, Release, Renewal, Store,
    StoreError, StoredResponse, Transition,
};

use super::{CLAIM_KEPT, Migration, StoreStats};
use crate::process::PerProcess;

/// How long an operation waits for another process's write, the time among it that it waits for those before it.
const BUSY_TIMEOUT: Duration = Duration::from_millis(200);
/// What is left of it at least: many operations in a line are no reason to give up at the first write of another process.
const LEAST_TIMEOUT: Duration = Duration::from_millis(10);
/// Marks a file as one of this library ("Shk1"), so that no other database is written to by mistake.
const APPLICATION_ID: i32 = 0x5368_6b31;
/// The version of the tables. What an earlier version remembered has other keys, and is forgotten.
const VERSION: i32 = 2;
const DROP: &str = "DROP TABLE IF EXISTS surehook_dedup; DROP TABLE IF EXISTS surehook_senders";
/// What has expired is removed with every so many-th write, so much of it at a time.
const PRUNE_EVERY: u32 = 64;
const PRUNE_AT_MOST: u32 = 512;

const CREATE: &str = include_str!("sqlite.sql");
const COLUMNS: &str = "owner, fingerprint, claimed_at, lease_end, response, expires_at";

/// A store in a file. Each operation is one `IMMEDIATE` transaction that asks the machine of the core.
pub(super) struct SqliteStore {
    path: PathBuf,
    /// A connection must not be used on both sides of a fork.
    file: PerProcess<Mutex<File>>,
}

#[derive(Default)]
struct File {
    connection: Option<Connection>,
    writes: u32,
}

impl SqliteStore {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: PerProcess::new(Mutex::default) }
    }

    /// What is kept for a message.
    pub(super) fn get(&self, key: &DedupKey) -> Result<Option<Entry>, StoreError> {
        self.with(|file, _| read(&file.transaction()?, key))
    }

    /// Forgets a message.
    pub(super) fn forget(&self, key: &DedupKey) -> Result<bool, StoreError> {
        self.with(|file, _| Ok(file.execute("DELETE FROM surehook_dedup WHERE key = ?1", params![key.as_bytes()])? > 0))
    }

    /// What the file holds, expired entries that are not yet removed among it.
    pub(super) fn stats(&self) -> Result<StoreStats, StoreError> {
        self.with(|file, _| {
            let sql = "SELECT COUNT(*) FILTER (WHERE response IS NULL), COUNT(response) FROM surehook_dedup";
            file.query_row(sql, [], |row| {
                let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
                Ok(StoreStats { running: count(0)?, done: count(1)?, evictions: 0 })
            })
        })
    }

    /// Opening creates the tables; there is nothing to bring forward.
    pub(super) fn migrate(&self) -> Result<Migration, StoreError> {
        let created = !self.path.exists();
        self.with(|_, _| Ok(()))?;
        Ok(if created { Migration::Done } else { Migration::Nothing })
    }

    /// One decision of the machine, in one transaction.
    fn decide<T>(
        &self,
        key: &DedupKey,
        now: Timestamp,
        machine: impl FnOnce(Option<&Entry>) -> Transition<T>,
    ) -> Result<T, StoreError> {
        self.with(|file, writes| {
            let transaction = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let step = machine(read(&transaction, key)?.as_ref());
            let changes = step.change != Change::Keep;
            apply(&transaction, key, step.change)?;
            if changes {
                *writes = writes.wrapping_add(1);
                if writes.is_multiple_of(PRUNE_EVERY) {
                    prune(&transaction, now)?;
                }
            }
            transaction.commit()?;
            Ok(step.verdict)
        })
    }

    /// Calls `with` on the open file; opens it first where it is not.
    fn with<T>(&self, with: impl FnOnce(&mut Connection, &mut u32) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let (file, asked) = (self.file.get(), Instant::now());
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let File { connection, writes } = &mut *file;
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(self.open()?),
        };
        let left = BUSY_TIMEOUT.saturating_sub(asked.elapsed()).max(LEAST_TIMEOUT);
        let patient = connection.busy_timeout(left);
        patient.and_then(|()| with(connection, writes)).map_err(|error| self.failed(&error))
    }

    fn open(&self) -> Result<Connection, StoreError> {
        let connection = Connection::open(&self.path).map_err(|error| self.failed(&error))?;
        self.prepare(connection).map_err(|error| match error {
            Unusable::Sqlite(error) => self.failed(&error),
            Unusable::Foreign(what) => StoreError { reason: format!("{} is {what}", self.path.display()) },
        })
    }

    fn prepare(&self, mut connection: Connection) -> Result<Connection, Unusable> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let ours = connection.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))?;
        if ours != APPLICATION_ID {
            connection.pragma_update(None, "journal_mode", "WAL")?;
        }
        if ours != APPLICATION_ID || version_of(&connection)? < VERSION {
            create(&mut connection)?;
        }
        let version = version_of(&connection)?;
        if version != VERSION {
            return Err(Unusable::Foreign(format!("of the version {version} of its tables; this one is {VERSION}")));
        }
        // A power cut may lose the last writes, never the file; a message then is handled again.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(connection)
    }

    fn failed(&self, error: &rusqlite::Error) -> StoreError {
        let path = self.path.display();
        let reason = match error.sqlite_error_code() {
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => format!("{path} cannot be written to"),
            Some(ErrorCode::DiskFull) => format!("the disk of {path} is full"),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                format!("another process holds {path} for longer than {} ms", BUSY_TIMEOUT.as_millis())
            }
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                format!("{path} is not a SQLite file, or is damaged")
            }
            Some(ErrorCode::CannotOpen) if self.path.parent().is_some_and(|folder| !folder.is_dir()) => {
                format!("the directory of {path} does not exist")
            }
            Some(ErrorCode::CannotOpen) => format!("{path} cannot be opened"),
            _ => format!("{path}: {error}"),
        };
        StoreError { reason }
    }
}

/// Why a file that can be opened cannot be used.
enum Unusable {
    Sqlite(rusqlite::Error),
    Foreign(String),
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn version_of(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Creates the tables in a file that is empty or of an earlier version. Another process may do so at the same time.
fn create(connection: &mut Connection) -> Result<(), Unusable> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let ours = transaction.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))?;
    if ours == APPLICATION_ID {
        if version_of(&transaction)? >= VERSION {
            return Ok(());
        }
        transaction.execute_batch(DROP)?;
    }
    let tables: i64 = transaction.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if ours != APPLICATION_ID && (ours != 0 || tables != 0) {
        return Err(Unusable::Foreign(
            "the database of another application; give the dedup store a file of its own".to_owned(),
        ));
    }
    transaction.execute_batch(CREATE)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

fn read(transaction: &Transaction<'_>, key: &DedupKey) -> rusqlite::Result<Option<Entry>> {
    let sql = format!("SELECT {COLUMNS} FROM surehook_dedup WHERE key = ?1");
    let mut statement = transaction.prepare_cached(&sql)?;
    Ok(statement.query_row(params![key.as_bytes()], entry).optional()?.flatten())
}

/// The entry of a row; one whose response nobody could have written counts as never seen.
fn entry(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    let owner = OwnerToken::new(u128::from_be_bytes(row.get(0)?));
    let fingerprint = Fingerprint::from_bytes(row.get(1)?);
    let time = |index| row.get(index).map(Timestamp::from_unix_micros);
    match row.get_ref(4)?.as_blob_or_null()? {
        None => Ok(Some(Entry::Running { owner, claimed_at: time(2)?, lease_end: time(3)?, fingerprint })),
        Some(bytes) => {
            let expires_at = time(5)?;
            let response = StoredResponse::from_bytes(bytes).map(Arc::new);
            Ok(response.map(|response| Entry::Done { owner, response, expires_at, fingerprint }))
        }
    }
}

fn apply(transaction: &Transaction<'_>, key: &DedupKey, change: Change) -> rusqlite::Result<()> {
    let (owner, fingerprint, claimed_at, lease_end, response, expires_at) = match change {
        Change::Keep => return Ok(()),
        Change::Clear => {
            transaction
                .prepare_cached("DELETE FROM surehook_dedup WHERE key = ?1")?
                .execute(params![key.as_bytes()])?;
            return Ok(());
        }
        Change::Set(Entry::Running { owner, claimed_at, lease_end, fingerprint }) => {
            (owner, fingerprint, Some(claimed_at), Some(lease_end), None, claimed_at + CLAIM_KEPT)
        }
        Change::Set(Entry::Done { owner, response, expires_at, fingerprint }) => {
            (owner, fingerprint, None, None, Some(response.to_bytes()), expires_at)
        }
    };
    let sql = format!("INSERT OR REPLACE INTO surehook_dedup (key, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    transaction.prepare_cached(&sql)?.execute(params![
        key.as_bytes(),
        owner.get().to_be_bytes(),
        fingerprint.as_bytes(),
        claimed_at.map(Timestamp::unix_micros),
        lease_end.map(Timestamp::unix_micros),
        response,
        expires_at.unix_micros(),
    ])?;
    Ok(())
}

fn prune(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "DELETE FROM surehook_dedup WHERE rowid IN \
               (SELECT rowid FROM surehook_dedup WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
    transaction.prepare_cached(sql)?.execute(params![now.unix_micros(), PRUNE_AT_MOST])?;
    Ok(())
}

impl Store for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn claim(
        &self,
        key: &DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        self.decide(key, now, |entry| dedup::claim(entry, fingerprint, owner, now, lease))
    }

    fn renew(&self, key: &DedupKey, owner: OwnerToken, now: Timestamp, lease: Duration) -> Result<Renewal, StoreError> {
        self.decide(key, now, |entry| dedup::renew(entry, owner, now, lease))
    }

    fn complete(
        &self,
        key: &DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Completion, StoreError> {
        self.decide(key, now, |entry| dedup::complete(entry, owner, response, now, ttl))
    }

    fn release(&self, key: &DedupKey, owner: OwnerToken) -> Result<Release, StoreError> {
        // Only a write after which something could expire removes what has expired.
        self.decide(key, Timestamp::from_unix_micros(i64::MIN), |entry| dedup::release(entry, owner))
    }

    fn load_senders(&self, registry: &RegistryKey) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT senders FROM surehook_senders WHERE registry = ?1";
        self.with(|file, _| file.query_row(sql, params![registry.as_bytes()], |row| row.get(0)).optional())
    }

    fn replace_senders(&self, registry: &RegistryKey, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        let registry = registry.as_bytes();
        let replaced = self.with(|file, _| match old {
            None => file.execute("INSERT OR IGNORE INTO surehook_senders VALUES (?1, ?2)", params![registry, new]),
            Some(old) => file.execute(
                "UPDATE surehook_senders SET senders = ?3 WHERE registry = ?1 AND senders = ?2",
                params![registry, old, new],
            ),
        })?;
        Ok(replaced == 1)
    }
}
