//! One store under test, and a way to let its time pass.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use surehook::core::dedup::{DedupKey, MemoryStore};
use surehook::{Clock, DedupStore, Endpoint, EndpointOptions};

use crate::servers::{self, PASSWORD, PASSWORD_IN_URL, Server, Shared};
use crate::support::{ManualClock, SECRET, key, silent_client};

static REDIS: Shared<Server> = Shared::new();
static CLUSTER: Shared<[Server; 3]> = Shared::new();
static POSTGRES: Shared<Server> = Shared::new();
static NAMES: AtomicU64 = AtomicU64::new(0);

/// Makes entries of these messages older by a span.
type Age = Box<dyn Fn(&[DedupKey], Duration) + Send + Sync>;

pub type Spoil = Box<dyn Fn(&DedupKey) + Send + Sync>;

pub struct Bench {
    pub url: String,
    pub store: DedupStore,
    pub clock: Arc<ManualClock>,
    /// A name that no other test has.
    pub name: String,
    /// Where the server listens, for a proxy before it.
    pub port: Option<u16>,
    /// Ways to make an entry one that cannot be read.
    pub spoil: Vec<Spoil>,
    age: Age,
    _kept: Box<dyn Any + Send + Sync>,
}

impl Bench {
    fn new(url: &str, port: Option<u16>, age: Age, kept: impl Any + Send + Sync) -> Self {
        let store = DedupStore::open(url).unwrap();
        store.migrate().unwrap();
        Self::of(store, url, port, age, kept)
    }

    fn of(store: DedupStore, url: &str, port: Option<u16>, age: Age, kept: impl Any + Send + Sync) -> Self {
        let name = format!("{}-{}", std::process::id(), NAMES.fetch_add(1, Ordering::SeqCst));
        Self {
            url: url.to_owned(),
            store,
            clock: ManualClock::new(),
            name,
            port,
            spoil: Vec::new(),
            age,
            _kept: Box::new(kept),
        }
    }

    /// An endpoint on this store, seen from a process of its own as far as the store is concerned.
    pub fn endpoint(&self, change: impl FnOnce(&mut EndpointOptions)) -> Endpoint {
        let mut options = EndpointOptions {
            secrets: vec![SECRET.to_owned()],
            name: Some(self.name.clone()),
            clock: Some(Arc::clone(&self.clock) as Arc<dyn Clock>),
            client: Some(silent_client()),
            dedup: Some(self.url.clone()),
            store: (self.url == "memory://").then(|| self.store.clone()),
            ..EndpointOptions::new("clerk")
        };
        change(&mut options);
        Endpoint::new(options).unwrap()
    }

    /// Whether the store goes by a clock of its own, not by the caller's.
    pub fn has_own_clock(&self) -> bool {
        self.url.starts_with("redis") || self.url.starts_with("postgres")
    }

    pub fn key(&self, id: &str) -> DedupKey {
        key(&self.name, id)
    }

    /// Lets time pass: for the caller's clock, and for what the store's own clock has put down about these messages.
    pub fn pass(&self, keys: &[DedupKey], span: Duration) {
        self.clock.advance(span);
        (self.age)(keys, span);
    }
}

fn by_the_callers_clock() -> Age {
    Box::new(|_, _| {})
}

/// Not the one memory of the process: a test has a clock of its own, and one memory has one clock.
pub fn memory() -> Option<Bench> {
    let store = DedupStore::of(Arc::new(MemoryStore::default()));
    Some(Bench::of(store, "memory://", None, by_the_callers_clock(), ()))
}

pub fn sqlite() -> Option<Bench> {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/dedup.db", dir.path().display());
    Some(Bench::new(&url, None, by_the_callers_clock(), dir))
}

pub fn redis() -> Option<Bench> {
    let server = REDIS.get(|| servers::redis(&["--requirepass", PASSWORD]))?;
    let (url, port) = (format!("redis://:{PASSWORD_IN_URL}@127.0.0.1:{}", server.port), server.port);
    let client = redis::Client::open(url.clone()).unwrap();
    let age = Box::new(move |keys: &[DedupKey], span| {
        let mut connection = client.get_connection().unwrap();
        keys.iter().for_each(|key| age_in_redis(&mut connection, key, span));
    });
    let ask = {
        let client = redis::Client::open(url.clone()).unwrap();
        move |command: &redis::Cmd| {
            command.query::<redis::Value>(&mut client.get_connection().unwrap()).map(drop).unwrap()
        }
    };
    let (spoil_type, spoil_field) = (ask.clone(), ask);
    let of = |key: &DedupKey| format!("surehook:dedup:{key}");
    Some(Bench {
        spoil: vec![
            Box::new(move |key| spoil_type(redis::cmd("SET").arg(of(key)).arg("of somebody else"))),
            Box::new(move |key| spoil_field(redis::cmd("HSET").arg(of(key)).arg("response").arg("?"))),
        ],
        ..Bench::new(&url, Some(port), age, server)
    })
}

pub fn redis_cluster() -> Option<Bench> {
    let nodes = CLUSTER.get(servers::redis_cluster)?;
    let hosts = nodes.each_ref().map(|node| format!("127.0.0.1:{}", node.port)).join(",");
    let plain = nodes.each_ref().map(|node| format!("redis://127.0.0.1:{}", node.port));
    let age = Box::new(move |keys: &[DedupKey], span| {
        let mut connection = redis::cluster::ClusterClient::new(plain.clone()).unwrap().get_connection().unwrap();
        keys.iter().for_each(|key| age_in_redis(&mut connection, key, span));
    });
    Some(Bench::new(&format!("redis+cluster://{hosts}"), None, age, nodes))
}

pub fn postgres() -> Option<Bench> {
    let server = POSTGRES.get(servers::postgres)?;
    let (url, port) = (postgres_url(server.port), server.port);
    let sql = "UPDATE surehook_dedup SET claimed_at = claimed_at - $2 * interval '1 s', \
               lease_end = lease_end - $2 * interval '1 s', expires_at = expires_at - $2 * interval '1 s' \
               WHERE key = ANY($1)";
    let age = Box::new(move |keys: &[DedupKey], span: Duration| {
        let keys: Vec<&[u8]> = keys.iter().map(|key| &key.as_bytes()[..]).collect();
        in_postgres(port, async |client| client.execute(sql, &[&keys, &span.as_secs_f64()]).await.map(drop));
    });
    // Only one of the tests that run at the same time creates the table.
    static MIGRATION: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = MIGRATION.lock().unwrap();
    let run = move |sql: &str| in_postgres(port, async |client| client.batch_execute(sql).await);
    Some(Bench {
        spoil: vec![Box::new(move |key| {
            run(&format!("UPDATE surehook_dedup SET response = '?' WHERE key = '\\x{key}'"));
        })],
        ..Bench::new(&url, Some(port), age, server)
    })
}

pub fn postgres_url(port: u16) -> String {
    format!("postgres://surehook:{PASSWORD_IN_URL}@127.0.0.1:{port}/postgres")
}

/// Runs what an administrator would.
pub fn in_postgres<T>(
    port: u16,
    with: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, tokio_postgres::Error>,
) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = postgres_url(port);
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        with(&client).await.unwrap()
    })
}

fn age_in_redis(connection: &mut dyn redis::ConnectionLike, key: &DedupKey, span: Duration) {
    let script = redis::Script::new(
        "local left = redis.call('PTTL', KEYS[1])
         if left < 0 then return end
         for _, field in ipairs({'claimed_at', 'lease_end'}) do
             if redis.call('HEXISTS', KEYS[1], field) == 1 then redis.call('HINCRBY', KEYS[1], field, -ARGV[1]) end
         end
         redis.call('PEXPIRE', KEYS[1], left - ARGV[1] / 1000)",
    );
    let micros = u64::try_from(span.as_micros()).unwrap();
    script.key(format!("surehook:dedup:{key}")).arg(micros).invoke::<()>(connection).unwrap();
}
