//! What a trace says of a delivery: the attributes of its OpenTelemetry span, for the host language's API to set.
//!
//! The names of our own are stable. Those of the messaging and CloudEvents conventions are those of version 1.45, in which
//! they are still in development.

use surehook_core::Outcome;
use surehook_core::telemetry::attempt::{DedupResult, VerificationResult};

use crate::endpoint::Inner;
use crate::record::Subject;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// Text.
    Text(String),
    /// A whole number.
    Number(u64),
}

/// An attribute: its name, e.g. `messaging.message.id`, and its value.
pub type Attribute = (&'static str, AttributeValue);

/// What is known of a request that was let through, or answered.
pub(crate) fn start(endpoint: &Inner, subject: &Subject, dedup: DedupResult, body_size: u64) -> Vec<Attribute> {
    let provider = &endpoint.scheme.provider;
    let mut attributes = vec![
        text("messaging.system", "webhook"),
        text("messaging.operation.name", "process"),
        text("messaging.operation.type", "process"),
        text("messaging.destination.name", &endpoint.name),
        ("messaging.message.body.size", AttributeValue::Number(body_size)),
        text("surehook.provider", provider),
        text("surehook.verification.result", subject.verification.unwrap_or(VerificationResult::Unverified).as_str()),
        text("surehook.dedup.result", dedup.as_str()),
    ];
    // What a refused request says of itself is not believed.
    if subject.verification != Some(VerificationResult::Rejected) {
        attributes.push(text("cloudevents.event_source", provider));
        let told = [
            ("messaging.message.id", &subject.message_id),
            ("cloudevents.event_id", &subject.message_id),
            ("cloudevents.event_type", &subject.envelope.event_type),
            ("surehook.event_type", &subject.envelope.event_type),
        ];
        attributes.extend(told.into_iter().filter_map(|(name, value)| Some(text(name, value.as_deref()?))));
    }
    if let Some(code) = subject.code {
        attributes.push(text("surehook.verification.code", code.as_str()));
    }
    attributes
}

/// What an attempt came to. `error`: the type of the error that ended its handler.
pub(crate) fn end(outcome: Outcome, error: Option<&str>) -> Vec<Attribute> {
    let mut attributes = vec![text("surehook.outcome", outcome.as_str())];
    let error = match outcome {
        Outcome::Failed => Some(error.unwrap_or("failed")),
        Outcome::SilentDrop | Outcome::Rejected | Outcome::Unavailable => Some(error.unwrap_or(outcome.as_str())),
        _ => None,
    };
    attributes.extend(error.map(|error| text("error.type", error)));
    attributes
}

fn text(name: &'static str, value: &str) -> Attribute {
    (name, AttributeValue::Text(value.to_owned()))
}
