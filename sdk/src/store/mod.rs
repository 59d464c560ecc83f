//! Where handled messages are remembered: chosen by a URL.

mod address;
mod application;
#[cfg(any(feature = "redis", feature = "postgres"))]
mod breaker;
#[cfg(any(feature = "redis", feature = "postgres"))]
mod certificates;
#[cfg(any(feature = "redis", feature = "postgres"))]
mod fault;
#[cfg(any(feature = "redis", feature = "postgres"))]
mod link;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "redis", feature = "postgres"))]
mod remote;
mod sqlite;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use surehook_core::dedup::{
    Claim, Completion, DedupKey, Entry, Fingerprint, LEASE, LEASE_LIMIT, MemoryStore, MessageName, OwnerToken,
    RegistryKey, Release, Renewal, Scope, Sender, Senders, Store, StoreError, StoredResponse,
};
use surehook_core::{ConfigError, Secret, Timestamp};

use crate::{service, settings};

use address::Address;
use application::ApplicationStore;
pub(crate) use application::ONLY_THE_APPLICATION;
use memory::OwnMemory;
#[cfg(any(feature = "redis", feature = "postgres"))]
use remote::Remote;
use sqlite::SqliteStore;

/// A claim that nobody ended is kept for so long: until then its owner may still complete it. No lease lasts longer.
pub(crate) const CLAIM_KEPT: Duration = Duration::from_secs(24 * 3600);

/// The memory of this process. Endpoints share it, so that a module that is loaded anew does not forget.
static MEMORY: LazyLock<Arc<OwnMemory>> = LazyLock::new(Arc::default);

/// A dedup store. Clones are the same store.
///
/// ```
/// use surehook::DedupStore;
///
/// let file = tempfile::tempdir().unwrap();
/// let store = DedupStore::open(&format!("sqlite://{}/dedup.db", file.path().display())).unwrap();
/// store.migrate().unwrap();
/// assert_eq!(store.stats().unwrap().running, 0);
///
/// let error = DedupStore::open("redis://:secret@").unwrap_err().to_string();
/// assert!(!error.contains("secret"));
/// ```
#[derive(Clone)]
pub struct DedupStore {
    backing: Backing,
    namespace: Option<Arc<str>>,
}

#[derive(Clone)]
enum Backing {
    Memory(Arc<OwnMemory>),
    Sqlite(Arc<SqliteStore>),
    #[cfg(any(feature = "redis", feature = "postgres"))]
    Remote(Remote),
    /// The application's own.
    Own(Arc<dyn Store>),
    /// A table in the application's database.
    Application(Arc<ApplicationStore>),
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Claims whose handlers run, and lapsed ones that nobody took yet.
    pub running: u64,
    /// Answers that are remembered.
    pub done: u64,
    /// Responses that the memory of this process forgot before their time; nothing else forgets.
    pub evictions: u64,
}

/// What [`DedupStore::migrate`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migration {
    /// The table was created, or brought to this version.
    Done,
    /// There was nothing to do.
    Nothing,
}

impl DedupStore {
    /// The store of a URL: `memory://`, `sqlite:///path`, `redis://`, `rediss://`, `redis+cluster://`, `rediss+cluster://`,
    /// `redis+sentinel://`, `rediss+sentinel://` or `postgres://`. Nothing is opened or connected yet. `?namespace=` keeps the
    /// application's messages apart from those of others in the same store.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] for a URL that none of them can be; the message never holds a password.
    pub fn open(url: &str) -> Result<Self, ConfigError> {
        let (url, namespace) = address::take_namespace(url)?;
        let backing = match Address::parse(&url)? {
            Address::Memory => Backing::Memory(Arc::clone(&MEMORY)),
            Address::Sqlite(path) => Backing::Sqlite(Arc::new(SqliteStore::new(path))),
            #[cfg(feature = "redis")]
            Address::Redis(servers) => Backing::Remote(redis::open(&servers)?),
            #[cfg(feature = "postgres")]
            Address::Postgres(url) => Backing::Remote(postgres::open(&url)?),
        };
        Ok(Self { backing, namespace: namespace.map(Arc::from) })
    }

    /// A table in the application's own database, asked inside of its own transactions: see
    /// [`Endpoint::begin_without_waiting`](crate::Endpoint::begin_without_waiting). `kind` stands in the record of an attempt, e.g.
    /// `django`.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] for a kind that is not 1 to 40 of `a-z`, `0-9`, `_` and `-`.
    pub fn application(kind: &str) -> Result<Self, ConfigError> {
        Ok(Backing::Application(Arc::new(ApplicationStore::new(kind)?)).into())
    }

    /// A store of the application's own that answers at once.
    pub fn of(store: Arc<dyn Store>) -> Self {
        Backing::Own(store).into()
    }

    /// What the store knows of a message.
    ///
    /// # Errors
    /// The store cannot be asked, or is the memory of another process.
    pub fn get(&self, message: &DedupKey) -> Result<Option<Entry>, StoreError> {
        match &self.backing {
            Backing::Sqlite(store) => store.get(message),
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => {
                let key = *message;
                store.wait_long(move |backend| backend.get(key))
            }
            Backing::Memory(_) | Backing::Own(_) => Err(self.cannot("look into")),
            Backing::Application(_) => Err(only_the_application()),
        }
    }

    /// Forgets a message, so that its next attempt runs the handler. False: it was not known.
    ///
    /// # Errors
    /// The store cannot be asked, or is the memory of another process.
    pub fn forget(&self, message: &DedupKey) -> Result<bool, StoreError> {
        match &self.backing {
            Backing::Sqlite(store) => store.forget(message),
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => {
                let key = *message;
                store.wait_long(move |backend| backend.forget(key))
            }
            Backing::Memory(store) => Ok(store.with(|store| store.forget(message))),
            Backing::Own(_) => Err(self.cannot("change")),
            Backing::Application(_) => Err(only_the_application()),
        }
    }

    /// What the store holds.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub fn stats(&self) -> Result<StoreStats, StoreError> {
        match &self.backing {
            Backing::Memory(store) => {
                let stats = store.with(MemoryStore::stats);
                let (running, done) = (stats.running as u64, stats.done as u64);
                Ok(StoreStats { running, done, evictions: stats.evictions })
            }
            Backing::Sqlite(store) => store.stats(),
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => store.wait_long(|backend| backend.stats()),
            Backing::Own(_) => Err(self.cannot("count in")),
            Backing::Application(_) => Err(only_the_application()),
        }
    }

    /// Creates the table that the store needs, where it needs one.
    ///
    /// # Errors
    /// The store cannot be asked, refuses, or holds something newer than this version knows.
    pub fn migrate(&self) -> Result<Migration, StoreError> {
        match &self.backing {
            Backing::Memory(_) | Backing::Own(_) => Ok(Migration::Nothing),
            Backing::Application(_) => Err(only_the_application()),
            Backing::Sqlite(store) => store.migrate(),
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => store.wait_long(|backend| backend.migrate()),
        }
    }

    /// The namespace that its URL names.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The namespace of the keys in this store, as an endpoint without one of its own finds it: `given`, `SUREHOOK_NAMESPACE`, what
    /// the URL says, the application's name in the environment.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] for a namespace that cannot be one.
    pub fn operators_namespace(&self, given: Option<&str>) -> Result<String, ConfigError> {
        let named = settings::namespace(given)?.or_else(|| self.namespace().map(str::to_owned));
        Ok(named.or_else(|| service::name(None, None)).unwrap_or_default())
    }

    /// The key of a message that an operator names: by its endpoint, a secret of its sender's, and what it is called. `None`: no
    /// message that was signed with this secret has come to this endpoint.
    ///
    /// # Errors
    /// The store cannot be asked, or is the memory of another process.
    pub fn operators_key(
        &self,
        scope: &Scope,
        secret: &Secret,
        name: &MessageName,
    ) -> Result<Option<DedupKey>, StoreError> {
        let registry = RegistryKey::of(scope);
        let senders = self.senders(&registry)?;
        let sender = senders.of(secret.seed().tag(&registry));
        Ok(sender.map(|sender| DedupKey::of(scope, &Sender::Registered(sender), name)))
    }

    fn senders(&self, registry: &RegistryKey) -> Result<Senders, StoreError> {
        let held = match &self.backing {
            Backing::Sqlite(store) => store.load_senders(registry)?,
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => {
                let registry = *registry;
                store.wait_long(move |backend| backend.load_senders(registry))?
            }
            Backing::Memory(_) | Backing::Own(_) => return Err(self.cannot("look into")),
            Backing::Application(_) => return Err(only_the_application()),
        };
        held.map_or(Ok(Senders::default()), |bytes| Senders::from_bytes(&bytes))
    }

    /// How long a claim lasts unless it is renewed. In memory, for as long as a handler may run: docs/decisions/0003.
    pub(crate) fn lease(&self) -> Duration {
        if self.outlives_the_process() { LEASE } else { LEASE_LIMIT }
    }

    /// Whether a claim stays when its process dies.
    pub(crate) fn outlives_the_process(&self) -> bool {
        !matches!(self.backing, Backing::Memory(_))
    }

    /// Whether claims are renewed by the process that lives. Where only the application can ask they are not, and need not be:
    /// docs/decisions/0011.
    pub(crate) fn is_renewed(&self) -> bool {
        self.outlives_the_process() && !self.is_application()
    }

    /// Whether it asks nothing but the memory of this process, or nothing by itself.
    pub(crate) fn is_instant(&self) -> bool {
        !self.outlives_the_process() || self.is_application()
    }

    /// Whether an operation waits for a network: then it must not be asked on a thread that others wait for.
    pub(crate) fn is_remote(&self) -> bool {
        match &self.backing {
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(_) => true,
            _ => false,
        }
    }

    /// Whether only the application can ask it.
    pub(crate) fn is_application(&self) -> bool {
        matches!(self.backing, Backing::Application(_))
    }

    fn local(&self) -> &dyn Store {
        match &self.backing {
            Backing::Memory(store) => &**store,
            Backing::Sqlite(store) => &**store,
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => store,
            Backing::Own(store) => &**store,
            Backing::Application(store) => &**store,
        }
    }

    fn cannot(&self, what: &str) -> StoreError {
        StoreError { reason: format!("no other process can {what} a {} store", self.kind()) }
    }
}

impl From<Backing> for DedupStore {
    fn from(backing: Backing) -> Self {
        Self { backing, namespace: None }
    }
}

fn only_the_application() -> StoreError {
    StoreError { reason: ONLY_THE_APPLICATION.to_owned() }
}

/// The operations for the I/O thread, which none of them keeps waiting.
impl DedupStore {
    pub(crate) async fn claim_on_io(
        &self,
        key: DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let lease = self.lease();
        match &self.backing {
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => store.claim(key, fingerprint, owner, lease).await,
            _ => self.beside(move |store| store.claim(&key, fingerprint, owner, now, lease)).await,
        }
    }

    pub(crate) async fn renew_on_io(
        &self,
        key: DedupKey,
        owner: OwnerToken,
        now: Timestamp,
    ) -> Result<Renewal, StoreError> {
        let lease = self.lease();
        match &self.backing {
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => store.ask(|backend| backend.renew(key, owner, lease)).await,
            _ => self.beside(move |store| store.renew(&key, owner, now, lease)).await,
        }
    }

    pub(crate) async fn complete_on_io(
        &self,
        key: DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Completion, StoreError> {
        match &self.backing {
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => store.ask(|backend| backend.complete(key, owner, response, ttl)).await,
            _ => self.beside(move |store| store.complete(&key, owner, response, now, ttl)).await,
        }
    }

    pub(crate) async fn load_senders_on_io(&self, registry: RegistryKey) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.backing {
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => store.ask(|backend| backend.load_senders(registry)).await,
            _ => self.beside(move |store| store.load_senders(&registry)).await,
        }
    }

    pub(crate) async fn replace_senders_on_io(
        &self,
        registry: RegistryKey,
        old: Option<Vec<u8>>,
        new: Vec<u8>,
    ) -> Result<bool, StoreError> {
        match &self.backing {
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => store.ask(|backend| backend.replace_senders(registry, old, new)).await,
            _ => self.beside(move |store| store.replace_senders(&registry, old.as_deref(), &new)).await,
        }
    }

    pub(crate) async fn release_on_io(&self, key: DedupKey, owner: OwnerToken) -> Result<Release, StoreError> {
        match &self.backing {
            #[cfg(any(feature = "redis", feature = "postgres"))]
            Backing::Remote(store) => store.ask(|backend| backend.release(key, owner)).await,
            _ => self.beside(move |store| store.release(&key, owner)).await,
        }
    }

    /// Asks a store of this host. A file may be held by another process, and the application's own store by anything: the I/O
    /// thread, which renews the leases of all, does not wait for them. Memory never waits.
    async fn beside<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if let Backing::Memory(store) = &self.backing {
            return ask(&**store);
        }
        let store = self.clone();
        let asked = tokio::task::spawn_blocking(move || ask(store.local())).await;
        asked.unwrap_or_else(|_| Err(StoreError { reason: "the store itself failed while it was asked".to_owned() }))
    }
}

/// Every operation waits for its answer; [`Endpoint::begin`](crate::Endpoint::begin) has a form that does not.
impl Store for DedupStore {
    fn kind(&self) -> &str {
        self.local().kind()
    }

    fn claim(
        &self,
        key: &DedupKey,
        fingerprint: Fingerprint,
        owner: OwnerToken,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        self.local().claim(key, fingerprint, owner, now, lease)
    }

    fn renew(&self, key: &DedupKey, owner: OwnerToken, now: Timestamp, lease: Duration) -> Result<Renewal, StoreError> {
        self.local().renew(key, owner, now, lease)
    }

    fn complete(
        &self,
        key: &DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Completion, StoreError> {
        self.local().complete(key, owner, response, now, ttl)
    }

    fn release(&self, key: &DedupKey, owner: OwnerToken) -> Result<Release, StoreError> {
        self.local().release(key, owner)
    }

    fn load_senders(&self, registry: &RegistryKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.local().load_senders(registry)
    }

    fn replace_senders(&self, registry: &RegistryKey, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        self.local().replace_senders(registry, old, new)
    }
}

impl std::fmt::Debug for DedupStore {
    /// Tells the kind only: an address may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DedupStore").field(&self.kind()).finish()
    }
}
