//! Verification alone.

use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;
use surehook::core::{HeaderPairs, Timestamp, scheme};
use surehook::{Clock, ReasonCode, SystemClock, VerifiedMessage};

use crate::convert::{Headers, Rejection, Result, bytes, coded, seconds};

/// The environment variables that usually hold a provider's secret; none for a provider that nobody knows.
#[napi]
pub fn secret_variables(provider: String) -> Vec<String> {
    scheme::find(&provider)
        .map(|scheme| scheme.secret_env.iter().map(|&name| name.to_owned()).collect())
        .unwrap_or_default()
}

/// What became of one check: either the rejection, or the other two.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Verdict {
    pub rejection: Option<Rejection>,
    pub message_id: Option<String>,
    pub timestamp_ms: Option<f64>,
}

#[napi]
pub struct Verifier(surehook::core::Verifier);

#[napi]
impl Verifier {
    #[napi(constructor)]
    pub fn new(
        provider: String,
        secrets: Vec<String>,
        tolerance_seconds: Option<f64>,
        max_body_bytes: Option<f64>,
    ) -> Result<Self> {
        let mut verifier = surehook::core::Verifier::new(&provider, &secrets).map_err(coded)?;
        if let Some(tolerance) = tolerance_seconds {
            verifier = verifier.with_tolerance(seconds(tolerance)).map_err(coded)?;
        }
        if let Some(limit) = max_body_bytes {
            verifier = verifier.with_max_body_bytes(bytes(limit)).map_err(coded)?;
        }
        Ok(Self(verifier))
    }

    /// Checks one request and says only why it is refused; no body means that its raw bytes are gone. What is right costs
    /// no object: making one takes longer than the check.
    #[napi]
    pub fn check(&self, body: Option<BufferSlice<'_>>, headers: String) -> Option<Rejection> {
        let headers = Headers::unpack(&headers);
        self.verified(body.as_deref(), headers.pairs(), SystemClock.now()).err().map(Rejection::from)
    }

    /// The same, also for another time, and says what was found in a request that is right.
    #[napi]
    pub fn verify(&self, body: Option<BufferSlice<'_>>, headers: String, now_ms: Option<f64>) -> Verdict {
        let headers = Headers::unpack(&headers);
        let now = now_ms.map_or_else(|| SystemClock.now(), |ms| Timestamp::from_unix_millis(ms as i64));
        match self.verified(body.as_deref(), headers.pairs(), now) {
            Ok(message) => Verdict {
                rejection: None,
                message_id: Some(message.message_id().to_owned()),
                timestamp_ms: Some(message.timestamp().unix_millis() as f64),
            },
            Err(rejection) => Verdict { rejection: Some(rejection.into()), message_id: None, timestamp_ms: None },
        }
    }

    fn verified<'a>(
        &self,
        body: Option<&'a [u8]>,
        headers: HeaderPairs<'a>,
        now: Timestamp,
    ) -> std::result::Result<VerifiedMessage<'a>, surehook::Rejection> {
        match body {
            Some(body) => self.0.verify(body, headers, now),
            None => Err(self.0.refuse(ReasonCode::BodyUnavailable, headers)),
        }
    }
}
