//! Figures for other systems: Prometheus reads them at `/metrics`, an OpenTelemetry collector gets them by OTLP.
//!
//! They count from the start of this process, as counters of both systems do, and each stored attempt once.

mod labels;
mod otlp;
mod prometheus;

use std::sync::{Mutex, PoisonError};

use surehook_core::Outcome;
use surehook_core::telemetry::attempt::Attempt;

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
    outcome: &'static str,
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

    /// Counts attempts that were stored just now.
    pub(crate) fn stored<'a>(&self, attempts: impl Iterator<Item = &'a Attempt>) {
        let mut labels = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        let observations = attempts.map(|attempt| Observation::of(attempt, &mut labels));
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
    fn of(attempt: &'a Attempt, labels: &mut Labels) -> Self {
        let seconds = |micros: u64| micros as f64 / 1e6;
        let lag = attempt.provider_timestamp.filter(|_| labels::is_trusted(attempt));
        Self {
            series: labels.of(attempt),
            outcome: outcome(attempt),
            handled_in: was_handled(attempt.outcome).then(|| seconds(attempt.duration_us)),
            lag: lag.map(|signed| attempt.received_at.since(signed).as_secs_f64()),
            attempt,
        }
    }
}

fn was_handled(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Processed | Outcome::SilentDrop | Outcome::Failed | Outcome::Ignored)
}

/// The outcome's name on the wire. Nothing that a refused request says of itself is believed.
fn outcome(attempt: &Attempt) -> &'static str {
    match labels::is_trusted(attempt) {
        true => attempt.outcome.as_str(),
        false => Outcome::Rejected.as_str(),
    }
}
