//! What every request handler shares.

use std::sync::{Arc, Mutex};

use tokio::sync::{Semaphore, watch};

use crate::api::health::Health;
use crate::api::live::Feed;
use crate::auth::keys::KeyRing;
use crate::auth::sessions::Sessions;
use crate::config::Config;
use crate::export::Meters;
use crate::store::sqlite::{Readers, Writer};

/// A handle on [`State`], cheap to clone.
pub(crate) type Shared = Arc<State>;

/// What every request handler shares.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) writer: Writer,
    pub(crate) readers: Arc<Readers>,
    pub(crate) keys: KeyRing,
    pub(crate) sessions: Sessions,
    pub(crate) feed: Feed,
    pub(crate) meters: Arc<Meters>,
    /// What was found out last about the storage.
    pub(crate) health: Health,
    /// The ready-made key of a laptop's collector, shown on its Setup page.
    pub(crate) dev_key: Mutex<Option<String>>,
    /// Batches that may be decompressed and decoded at a time: what bounds the memory they take.
    pub(crate) decoding: Arc<Semaphore>,
    /// Set once, when the collector closes: ends the live streams.
    pub(crate) closing: watch::Sender<bool>,
}
