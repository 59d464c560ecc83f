//! From a request to a [`VerifiedMessage`], or to the reason why not.

mod ed25519;
mod hmac;

use std::time::Duration;

use crate::error::{ConfigError, ReasonCode, Rejection};
use crate::headers::{self, HeaderPairs, Signatures};
use crate::scheme::{self, Scheme};
use crate::secret::{Key, Secret};
use crate::time::Timestamp;

/// The time by which a signed timestamp may be off, unless set otherwise.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);
/// The most that it can be set to; there is no "unlimited".
pub const MAX_TOLERANCE: Duration = Duration::from_secs(3600);

/// Checks the signatures of one endpoint.
///
/// ```
/// use surehook_core::{Timestamp, Verifier};
///
/// let verifier = Verifier::new("clerk", &["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]).unwrap();
/// let headers: [(&[u8], &[u8]); 3] = [
///     (b"svix-id", b"msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
///     (b"svix-timestamp", b"1649367553"),
///     (b"svix-signature", b"v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
/// ];
/// let body = br#"{"email":"test@example.com","username":"test_user"}"#;
///
/// let message = verifier.verify(body, &headers, Timestamp::from_unix_seconds(1_649_367_600)).unwrap();
/// assert_eq!(message.message_id(), "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk");
///
/// let hours_later = Timestamp::from_unix_seconds(1_649_377_600);
/// assert_eq!(verifier.verify(body, &headers, hours_later).unwrap_err().code().as_str(), "timestamp_too_old");
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    scheme: &'static Scheme,
    secrets: Vec<Secret>,
    tolerance: Duration,
    max_body_bytes: usize,
}

impl Verifier {
    /// A verifier for a provider, with the provider's own limits and a tolerance of 300 s.
    ///
    /// # Errors
    /// An unknown provider, no secret at all, or a secret that cannot be used.
    pub fn new<S: AsRef<str>>(provider: &str, secrets: &[S]) -> Result<Self, ConfigError> {
        let scheme = scheme::find(provider).ok_or_else(|| ConfigError::unknown_provider(provider))?;
        if secrets.is_empty() {
            return Err(ConfigError::SecretMissing { hint: "give at least one".to_owned() });
        }
        let secrets = secrets.iter().map(|text| Secret::parse(text.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { scheme, secrets, tolerance: DEFAULT_TOLERANCE, max_body_bytes: scheme.max_body_bytes })
    }

    /// Sets by how much a signed timestamp may be off, in either direction, inclusive: 1 s to 3600 s.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] outside of that range.
    pub fn with_tolerance(self, tolerance: Duration) -> Result<Self, ConfigError> {
        if !(Duration::from_secs(1)..=MAX_TOLERANCE).contains(&tolerance) {
            return Err(ConfigError::invalid_option("tolerance", "it must be 1 to 3600 seconds"));
        }
        Ok(Self { tolerance, ..self })
    }

    /// Sets the largest body that is accepted, in bytes.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] for zero.
    pub fn with_max_body_bytes(self, max_body_bytes: usize) -> Result<Self, ConfigError> {
        if max_body_bytes == 0 {
            return Err(ConfigError::invalid_option("max_body_bytes", "it must be at least 1"));
        }
        Ok(Self { max_body_bytes, ..self })
    }

    /// The provider's row.
    pub fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// By how much a signed timestamp may be off.
    pub fn tolerance(&self) -> Duration {
        self.tolerance
    }

    /// The largest body that is accepted, in bytes.
    pub fn max_body_bytes(&self) -> usize {
        self.max_body_bytes
    }

    /// What the owner of the endpoint should be told about its secrets.
    pub fn warnings(&self) -> impl Iterator<Item = &'static str> {
        self.secrets.iter().filter_map(Secret::warning)
    }

    /// Checks one request. `body` must be the bytes as they were received, `now` the current time.
    ///
    /// # Errors
    /// The first fault in this order: the body's size; the headers; the form of id, timestamp and signatures; the age;
    /// the signature itself.
    pub fn verify<'a>(
        &self,
        body: &'a [u8],
        headers: HeaderPairs<'a>,
        now: Timestamp,
    ) -> Result<VerifiedMessage<'a>, Rejection> {
        if body.len() > self.max_body_bytes {
            return Err(self.refuse(ReasonCode::BodyTooLarge, headers));
        }
        let found = headers::find(self.scheme, headers).map_err(Rejection::new)?;
        let message_id = headers::message_id(found.id).map_err(Rejection::new)?;
        let refused = |code| Rejection::new(code).with_claimed_message_id(message_id);
        let timestamp = headers::timestamp(found.timestamp).map_err(refused)?;
        let signatures = headers::signatures(found.signature).map_err(refused)?;
        self.check_versions(&signatures).map_err(refused)?;
        self.check_age(timestamp, now).map_err(refused)?;
        self.check_signature(&[found.id, b".", found.timestamp, b".", body], &signatures).map_err(refused)?;
        Ok(VerifiedMessage { scheme: self.scheme, message_id, timestamp, body })
    }

    /// The rejection of a request that was refused without a look at its body, with the id it claims.
    pub fn refuse(&self, code: ReasonCode, headers: HeaderPairs<'_>) -> Rejection {
        let claimed = headers::find(self.scheme, headers).and_then(|found| headers::message_id(found.id));
        match claimed {
            Ok(id) => Rejection::new(code).with_claimed_message_id(id),
            Err(_) => Rejection::new(code),
        }
    }

    fn check_versions(&self, signatures: &Signatures) -> Result<(), ReasonCode> {
        let usable = self.secrets.iter().any(|secret| match secret.key() {
            Key::Hmac(_) => !signatures.v1.is_empty(),
            Key::Ed25519(_) => !signatures.v1a.is_empty(),
        });
        if usable { Ok(()) } else { Err(ReasonCode::NoSupportedVersion) }
    }

    fn check_age(&self, signed: Timestamp, now: Timestamp) -> Result<(), ReasonCode> {
        let age = now.unix_seconds() - signed.unix_seconds();
        let tolerance = i64::try_from(self.tolerance.as_secs()).unwrap_or(i64::MAX);
        if age > tolerance {
            Err(ReasonCode::TimestampTooOld)
        } else if age < -tolerance {
            Err(ReasonCode::TimestampTooNew)
        } else {
            Ok(())
        }
    }

    fn check_signature(&self, signed: &[&[u8]], signatures: &Signatures) -> Result<(), ReasonCode> {
        let valid = self.secrets.iter().any(|secret| match secret.key() {
            Key::Hmac(keyed) => !signatures.v1.is_empty() && hmac::any_equal(&hmac::mac(keyed, signed), &signatures.v1),
            Key::Ed25519(key) => ed25519::any_valid(key, signed, &signatures.v1a),
        });
        if valid { Ok(()) } else { Err(ReasonCode::SignatureMismatch) }
    }
}

/// A message whose signature was right. Only [`Verifier::verify`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedMessage<'a> {
    scheme: &'static Scheme,
    message_id: &'a str,
    timestamp: Timestamp,
    body: &'a [u8],
}

impl<'a> VerifiedMessage<'a> {
    /// The row of the provider that signed it.
    pub fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// The id the provider gave the message; the same for each of its attempts.
    pub fn message_id(&self) -> &'a str {
        self.message_id
    }

    /// When the provider signed this attempt.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The signed bytes.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

/// The bare primitives, for the published test sets.
#[doc(hidden)]
pub mod primitives {
    use ::hmac::KeyInit;

    use crate::secret::KeyedHmac;

    /// Whether `tag` is the HMAC-SHA-256 of `message`.
    pub fn hmac_sha256_matches(key: &[u8], message: &[u8], tag: &[u8; 32]) -> bool {
        KeyedHmac::new_from_slice(key)
            .is_ok_and(|keyed| super::hmac::any_equal(&super::hmac::mac(&keyed, &[message]), &[*tag]))
    }

    /// Whether `signature` is a strict Ed25519 signature of `message`.
    pub fn ed25519_verifies(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        ed25519_dalek::VerifyingKey::from_bytes(public_key)
            .is_ok_and(|key| super::ed25519::any_valid(&key, &[message], &[*signature]))
    }
}
