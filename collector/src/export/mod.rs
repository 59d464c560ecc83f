//! Figures for other systems: Prometheus reads them at `/metrics`, an OpenTelemetry collector gets them by OTLP.
//!
//! They count from the start of this process, as counters of both systems do, and each stored attempt once.

mod labels;
mod otlp;
mod prometheus;

use std::sync::{Mutex, PoisonError};

use surehook_core::Outcome;
use surehook_core::telemetry::attempt::Attempt;

use crate::metrics::rollup::was_handled;
use crate::store::Fresh;
use labels::{Labels, Series};
use otlp::Otlp;
use prometheus::Prometheus;

/// Everything that counts attempts for other systems.
pub(crate) struct Meters {
    labels: Mutex<Labels>,
    prometheus: Prometheus,
    otlp: Option<Otlp>,
}

/// What is told of one stored attempt.
struct Observation<'a> {
    series: Series,
    outcome: Outcome,
    /// It is no request, but what became of deferred work.
    continuation: bool,
    suspected: bool,
    /// Seconds, where the handler ran.
    handled_in: Option<f64>,
    /// Seconds from the provider's signature to the arrival.
    lag: Option<f64>,
    attempt: &'a Attempt,
}

impl Meters {
    /// Meters that start at zero. The `OTEL_*` variables say whether and where they are sent.
    pub(crate) fn start() -> Self {
        Self { labels: Mutex::default(), prometheus: Prometheus::new(), otlp: Otlp::from_environment() }
    }

    /// Counts attempts that were stored just now. What is said to be the rest of a refused request counts nowhere.
    pub(crate) fn stored(&self, fresh: &[Fresh<'_>]) {
        let mut labels = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = fresh.iter().filter(|fresh| fresh.believed || fresh.attempt.continues.is_none());
        let observations = counted.map(|fresh| Observation::of(fresh, &mut labels));
        self.prometheus.count(observations.inspect(|observation| {
            self.otlp.iter().for_each(|otlp| otlp.count(observation));
        }));
    }

    /// Counts attempts that a sender told it lost.
    pub(crate) fn lost(&self, reason: &str, count: u64) {
        self.prometheus.lost(reason, count);
    }

    /// All figures in the text format of Prometheus.
    pub(crate) fn render(&self) -> String {
        self.prometheus.render()
    }

    /// Sends what was not sent yet.
    pub(crate) fn close(&self) {
        self.otlp.iter().for_each(Otlp::close);
    }
}

impl<'a> Observation<'a> {
    fn of(fresh: &Fresh<'a>, labels: &mut Labels) -> Self {
        let attempt = fresh.attempt;
        let seconds = |micros: u64| micros as f64 / 1e6;
        let continuation = attempt.continues.is_some();
        let lag = attempt.provider_timestamp.filter(|_| fresh.believed && !continuation);
        Self {
            series: labels.of(fresh),
            outcome: fresh.outcome(),
            continuation,
            suspected: fresh.suspected,
            handled_in: (was_handled(fresh.outcome()) && !continuation).then(|| seconds(attempt.duration_us)),
            lag: lag.map(|signed| attempt.received_at.since(signed).as_secs_f64()),
            attempt,
        }
    }
}
