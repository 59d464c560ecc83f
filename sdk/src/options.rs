//! What can be set for an endpoint.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use surehook_core::dedup::{OnIdReuse, OnUnsignedId};
use surehook_core::telemetry::bodies::CaptureBody;
use surehook_core::{ConfigError, OnSilentDrop, Scheme};

use crate::client::Client;
use crate::clock::Clock;
use crate::store::DedupStore;
use crate::workers::Workers;

/// The settings of an [`Endpoint`](crate::Endpoint). All but the provider may be left at their defaults.
///
/// ```
/// use surehook::EndpointOptions;
///
/// let options = EndpointOptions {
///     secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()],
///     ..EndpointOptions::new("clerk")
/// };
/// assert!(surehook::Endpoint::new(options).is_ok());
/// ```
#[derive(Clone, Default)]
pub struct EndpointOptions {
    /// The provider's name, e.g. `clerk`.
    pub provider: String,
    /// A scheme of the user's own, in place of the provider's row.
    pub scheme: Option<Scheme>,
    /// The signing secrets; several while one is being rotated. Empty: the provider's usual environment variables.
    pub secrets: Vec<String>,
    /// Why secrets that were given are none, where the host found that out; they count as missing.
    pub secret_fault: Option<ConfigError>,
    /// Whether [`Hooks::secret`](crate::Hooks::secret) brings the secrets of each request. No environment variable stands in.
    pub secret_function: bool,
    /// Whether [`Hooks::verifier`](crate::Hooks::verifier) verifies, in place of the scheme.
    pub custom_verifier: bool,
    /// The endpoint's public URLs without their query, e.g. `https://example.com/webhooks/twilio`; for providers that sign it. A `{name}`
    /// stands for one segment of the request's path.
    pub urls: Vec<String>,
    /// The token that the user chose for Meta's subscription request.
    pub verify_token: Option<String>,
    /// The endpoint's name on the dashboard and in dedup keys; the provider's name by default.
    pub name: Option<String>,
    /// By how much a signed timestamp may be off: 1 s to 3600 s, 300 s by default.
    pub tolerance: Option<Duration>,
    /// The largest body accepted, in bytes; the provider's documented maximum by default.
    pub max_body_bytes: Option<usize>,
    /// The status that refuses a request: 401 (default) or 400.
    pub reject_status: Option<u16>,
    /// Whether signatures are checked. [`Verification::Off`] also switches dedup off.
    pub verification: Verification,
    /// Where handled messages are remembered: `memory://` (default), `off`, or a URL of [`DedupStore::open`].
    pub dedup: Option<String>,
    /// The same, as a store that is open already or that is the application's own.
    pub store: Option<DedupStore>,
    /// Keeps the application's messages apart from those of others in the same store; by default `SUREHOOK_NAMESPACE`, then what
    /// the store's URL says, then the application's name: see [`ClientOptions::service`](crate::ClientOptions::service).
    pub namespace: Option<String>,
    /// The name of the application's package, where the host language knows it.
    pub package: Option<String>,
    /// What is done while another attempt handles the message. By default 409; with a provider that switches an endpoint off after a
    /// few answers other than 2xx, the request waits.
    pub on_in_flight: Option<OnInFlight>,
    /// What is done when the store cannot be asked.
    pub on_store_error: OnStoreError,
    /// For how long a handled message is remembered: at least twice the tolerance, 96 h by default.
    pub dedup_ttl: Option<Duration>,
    /// Where the event type is in the JSON body, as a dotted path; the provider's place by default.
    pub event_type_field: Option<String>,
    /// Whether a handler that answers 2xx without `processed()` dropped the message silently.
    pub require_processing_mark: bool,
    /// Steps a handler must record, by event type; `user.*` stands for every type that starts with `user.`.
    pub steps: BTreeMap<String, Vec<String>>,
    /// Event types nothing is expected of, e.g. `session.*`.
    pub ignore: Vec<String>,
    /// What a silent drop does to the answer.
    pub on_silent_drop: OnSilentDrop,
    /// What is done when an id comes again with another body; by default what contracts §5 says.
    pub on_id_reuse: Option<OnIdReuse>,
    /// What is done with an identical message under another id, where the provider does not sign the id.
    pub on_unsigned_id: OnUnsignedId,
    /// Captures bodies for the telemetry, with credentials and the paths that are named taken out; off by default. Only
    /// bodies that passed the check are captured, up to 64 KiB.
    pub capture_body: Option<CaptureBody>,
    /// Whether deliveries and answers say what a trace is told of them; for hosts with OpenTelemetry's API. Off by default.
    pub traced: bool,
    /// Which worker of its server this process is, where the host can tell.
    pub workers: Option<Workers>,
    /// Who sends the telemetry; the process-wide client of [`init`](crate::init) by default.
    pub client: Option<Client>,
    /// Where the time comes from; the operating system by default.
    pub clock: Option<Arc<dyn Clock>>,
}

impl EndpointOptions {
    /// The default settings for a provider.
    pub fn new(provider: impl Into<String>) -> Self {
        Self { provider: provider.into(), ..Self::default() }
    }
}

/// Whether signatures are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// Yes.
    #[default]
    On,
    /// No: everything is let through, marked `unverified`, and never de-duplicated.
    Off,
}

/// What is done while another attempt handles the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInFlight {
    /// 409 with `Retry-After`.
    #[default]
    Answer,
    /// Wait for the other attempt's answer: up to 10 s, at most 32 requests of one message in a process, then 409.
    Wait,
}

/// What is done when the dedup store cannot be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStoreError {
    /// 503 with `Retry-After`: the provider tries again, and nothing is handled twice.
    #[default]
    Reject,
    /// The handler runs without de-duplication; the attempt's record says so.
    Process,
}
