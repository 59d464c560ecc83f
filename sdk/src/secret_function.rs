//! Secrets that a function of the user's gives for each request: routes of several tenants.
//!
//! The host calls the function, for only the host can; how long it may take, how many may run and what follows from what it
//! said is decided here.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use surehook_core::dedup::Fingerprint;
use surehook_core::{ConfigError, Verifier};

use crate::keyring::Keys;
use crate::notice::{self, Level};
use crate::process::PerProcess;

/// What a call may take. What comes later does not count.
pub const SECRET_TIMEOUT: Duration = Duration::from_secs(2);
/// So many calls may run at once, for one endpoint in one process.
const MAX_CALLS: usize = 64;
/// The verifiers of so many senders are kept, those that were used last.
const MAX_VERIFIERS: NonZeroUsize = NonZeroUsize::new(1000).expect("it is not zero");
/// The longest name of a sender, in bytes.
const MAX_SENDER: usize = 200;

/// What the user's function said of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretAnswer {
    /// These are the secrets of whoever sends such requests.
    Secrets {
        /// One, or several while they are rotated. Without any it is [`Unknown`](Self::Unknown).
        secrets: Vec<String>,
        /// Who that is. It takes the place of the secrets in dedup keys, so that it must be another for every sender.
        sender: Option<String>,
    },
    /// It knows nobody who sends such requests.
    Unknown,
    /// It failed, in these words, which must hold no secret. They are for the log.
    Failed(String),
}

impl std::fmt::Debug for SecretAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Secrets { .. } => "Secrets([redacted])",
            Self::Unknown => "Unknown",
            Self::Failed(_) => "Failed",
        })
    }
}

/// One call of the function, from before it starts until it has really ended: one that nobody waits for any more still runs.
#[must_use = "the call has ended when this is dropped"]
#[derive(Debug)]
pub struct SecretCall {
    running: Arc<AtomicUsize>,
    ended: AtomicBool,
    began: Instant,
}

impl SecretCall {
    /// What counts of an answer that came just now.
    pub fn answered(&self, answer: SecretAnswer) -> SecretAnswer {
        if self.began.elapsed() > SECRET_TIMEOUT { SecretAnswer::timed_out() } else { answer }
    }

    /// The function has ended, whether somebody still waits for it or not.
    pub fn end(&self) {
        if !self.ended.swap(true, Ordering::AcqRel) {
            self.running.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for SecretCall {
    fn drop(&mut self) {
        self.end();
    }
}

impl SecretAnswer {
    /// The answer when the function was waited for long enough.
    pub fn timed_out() -> Self {
        Self::Failed(format!("took more than {} s", SECRET_TIMEOUT.as_secs()))
    }

    /// The answer when it could not be called because too many calls run.
    pub fn too_many() -> Self {
        Self::Failed(format!("could not be called: {MAX_CALLS} calls run already"))
    }
}

/// Why there are no keys for a request.
pub(crate) enum NoKeys {
    /// No secret that could be used is configured.
    Missing(ConfigError),
    /// The function knows none.
    Unknown,
    /// The function failed.
    Failed(String),
}

/// The senders of one endpoint.
pub(crate) struct SenderKeys {
    bare: Verifier,
    running: PerProcess<Arc<AtomicUsize>>,
    recent: Mutex<LruCache<Fingerprint, Arc<Keys>>>,
    warned: AtomicBool,
}

impl SenderKeys {
    pub(crate) fn new(bare: Verifier) -> Self {
        let (running, recent) = (PerProcess::new(Arc::default), Mutex::new(LruCache::new(MAX_VERIFIERS)));
        Self { bare, running, recent, warned: AtomicBool::new(false) }
    }

    /// A place among the calls that run; `None`: all are taken.
    pub(crate) fn call(&self) -> Option<SecretCall> {
        let running = Arc::clone(&**self.running.get());
        let one_more = |calls: usize| (calls < MAX_CALLS).then_some(calls + 1);
        running.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).ok()?;
        Some(SecretCall { running, ended: AtomicBool::new(false), began: Instant::now() })
    }

    /// What checks a request of which the function said this.
    pub(crate) fn keys(&self, name: &str, answer: Option<SecretAnswer>) -> Result<Arc<Keys>, NoKeys> {
        let (secrets, sender) = match answer {
            Some(SecretAnswer::Secrets { secrets, sender }) => (secrets, sender.filter(|sender| !sender.is_empty())),
            Some(SecretAnswer::Unknown) => return Err(NoKeys::Unknown),
            Some(SecretAnswer::Failed(fault)) => return Err(NoKeys::Failed(fault)),
            None => return Err(NoKeys::Failed("was not called".to_owned())),
        };
        if secrets.iter().all(String::is_empty) {
            return Err(NoKeys::Unknown);
        }
        if sender.as_ref().is_some_and(|sender| sender.len() > MAX_SENDER) {
            return Err(NoKeys::Failed(format!("named a sender of more than {MAX_SENDER} bytes")));
        }
        let known_as = fingerprint(&secrets, sender.as_deref());
        if let Some(keys) = self.recent.lock().unwrap_or_else(PoisonError::into_inner).get(&known_as) {
            return Ok(Arc::clone(keys));
        }
        let verifier =
            self.bare.keyed(&secrets).map_err(|error| NoKeys::Failed(format!("gave what is no secret: {error}")))?;
        self.warn(name, &verifier);
        let keys = Arc::new(Keys { sender, ..Keys::new(verifier, None) });
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).put(known_as, Arc::clone(&keys));
        Ok(keys)
    }

    /// Said once for the endpoint: its tenants are many.
    fn warn(&self, name: &str, verifier: &Verifier) {
        if let Some(warning) = verifier.warnings().next()
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            notice::give(Level::Warning, format!("{name}: of a secret that its function gave: {warning}"));
        }
    }
}

/// What no other secrets and sender have.
fn fingerprint(secrets: &[String], sender: Option<&str>) -> Fingerprint {
    let mut parts = Vec::new();
    for part in secrets.iter().map(String::as_str).chain([sender.unwrap_or_default()]) {
        parts.extend((part.len() as u64).to_be_bytes());
        parts.extend(part.as_bytes());
    }
    Fingerprint::of(&parts)
}
