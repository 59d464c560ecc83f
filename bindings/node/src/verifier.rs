//! Verification alone.

use std::sync::{Arc, LazyLock};

use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;
use surehook::core::diagnose::{Certainty, Finding};
use surehook::core::telemetry::redact::Redactor;
use surehook::core::{Incoming, Timestamp, scheme};
use surehook::{Clock, ReasonCode, SystemClock};

use crate::convert::{self, Headers, Packed, Rejection, Result, bytes, coded, request_line, seconds};

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
pub struct Verifier(surehook::Webhook);

#[napi]
impl Verifier {
    #[napi(catch_unwind, constructor)]
    pub fn new(options: VerifierOptions) -> Result<Self> {
        let VerifierOptions { provider, scheme, secrets, url, tolerance_seconds, max_body_bytes } = options;
        let own = convert::scheme(scheme.as_deref())?;
        let verifier = match own {
            Some(own) => surehook::core::Verifier::for_scheme(Arc::new(own), &secrets),
            None => surehook::core::Verifier::new(&provider.unwrap_or_default(), &secrets),
        };
        let mut verifier = verifier.map_err(coded)?;
        if let Some(url) = url {
            verifier = verifier.with_url(&url).map_err(coded)?;
        }
        if let Some(tolerance) = tolerance_seconds {
            verifier = verifier.with_tolerance(seconds(tolerance)).map_err(coded)?;
        }
        if let Some(limit) = max_body_bytes {
            verifier = verifier.with_max_body_bytes(bytes(limit)).map_err(coded)?;
        }
        verifier.complete().map(surehook::Webhook::with_verifier).map(Self).map_err(coded)
    }

    /// Checks one request now and says only why it is refused; no body means that its raw bytes are gone. What is right costs
    /// no object: making one takes longer than the check.
    #[napi(catch_unwind)]
    pub fn check(&self, body: Option<BufferSlice<'_>>, headers: String) -> Option<Rejection> {
        let headers = Packed::from(headers);
        let headers = Headers::unpack(&headers);
        let rejection = match body.as_deref() {
            Some(body) => self.0.verify(body, headers.pairs()).err()?,
            None => self.0.verifier().refuse(ReasonCode::BodyUnavailable, headers.pairs()),
        };
        Some(Rejection::from(rejection))
    }

    /// The same, also for another method, path or time, and says what was found in a request that is right.
    #[napi(catch_unwind)]
    pub fn verify(&self, line: String, headers: String, body: Option<BufferSlice<'_>>, now_ms: Option<f64>) -> Verdict {
        let (method, path) = request_line(&line);
        let headers = Packed::from(headers);
        let headers = Headers::unpack(&headers);
        let now = now_ms.map_or_else(|| SystemClock.now(), |ms| Timestamp::from_unix_millis(ms as i64));
        let verified = match body.as_deref() {
            Some(body) => self.0.verify_request(&Incoming { method, path, headers: headers.pairs(), body }, now),
            None => Err(self.0.verifier().refuse(ReasonCode::BodyUnavailable, headers.pairs())),
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
}
