//! The dedup store in Redis: one hash for each message, one script for each operation.
//!
//! A script is atomic and reads the server's clock, so the servers of an application may disagree about the time. What has
//! expired Redis removes by itself. The scripts decide what the machine of the core decides; the tests of the stores hold
//! them to that.

mod deployment;
mod nodes;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::try_join_all;
use redis::aio::ConnectionLike;
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, Script, ScriptInvocation, ServerErrorKind};
use surehook_core::dedup::{
    Claim, Completion, DedupKey, Entry, Fingerprint, LEASE_LIMIT, OwnerToken, RegistryKey, Release, Renewal,
    StoredResponse,
};
use surehook_core::{ConfigError, Timestamp};

use super::address::{Layout, Servers, unusable};
use super::certificates::CertificateFiles;
use super::fault::{Fault, Reach};
use super::link::{Lent, Link};
use super::remote::{Backend, Remote, Reply};
use super::{CLAIM_KEPT, Migration, StoreStats};
use crate::tls;
use deployment::{Connection, Deployment};
use nodes::Node;

static CLAIM: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("claim.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renew.lua")));
static COMPLETE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("complete.lua")));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("release.lua")));
static GET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("get.lua")));
static SENDERS: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("senders.lua")));

/// Keeps the keys of this library apart from others in a shared server.
const PREFIX: &str = "surehook";
/// Keys looked at in one step of counting them.
const SCAN_STEP: usize = 1000;

/// The store at these servers.
pub(super) fn open(servers: &Servers) -> Result<Remote, ConfigError> {
    tls::install_provider();
    let cluster = matches!(servers.layout, Layout::Cluster);
    let certificates = servers.tls.as_ref().map(CertificateFiles::read).transpose()?;
    let deployment = Deployment::new(servers, certificates).map_err(|error| unusable(described(&error)))?;
    let kind = if cluster { "redis-cluster" } else { "redis" };
    Ok(Remote::new(kind, move || Redis { deployment: deployment.clone(), link: Link::default() }))
}

struct Redis {
    deployment: Deployment,
    link: Link<Connection>,
}

/// Connects to the server that takes writes. The link and the caller's budget set the time.
async fn connect(deployment: Deployment) -> RedisResult<Connection> {
    let connection = deployment.connect().await?;
    match &connection {
        Connection::Server(server) => load(server).await?,
        Connection::Cluster(cluster) => load(cluster).await?,
    }
    Ok(connection)
}

/// Makes the scripts known, so that each operation is one round trip, and a claim does not overtake a release before it. All
/// of them in one round trip: a connection that is made anew has to be of use within the budget of the call that needs it.
async fn load<C: ConnectionLike + Clone>(server: &C) -> RedisResult<()> {
    let load = |script: &'static Script| {
        let mut server = server.clone();
        async move { script.load_async(&mut server).await }
    };
    try_join_all([&*CLAIM, &*RENEW, &*COMPLETE, &*RELEASE].map(load)).await.map(drop)
}

impl Redis {
    async fn connection(&self) -> Result<Lent<'_, Connection>, Fault> {
        let deployment = self.deployment.clone();
        let unsent = |error| Fault { reach: Reach::Unsent, ..failed(&error) };
        self.link.get(|| connect(deployment).map(move |made| made.map_err(unsent))).await
    }

    /// Runs a script; an answer of the server that another server would not give makes the link look for that one.
    async fn run(&self, script: &ScriptInvocation<'_>) -> Result<Vec<Vec<u8>>, Fault> {
        let lent = self.connection().await?;
        let answer: RedisResult<_> = match lent.connection() {
            Connection::Server(mut server) => script.invoke_async(&mut server).await,
            Connection::Cluster(mut cluster) => script.invoke_async(&mut cluster).await,
        };
        settled(lent, answer)
    }

    async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Fault> {
        let lent = self.connection().await?;
        let answer: RedisResult<T> = match lent.connection() {
            Connection::Server(mut server) => command.query_async(&mut server).await,
            Connection::Cluster(mut cluster) => command.query_async(&mut cluster).await,
        };
        settled(lent, answer)
    }

    async fn count(&self) -> Result<StoreStats, Fault> {
        let lent = self.connection().await?;
        let counted = match lent.connection() {
            Connection::Server(mut server) => count(&mut server).await,
            Connection::Cluster(cluster) => count_all(&cluster).await,
        };
        settled(lent, counted)
    }
}

/// What a call came to, and whether its connection can be asked again.
fn settled<T>(lent: Lent<'_, Connection>, answer: RedisResult<T>) -> Result<T, Fault> {
    let answer = answer.map_err(|error| failed(&error));
    lent.answered(!matches!(&answer, Err(fault) if fault.concerns_all()));
    answer
}

async fn count_all(cluster: &ClusterConnection) -> RedisResult<StoreStats> {
    let mut all = StoreStats::default();
    for mut node in Node::primaries(cluster).await? {
        let stats = count(&mut node).await?;
        all.running += stats.running;
        all.done += stats.done;
    }
    Ok(all)
}

/// Walks over all keys of this library.
async fn count(server: &mut impl ConnectionLike) -> RedisResult<StoreStats> {
    let mut stats = StoreStats::default();
    let mut cursor = 0_u64;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(format!("{PREFIX}:dedup:*")).arg("COUNT").arg(SCAN_STEP);
        // Something else under a key of ours is no message.
        scan.arg("TYPE").arg("hash");
        let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(server).await?;
        let mut looks = redis::pipe();
        for key in &keys {
            looks.cmd("HEXISTS").arg(key).arg("response");
        }
        if !keys.is_empty() {
            let done: Vec<bool> = looks.query_async(server).await?;
            let done = done.into_iter().filter(|done| *done).count() as u64;
            stats.done += done;
            stats.running += keys.len() as u64 - done;
        }
        if next == 0 {
            return Ok(stats);
        }
        cursor = next;
    }
}

impl Backend for Redis {
    fn claim(
        self: Arc<Self>,
        key: DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        lease: Duration,
    ) -> Reply<Claim> {
        async move {
            let mut script = CLAIM.key(name(&key));
            script
                .arg(&token(owner))
                .arg(fingerprint.as_bytes())
                .arg(micros(lease.min(LEASE_LIMIT)))
                .arg(millis(CLAIM_KEPT));
            let answer = self.run(&script).await?;
            let likeness = |held: &[u8]| held_fingerprint(held).map(|held| fingerprint.compare(&held));
            match parts(&answer)[..] {
                [b"owned"] => Ok(Claim::Owned),
                [b"busy", held, lease_end] => {
                    Ok(Claim::Busy { lease_end: time(lease_end)?, likeness: likeness(held)? })
                }
                [b"done", held, response] => Ok(Claim::Done { response: stored(response)?, likeness: likeness(held)? }),
                _ => Err(foreign()),
            }
        }
        .boxed()
    }

    fn renew(self: Arc<Self>, key: DedupKey, owner: OwnerToken, lease: Duration) -> Reply<Renewal> {
        async move {
            let mut script = RENEW.key(name(&key));
            script.arg(&token(owner)).arg(micros(lease)).arg(micros(LEASE_LIMIT));
            match parts(&self.run(&script).await?)[..] {
                [b"renewed", lease_end] => Ok(Renewal::Renewed { lease_end: time(lease_end)? }),
                [b"exhausted"] => Ok(Renewal::Exhausted),
                [b"fenced"] => Ok(Renewal::Fenced),
                _ => Err(foreign()),
            }
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
            let mut script = COMPLETE.key(name(&key));
            script.arg(&token(owner)).arg(response.to_bytes()).arg(millis(ttl));
            match parts(&self.run(&script).await?)[..] {
                [b"stored"] => Ok(Completion::Stored),
                [b"fenced"] => Ok(Completion::Fenced),
                _ => Err(foreign()),
            }
        }
        .boxed()
    }

    fn release(self: Arc<Self>, key: DedupKey, owner: OwnerToken) -> Reply<Release> {
        async move {
            let mut script = RELEASE.key(name(&key));
            script.arg(&token(owner));
            match parts(&self.run(&script).await?)[..] {
                [b"released"] => Ok(Release::Released),
                [b"fenced"] => Ok(Release::Fenced),
                _ => Err(foreign()),
            }
        }
        .boxed()
    }

    fn load_senders(self: Arc<Self>, registry: RegistryKey) -> Reply<Option<Vec<u8>>> {
        async move {
            let mut command = redis::cmd("GET");
            command.arg(senders(&registry));
            self.command(&command).await
        }
        .boxed()
    }

    fn replace_senders(self: Arc<Self>, registry: RegistryKey, old: Option<Vec<u8>>, new: Vec<u8>) -> Reply<bool> {
        async move {
            let mut script = SENDERS.key(senders(&registry));
            script.arg(old.unwrap_or_default()).arg(new);
            match parts(&self.run(&script).await?)[..] {
                [b"replaced"] => Ok(true),
                [b"changed"] => Ok(false),
                _ => Err(foreign()),
            }
        }
        .boxed()
    }

    fn get(self: Arc<Self>, key: DedupKey) -> Reply<Option<Entry>> {
        async move {
            match parts(&self.run(&GET.key(name(&key))).await?)[..] {
                [] => Ok(None),
                [b"running", owner, body, claimed_at, lease_end] => {
                    let (owner, fingerprint) = (holder(owner)?, held_fingerprint(body)?);
                    let (claimed_at, lease_end) = (time(claimed_at)?, time(lease_end)?);
                    Ok(Some(Entry::Running { owner, claimed_at, lease_end, fingerprint }))
                }
                [b"done", owner, body, expires_at, response] => {
                    let (owner, fingerprint) = (holder(owner)?, held_fingerprint(body)?);
                    let (expires_at, response) = (time(expires_at)?, stored(response)?);
                    Ok(Some(Entry::Done { owner, response, expires_at, fingerprint }))
                }
                _ => Err(foreign()),
            }
        }
        .boxed()
    }

    fn forget(self: Arc<Self>, key: DedupKey) -> Reply<bool> {
        async move {
            let mut command = redis::cmd("DEL");
            command.arg(name(&key));
            self.command(&command).await
        }
        .boxed()
    }

    fn stats(self: Arc<Self>) -> Reply<StoreStats> {
        async move { self.count().await }.boxed()
    }

    fn migrate(self: Arc<Self>) -> Reply<Migration> {
        // Redis needs no table; that it can be reached is still worth saying.
        async move { self.connection().await.map(|lent| lent.answered(true)).map(|()| Migration::Nothing) }.boxed()
    }
}

/// The key of a message; it has one part only, so a cluster keeps all of an operation on one node.
fn name(key: &DedupKey) -> String {
    format!("{PREFIX}:dedup:{key}")
}

/// The record of an endpoint's senders. It must not be evicted with the messages, so it has no expiry.
fn senders(registry: &RegistryKey) -> String {
    format!("{PREFIX}:senders:{registry}")
}

fn token(owner: OwnerToken) -> [u8; 16] {
    owner.get().to_be_bytes()
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn parts(answer: &[Vec<u8>]) -> Vec<&[u8]> {
    answer.iter().map(Vec::as_slice).collect()
}

fn time(text: &[u8]) -> Result<Timestamp, Fault> {
    let micros = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    micros.map(Timestamp::from_unix_micros).ok_or_else(foreign)
}

fn holder(bytes: &[u8]) -> Result<OwnerToken, Fault> {
    bytes.try_into().map(|bytes| OwnerToken::new(u128::from_be_bytes(bytes))).map_err(|_| foreign())
}

fn held_fingerprint(bytes: &[u8]) -> Result<Fingerprint, Fault> {
    bytes.try_into().map(Fingerprint::from_bytes).map_err(|_| foreign())
}

fn stored(bytes: &[u8]) -> Result<Arc<StoredResponse>, Fault> {
    StoredResponse::from_bytes(bytes).map(Arc::new).ok_or_else(foreign)
}

fn foreign() -> Fault {
    let reason = "Redis holds something under this message's key that this version did not write";
    Fault::new(Reach::Message, reason)
}

fn failed(error: &RedisError) -> Fault {
    let reach = match (error.kind(), error.code()) {
        // What a script says that met something else under its key than it left there.
        (ErrorKind::Server(ServerErrorKind::ResponseError), _) | (_, Some("WRONGTYPE")) => Reach::Message,
        (ErrorKind::UnexpectedReturnType, _) => Reach::Message,
        (ErrorKind::Io | ErrorKind::Parse, _) => Reach::Unanswered,
        _ => Reach::Refused,
    };
    Fault::new(reach, described(error))
}

/// What went wrong, and what to do about the usual causes. Errors of the client hold no password.
fn described(error: &RedisError) -> String {
    let advice = match (error.kind(), error.code()) {
        (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => "; this server is a read-only replica: name the master",
        (ErrorKind::Server(ServerErrorKind::NoPerm), _) => {
            "; the user needs ~surehook:* +@hash +@string +@scripting +@keyspace +time"
        }
        (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => "; check the user and the password",
        (_, Some("OOM")) => "; raise maxmemory, or evict something else than messages (noeviction for this database)",
        _ => "",
    };
    format!("Redis: {error}{advice}")
}
