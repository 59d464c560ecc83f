//! Verification alone.

use std::sync::{Arc, LazyLock};

use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;
use surehook::core::diagnose::{Certainty, Finding};
use surehook::core::telemetry::redact::Redactor;
use surehook::core::{Incoming, Timestamp, scheme};
use surehook::{Clock, ReasonCode, SystemClock, VerifiedMessage, VerifierSettings};

use crate::convert::{Headers, Packed, Rejection, Result, bytes, coded, request_line, seconds};

/// The environment variables that usually hold a provider's secret; none for a provider that nobody knows.
#[napi(catch_unwind)]
pub fn secret_variables(provider: String) -> Vec<String> {
    scheme::find(&provider).map(|scheme| scheme.secret_env.clone()).unwrap_or_default()
}

/// Every finding of a diagnosis, in the order of the contract.
#[napi(catch_unwind)]
pub fn findings() -> Vec<&'static str> {
    Finding::ALL.iter().map(|finding| finding.as_str()).collect()
}

/// Every certainty of a diagnosis, in the order of the contract.
#[napi(catch_unwind)]
pub fn certainties() -> Vec<&'static str> {
    Certainty::ALL.iter().map(|certainty| certainty.as_str()).collect()
}

/// A text without what looks like a credential, for a line of a log.
#[napi(catch_unwind)]
pub fn redacted(text: String) -> String {
    REDACTOR.message(&text)
}

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::new::<&str>(&[]));

#[napi(object)]
pub struct VerifierOptions {
    /// One of the two is set.
    pub provider: Option<String>,
    /// A scheme of the user's own, as the JSON of a row of the table.
    pub scheme: Option<String>,
    pub secrets: Vec<String>,
    pub url: Option<String>,
    pub tolerance_seconds: Option<f64>,
    pub max_body_bytes: Option<f64>,
}

/// What became of one check: either the rejection, or the id and, where the scheme has it, the time of signing.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Verdict {
    pub rejection: Option<Rejection>,
    pub message_id: Option<String>,
    pub timestamp_ms: Option<f64>,
}

#[napi]
pub struct Verifier(Arc<surehook::Webhook>);

#[napi]
impl Verifier {
    /// The verifier of these options; what was asked for before is not built again.
    #[napi(catch_unwind, constructor)]
    pub fn new(options: VerifierOptions) -> Result<Self> {
        let VerifierOptions { provider, scheme, secrets, url, tolerance_seconds, max_body_bytes } = options;
        let settings = VerifierSettings {
            provider: provider.as_deref().unwrap_or_default(),
            scheme: scheme.as_deref(),
            secrets: &secrets,
            url: url.as_deref(),
            tolerance: tolerance_seconds.map(seconds),
            max_body_bytes: max_body_bytes.map(bytes),
        };
        surehook::Webhook::cached(&settings).map(Self).map_err(coded)
    }

    /// Checks one request now and says only why it is refused; no body means that its raw bytes are gone. What is right costs
    /// no object: making one takes longer than the check.
    #[napi(catch_unwind)]
    pub fn check(
        &self,
        body: Option<BufferSlice<'_>>,
        headers: String,
        diagnose: bool,
        received_at_ms: Option<f64>,
    ) -> Option<Rejection> {
        let headers = Packed::from(headers);
        let headers = Headers::unpack(&headers);
        let rejection = match body.as_deref() {
            Some(body) => {
                self.checked(&Incoming::post(headers.pairs(), body), reference(received_at_ms, None), diagnose).err()?
            }
            None => self.0.verifier().refuse(ReasonCode::BodyUnavailable, headers.pairs()),
        };
        Some(Rejection::from(rejection))
    }

    /// The same, also for another method, path or time, and says what was found in a request that is right.
    #[napi(catch_unwind)]
    pub fn verify(
        &self,
        line: String,
        headers: String,
        body: Option<BufferSlice<'_>>,
        now_ms: Option<f64>,
        received_at_ms: Option<f64>,
        diagnose: bool,
    ) -> Verdict {
        let (method, path) = request_line(&line);
        let headers = Packed::from(headers);
        let headers = Headers::unpack(&headers);
        let now = reference(received_at_ms, now_ms);
        let incoming = body.as_deref().map(|body| Incoming { method, path, headers: headers.pairs(), body });
        let inflated = incoming.as_ref().map(|incoming| self.0.verifier().inflated(incoming)).transpose();
        let verified = match (&incoming, &inflated) {
            (Some(_), Err(rejection)) => Err(rejection.clone()),
            (Some(incoming), Ok(inflated)) => {
                let body = inflated.as_ref().and_then(Option::as_deref).unwrap_or(incoming.body);
                self.checked(&Incoming { body, ..*incoming }, now, diagnose)
            }
            (None, _) => Err(self.0.verifier().refuse(ReasonCode::BodyUnavailable, headers.pairs())),
        };
        match verified {
            Ok(message) => Verdict {
                rejection: None,
                message_id: Some(message.message_id().to_owned()),
                timestamp_ms: message.timestamp().map(|at| at.unix_millis() as f64),
            },
            Err(rejection) => Verdict { rejection: Some(rejection.into()), message_id: None, timestamp_ms: None },
        }
    }

    /// The signature of a message, as its sender writes it.
    #[napi(catch_unwind)]
    pub fn sign(&self, message_id: String, timestamp_ms: f64, body: BufferSlice<'_>) -> Result<String> {
        self.0.sign(&message_id, Timestamp::from_unix_millis(timestamp_ms as i64), &body).map_err(coded)
    }

    /// Looks for the cause of a refusal within the limit of the process, or each time.
    fn checked<'a>(
        &'a self,
        incoming: &Incoming<'a>,
        now: Timestamp,
        diagnose: bool,
    ) -> std::result::Result<VerifiedMessage<'a>, surehook::Rejection> {
        if diagnose { self.0.verify_and_diagnose(incoming, now) } else { self.0.verify_request(incoming, now) }
    }
}

/// The time to check a request at.
fn reference(received_at_ms: Option<f64>, now_ms: Option<f64>) -> Timestamp {
    let time = |ms: f64| Timestamp::from_unix_millis(ms as i64);
    let now = now_ms.map_or_else(|| SystemClock.now(), time);
    surehook::Webhook::reference_time(received_at_ms.map(time), now)
}
