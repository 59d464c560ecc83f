//! The self-hosted collector: takes batches of attempts, keeps them in SQLite, and serves the dashboard.
//!
//! ```
//! # fn main() -> Result<(), surehook_collector::Error> {
//! use surehook_collector::{Access, Collector, Config};
//!
//! # let directory = tempfile::tempdir()?;
//! let collector = Collector::open(Config::new(directory.path(), Access::Local))?;
//! let key = collector.create_key("production")?;
//! assert!(key.starts_with("shk_"));
//! collector.close();
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod api;
mod auth;
mod clock;
mod config;
mod dashboard;
mod error;
mod export;
mod ingest;
mod messages;
mod metrics;
mod serve;
mod state;
mod store;

pub use clock::Clock;
pub use config::{Access, Config, Limits};
pub use error::Error;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::auth::keys::{self, Created};
use crate::state::{Shared, State};

/// Batches that are decompressed and decoded at a time. Each may hold some 10 MiB while it is.
const DECODING: usize = 4;

/// An open data directory, and everything that is served from it.
pub struct Collector {
    shared: Shared,
    /// Held while the directory is open, so that no second process writes to it.
    _lock: File,
}

impl Collector {
    /// Opens a data directory, which is created when it does not exist, and starts the thread that writes to it.
    ///
    /// # Errors
    /// `invalid_config`, `io`, `data_dir_in_use`, `database_too_new`, `storage_unavailable`.
    pub fn open(config: Config) -> Result<Self, Error> {
        config.check()?;
        create_private(&config.data_dir)?;
        let lock = lock(&config.data_dir)?;
        let feed = api::live::Feed::new();
        let meters = Arc::new(export::Meters::start());
        let (writer, readers) = store::sqlite::open(
            &config.data_dir,
            config.limits.waiting_batches,
            feed.clone(),
            meters.clone(),
            config.clock.clone(),
            store::sqlite::Sweeps { interval: config.sweep_interval, restart_grace: config.restart_grace },
        )?;
        let shared = Arc::new(State {
            config,
            writer,
            readers: Arc::new(readers),
            keys: Default::default(),
            sessions: Default::default(),
            feed,
            meters,
            health: Default::default(),
            dev_key: Mutex::new(None),
            decoding: Arc::new(Semaphore::new(DECODING)),
            closing: watch::Sender::new(false),
        });
        shared.load_keys()?;
        Ok(Self { shared, _lock: lock })
    }

    /// Everything the collector serves, as a router that needs no socket.
    pub fn app(&self) -> axum::Router {
        api::router(Arc::clone(&self.shared))
    }

    /// Serves the collector on a socket until `shutdown`, then lets running requests end.
    ///
    /// # Errors
    /// `invalid_config` when [`Access::Local`] is to be served where other machines reach it; `storage_unavailable` when the
    /// thread that writes has ended: nothing can be kept, so it must not look as if all were well.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        self.check_reach(&listener)?;
        let end_streams = || {
            self.shared.closing.send_replace(true);
        };
        let mut failed = false;
        let end = async {
            tokio::select! {
                () = shutdown => {}
                () = self.shared.writer.ended() => failed = true,
            }
        };
        serve::serve(self.app(), &self.shared.config.limits, listener, end, end_streams).await;
        if failed { Err(Error::StorageUnavailable) } else { Ok(()) }
    }

    /// Without a token only this machine may reach the dashboard: a name is no proof of where a request comes from.
    fn check_reach(&self, listener: &TcpListener) -> Result<(), Error> {
        let address = listener.local_addr()?.ip().to_canonical();
        if matches!(self.shared.config.access, Access::Local) && !address.is_loopback() {
            let fault = format!("without a dashboard token it is served on a loopback address only, not on {address}");
            return Err(Error::InvalidConfig(fault));
        }
        Ok(())
    }

    /// Makes an API key and answers it. It is kept as a hash only, so this is the one time that it can be read.
    ///
    /// # Errors
    /// `invalid_request` for a name that cannot be listed, `storage_unavailable`.
    pub fn create_key(&self, name: &str) -> Result<String, Error> {
        keys::check_name(name)?;
        let key = keys::new_key()?;
        self.shared.insert_key(name, &key)?;
        Ok(key)
    }

    /// Makes sure that a key brought along may send. Under [`Access::Local`] the Setup page shows it.
    ///
    /// # Errors
    /// `invalid_config` for a key that is not `shk_` and at least 16 characters, `storage_unavailable`.
    pub fn ensure_key(&self, name: &str, key: &str) -> Result<(), Error> {
        keys::check_name(name)?;
        keys::check_key(key)?;
        self.shared.insert_key(name, key)?;
        if matches!(self.shared.config.access, Access::Local) {
            *self.shared.dev_key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.to_owned());
        }
        Ok(())
    }

    /// Ends the live streams, writes what waits and closes the database. Later batches are answered with 503.
    pub fn close(&self) {
        self.shared.closing.send_replace(true);
        self.shared.writer.close();
        self.shared.meters.close();
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl State {
    /// Reads the keys that may send. Called after each change of them.
    fn load_keys(self: &Arc<Self>) -> Result<(), Error> {
        let shared = Arc::clone(self);
        self.writer.run(move |connection| shared.keys.load(connection))
    }

    /// Stores a key. Blocks the calling thread.
    pub(crate) fn insert_key(self: &Arc<Self>, name: &str, key: &str) -> Result<Created, Error> {
        let (name, key, now) = (name.to_owned(), key.to_owned(), self.config.clock.now());
        let created = self.writer.run(move |connection| keys::insert(connection, &name, &key, now))?;
        self.load_keys()?;
        Ok(created)
    }

    /// Ends a key's life. Blocks the calling thread.
    pub(crate) fn revoke_key(self: &Arc<Self>, id: i64) -> Result<bool, Error> {
        let now = self.config.clock.now();
        let found = self.writer.run(move |connection| keys::revoke(connection, id, now))?;
        self.load_keys()?;
        Ok(found)
    }
}

/// Creates a directory that only its owner can read.
fn create_private(directory: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    Ok(builder.create(directory)?)
}

fn lock(directory: &Path) -> Result<File, Error> {
    let file = File::options().create(true).truncate(false).write(true).open(directory.join("collector.lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::DataDirInUse),
        Err(std::fs::TryLockError::Error(error)) => Err(Error::Io(error)),
    }
}
