//! What a collector is told when it is opened.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::Error;

/// The shortest token that may guard a dashboard: 128 bits in hexadecimal are twice as long.
const SHORTEST_TOKEN: usize = 16;

/// How a collector is opened.
///
/// ```
/// use surehook_collector::{Access, Config};
///
/// let config = Config::new("/var/lib/surehook", Access::Local);
/// assert_eq!(config.limits.attempts_per_batch, 1_000);
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory that holds the database. It is created when it does not exist.
    pub data_dir: PathBuf,
    /// Who may see the dashboard.
    pub access: Access,
    /// The address that the Setup page tells SDKs to send to; `None`: the one the browser used.
    pub public_url: Option<String>,
    /// The bounds on what a sender may cost.
    pub limits: Limits,
    /// Where the time comes from.
    pub clock: Clock,
    /// How often it is looked whether deferred work missed its deadline (1 s).
    pub sweep_interval: Duration,
    /// For how long after a restart no deadline counts as missed (2 min): what ended meanwhile is on its way, from senders that
    /// try again and from their spools.
    pub restart_grace: Duration,
}

impl Config {
    /// The defaults for a data directory and a way of access.
    pub fn new(data_dir: impl Into<PathBuf>, access: Access) -> Self {
        Self {
            data_dir: data_dir.into(),
            access,
            public_url: None,
            limits: Limits::default(),
            clock: Clock::system(),
            sweep_interval: Duration::from_secs(1),
            restart_grace: Duration::from_secs(120),
        }
    }

    /// Refuses what could not be served safely.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.access {
            Access::Token(token) if token.trim().len() < SHORTEST_TOKEN => {
                Err(Error::InvalidConfig(format!("the dashboard token must have at least {SHORTEST_TOKEN} characters")))
            }
            _ => Ok(()),
        }
    }
}

/// Who may see the dashboard and call its API.
#[derive(Clone)]
pub enum Access {
    /// Everyone who reaches the collector under a loopback name (`localhost`, `127.0.0.1`, `[::1]`). For a laptop.
    Local,
    /// Everyone who knows this token, which the login page asks for. For a server.
    Token(String),
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "Local",
            Self::Token(_) => "Token(…)",
        })
    }
}

/// The bounds on what a sender may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest body of `POST /v1/batches` as it is sent, in bytes (1 MiB).
    pub compressed_bytes: usize,
    /// The largest body after decompression, in bytes (8 MiB).
    pub decompressed_bytes: usize,
    /// The most attempts in one batch (1,000).
    pub attempts_per_batch: usize,
    /// How long a sender may take to send its headers, and again to send its body (10 s).
    pub receive_timeout: Duration,
    /// How many batches may wait for the writer; beyond it the answer is 503 (256).
    pub waiting_batches: usize,
    /// How many connections are served at a time; beyond it new ones wait (1,024).
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            compressed_bytes: 1 << 20,
            decompressed_bytes: 8 << 20,
            attempts_per_batch: 1_000,
            receive_timeout: Duration::from_secs(10),
            waiting_batches: 256,
            connections: 1_024,
        }
    }
}
