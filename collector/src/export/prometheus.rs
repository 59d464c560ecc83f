//! The figures as Prometheus reads them.

use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::{Label, counter, describe_counter, describe_histogram, histogram, with_local_recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use surehook_core::Outcome;

use super::{Observation, Series};

/// Bounds of the time that handlers take, in seconds: 5 ms to 10 s.
const HANDLER_BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bounds of the time that deliveries are under way, in seconds: retries come after hours.
const LAG_BOUNDS: [f64; 10] = [0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 43_200.0];
/// Histograms keep each value until they are folded; here after so many.
const FOLD_AFTER: usize = 4_096;

const ATTEMPTS: &str = "surehook_attempts_total";
const DURATION: &str = "surehook_handler_duration_seconds";
const FAILURES: &str = "surehook_verification_failures_total";
const DUPLICATES: &str = "surehook_duplicates_total";
const SILENT_DROPS: &str = "surehook_silent_drops_total";
const SUSPECTED: &str = "surehook_suspected_silent_drops_total";
const DEFERRED_WORK: &str = "surehook_deferred_work_total";
const LAG: &str = "surehook_delivery_lag_seconds";
const LOST: &str = "surehook_telemetry_dropped_total";

pub(super) struct Prometheus {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    unfolded: AtomicUsize,
}

impl Prometheus {
    pub(super) fn new() -> Self {
        let bounds = [(DURATION, HANDLER_BOUNDS.as_slice()), (LAG, LAG_BOUNDS.as_slice())];
        let builder = bounds.into_iter().fold(PrometheusBuilder::new(), |builder, (name, bounds)| {
            // Only a list of bounds that is empty is refused.
            let bounded = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds);
            bounded.unwrap_or_default()
        });
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        with_local_recorder(&recorder, describe);
        Self { recorder, handle, unfolded: AtomicUsize::new(0) }
    }

    pub(super) fn count<'a>(&self, observations: impl Iterator<Item = Observation<'a>>) {
        let counted =
            with_local_recorder(&self.recorder, || observations.map(|observation| count(&observation)).count());
        if self.unfolded.fetch_add(counted, Ordering::Relaxed) > FOLD_AFTER {
            self.unfolded.store(0, Ordering::Relaxed);
            self.handle.run_upkeep();
        }
    }

    pub(super) fn lost(&self, reason: &str, count: u64) {
        with_local_recorder(&self.recorder, || counter!(LOST, "reason" => reason.to_owned()).increment(count));
    }

    pub(super) fn render(&self) -> String {
        self.handle.render()
    }
}

fn describe() {
    describe_counter!(ATTEMPTS, "Attempts stored, by outcome.");
    describe_histogram!(DURATION, "The time that handlers took.");
    describe_counter!(FAILURES, "Attempts whose signature was refused, by reason code.");
    describe_counter!(DUPLICATES, "Attempts answered with the stored answer of an earlier one.");
    describe_counter!(SILENT_DROPS, "Attempts answered 2xx whose handler did not do its work, deferred work among it.");
    describe_counter!(SUSPECTED, "Processed without steps that nearly every message of the event type records.");
    describe_counter!(DEFERRED_WORK, "What became of deferred work, by outcome.");
    describe_histogram!(LAG, "The time from the provider's signature to the arrival.");
    describe_counter!(LOST, "Attempts that senders lost before they could be stored, by reason.");
}

fn count(observation: &Observation<'_>) {
    let (series, attempt) = (&observation.series, observation.attempt);
    let labels = labels(series);
    let mut with_outcome = labels.clone();
    with_outcome.push(Label::from_static_parts("outcome", observation.outcome.as_str()));
    // What became of deferred work is no request: it has a counter of its own.
    counter!(if observation.continuation { DEFERRED_WORK } else { ATTEMPTS }, with_outcome).increment(1);
    if let Some(seconds) = observation.handled_in {
        histogram!(DURATION, labels.clone()).record(seconds);
    }
    if let Some(seconds) = observation.lag {
        histogram!(LAG, labels[..2].to_vec()).record(seconds);
    }
    if let Some(code) = attempt.verification.code {
        let mut with_code = labels[..2].to_vec();
        with_code.push(Label::from_static_parts("code", code.as_str()));
        counter!(FAILURES, with_code).increment(1);
    }
    if observation.suspected {
        counter!(SUSPECTED, labels.clone()).increment(1);
    }
    match observation.outcome {
        Outcome::Duplicate => counter!(DUPLICATES, labels).increment(1),
        Outcome::SilentDrop => counter!(SILENT_DROPS, labels).increment(1),
        _ => {}
    }
}

/// Provider, endpoint, event type.
fn labels(series: &Series) -> Vec<Label> {
    vec![
        Label::new("provider", series.provider.clone()),
        Label::new("endpoint", series.endpoint.clone()),
        Label::new("event_type", series.event_type.clone()),
    ]
}
