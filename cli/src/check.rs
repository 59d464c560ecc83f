//! One check of one request by the core, and all that it tells.

use std::sync::Arc;
use std::time::Duration;

use surehook_core::diagnose::{self, Diagnosis};
use surehook_core::envelope::EnvelopeFields;
use surehook_core::{ConfigError, Incoming, ReasonCode, Scheme, Timestamp, Verifier};

use crate::saved::SavedRequest;

/// The endpoint that a request is checked for.
pub(crate) struct Endpoint {
    verifier: Verifier,
    /// Of other endpoints, by name: one of their secrets may be the right one.
    others: Vec<(String, Verifier)>,
}

/// What an endpoint is made of.
pub(crate) struct EndpointOptions {
    pub(crate) scheme: Arc<Scheme>,
    pub(crate) secrets: Vec<String>,
    /// The public URL without its query.
    pub(crate) url: Option<String>,
    /// By how much the signed time may be off; the provider's own rule where none is given.
    pub(crate) tolerance: Option<Duration>,
    /// The secrets of other endpoints, each with its endpoint's name.
    pub(crate) others: Vec<(String, String)>,
}

/// As of when a request is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsOf {
    /// Now, which is a while after a saved request was received.
    Now(Timestamp),
    /// The time at which it was received, or would have been.
    Given(Timestamp),
    /// The time that the request says it was signed at; the given one where it says none.
    Signing { otherwise: Timestamp },
}

/// What a check told.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) provider: String,
    pub(crate) as_of: AsOf,
    pub(crate) checked_at: Timestamp,
    /// As the request says, signed or not.
    pub(crate) signed_at: Option<Timestamp>,
    /// As the request says, signed or not.
    pub(crate) message_id: Option<String>,
    pub(crate) event_type: Option<String>,
    /// Why it was refused; `None`: it is valid.
    pub(crate) refusal: Option<Refusal>,
}

/// Why a request was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: ReasonCode,
    pub(crate) message: &'static str,
    pub(crate) docs: String,
    pub(crate) diagnosis: Option<Diagnosis>,
}

impl Checked {
    /// Whether the signature is right; `None`: the check did not come so far.
    pub(crate) fn signature_is_right(&self) -> Option<bool> {
        match &self.refusal {
            None => Some(true),
            Some(refusal) if refusal.is_only_its_age() => Some(true),
            Some(refusal) => (refusal.code == ReasonCode::SignatureMismatch).then_some(false),
        }
    }

    /// How many seconds before the check it was signed.
    pub(crate) fn age_seconds(&self) -> Option<i64> {
        Some(self.checked_at.unix_seconds().saturating_sub(self.signed_at?.unix_seconds()))
    }
}

impl Refusal {
    /// Whether everything but the age is right.
    pub(crate) fn is_only_its_age(&self) -> bool {
        matches!(self.code, ReasonCode::TimestampTooOld | ReasonCode::TimestampTooNew)
            && self.diagnosis.as_ref().is_some_and(|found| found.finding == diagnose::Finding::ClockSkew)
    }
}

impl Endpoint {
    /// The error is about an option or a secret, and never repeats one.
    pub(crate) fn new(options: EndpointOptions) -> Result<Self, ConfigError> {
        let EndpointOptions { scheme, secrets, url, tolerance, others } = options;
        let mut verifier = Verifier::for_scheme(Arc::clone(&scheme), &secrets)?;
        if let Some(tolerance) = tolerance {
            verifier = verifier.with_tolerance(tolerance)?;
        }
        if let Some(url) = url {
            verifier = verifier.with_url(&url)?;
        }
        let of_other = |(name, secret)| Ok((name, Verifier::for_scheme(Arc::clone(&scheme), &[secret])?));
        let others = others.into_iter().map(of_other).collect::<Result<_, ConfigError>>()?;
        Ok(Self { verifier: verifier.complete()?, others })
    }

    /// What the owner of the secrets should know of them.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &'static str> {
        self.verifier.warnings()
    }

    /// Checks a request. The path of the request holds the query that the provider called.
    pub(crate) fn check(&self, request: &SavedRequest, as_of: AsOf) -> Checked {
        let headers: Vec<(&[u8], &[u8])> =
            request.headers.iter().map(|header| (header.name.as_bytes(), header.value.as_slice())).collect();
        let incoming =
            Incoming { method: &request.method, path: &request.target.path, headers: &headers, body: &request.body };
        let claimed = self.verifier.claimed_timestamp(&incoming);
        let checked_at = match as_of {
            AsOf::Now(time) | AsOf::Given(time) => time,
            AsOf::Signing { otherwise } => claimed.unwrap_or(otherwise),
        };
        let (message_id, refusal) = match self.verifier.verify_request(&incoming, checked_at) {
            Ok(message) => (Some(message.message_id().to_owned()), None),
            Err(rejection) => {
                let others: Vec<(&str, &Verifier)> =
                    self.others.iter().map(|(name, verifier)| (name.as_str(), verifier)).collect();
                // Nobody waits for this answer but who asked for it: the budget of experiments is bound enough.
                let context = diagnose::Context { others: &others, ..diagnose::Context::default() };
                let diagnosis = diagnose::diagnose(&self.verifier, &incoming, &rejection, checked_at, &context);
                let rejection = rejection.with_diagnosis(diagnosis);
                let refusal = Refusal {
                    code: rejection.code(),
                    message: rejection.message(),
                    docs: rejection.docs(),
                    diagnosis: rejection.diagnosis().cloned(),
                };
                (rejection.claimed_message_id().map(str::to_owned), Some(refusal))
            }
        };
        let scheme = self.verifier.scheme();
        Checked {
            provider: scheme.provider.clone(),
            as_of,
            checked_at,
            signed_at: claimed,
            message_id,
            event_type: EnvelopeFields::of(scheme).read(&headers, &request.body).event_type,
            refusal,
        }
    }
}
