//! The diagnosis of refused requests: what this process knows beyond the request, and how often it may look.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use arc_swap::ArcSwap;
use surehook_core::diagnose::{self, Context, Drift, Limiter};
use surehook_core::{Incoming, Rejection, Timestamp, VerifiedMessage, Verifier};

use crate::endpoint::Inner;
use crate::process::PerProcess;
use crate::seen::Seen;

/// Every endpoint of this process: the secret of one is tried on the requests that another refuses.
/// Without a lock: a fork must not keep one.
static ENDPOINTS: LazyLock<ArcSwap<Vec<Weak<Inner>>>> = LazyLock::new(ArcSwap::default);

/// One for all endpoints and checks of this process: an experiment takes the same time whoever asks for it. Its clock is not that
/// of an endpoint, which a test may stop.
static LIMITER: Limiter = Limiter::new();
static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
static SEEN: LazyLock<Seen> = LazyLock::new(Seen::new);

/// How often to look for causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Diagnose {
    /// As often as a process may, however many requests are forged.
    WithinLimit,
    /// Whenever a request is refused: the caller knows that nobody else decides how often that is.
    Always,
}

/// What one endpoint remembers for its diagnoses.
pub(crate) struct Diagnostician(PerProcess<Mutex<Drift>>);

impl std::fmt::Debug for Diagnostician {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Diagnostician")
    }
}

impl Default for Diagnostician {
    fn default() -> Self {
        Self(PerProcess::new(Mutex::default))
    }
}

impl Diagnostician {
    /// Learns from a good request by how much this clock and the provider's differ.
    pub(crate) fn learn(&self, message: &VerifiedMessage<'_>, now: Timestamp) {
        if let Some(signed_at) = message.timestamp() {
            lock(&self.0.get()).push(now.unix_seconds() - signed_at.unix_seconds());
        }
    }

    /// The same rejection, with its cause where one is found in the time there is; as it is, when there were too many.
    pub(crate) fn explain(
        &self,
        endpoint: &Arc<Inner>,
        verifier: &Verifier,
        incoming: &Incoming<'_>,
        rejection: Rejection,
        now: Timestamp,
    ) -> Rejection {
        let drift = *lock(&self.0.get());
        let known = Known { endpoint: Some(endpoint), recent_drift: drift.recent() };
        explain(&known, verifier, incoming, rejection, now, Diagnose::WithinLimit)
    }
}

/// What is known beyond the request and its verifier.
#[derive(Default)]
pub(crate) struct Known<'k> {
    endpoint: Option<&'k Arc<Inner>>,
    recent_drift: &'k [i64],
}

/// Makes an endpoint known to the others of this process.
pub(crate) fn register(endpoint: &Arc<Inner>) {
    ENDPOINTS.rcu(|known| {
        let alive = known.iter().filter(|known| known.strong_count() > 0).cloned();
        alive.chain([Arc::downgrade(endpoint)]).collect::<Vec<_>>()
    });
}

fn lock(drift: &Mutex<Drift>) -> MutexGuard<'_, Drift> {
    drift.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The endpoints of this process but for one.
pub(crate) fn others(endpoint: Option<&Arc<Inner>>) -> Vec<Arc<Inner>> {
    let endpoints = ENDPOINTS.load();
    // The secrets of tenants are nobody's to try, and a tenant's request is tried with no other secret.
    if endpoint.is_some_and(|own| own.has_secret_function()) {
        return Vec::new();
    }
    let is_other = |other: &Arc<Inner>| endpoint.is_none_or(|own| !Arc::ptr_eq(other, own));
    endpoints.iter().filter_map(Weak::upgrade).filter(is_other).collect()
}

/// The same rejection, with its cause where one is found in the time there is.
pub(crate) fn explain(
    known: &Known<'_>,
    verifier: &Verifier,
    incoming: &Incoming<'_>,
    rejection: Rejection,
    now: Timestamp,
    diagnose: Diagnose,
) -> Rejection {
    if !diagnose::can_explain(rejection.code()) {
        return rejection;
    }
    let seen_before = SEEN.note(rejection.claimed_message_id(), incoming.body);
    if diagnose == Diagnose::WithinLimit && !LIMITER.admit(STARTED.elapsed(), seen_before) {
        return rejection;
    }
    let others = others(known.endpoint);
    let keys: Vec<_> = others.iter().filter_map(|other| Some((other.name.as_str(), other.known_keys()?))).collect();
    let others: Vec<_> = keys.iter().map(|(name, keys)| (*name, &keys.verifier)).collect();
    let begun = Instant::now();
    let context = Context { others: &others, recent_drift: known.recent_drift, elapsed: &|| begun.elapsed() };
    let diagnosis = diagnose::diagnose(verifier, incoming, &rejection, now, &context);
    rejection.with_diagnosis(diagnosis)
}
