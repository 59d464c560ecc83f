//! Telemetry: what is recorded of each attempt, made safe to send, queued and encoded.

pub mod attempt;
pub mod backoff;
pub mod bodies;
mod credentials;
pub mod deferral;
mod fingerprint;
pub mod queue;
pub mod redact;
pub mod refusals;
pub mod wire;

pub use fingerprint::error_fingerprint;
