//! The diagnosis of refused requests: what this process knows beyond the request, and how often it may look.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use surehook_core::diagnose::{self, Context, Drift, Limiter};
use surehook_core::{Incoming, Rejection, Timestamp, VerifiedMessage, Verifier};

use crate::endpoint::Inner;

/// Every endpoint of this process: the secret of one is tried on the requests that another refuses.
static ENDPOINTS: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());

/// What one endpoint, or one check without an endpoint, remembers for its diagnoses.
#[derive(Debug, Default)]
pub(crate) struct Diagnostician(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    limiter: Limiter,
    drift: Drift,
}

impl Diagnostician {
    /// Learns from a good request by how much this clock and the provider's differ.
    pub(crate) fn learn(&self, message: &VerifiedMessage<'_>, now: Timestamp) {
        if let Some(signed_at) = message.timestamp() {
            self.state().drift.push(now.unix_seconds() - signed_at.unix_seconds());
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
            let mut state = self.state();
            if !state.limiter.admit(now) {
                return rejection;
            }
            state.drift
        };
        explain(endpoint, verifier, incoming, rejection, now, drift.recent())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes an endpoint known to the others of this process.
pub(crate) fn register(endpoint: &Arc<Inner>) {
    let mut endpoints = ENDPOINTS.lock().unwrap_or_else(PoisonError::into_inner);
    endpoints.retain(|known| known.strong_count() > 0);
    endpoints.push(Arc::downgrade(endpoint));
}

/// The endpoints of this process but for one.
fn others(endpoint: Option<&Arc<Inner>>) -> Vec<Arc<Inner>> {
    let endpoints = ENDPOINTS.lock().unwrap_or_else(PoisonError::into_inner);
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
    let others: Vec<_> = others.iter().filter_map(|other| Some((other.name.as_str(), other.verifier()?))).collect();
    let begun = Instant::now();
    let context = Context { others: &others, recent_drift, elapsed: &|| begun.elapsed() };
    let diagnosis = diagnose::diagnose(verifier, incoming, &rejection, now, &context);
    rejection.with_diagnosis(diagnosis)
}
