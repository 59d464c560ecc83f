//! From a refused request to the cause that makes its signature right: proved by experiment, not guessed.
//!
//! An experiment changes one thing (the key, the body, a header) and checks the signature again. It runs only after a
//! refusal, within a [`Budget`]: a sender can make it run, so it must stay cheap. What it finds is for the endpoint's owner;
//! it never holds the secret, the expected signature or the body, and it never makes a refused request pass.

mod bodies;
mod budget;
mod drift;
mod finding;
mod headers;
mod json;
mod likely;
mod limiter;
mod secrets;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{ReasonCode, Rejection};
use crate::request::Incoming;
use crate::time::Timestamp;
use crate::verify::Verifier;
use crate::verify::content::Signed;
use crate::verify::read::{self, Found};
use crate::verify::signatures::Signatures;

pub use budget::{MAX_BODY, MAX_CHEAP_BODY, MAX_EXPERIMENTS, MAX_TIME};
pub use drift::Drift;
pub use finding::{Certainty, Finding};
pub use limiter::Limiter;

use budget::Budget;

/// Why a request was refused, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What was found.
    #[serde(deserialize_with = "crate::open_names::read")]
    pub finding: Finding,
    /// How sure it is.
    #[serde(deserialize_with = "crate::open_names::read")]
    pub certainty: Certainty,
    /// What shows it, in one sentence.
    pub evidence: String,
    /// What mends it, in one sentence.
    pub fix: String,
}

impl Diagnosis {
    pub(crate) fn proved(finding: Finding, evidence: impl Into<String>) -> Self {
        Self { finding, certainty: Certainty::Proved, evidence: evidence.into(), fix: finding.fix().to_owned() }
    }

    pub(crate) fn likely(finding: Finding, evidence: impl Into<String>) -> Self {
        Self { certainty: Certainty::Likely, ..Self::proved(finding, evidence) }
    }

    /// The page that explains the finding.
    pub fn docs(&self) -> String {
        crate::error::docs_page(self.finding.as_str())
    }
}

impl std::fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {} {}", self.finding, self.certainty.as_str(), self.evidence, self.fix)
    }
}

/// What an endpoint knows beyond the request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The other endpoints of the process, by name.
    pub others: &'a [(&'a str, &'a Verifier)],
    /// By how many seconds the signed times of recent good requests lay behind this clock.
    pub recent_drift: &'a [i64],
    /// The time since the diagnosis began: it ends where its budget does.
    pub elapsed: &'a dyn Fn() -> Duration,
}

impl Default for Context<'_> {
    /// Knows nothing else, and takes no time.
    fn default() -> Self {
        Self { others: &[], recent_drift: &[], elapsed: &|| Duration::ZERO }
    }
}

/// Whether a refusal for this reason can have a cause that [`diagnose`] finds. All others are explained by their code.
pub fn can_explain(code: ReasonCode) -> bool {
    matches!(
        code,
        ReasonCode::SignatureMismatch
            | ReasonCode::TimestampTooOld
            | ReasonCode::TimestampTooNew
            | ReasonCode::MalformedTimestamp
            | ReasonCode::MixedHeaderFamily
            | ReasonCode::MalformedMessageId
            | ReasonCode::NoSupportedVersion
    )
}

/// Looks for the cause of a refusal. `None`: none was found.
///
/// ```
/// use surehook_core::diagnose::{Context, Finding, diagnose};
/// use surehook_core::{Incoming, Timestamp, Verifier, sign};
///
/// let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// let signature = sign(secret, "msg_1", 1_700_000_000, br#"{"a": 1}"#).unwrap();
/// let headers: [(&[u8], &[u8]); 3] = [
///     (b"svix-id", b"msg_1"),
///     (b"svix-timestamp", b"1700000000"),
///     (b"svix-signature", signature.as_bytes()),
/// ];
/// let rewritten = Incoming::post(&headers, br#"{"a":1}"#);
/// let now = Timestamp::from_unix_seconds(1_700_000_001);
/// let verifier = Verifier::new("clerk", &[secret]).unwrap();
///
/// let rejection = verifier.verify_request(&rewritten, now).unwrap_err();
/// let diagnosis = diagnose(&verifier, &rewritten, &rejection, now, &Context::default()).unwrap();
/// assert_eq!(diagnosis.finding, Finding::BodyReserialized);
/// ```
pub fn diagnose(
    verifier: &Verifier,
    incoming: &Incoming<'_>,
    rejection: &Rejection,
    now: Timestamp,
    context: &Context<'_>,
) -> Option<Diagnosis> {
    match rejection.code() {
        ReasonCode::SignatureMismatch => mismatch(verifier, incoming, context),
        ReasonCode::TimestampTooOld | ReasonCode::TimestampTooNew => skew(verifier, incoming, now, context),
        ReasonCode::MalformedTimestamp | ReasonCode::MixedHeaderFamily | ReasonCode::MalformedMessageId => {
            headers::rewritten(verifier, incoming, rejection.code(), context)
        }
        ReasonCode::NoSupportedVersion => {
            likely::wrong_version(verifier, &Trial::new(verifier, incoming, context)?.signatures)
        }
        _ => None,
    }
}

fn mismatch(verifier: &Verifier, incoming: &Incoming<'_>, context: &Context<'_>) -> Option<Diagnosis> {
    // What costs nothing to see and rules out every experiment comes first.
    if let Some(consumed) = likely::consumed(incoming) {
        return Some(consumed);
    }
    let proved = (incoming.body.len() <= MAX_CHEAP_BODY).then(|| {
        let trial = Trial::new(verifier, incoming, context)?;
        secrets::another_endpoint(&trial, context)
            .or_else(|| secrets::another_form(&trial))
            .or_else(|| bodies::changed(&trial))
            .or_else(|| headers::trimmed(&trial))
    });
    proved.flatten().or_else(|| likely::by_shape(verifier, incoming))
}

/// A right signature whose time is off.
fn skew(verifier: &Verifier, incoming: &Incoming<'_>, now: Timestamp, context: &Context<'_>) -> Option<Diagnosis> {
    let trial = Trial::new(verifier, incoming, context)?;
    let signed_at = trial.found.read_timestamp(verifier.scheme()).ok().flatten()?;
    if !trial.holds(&trial.signed()) {
        return None;
    }
    let in_other_unit = |at: Timestamp| at.unix_seconds().abs_diff(now.unix_seconds()) <= verifier.tolerance_seconds();
    if let Some(units) = headers::other_unit(&trial, in_other_unit) {
        return Some(units);
    }
    let behind = now.unix_seconds() - signed_at.unix_seconds();
    Some(Diagnosis::proved(Finding::ClockSkew, drift::evidence(behind, context.recent_drift)))
}

/// One request with the parts that experiments change, and what is left of the budget.
pub(crate) struct Trial<'a> {
    verifier: &'a Verifier,
    incoming: &'a Incoming<'a>,
    found: Found<'a>,
    signatures: Signatures,
    url: String,
    budget: Budget<'a>,
}

impl<'a> Trial<'a> {
    fn new(verifier: &'a Verifier, incoming: &'a Incoming<'a>, context: &Context<'a>) -> Option<Self> {
        let found = read::find(verifier.scheme(), incoming).ok()?;
        Self::with(verifier, incoming, found, context)
    }

    fn with(
        verifier: &'a Verifier,
        incoming: &'a Incoming<'a>,
        found: Found<'a>,
        context: &Context<'a>,
    ) -> Option<Self> {
        let signatures = found.read_signatures(verifier.scheme()).ok()?;
        let budget = Budget::new(context.elapsed);
        Some(Self { verifier, incoming, signatures, url: verifier.full_url(incoming), budget, found })
    }

    /// The parts as they came.
    fn signed(&self) -> Signed<'_> {
        Signed {
            id: self.found.id.unwrap_or_default(),
            timestamp: self.found.timestamp.as_deref().unwrap_or_default(),
            body: self.incoming.body,
            url: &self.url,
            incoming: self.incoming,
        }
    }

    /// One experiment: do these parts hold under the endpoint's own keys?
    fn holds(&self, signed: &Signed<'_>) -> bool {
        self.budget.spend() && self.verifier.is_signed(signed, &self.signatures, self.verifier.keys())
    }

    /// One experiment with another body.
    fn body_holds(&self, body: &[u8]) -> bool {
        self.holds(&Signed { body, ..self.signed() })
    }
}
