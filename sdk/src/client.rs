//! The client: who sends the telemetry of a process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use surehook_core::ConfigError;
use surehook_core::telemetry::attempt::{Attempt, DropReason, Instance, SdkInfo};
use surehook_core::telemetry::refusals::Kind;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::before_send::BeforeSend;
use crate::capture::Capture;
use crate::notice::{self, Level};
use crate::process::PerProcess;
use crate::sender::{Sender, Settings, Stats, Target};
use crate::service;
use crate::spool;

/// The address of a collector on the same machine.
const LOCAL_COLLECTOR: &str = "http://127.0.0.1:4600";

/// The client that [`init`] installed.
static CURRENT: ArcSwapOption<Inner> = ArcSwapOption::const_empty();

/// The clients that [`init`] replaced: what was recorded with them still counts, and so does what their last deliveries record.
static EARLIER: LazyLock<PerProcess<Mutex<Earlier>>> = LazyLock::new(|| PerProcess::new(Mutex::default));

#[derive(Default)]
struct Earlier {
    clients: Vec<Client>,
    /// What became of those that nobody uses any more.
    ended: Stats,
}

impl Earlier {
    /// Lets go of the clients that nobody uses any more, and keeps their counts. What one has on the disk waits for the next
    /// one that looks there, which counts it.
    fn settle(&mut self) {
        let (ended, used): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.clients).into_iter().partition(Client::has_ended);
        self.clients = used;
        for client in ended {
            let stats = client.stats();
            let own = Stats { recorded: stats.recorded - stats.queued, queued: 0, ..stats };
            self.ended = std::mem::take(&mut self.ended).and(own);
        }
    }
}

/// The client that has taken its place: see [`divert`].
static INSTEAD: ArcSwapOption<Inner> = ArcSwapOption::const_empty();

/// The settings of a [`Client`].
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {
    /// The collector's API key (`shk_…`); the environment variable `SUREHOOK_API_KEY` by default. Without one, telemetry
    /// is off.
    pub api_key: Option<String>,
    /// The collector's address; `SUREHOOK_ENDPOINT` by default, then `http://127.0.0.1:4600`.
    pub endpoint: Option<String>,
    /// A PEM file of certificate authorities to trust beside those of the system, for a collector with a private one.
    /// `SSL_CERT_FILE` and the proxy variables (`HTTPS_PROXY`, `NO_PROXY`, …) are honoured as well.
    pub ca_file: Option<PathBuf>,
    /// A directory that keeps recorded attempts until the collector has them, so that they outlive this process. Several
    /// processes may share it. Created when missing; its files are readable by their owner alone. Off by default.
    pub spool_dir: Option<PathBuf>,
    /// The most attempts that a process keeps in the spool: 10,000 by default. Beyond it the oldest are dropped.
    pub spool_max_attempts: Option<u64>,
    /// The most bytes that a process keeps in the spool: 50 MiB by default. Beyond it the oldest are dropped.
    pub spool_max_bytes: Option<u64>,
    /// Sees each attempt before it is sent, and may change it or keep it back.
    pub before_send: Option<BeforeSend>,
    /// Keeps the attempts in memory in place of sending them, for an application's tests. No API key is needed.
    pub capture: Option<Capture>,
    /// What the application is called in its records, and by default where it shares a dedup store with others; by default
    /// `SUREHOOK_SERVICE`, then `OTEL_SERVICE_NAME`, then the name of the package or the platform's.
    pub service: Option<String>,
    /// The name of the application's package, where the host language knows it.
    pub package: Option<String>,
    /// The host language: `rust` by default.
    pub language: Option<String>,
    /// The web framework, where known.
    pub framework: Option<String>,
    /// The language's runtime and version, where known.
    pub runtime: Option<String>,
}

/// Sends what the endpoints of a process record. Clones share one queue.
///
/// It starts its one thread with the first attempt that is recorded, not before.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    settings: Settings,
    /// Everything that belongs to this process alone. A fork gets a fresh one; the parent's events stay the parent's.
    sender: PerProcess<Sender>,
}

impl Client {
    /// A client of its own, for programs that do not want the process-wide one of [`init`].
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when the address is not an http(s) URL, the key holds what no header can carry, the
    /// authorities cannot be read, or the spool's directory cannot be written to.
    pub fn new(options: ClientOptions) -> Result<Self, ConfigError> {
        let key = options.api_key.or_else(|| env("SUREHOOK_API_KEY")).filter(|key| !key.is_empty());
        let address =
            options.endpoint.or_else(|| env("SUREHOOK_ENDPOINT")).unwrap_or_else(|| LOCAL_COLLECTOR.to_owned());
        let label_key = Zeroizing::new(key.clone().unwrap_or_default());
        let target = key.map(|key| target(&address, &key, options.ca_file.as_deref())).transpose()?;
        let spool = options.spool_dir.filter(|_| target.is_some());
        let spool = spool
            .map(|dir| spool::Settings::new(dir, options.spool_max_attempts, options.spool_max_bytes))
            .transpose()?;
        if target.is_none() && options.capture.is_none() {
            notice::give(Level::Warning, "telemetry is off: give an API key to init(), or set SUREHOOK_API_KEY");
        }
        let sdk = SdkInfo {
            name: "surehook".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            language: options.language.unwrap_or_else(|| "rust".to_owned()),
            framework: options.framework,
            runtime: options.runtime,
        };
        service::check("service", options.service.as_deref())?;
        let service = service::name(options.service.as_deref(), options.package.as_deref());
        let (before_send, capture) = (options.before_send, options.capture);
        let settings = Settings { label_key, sdk, service, target, spool, before_send, capture };
        let own = settings.clone();
        let sender = PerProcess::new(move || start(&own));
        Ok(Self(Arc::new(Inner { settings, sender })))
    }

    /// Sends what is queued, and waits for that up to `timeout`. True: nothing is left.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.0.settings.capture.is_some() || self.0.sender.get().flush(timeout)
    }

    /// Sends what is queued within `timeout`, and ends the sender's thread. The rest stays in the spool, or is counted as
    /// dropped where there is none.
    /// True: nothing was left. What is recorded later starts a new thread.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        self.0.settings.capture.is_some() || self.0.sender.get().shutdown(timeout)
    }

    /// What became of the attempts recorded so far in this process.
    pub fn stats(&self) -> Stats {
        match &self.0.settings.capture {
            Some(capture) => capture.stats(),
            None => self.0.sender.get().stats(),
        }
    }

    fn has_settings_of(&self, other: &Self) -> bool {
        self.0.settings == other.0.settings
    }

    /// The key under which labels that are redacted stay apart.
    pub(crate) fn label_key(&self) -> &[u8] {
        self.0.settings.label_key.as_bytes()
    }

    /// Whether nobody else can record with it, and nothing waits in its memory.
    fn has_ended(&self) -> bool {
        Arc::strong_count(&self.0) == 1 && (self.0.settings.spool.is_some() || self.stats().queued == 0)
    }

    /// What the application is called.
    pub(crate) fn service(&self) -> Option<&str> {
        self.0.settings.service.as_deref()
    }

    /// Whether attempts are sent anywhere.
    pub(crate) fn is_on(&self) -> bool {
        self.0.settings.target.is_some() || self.0.settings.capture.is_some()
    }

    /// Counts an attempt that was lost before it could be recorded.
    pub(crate) fn lost(&self, reason: DropReason) {
        match &self.0.settings.capture {
            Some(capture) => capture.lost(reason),
            None if self.is_on() => self.0.sender.get().lost(reason),
            None => {}
        }
    }

    /// Takes a request that was refused; the attempt is only made when it may be told. Never blocks on the network.
    pub(crate) fn refuse(&self, kind: Kind, proved: bool, attempt: impl FnOnce() -> Attempt) {
        let Settings { capture, before_send, .. } = &self.0.settings;
        match capture {
            Some(capture) => capture.keep(attempt(), before_send.as_ref()),
            None if self.is_on() => self.0.sender.get().refuse(kind, proved, attempt),
            None => {}
        }
    }

    /// A handler starts: with a spool, what is told of it should this process be killed meanwhile.
    pub(crate) fn begin(&self, attempt: impl FnOnce() -> Attempt) {
        if self.0.settings.target.is_some() && self.0.settings.capture.is_none() {
            let sender = self.0.sender.get();
            if sender.keeps_starts() {
                sender.begin(&attempt());
            }
        }
    }

    /// Queues an attempt; never blocks on the network and never fails.
    pub(crate) fn record(&self, attempt: Attempt) {
        let Settings { capture, before_send, .. } = &self.0.settings;
        match capture {
            Some(capture) => capture.keep(attempt, before_send.as_ref()),
            None if self.is_on() => self.0.sender.get().record(attempt),
            None => {}
        }
    }
}

/// A sender of this very process.
fn start(settings: &Settings) -> Sender {
    let instance = Instance { id: Uuid::new_v4(), host: host_name(), pid: std::process::id() };
    Sender::new(settings.clone(), instance)
}

/// Starts telemetry for the whole process: endpoints built before or after use this client, unless given their own.
/// Called again with the same settings (a module that is loaded anew), it keeps the client. With others it replaces it; the
/// earlier one sends what it holds first, for at most 2 s.
///
/// # Errors
/// Those of [`Client::new`]; the client that was there stays.
///
/// ```
/// use surehook::ClientOptions;
///
/// surehook::init(ClientOptions { api_key: Some("shk_example".to_owned()), ..ClientOptions::default() }).unwrap();
/// assert!(surehook::init(ClientOptions { endpoint: Some("not a URL".to_owned()), api_key: Some("shk_example".to_owned()), ..ClientOptions::default() }).is_err());
/// ```
pub fn init(options: ClientOptions) -> Result<Client, ConfigError> {
    let client = Client::new(options)?;
    if let Some(same) = CURRENT.load_full().map(Client).filter(|current| current.has_settings_of(&client)) {
        return Ok(same);
    }
    if let Some(replaced) = CURRENT.swap(Some(client.0.clone())).map(Client) {
        replaced.shutdown(Duration::from_secs(2));
        if replaced.is_on() {
            lock(&EARLIER.get()).clients.push(replaced);
        }
        // Its files are free for the client that takes its place.
        earlier();
    }
    Ok(client)
}

/// [`Client::flush`] of the process-wide client, and of those that [`init`] replaced; true where there is none.
pub fn flush(timeout: Duration) -> bool {
    each(timeout, Client::flush)
}

/// [`Client::shutdown`] of the same; true where there is none.
pub fn shutdown(timeout: Duration) -> bool {
    each(timeout, Client::shutdown)
}

/// [`Client::stats`] of the process-wide client, with those of the ones that [`init`] replaced; zeros where there is none.
pub fn stats() -> Stats {
    let (earlier, ended) = earlier();
    current().iter().chain(&earlier).map(Client::stats).fold(ended, Stats::and)
}

/// Ends each client of the process within one time; true when all of them had the time.
fn each(timeout: Duration, end: impl Fn(&Client, Duration) -> bool) -> bool {
    let started = Instant::now();
    let left = || timeout.saturating_sub(started.elapsed());
    // The current one first: it has the most to send. What an earlier one has on the disk stays there.
    let done = current().is_none_or(|client| end(&client, left()));
    let (earlier, _) = earlier();
    let in_memory = earlier.iter().filter(|client| client.0.settings.spool.is_none());
    in_memory.filter(|client| !end(client, left())).count() == 0 && done
}

/// The process-wide clients before the current one, and the counts of those that have ended; none where another takes their
/// place.
fn earlier() -> (Vec<Client>, Stats) {
    if INSTEAD.load().is_some() {
        return Default::default();
    }
    let own = EARLIER.get();
    let mut earlier = lock(&own);
    earlier.settle();
    (earlier.clients.clone(), earlier.ended.clone())
}

fn lock(earlier: &Mutex<Earlier>) -> MutexGuard<'_, Earlier> {
    earlier.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has a client take the place of the process-wide one, whatever [`init`] is told meanwhile, and returns the one that did so
/// before; `None` ends it. For an application's tests, with a [`Capture`].
///
/// ```
/// use surehook::{Capture, Client, ClientOptions};
///
/// let capture = Capture::new();
/// let client = Client::new(ClientOptions { capture: Some(capture.clone()), ..ClientOptions::default() }).unwrap();
/// let before = surehook::divert(Some(client));
/// // What the application's endpoints record is in `capture` now.
/// surehook::divert(before);
/// ```
pub fn divert(client: Option<Client>) -> Option<Client> {
    INSTEAD.swap(client.map(|client| client.0)).map(Client)
}

/// The client of this process: the one that was put in its place, or that of [`init`].
pub(crate) fn current() -> Option<Client> {
    INSTEAD.load_full().or_else(|| CURRENT.load_full()).map(Client)
}

/// Says once per process that nothing is recorded because nobody called [`init`].
pub(crate) fn say_that_nothing_is_recorded() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        notice::give(Level::Warning, "telemetry is off: init() was not called; webhooks are still verified")
    });
}

fn target(address: &str, key: &str, ca_file: Option<&Path>) -> Result<Target, ConfigError> {
    let target = Target::new(address, key)?;
    match ca_file {
        Some(file) => target.with_authorities(file),
        None => Ok(target),
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn host_name() -> Option<String> {
    gethostname::gethostname().into_string().ok().filter(|name| !name.is_empty())
}
