//! The figures as OpenTelemetry names them, sent by OTLP over HTTP.
//!
//! Off until `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` says where to; the other `OTEL_*`
//! variables (headers, timeout, interval, resource attributes) are honoured as the specification says.

use std::sync::Once;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, MeterProvider as _};
use opentelemetry_otlp::{MetricExporter, Protocol, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};

use surehook_core::Outcome;

use super::Observation;

const SERVICE: &str = "surehook-collector";
/// Bounds of the time that handlers take, in seconds, as the conventions for messaging have them.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

pub(super) struct Otlp {
    provider: SdkMeterProvider,
    duration: Histogram<f64>,
    consumed: Counter<u64>,
    deferred_work: Counter<u64>,
    suspected: Counter<u64>,
}

impl Otlp {
    pub(super) fn from_environment() -> Option<Self> {
        if !is_asked_for(|name| std::env::var(name).ok()) {
            return None;
        }
        install_tls();
        match MetricExporter::builder().with_http().with_protocol(Protocol::HttpBinary).build() {
            Ok(exporter) => Some(Self::new(exporter)),
            Err(error) => {
                tracing::error!(%error, "metrics are not sent: the OTEL_* variables cannot be used");
                None
            }
        }
    }

    fn new(exporter: MetricExporter) -> Self {
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name(SERVICE);
        }
        let reader = PeriodicReader::builder(exporter).build();
        let provider = SdkMeterProvider::builder().with_resource(resource.build()).with_reader(reader).build();
        let meter = provider.meter("surehook");
        let duration = meter
            .f64_histogram("messaging.process.duration")
            .with_unit("s")
            .with_description("Duration of processing operation.")
            .with_boundaries(BOUNDS.to_vec())
            .build();
        let consumed = meter
            .u64_counter("messaging.client.consumed.messages")
            .with_unit("{message}")
            .with_description("Number of messages that were delivered to the application.")
            .build();
        let deferred_work = meter
            .u64_counter("surehook.deferred_work")
            .with_unit("{message}")
            .with_description("What became of deferred work.")
            .build();
        let suspected = meter
            .u64_counter("surehook.suspected_silent_drops")
            .with_unit("{message}")
            .with_description("Processed without steps that nearly every message of the event type records.")
            .build();
        Self { provider, duration, consumed, deferred_work, suspected }
    }

    pub(super) fn count(&self, observation: &Observation<'_>) {
        let attributes = attributes(observation);
        let counter = if observation.continuation { &self.deferred_work } else { &self.consumed };
        counter.add(1, &attributes);
        if observation.suspected {
            self.suspected.add(1, &attributes);
        }
        if let Some(seconds) = observation.handled_in {
            self.duration.record(seconds, &attributes);
        }
    }

    pub(super) fn close(&self) {
        // A second call finds it closed.
        let _ = self.provider.shutdown();
    }
}

fn attributes(observation: &Observation<'_>) -> Vec<KeyValue> {
    let series = &observation.series;
    let mut attributes = vec![
        KeyValue::new("messaging.system", "webhook"),
        KeyValue::new("messaging.operation.name", "process"),
        KeyValue::new("messaging.destination.name", series.endpoint.clone()),
        KeyValue::new("surehook.provider", series.provider.clone()),
        KeyValue::new("surehook.event_type", series.event_type.clone()),
        KeyValue::new("surehook.outcome", observation.outcome.as_str()),
    ];
    if matches!(observation.outcome, Outcome::Failed | Outcome::SilentDrop | Outcome::Rejected) {
        attributes.push(KeyValue::new("error.type", observation.outcome.as_str()));
    }
    attributes
}

/// Whether the variables of the specification ask for metrics.
fn is_asked_for(variable: impl Fn(&str) -> Option<String>) -> bool {
    let given = |name| variable(name).is_some_and(|value| !value.is_empty());
    let says = |name, word: &str| variable(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
    let somewhere = given("OTEL_EXPORTER_OTLP_ENDPOINT") || given("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT");
    somewhere && !says("OTEL_SDK_DISABLED", "true") && !says("OTEL_METRICS_EXPORTER", "none")
}

fn install_tls() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An application that installed a provider of its own keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_sent_where_the_variables_say_so_and_nowhere_else() {
        let asked = |variables: &[(&str, &str)]| {
            is_asked_for(|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        assert!(asked(&[endpoint]));
        assert!(asked(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:4318/v1/metrics")]));
        assert!(!asked(&[]));
        assert!(!asked(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]));
        assert!(!asked(&[endpoint, ("OTEL_SDK_DISABLED", "true")]));
        assert!(!asked(&[endpoint, ("OTEL_METRICS_EXPORTER", "none")]));
    }
}
