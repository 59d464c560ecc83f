//! The secrets of an endpoint: when they are read, and what checks with them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use surehook_core::telemetry::redact::Redactor;
use surehook_core::{ConfigError, Timestamp, Verifier};

use crate::environment;
use crate::notice::{self, Level};
use crate::process::PerProcess;

/// A build that failed is tried again after so long.
const PAUSE: Duration = Duration::from_secs(1);
/// That there is no secret is said again after so long.
const SAID_AGAIN: Duration = Duration::from_secs(60);

/// What checks the requests of one sender, and makes their telemetry safe.
pub(crate) struct Keys {
    pub(crate) verifier: Verifier,
    pub(crate) redactor: Redactor,
    /// Who the sender is, where the function that gave the secrets says so.
    pub(crate) sender: Option<String>,
}

impl Keys {
    pub(crate) fn new(verifier: Verifier, before: Option<&Verifier>) -> Self {
        Self { redactor: verifier.redactor(before), verifier, sender: None }
    }
}

/// Secrets that do not depend on the request. They are read when they are needed, so that a program without them can be
/// imported, built and tested.
pub(crate) struct Keyring {
    /// All of the verifier but its secrets.
    bare: Verifier,
    source: Source,
    current: ArcSwapOption<Keys>,
    /// Each process has its own: a fork may copy one while it is locked.
    failure: PerProcess<Mutex<Option<Failure>>>,
}

/// Where the secrets come from.
pub(crate) enum Source {
    Given(Vec<String>),
    /// The host could not even read them.
    Unreadable(ConfigError),
    Environment,
}

struct Failure {
    error: ConfigError,
    tried_at: Timestamp,
    said_at: Option<Timestamp>,
}

impl Keyring {
    /// Tries once, without a word when that fails: whether it matters shows when a request comes.
    pub(crate) fn new(name: &str, bare: Verifier, source: Source) -> Self {
        let ring = Self { bare, source, current: ArcSwapOption::empty(), failure: PerProcess::new(Mutex::default) };
        drop(ring.build(name));
        ring
    }

    /// What checks a request that comes now.
    pub(crate) fn keys(&self, name: &str, now: Timestamp) -> Result<Arc<Keys>, ConfigError> {
        match self.current.load_full() {
            Some(keys) => Ok(keys),
            None => self.retry(name, now),
        }
    }

    /// The keys, where there are some.
    pub(crate) fn known(&self) -> Option<Arc<Keys>> {
        self.current.load_full()
    }

    /// Tells the log why there are no keys; once a minute.
    pub(crate) fn say(&self, name: &str, error: &ConfigError, now: Timestamp) {
        let own = self.failure.get();
        let mut failure = lock(&own);
        let Some(failure) = failure.as_mut() else { return };
        if failure.said_at.is_some_and(|said| between(said, now) < SAID_AGAIN) {
            return;
        }
        failure.said_at = Some(now);
        let text = format!("{name}: {error}. Until it is there, its webhooks are answered with 503, and tried again");
        notice::give(Level::Error, format!("{text}. See {}", surehook_core::ReasonCode::SecretMissing.docs()));
    }

    /// Takes other secrets from now on. Those that cannot be used change nothing.
    pub(crate) fn set(&self, name: &str, secrets: &[String]) -> Result<(), ConfigError> {
        let verifier = self.bare.keyed(secrets)?;
        let own = self.failure.get();
        let _one_at_a_time = lock(&own);
        let before = self.known();
        self.put(name, verifier, before.as_ref().map(|keys| &keys.verifier));
        Ok(())
    }

    fn retry(&self, name: &str, now: Timestamp) -> Result<Arc<Keys>, ConfigError> {
        let own = self.failure.get();
        let mut failure = lock(&own);
        if let Some(keys) = self.known() {
            return Ok(keys);
        }
        if let Some(last) = failure.as_ref().filter(|last| between(last.tried_at, now) < PAUSE) {
            return Err(last.error.clone());
        }
        self.build(name).inspect_err(|error| {
            let said_at = failure.as_ref().filter(|last| last.error == *error).and_then(|last| last.said_at);
            *failure = Some(Failure { error: error.clone(), tried_at: now, said_at });
        })
    }

    fn build(&self, name: &str) -> Result<Arc<Keys>, ConfigError> {
        let verifier = match &self.source {
            Source::Given(secrets) => self.bare.keyed(secrets)?,
            Source::Unreadable(error) => return Err(error.clone()),
            Source::Environment => {
                let found = environment::secrets(self.bare.scheme())?;
                let verifier = self.bare.keyed(&found.secrets).map_err(|error| found.named(error))?;
                found.warnings.iter().for_each(|warning| notice::give(Level::Warning, format!("{name}: {warning}")));
                verifier
            }
        };
        Ok(self.put(name, verifier, None))
    }

    fn put(&self, name: &str, verifier: Verifier, before: Option<&Verifier>) -> Arc<Keys> {
        for warning in verifier.warnings() {
            notice::give(Level::Warning, format!("{name}: {warning}"));
        }
        let keys = Arc::new(Keys::new(verifier, before));
        self.current.store(Some(Arc::clone(&keys)));
        keys
    }
}

fn lock(failure: &Mutex<Option<Failure>>) -> MutexGuard<'_, Option<Failure>> {
    failure.lock().unwrap_or_else(PoisonError::into_inner)
}

/// However the clock was set meanwhile.
fn between(one: Timestamp, other: Timestamp) -> Duration {
    Duration::from_micros(other.unix_micros().abs_diff(one.unix_micros()))
}
