//! Why a request was refused, and why an endpoint could not be built. Every kind has a stable code.

use serde::{Deserialize, Serialize};

use crate::diagnose::{Diagnosis, Finding};

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $message:literal;)*) => {
        /// Why a request was rejected. The code is stable; the message is for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ReasonCode {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
            /// One that this version does not know: a later one wrote it. It is in no list of codes, and never given.
            #[serde(rename = "other", skip_deserializing)]
            Other,
        }

        impl ReasonCode {
            /// Every code, in the order of the contract.
            pub const ALL: &'static [ReasonCode] = &[$(ReasonCode::$name,)*];

            /// The stable code, e.g. `signature_mismatch`.
            pub const fn as_str(self) -> &'static str {
                match self { $(ReasonCode::$name => $code,)* ReasonCode::Other => "other" }
            }

            /// One sentence that says what is wrong.
            pub const fn message(self) -> &'static str {
                match self {
                    $(ReasonCode::$name => $message,)*
                    ReasonCode::Other => "A reason that this version does not know.",
                }
            }
        }
    };
}

reason_codes! {
    /// A signature header is absent.
    MissingHeader = "missing_header": "A header that carries the signature, its time or the message id is missing.";
    /// A signature header is there more than once.
    DuplicateHeader = "duplicate_header": "A signature header was sent more than once.";
    /// Headers of two families are mixed.
    MixedHeaderFamily = "mixed_header_family": "The request mixes svix-* and webhook-* headers.";
    /// The message id has a form no provider sends.
    MalformedMessageId = "malformed_message_id": "The message id is empty, too long or holds a character that ids may not have.";
    /// The timestamp is not 1 to 12 digits.
    MalformedTimestamp = "malformed_timestamp": "The timestamp is not a plain number of seconds.";
    /// The timestamp is further in the past than the tolerance.
    TimestampTooOld = "timestamp_too_old": "The request was signed longer ago than the tolerance allows.";
    /// The timestamp is further in the future than the tolerance.
    TimestampTooNew = "timestamp_too_new": "The request was signed further in the future than the tolerance allows.";
    /// The signature header holds nothing that can be read.
    MalformedSignature = "malformed_signature": "The signature header holds no entry that can be read.";
    /// The signature header is over its limits.
    TooManySignatures = "too_many_signatures": "The signature header is longer than 8 KiB or holds more than 64 entries.";
    /// No entry has a version that the endpoint's secrets can check.
    NoSupportedVersion = "no_supported_version": "No signature has a version that this endpoint's secrets can check.";
    /// No signature matches any secret.
    SignatureMismatch = "signature_mismatch": "No signature matches the body, the headers and the secrets of this endpoint.";
    /// The raw body could not be had.
    BodyUnavailable = "body_unavailable": "The raw bytes of the body are not there: something read them before the check, or the sender hung up before they were all sent.";
    /// The body is over the limit.
    BodyTooLarge = "body_too_large": "The body is larger than this endpoint accepts.";
    /// The very same request was accepted before.
    Replayed = "replayed": "The very same request was accepted before.";
    /// The secret cannot be used.
    SecretInvalid = "secret_invalid": "The signing secret cannot be used.";
    /// The endpoint has no secret that it could check with.
    SecretMissing = "secret_missing": "The endpoint has no signing secret that can be used.";
    /// The user's function knows no secret for the request.
    SecretUnknown = "secret_unknown": "The function that gives the secrets has none for this request.";
    /// A verifier failed or said no.
    VerifierError = "verifier_error": "The verifier failed.";
}

impl std::fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an endpoint or a verifier could not be built. No variant ever holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no such provider.
    #[error("unknown provider {name:?}; known are: {known}")]
    UnknownProvider {
        /// What was asked for, cut to 60 characters.
        name: String,
        /// The providers this version knows.
        known: String,
    },
    /// No secret was given, and none of the environment variables holds one.
    #[error("the signing secret is missing: {hint}")]
    SecretMissing {
        /// Where a secret was looked for.
        hint: String,
    },
    /// A secret was given that cannot be used.
    #[error("the signing secret cannot be used: {fault}")]
    SecretInvalid {
        /// What is wrong with it, in words that do not repeat it.
        fault: String,
        /// What it is, where its shape tells.
        finding: Option<Finding>,
    },
    /// An option has a value it may not have.
    #[error("the option {option} cannot be used: {fault}")]
    InvalidOption {
        /// The option's name.
        option: &'static str,
        /// What is wrong, and what is allowed.
        fault: String,
    },
}

impl ConfigError {
    /// The stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownProvider { .. } => "unknown_provider",
            Self::SecretMissing { .. } => "secret_missing",
            Self::SecretInvalid { .. } => "secret_invalid",
            Self::InvalidOption { .. } => "invalid_option",
        }
    }

    /// An unusable secret; `fault` must not repeat it.
    pub fn secret_invalid(fault: impl Into<String>) -> Self {
        Self::SecretInvalid { fault: fault.into(), finding: None }
    }

    /// An unusable option.
    pub fn invalid_option(option: &'static str, fault: impl Into<String>) -> Self {
        Self::InvalidOption { option, fault: fault.into() }
    }

    /// A provider nobody knows.
    pub fn unknown_provider(name: &str) -> Self {
        let known: Vec<_> = crate::scheme::providers().iter().map(|scheme| scheme.provider.as_str()).collect();
        Self::UnknownProvider { name: name.chars().take(60).collect(), known: known.join(", ") }
    }
}

/// A request that was refused, and why.
///
/// The reason is for the owner of the endpoint: it belongs in the log and the telemetry, never in the answer to the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    code: ReasonCode,
    claimed_message_id: Option<String>,
    diagnosis: Option<Box<Diagnosis>>,
}

impl Rejection {
    /// A rejection for `code`, of a request without a readable message id.
    pub const fn new(code: ReasonCode) -> Self {
        Self { code, claimed_message_id: None, diagnosis: None }
    }

    /// The same rejection, of a request that claims this message id.
    pub fn with_claimed_message_id(self, id: &str) -> Self {
        Self { claimed_message_id: Some(id.to_owned()), ..self }
    }

    /// The same rejection with its cause, where one was found.
    pub fn with_diagnosis(self, diagnosis: Option<Diagnosis>) -> Self {
        Self { diagnosis: diagnosis.map(Box::new), ..self }
    }

    /// The cause of the rejection, where it was looked for and found.
    pub fn diagnosis(&self) -> Option<&Diagnosis> {
        self.diagnosis.as_deref()
    }

    /// The stable reason code.
    pub const fn code(&self) -> ReasonCode {
        self.code
    }

    /// One sentence that says what is wrong.
    pub const fn message(&self) -> &'static str {
        self.code.message()
    }

    /// The page that explains the cause, or the code where no cause was found, and how to mend it.
    pub fn docs(&self) -> String {
        self.diagnosis().map_or_else(|| self.code.docs(), Diagnosis::docs)
    }

    /// The message id the request claims. Nobody signed it: it may be shown, never relied on.
    pub fn claimed_message_id(&self) -> Option<&str> {
        self.claimed_message_id.as_deref()
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message())?;
        self.diagnosis().map_or(Ok(()), |diagnosis| write!(f, " Found: {diagnosis}"))
    }
}

impl std::error::Error for Rejection {}

impl ReasonCode {
    /// The page that explains the code and how to mend it.
    pub fn docs(self) -> String {
        docs_page(self.as_str())
    }
}

/// The page of a reason code or of a finding.
pub(crate) fn docs_page(code: &str) -> String {
    format!("{}/blob/main/docs/diagnostics/{code}.md", env!("CARGO_PKG_REPOSITORY"))
}
