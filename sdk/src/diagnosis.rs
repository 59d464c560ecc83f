//! The diagnosis of refused requests: what this process knows beyond the request, and how often it may look.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use arc_swap::ArcSwap;
use surehook_core::diagnose::{self, Context, Drift, Limiter};
use surehook_core::{Incoming, Rejection, Timestamp, VerifiedMessage, Verifier};

use crate::endpoint::Inner;
use crate::process::PerProcess;

/// Every endpoint of this process: the secret of one is tried on the requests that another refuses.
/// Without a lock: a fork must not keep one.
static ENDPOINTS: LazyLock<ArcSwap<Vec<Weak<Inner>>>> = LazyLock::new(ArcSwap::default);

/// What one endpoint, or one check without an endpoint, remembers for its diagnoses.
pub(crate) struct Diagnostician(PerProcess<Mutex<State>>);

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

#[derive(Debug, Default)]
struct State {
    limiter: Limiter,
    drift: Drift,
}

impl Diagnostician {
    /// Learns from a good request by how much this clock and the provider's differ.
    pub(crate) fn learn(&self, message: &VerifiedMessage<'_>, now: Timestamp) {
        if let Some(signed_at) = message.timestamp() {
            let drift = now.unix_seconds() - signed_at.unix_seconds();
            lock(&self.0.get()).drift.push(drift);
        }
    }

    /// The same rejection, with its cause where one is found in the time there is; as it is, when there were too many.
    pub(crate) fn explain(
        &self,
        endpoint: Option<&Arc<Inner>>,
        verifier: &Verifier,
        incoming: &Incoming<'_>,
        rejection: Rejection,
        now: Timestamp,
    ) -> Rejection {
        let drift = {
            let own = self.0.get();
            let mut state = lock(&own);
            if !state.limiter.admit(now) {
                return rejection;
            }
            state.drift
        };
        explain(endpoint, verifier, incoming, rejection, now, drift.recent())
    }
}

/// Makes an endpoint known to the others of this process.
pub(crate) fn register(endpoint: &Arc<Inner>) {
    ENDPOINTS.rcu(|known| {
        let alive = known.iter().filter(|known| known.strong_count() > 0).cloned();
        alive.chain([Arc::downgrade(endpoint)]).collect::<Vec<_>>()
    });
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The endpoints of this process but for one.
pub(crate) fn others(endpoint: Option<&Arc<Inner>>) -> Vec<Arc<Inner>> {
    let endpoints = ENDPOINTS.load();
    let is_other = |other: &Arc<Inner>| endpoint.is_none_or(|own| !Arc::ptr_eq(other, own));
    endpoints.iter().filter_map(Weak::upgrade).filter(is_other).collect()
}

/// The same rejection, with its cause where one is found in the time there is.
pub(crate) fn explain(
    endpoint: Option<&Arc<Inner>>,
    verifier: &Verifier,
    incoming: &Incoming<'_>,
    rejection: Rejection,
    now: Timestamp,
    recent_drift: &[i64],
) -> Rejection {
    let others = others(endpoint);
    let keys: Vec<_> = others.iter().filter_map(|other| Some((other.name.as_str(), other.known_keys()?))).collect();
    let others: Vec<_> = keys.iter().map(|(name, keys)| (*name, &keys.verifier)).collect();
    let begun = Instant::now();
    let context = Context { others: &others, recent_drift, elapsed: &|| begun.elapsed() };
    let diagnosis = diagnose::diagnose(verifier, incoming, &rejection, now, &context);
    rejection.with_diagnosis(diagnosis)
}
