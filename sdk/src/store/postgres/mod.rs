//! The dedup store in Postgres: one row for each message, one statement for each operation.
//!
//! The statements read the database's clock and decide what the machine of the core decides; the tests of the stores hold
//! them to that. They are prepared once for each connection; a pooler between has to know prepared statements
//! (PgBouncer from 1.21 does).

mod tls;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join_all, join5};
use surehook_core::dedup::{
    Claim, Completion, DedupKey, Entry, Fingerprint, LEASE_LIMIT, Likeness, OwnerToken, RegistryKey, Release, Renewal,
    StoredResponse,
};
use surehook_core::{ConfigError, Timestamp};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, Row, Statement};

use super::address::unusable;
use super::certificates::CertificateFiles;
use super::fault::{Fault, Reach};
use super::link::{Lent, Link};
use super::remote::{Backend, Remote, Reply};
use super::{CLAIM_KEPT, Migration, StoreStats};
use tls::Tls;

const SCHEMA: &str = include_str!("schema.sql");
const CLAIM: &str = include_str!("claim.sql");
const CLAIM_TYPES: &[Type] = &[Type::BYTEA, Type::BYTEA, Type::BYTEA, Type::FLOAT8, Type::FLOAT8];
const COMPLETE_TYPES: &[Type] = &[Type::BYTEA, Type::BYTEA, Type::BYTEA, Type::FLOAT8];
const RELEASE_TYPES: &[Type] = &[Type::BYTEA, Type::BYTEA];
const RENEW: &str = include_str!("renew.sql");
const COMPLETE: &str = include_str!("complete.sql");
const PRUNE: &str = include_str!("prune.sql");
const RELEASE: &str = "DELETE FROM surehook_dedup \
                       WHERE key = $1 AND owner = $2 AND response IS NULL AND expires_at > clock_timestamp() RETURNING true";
const GET: &str = "SELECT owner, fingerprint, (extract(epoch FROM claimed_at) * 1000000)::bigint, \
                   (extract(epoch FROM lease_end) * 1000000)::bigint, response, \
                   (extract(epoch FROM expires_at) * 1000000)::bigint \
                   FROM surehook_dedup WHERE key = $1 AND expires_at > clock_timestamp()";
const FORGET: &str = "DELETE FROM surehook_dedup WHERE key = $1 RETURNING true";
const STATS: &str = "SELECT count(*) FILTER (WHERE response IS NULL), count(response) FROM surehook_dedup \
                     WHERE expires_at > clock_timestamp()";
const LOAD_SENDERS: &str = "SELECT senders FROM surehook_senders WHERE registry = $1";
const INSERT_SENDERS: &str =
    "INSERT INTO surehook_senders (registry, senders) VALUES ($1, $2) ON CONFLICT (registry) DO NOTHING RETURNING true";
const REPLACE_SENDERS: &str =
    "UPDATE surehook_senders SET senders = $3 WHERE registry = $1 AND senders = $2 RETURNING true";
/// The mark of the tables' version, which `schema.sql` sets; the number follows.
const MARK: &str = "surehook dedup ";
const VERSION: u32 = 2;
/// What an earlier version remembered has other keys, and is forgotten.
const DROP: &str = "DROP TABLE IF EXISTS surehook_dedup, surehook_senders";
const READ_VERSION: &str = "SELECT to_regclass('surehook_dedup') IS NOT NULL, \
                            obj_description(to_regclass('surehook_dedup'), 'pg_class')";
/// A row that a transaction of the application holds is not waited for: its message is being handled.
const SETTINGS: &str = "SET lock_timeout = '50ms'; SET idle_in_transaction_session_timeout = 0";
/// Two claims can miss each other only while a third is committed between them.
const CLAIM_TRIES: usize = 5;
/// So many connections, by the message's key: what is asked about one message stays in order, and a row that waits for a lock
/// holds up a part of the others only.
const CONNECTIONS: usize = 2;
/// What has expired is removed with every so many-th answer that is stored.
const PRUNE_EVERY: u32 = 500;

/// The store at this URL.
pub(super) fn open(url: &str) -> Result<Remote, ConfigError> {
    let settings = Arc::new(Settings::read(url)?);
    Ok(Remote::new("postgres", move || Postgres {
        settings: Arc::clone(&settings),
        links: Default::default(),
        opened: AtomicBool::new(false),
        completions: AtomicU32::new(0),
    }))
}

struct Postgres {
    settings: Arc<Settings>,
    links: [Link<Arc<Session>>; CONNECTIONS],
    opened: AtomicBool,
    completions: AtomicU32,
}

/// A connection, and the statements that it has seen.
struct Session {
    client: Client,
    prepared: Mutex<HashMap<&'static str, Statement>>,
}

struct Settings {
    config: Config,
    tls: Tls,
}

impl Settings {
    /// Reads a URL as libpq does. `verify-ca` and `verify-full` ask for what `require` does here: TLS, and the check of the
    /// certificate and of its name.
    fn read(url: &str) -> Result<Self, ConfigError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut kept, mut files, mut mode_given) = (Vec::new(), CertificateFiles::default(), false);
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            if files.take(parameter) {
                continue;
            }
            match parameter.split_once('=') {
                Some(("sslmode", "verify-ca" | "verify-full")) => {
                    mode_given = true;
                    kept.push("sslmode=require");
                }
                Some(("sslmode", _)) => {
                    mode_given = true;
                    kept.push(parameter);
                }
                _ => kept.push(parameter),
            }
        }
        // The parser's own words may repeat a part of the URL.
        let mut config: Config = format!("{base}?{}", kept.join("&"))
            .parse()
            .map_err(|_| unusable("it cannot be read: postgres://user:password@host:5432/database?sslmode=require"))?;
        if config.get_hosts().is_empty() {
            return Err(unusable("a host is missing: postgres://user:password@host:5432/database"));
        }
        if !mode_given && config.get_hosts().iter().all(is_this_machine) {
            config.ssl_mode(SslMode::Disable);
        }
        if config.get_application_name().is_none() {
            config.application_name("surehook");
        }
        Ok(Self { config, tls: Tls::new(&files.read()?).map_err(unusable)? })
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

async fn connect(settings: Arc<Settings>) -> Result<Client, Fault> {
    let (client, connection) = settings.config.connect(settings.tls.clone()).await.map_err(|error| failed(&error))?;
    // The connection ends with the client; what ends it early is what its next statement is told.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

impl Session {
    /// A connection whose table can be used, and that knows what it will be asked most. What it has to be told goes out
    /// together: a connection that is made anew has to be of use within the budget of the call that needs it.
    async fn open(settings: Arc<Settings>) -> Result<Arc<Self>, Fault> {
        let session = Self { client: connect(settings).await?, prepared: Mutex::default() };
        let (settled, table, claim, complete, release) = join5(
            session.client.batch_execute(SETTINGS),
            check_table(&session.client),
            session.prepare(CLAIM, CLAIM_TYPES),
            session.prepare(COMPLETE, COMPLETE_TYPES),
            // A claim that follows a release at once must not overtake it.
            session.prepare(RELEASE, RELEASE_TYPES),
        )
        .await;
        table?;
        let told = settled.and(claim.and(complete).and(release).map(drop));
        told.map(|()| Arc::new(session)).map_err(|error| failed(&error))
    }

    async fn prepare(&self, sql: &'static str, types: &[Type]) -> Result<Statement, Error> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare_typed(sql, types).await?;
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, statement.clone());
        Ok(statement)
    }

    async fn query(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Vec<Row>, Error> {
        let types: Vec<Type> = parameters.iter().map(|(_, kind)| kind.clone()).collect();
        let statement = self.prepare(sql, &types).await?;
        let values: Vec<_> = parameters.iter().map(|(value, _)| *value).collect();
        self.client.query(&statement, &values).await
    }
}

/// The version that a table's comment names; none: it is not ours.
fn version_in(comment: &str) -> Option<u32> {
    comment.strip_prefix(MARK)?.parse().ok()
}

/// Refuses a table that is not there, or of another version.
async fn check_table(client: &Client) -> Result<(), Fault> {
    let row = client.query_typed_one(READ_VERSION, &[]).await.map_err(|error| failed(&error))?;
    let (exists, version): (bool, Option<String>) = (row.get(0), row.get(1));
    let reason = match (exists, version.as_deref().and_then(version_in)) {
        (true, Some(VERSION)) => return Ok(()),
        (false, _) => "Postgres has no table surehook_dedup: run `surehook migrate URL`",
        (true, _) => {
            "the table surehook_dedup in Postgres is of another version: run `surehook migrate URL` of this version"
        }
    };
    Err(Fault::new(Reach::Refused, reason))
}

impl Postgres {
    /// The connection of this link; the first call opens all of them.
    async fn ready<'l>(&'l self, link: &'l Link<Arc<Session>>) -> Result<Lent<'l, Arc<Session>>, Fault> {
        if !self.opened.swap(true, Ordering::Relaxed) {
            for opened in join_all(self.links.iter().map(|link| self.open(link))).await.into_iter().flatten() {
                opened.answered(true);
            }
        }
        self.open(link).await.map_err(|fault| Fault { reach: Reach::Unsent, ..fault })
    }

    async fn open<'l>(&'l self, link: &'l Link<Arc<Session>>) -> Result<Lent<'l, Arc<Session>>, Fault> {
        link.get(|| Session::open(Arc::clone(&self.settings))).await
    }

    fn link(&self, key: &[u8]) -> &Link<Arc<Session>> {
        &self.links[key.first().map_or(0, |byte| usize::from(*byte)) % CONNECTIONS]
    }

    async fn query(&self, key: &[u8], sql: &'static str, parameters: Parameters<'_>) -> Result<Vec<Row>, Fault> {
        self.ask(self.link(key), sql, parameters).await.map_err(|problem| match problem {
            Problem::Unreachable(fault) => fault,
            Problem::Postgres(error) => failed(&error),
        })
    }

    async fn ask(
        &self,
        link: &Link<Arc<Session>>,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Problem> {
        let lent = self.ready(link).await.map_err(Problem::Unreachable)?;
        let session = lent.connection();
        let answer = session.query(sql, parameters).await;
        // A server that answers keeps its connection, unless it no longer takes writes or has lost the table.
        let moved = [SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::UNDEFINED_TABLE];
        let usable = answer
            .as_ref()
            .err()
            .is_none_or(|error| error.code().is_some_and(|code| !moved.contains(code)) && !session.client.is_closed());
        lent.answered(usable);
        answer.map_err(Problem::Postgres)
    }

    async fn claim(
        &self,
        key: &DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        lease: Duration,
    ) -> Result<Claim, Fault> {
        let lease = micros(lease.min(LEASE_LIMIT));
        let (kept, token) = (micros(CLAIM_KEPT), owner.get().to_be_bytes());
        let (key, token, body) = (&key.as_bytes()[..], &token[..], &fingerprint.as_bytes()[..]);
        for _ in 0..CLAIM_TRIES {
            let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
                (&key, Type::BYTEA),
                (&token, Type::BYTEA),
                (&body, Type::BYTEA),
                (&lease, Type::FLOAT8),
                (&kept, Type::FLOAT8),
            ];
            let rows = match self.ask(self.link(key), CLAIM, &parameters).await {
                Ok(rows) => rows,
                Err(Problem::Postgres(error)) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                    return Ok(Claim::Busy { lease_end: Timestamp::from_unix_micros(0), likeness: Likeness::Same });
                }
                Err(Problem::Postgres(error)) => return Err(failed(&error)),
                Err(Problem::Unreachable(error)) => return Err(error),
            };
            if let Some(row) = rows.first() {
                return seen(row, fingerprint);
            }
        }
        Err(Fault::new(Reach::Message, "Postgres did not say who holds a message"))
    }

    /// Removes what has expired, now and then, beside the call.
    fn prune_sometimes(self: &Arc<Self>) {
        if self.completions.fetch_add(1, Ordering::Relaxed) % PRUNE_EVERY == PRUNE_EVERY - 1 {
            let postgres = Arc::clone(self);
            // What is not removed now is removed another time.
            tokio::spawn(async move { drop(postgres.query(&[], PRUNE, &[]).await) });
        }
    }
}

type Parameters<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

enum Problem {
    Unreachable(Fault),
    Postgres(Error),
}

/// What a claim's row says.
fn seen(row: &Row, fingerprint: Fingerprint) -> Result<Claim, Fault> {
    let (owned, held, lease_end, response): (bool, &[u8], i64, Option<&[u8]>) =
        (row.get(0), row.get(1), row.get(2), row.get(3));
    let likeness = fingerprint.compare(&held_fingerprint(held)?);
    match (owned, response) {
        (true, _) => Ok(Claim::Owned),
        (false, None) => Ok(Claim::Busy { lease_end: Timestamp::from_unix_micros(lease_end), likeness }),
        (false, Some(response)) => Ok(Claim::Done { response: stored(response)?, likeness }),
    }
}

impl Backend for Postgres {
    fn claim(
        self: Arc<Self>,
        key: DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        lease: Duration,
    ) -> Reply<Claim> {
        async move { Postgres::claim(&self, &key, fingerprint, owner, lease).await }.boxed()
    }

    fn renew(self: Arc<Self>, key: DedupKey, owner: OwnerToken, lease: Duration) -> Reply<Renewal> {
        async move {
            let (token, lease, limit) = (owner.get().to_be_bytes(), micros(lease), micros(LEASE_LIMIT));
            let (key, token) = (&key.as_bytes()[..], &token[..]);
            let rows = self
                .query(
                    key,
                    RENEW,
                    &[(&key, Type::BYTEA), (&token, Type::BYTEA), (&lease, Type::FLOAT8), (&limit, Type::FLOAT8)],
                )
                .await?;
            Ok(match rows.first().map(|row| (row.get(0), row.get(1))) {
                None => Renewal::Fenced,
                Some((false, _)) => Renewal::Exhausted,
                Some((true, lease_end)) => Renewal::Renewed { lease_end: Timestamp::from_unix_micros(lease_end) },
            })
        }
        .boxed()
    }

    fn complete(
        self: Arc<Self>,
        key: DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        ttl: Duration,
    ) -> Reply<Completion> {
        async move {
            let (token, bytes, ttl) = (owner.get().to_be_bytes(), response.to_bytes(), micros(ttl));
            let (key, token, bytes) = (&key.as_bytes()[..], &token[..], &bytes[..]);
            let parameters: [(&(dyn ToSql + Sync), Type); 4] =
                [(&key, Type::BYTEA), (&token, Type::BYTEA), (&bytes, Type::BYTEA), (&ttl, Type::FLOAT8)];
            let rows = self.query(key, COMPLETE, &parameters).await?;
            self.prune_sometimes();
            Ok(if rows.is_empty() { Completion::Fenced } else { Completion::Stored })
        }
        .boxed()
    }

    fn release(self: Arc<Self>, key: DedupKey, owner: OwnerToken) -> Reply<Release> {
        async move {
            let token = owner.get().to_be_bytes();
            let (key, token) = (&key.as_bytes()[..], &token[..]);
            let rows = self.query(key, RELEASE, &[(&key, Type::BYTEA), (&token, Type::BYTEA)]).await?;
            Ok(if rows.is_empty() { Release::Fenced } else { Release::Released })
        }
        .boxed()
    }

    fn load_senders(self: Arc<Self>, registry: RegistryKey) -> Reply<Option<Vec<u8>>> {
        async move {
            let key = &registry.as_bytes()[..];
            let rows = self.query(key, LOAD_SENDERS, &[(&key, Type::BYTEA)]).await?;
            Ok(rows.first().map(|row| row.get(0)))
        }
        .boxed()
    }

    fn replace_senders(self: Arc<Self>, registry: RegistryKey, old: Option<Vec<u8>>, new: Vec<u8>) -> Reply<bool> {
        async move {
            let key = &registry.as_bytes()[..];
            let rows = match old {
                None => self.query(key, INSERT_SENDERS, &[(&key, Type::BYTEA), (&new, Type::BYTEA)]).await?,
                Some(old) => {
                    let parameters: Parameters<'_> = &[(&key, Type::BYTEA), (&old, Type::BYTEA), (&new, Type::BYTEA)];
                    self.query(key, REPLACE_SENDERS, parameters).await?
                }
            };
            Ok(!rows.is_empty())
        }
        .boxed()
    }

    fn get(self: Arc<Self>, key: DedupKey) -> Reply<Option<Entry>> {
        async move {
            let key = &key.as_bytes()[..];
            let rows = self.query(key, GET, &[(&key, Type::BYTEA)]).await?;
            rows.first().map(entry).transpose()
        }
        .boxed()
    }

    fn forget(self: Arc<Self>, key: DedupKey) -> Reply<bool> {
        async move {
            let key = &key.as_bytes()[..];
            Ok(!self.query(key, FORGET, &[(&key, Type::BYTEA)]).await?.is_empty())
        }
        .boxed()
    }

    fn stats(self: Arc<Self>) -> Reply<StoreStats> {
        async move {
            let rows = self.query(&[], STATS, &[]).await?;
            let count = |index| rows.first().map_or(0, |row| row.get::<_, i64>(index).unsigned_abs());
            Ok(StoreStats { running: count(0), done: count(1), evictions: 0 })
        }
        .boxed()
    }

    fn migrate(self: Arc<Self>) -> Reply<Migration> {
        async move {
            let client = connect(Arc::clone(&self.settings)).await?;
            if check_table(&client).await.is_ok() {
                return Ok(Migration::Nothing);
            }
            let row = client.query_typed_one(READ_VERSION, &[]).await.map_err(|error| failed(&error))?;
            let (exists, comment): (bool, Option<String>) = (row.get(0), row.get(1));
            let earlier = comment.as_deref().and_then(version_in).is_some_and(|version| version < VERSION);
            if exists && !earlier {
                let reason = "Postgres has a table surehook_dedup that this version of Surehook did not create";
                return Err(Fault::new(Reach::Refused, reason));
            }
            // One batch is one transaction.
            let sql = format!("{};\n{SCHEMA}", if earlier { DROP } else { "" });
            client.batch_execute(&sql).await.map_err(|error| failed(&error))?;
            Ok(Migration::Done)
        }
        .boxed()
    }
}

fn entry(row: &Row) -> Result<Entry, Fault> {
    let time = |index| Timestamp::from_unix_micros(row.get(index));
    let token: [u8; 16] = row.get::<_, &[u8]>(0).try_into().map_err(|_| foreign())?;
    let (owner, fingerprint) = (OwnerToken::new(u128::from_be_bytes(token)), held_fingerprint(row.get(1))?);
    Ok(match row.get::<_, Option<&[u8]>>(4) {
        None => Entry::Running { owner, claimed_at: time(2), lease_end: time(3), fingerprint },
        Some(response) => Entry::Done { owner, response: stored(response)?, expires_at: time(5), fingerprint },
    })
}

fn held_fingerprint(bytes: &[u8]) -> Result<Fingerprint, Fault> {
    bytes.try_into().map(Fingerprint::from_bytes).map_err(|_| foreign())
}

fn stored(bytes: &[u8]) -> Result<Arc<StoredResponse>, Fault> {
    StoredResponse::from_bytes(bytes).map(Arc::new).ok_or_else(foreign)
}

/// Exact up to 2⁵³ µs, 285 years.
fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

fn foreign() -> Fault {
    Fault::new(Reach::Message, "the table surehook_dedup holds a row that this version did not write")
}

/// What went wrong, and what to do about the usual causes. Errors of the client hold no password.
fn failed(error: &Error) -> Fault {
    let advice = match error.code() {
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            "; check the user and the password"
        }
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => "; this server is a read-only replica: name the primary",
        Some(&SqlState::UNDEFINED_TABLE) => "; run `surehook migrate URL`",
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            "; the user needs SELECT, INSERT, UPDATE and DELETE on surehook_dedup and surehook_senders"
        }
        _ => "",
    };
    let mut text = format!("Postgres: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        text.push_str(&format!(": {deeper}"));
        cause = deeper.source();
    }
    Fault::new(reach(error.code()), format!("{text}{advice}"))
}

/// Whom an error concerns, by its class: one statement's data, locks and rules, or everybody.
fn reach(code: Option<&SqlState>) -> Reach {
    match code.map(SqlState::code) {
        None => Reach::Unanswered,
        // Asked to end it, or to wait for no lock.
        Some("55P03" | "57014") => Reach::Message,
        Some(code) => match &code[..2] {
            // Data, constraints, deadlocks, a function of a trigger.
            "22" | "23" | "40" | "P0" => Reach::Message,
            _ => Reach::Refused,
        },
    }
}
