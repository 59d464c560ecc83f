//! From a request to a [`VerifiedMessage`], or to the reason why not.

pub(crate) mod borders;
pub(crate) mod check;
pub(crate) mod content;
mod custom;
mod inflate;
pub(crate) mod message;
pub(crate) mod read;
pub(crate) mod signatures;
pub(crate) mod timestamps;
mod url;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{ConfigError, ReasonCode, Rejection};
use crate::request::{HeaderPairs, Incoming};
use crate::scheme::{self, Place, Scheme};
use crate::secret::Secret;
use crate::secret::key::Key;
use crate::telemetry::redact::Redactor;
use crate::time::Timestamp;

use content::Signed;
use read::Found;
use signatures::Signatures;
use url::PublicUrls;

pub use custom::CustomVerdict;
use message::Signers;
pub use message::VerifiedMessage;
pub use timestamps::reference_time;

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
    scheme: Arc<Scheme>,
    secrets: Vec<Secret>,
    tolerance: Option<Duration>,
    max_body_bytes: usize,
    urls: PublicUrls,
}

impl Verifier {
    /// A verifier for a provider of the table, with the provider's own limits and tolerance.
    ///
    /// # Errors
    /// An unknown provider, no secret at all, or a secret that cannot be used.
    pub fn new<S: AsRef<str>>(provider: &str, secrets: &[S]) -> Result<Self, ConfigError> {
        let scheme = scheme::find(provider).ok_or_else(|| ConfigError::unknown_provider(provider))?;
        Self::for_scheme(scheme, secrets)
    }

    /// A verifier for a scheme, one of the user's own among them.
    ///
    /// # Errors
    /// No secret at all, or a secret that cannot be used.
    pub fn for_scheme<S: AsRef<str>>(scheme: Arc<Scheme>, secrets: &[S]) -> Result<Self, ConfigError> {
        if secrets.is_empty() {
            return Err(ConfigError::SecretMissing { hint: "give at least one".to_owned() });
        }
        let secrets =
            secrets.iter().map(|text| Secret::for_scheme(text.as_ref(), &scheme)).collect::<Result<_, _>>()?;
        Ok(Self::with_secrets(scheme, secrets))
    }

    /// The same verifier with other secrets; limits and URL stay.
    ///
    /// # Errors
    /// As [`for_scheme`](Self::for_scheme).
    ///
    /// ```
    /// use surehook_core::{Verifier, scheme};
    ///
    /// let bare = Verifier::custom(scheme::find("clerk").unwrap());
    /// assert_eq!(bare.keyed::<&str>(&[]).unwrap_err().code(), "secret_missing");
    /// assert!(bare.keyed(&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]).is_ok());
    /// ```
    pub fn keyed<S: AsRef<str>>(&self, secrets: &[S]) -> Result<Self, ConfigError> {
        let secrets = Self::for_scheme(Arc::clone(&self.scheme), secrets)?.secrets;
        let Self { scheme, tolerance, max_body_bytes, urls, .. } = self;
        Ok(Self {
            scheme: Arc::clone(scheme),
            secrets,
            tolerance: *tolerance,
            max_body_bytes: *max_body_bytes,
            urls: urls.clone(),
        })
    }

    /// A redactor that knows the secrets of this verifier, and those of the one that it takes the place of.
    pub fn redactor(&self, before: Option<&Self>) -> Redactor {
        let secrets = self.secrets.iter().chain(before.into_iter().flat_map(|before| &before.secrets));
        let texts: Vec<&str> = secrets.map(Secret::text).collect();
        Redactor::new(&texts)
    }

    fn with_secrets(scheme: Arc<Scheme>, secrets: Vec<Secret>) -> Self {
        let tolerance = scheme.timestamp.as_ref().and_then(|rule| rule.tolerance_seconds).map(Duration::from_secs);
        Self { secrets, tolerance, max_body_bytes: scheme.max_body_bytes, urls: PublicUrls::none(), scheme }
    }

    /// Sets by how much a signed timestamp may be off, in either direction, inclusive: 1 s to 3600 s.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] outside of that range.
    pub fn with_tolerance(self, tolerance: Duration) -> Result<Self, ConfigError> {
        if !(Duration::from_secs(1)..=MAX_TOLERANCE).contains(&tolerance) {
            return Err(ConfigError::invalid_option("tolerance", "it must be 1 to 3600 seconds"));
        }
        Ok(Self { tolerance: Some(tolerance), ..self })
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

    /// Sets the public URL of the endpoint as the provider knows it, without its query: some providers sign it. A `{name}` stands
    /// for one segment of the request's path.
    ///
    /// # Errors
    /// As [`with_urls`](Self::with_urls).
    pub fn with_url(self, url: &str) -> Result<Self, ConfigError> {
        self.with_urls(&[url])
    }

    /// Sets several public URLs, each of which may be the one that was called.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when one is not an http(s) URL, or has a query or a fragment; when there are more than 4 forms
    /// to try, where each URL of a provider that signs it with or without its port counts twice.
    pub fn with_urls<S: AsRef<str>>(self, urls: &[S]) -> Result<Self, ConfigError> {
        let urls = PublicUrls::new(urls, &self.scheme)?;
        Ok(Self { urls, ..self })
    }

    /// The verifier itself, when it has all that its scheme needs.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when the scheme signs the URL and none is set.
    pub fn complete(self) -> Result<Self, ConfigError> {
        if self.scheme.signs_url() && self.urls.is_empty() {
            let title = &self.scheme.title;
            let fault = format!(
                "{title} signs the endpoint's public URL: give it, e.g. https://example.com/webhooks/{}",
                self.scheme.provider
            );
            return Err(ConfigError::invalid_option("url", fault));
        }
        Ok(self)
    }

    /// The provider's row.
    pub fn scheme(&self) -> &Arc<Scheme> {
        &self.scheme
    }

    /// By how much a signed timestamp may be off; `None`: the scheme has none, or its age is not checked.
    pub fn tolerance(&self) -> Option<Duration> {
        self.tolerance
    }

    pub(crate) fn tolerance_seconds(&self) -> u64 {
        self.tolerance.unwrap_or(DEFAULT_TOLERANCE).as_secs()
    }

    /// The largest body that is accepted, in bytes.
    pub fn max_body_bytes(&self) -> usize {
        self.max_body_bytes
    }

    /// What the owner of the endpoint should be told about its secrets.
    pub fn warnings(&self) -> impl Iterator<Item = &'static str> {
        self.secrets.iter().flat_map(Secret::warnings)
    }

    /// The secrets it was made with.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Checks a request of a scheme that signs neither the method nor the URL. `body` must be the bytes as they were
    /// received, `now` the current time.
    ///
    /// # Errors
    /// As [`verify_request`](Self::verify_request).
    pub fn verify<'a>(
        &'a self,
        body: &'a [u8],
        headers: HeaderPairs<'a>,
        now: Timestamp,
    ) -> Result<VerifiedMessage<'a>, Rejection> {
        self.verify_request(&Incoming::post(headers, body), now)
    }

    /// Checks one request at the time `now`.
    ///
    /// # Errors
    /// The first fault in this order: the body's size; the headers; the form of id, timestamp and signatures; the age;
    /// the signature itself.
    pub fn verify_request<'a>(
        &'a self,
        incoming: &Incoming<'a>,
        now: Timestamp,
    ) -> Result<VerifiedMessage<'a>, Rejection> {
        if incoming.body.len() > self.max_body_bytes {
            return Err(self.refuse(ReasonCode::BodyTooLarge, incoming.headers));
        }
        let found = read::find(&self.scheme, incoming).map_err(Rejection::new)?;
        let id = found.id.map(|raw| read::message_id(&self.scheme, raw)).transpose().map_err(Rejection::new)?;
        self.check(incoming, &found, now)
            .map_err(|code| match id {
                Some(id) => Rejection::new(code).with_claimed_message_id(id),
                None => Rejection::new(code),
            })
            .map(|(timestamp, signers)| self.message(incoming, id, (timestamp, found.event_type)).signed_with(signers))
    }

    /// The body as it was signed, of a scheme that signs it before compression (gzip or deflate, one coding); `None`: as it came. What is
    /// checked, de-duplicated and handled is then this one.
    ///
    /// # Errors
    /// The rejection `body_too_large` for a body that unpacks to more than is accepted.
    pub fn inflated(&self, incoming: &Incoming<'_>) -> Result<Option<Vec<u8>>, Rejection> {
        let inflated = inflate::inflated(&self.scheme, incoming, self.max_body_bytes);
        inflated.map_err(|code| self.refuse(code, incoming.headers))
    }

    /// When the request says it was signed, where it says so in a form that can be read. Nobody checked it: it may be shown,
    /// never relied on.
    ///
    /// ```
    /// use surehook_core::{Incoming, Timestamp, Verifier};
    ///
    /// let verifier = Verifier::new("stripe", &["whsec_0123456789abcdef"]).unwrap();
    /// let headers: [(&[u8], &[u8]); 1] = [(b"stripe-signature", b"t=1700000000,v1=00")];
    /// let claimed = verifier.claimed_timestamp(&Incoming::post(&headers, b"{}"));
    /// assert_eq!(claimed, Some(Timestamp::from_unix_seconds(1_700_000_000)));
    /// assert_eq!(verifier.claimed_timestamp(&Incoming::post(&[], b"{}")), None);
    /// ```
    pub fn claimed_timestamp(&self, incoming: &Incoming<'_>) -> Option<Timestamp> {
        read::find(&self.scheme, incoming).ok()?.read_timestamp(&self.scheme).ok().flatten()
    }

    /// The rejection of a request that was refused without a look at its body, with the id it claims.
    pub fn refuse(&self, code: ReasonCode, headers: HeaderPairs<'_>) -> Rejection {
        let claimed = self.claimed_id(headers);
        claimed.map_or_else(|| Rejection::new(code), |id| Rejection::new(code).with_claimed_message_id(id))
    }

    fn claimed_id<'h>(&self, headers: HeaderPairs<'h>) -> Option<&'h str> {
        let found = read::find(&self.scheme, &Incoming::post(headers, b"")).ok()?;
        read::message_id(&self.scheme, found.id?).ok()
    }

    /// All checks behind the headers and the id's form. Answers when the request was signed, where the scheme says so, and with
    /// which of the secrets.
    fn check<'s>(
        &'s self,
        incoming: &Incoming<'_>,
        found: &Found<'_>,
        now: Timestamp,
    ) -> Result<(Option<Timestamp>, Signers<'s>), ReasonCode> {
        let timestamp = found.read_timestamp(&self.scheme)?;
        let signatures = found.read_signatures(&self.scheme)?;
        self.check_versions(&signatures)?;
        if let Some(signed) = timestamp {
            self.check_age(signed, now)?;
        }
        let url = self.full_url(incoming);
        let signed = Signed {
            id: found.id.unwrap_or_default(),
            timestamp: found.timestamp.as_deref().unwrap_or_default(),
            body: incoming.body,
            url: &url,
            incoming,
        };
        let signers = self.signers(&signed, &signatures);
        if signers.is_empty() { Err(ReasonCode::SignatureMismatch) } else { Ok((timestamp, signers)) }
    }

    /// The secrets that made one of the signatures over these parts, each with its key that did: all of them, for a message may
    /// carry those of two.
    fn signers(&self, signed: &Signed<'_>, signatures: &Signatures) -> Signers<'_> {
        let of_url = |signed: &Signed<'_>| {
            let pieces = self.pieces(signed)?;
            let made = |key: &&Key| check::any_valid(key, &pieces, signatures.for_key(&self.scheme, key));
            let secrets = self.secrets.iter();
            let signers: Signers<'_> =
                secrets.filter_map(|secret| Some((secret, secret.keys().iter().find(made)?))).collect();
            (!signers.is_empty()).then_some(signers)
        };
        self.with_each_url(signed, of_url).unwrap_or_default()
    }

    /// What a signature over these parts is made over; `None` where the provider would not have signed them, or where they could be
    /// read in another way.
    fn pieces<'p>(&'p self, signed: &Signed<'p>) -> Option<content::Pieces<'p>> {
        let pieces = content::pieces(&self.scheme, signed)?;
        let clear = || borders::are_clear(&self.scheme, &pieces, self.tolerance.is_some());
        (!self.scheme.content.has_borders() || clear()).then_some(pieces)
    }

    fn check_versions(&self, signatures: &Signatures) -> Result<(), ReasonCode> {
        let usable = self.keys().any(|key| !signatures.for_key(&self.scheme, key).is_empty());
        if usable { Ok(()) } else { Err(ReasonCode::NoSupportedVersion) }
    }

    fn check_age(&self, signed: Timestamp, now: Timestamp) -> Result<(), ReasonCode> {
        let Some(tolerance) = self.tolerance else { return Ok(()) };
        let age = now.unix_seconds() - signed.unix_seconds();
        let tolerance = i64::try_from(tolerance.as_secs()).unwrap_or(i64::MAX);
        if age > tolerance {
            Err(ReasonCode::TimestampTooOld)
        } else if age < -tolerance {
            Err(ReasonCode::TimestampTooNew)
        } else {
            Ok(())
        }
    }

    /// Whether one of the keys made one of the signatures over these parts.
    pub(crate) fn is_signed<'k>(
        &self,
        signed: &Signed<'_>,
        signatures: &Signatures,
        keys: impl Iterator<Item = &'k Key> + Clone,
    ) -> bool {
        let made = |signed: &Signed<'_>| {
            let pieces = self.pieces(signed)?;
            let mut keys = keys.clone();
            keys.any(|key| check::any_valid(key, &pieces, signatures.for_key(&self.scheme, key))).then_some(())
        };
        self.with_each_url(signed, made).is_some()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> + Clone {
        self.secrets.iter().flat_map(Secret::keys)
    }

    /// The public URL with the query of this request: of several always the same one.
    pub(crate) fn full_url(&self, incoming: &Incoming<'_>) -> String {
        self.urls.of(incoming, self.scheme.url.as_ref()).into_iter().next().unwrap_or_default()
    }

    /// The first answer to these parts with one of the URLs that the request may have been sent to.
    fn with_each_url<T>(&self, signed: &Signed<'_>, mut answer: impl FnMut(&Signed<'_>) -> Option<T>) -> Option<T> {
        if !self.scheme.signs_url() {
            return answer(signed);
        }
        let urls = self.urls.of(signed.incoming, self.scheme.url.as_ref());
        urls.iter().find_map(|url| answer(&Signed { url, ..*signed }))
    }

    fn message<'a>(
        &'a self,
        incoming: &Incoming<'a>,
        id: Option<&'a str>,
        said: (Option<Timestamp>, Option<&'a str>),
    ) -> VerifiedMessage<'a> {
        let id = match (&self.scheme.message_id, id) {
            (_, Some(id)) => Some(Cow::Borrowed(id)),
            (Some(Place::Body(paths)), None) => message::id_in_body(&self.scheme, paths, incoming).map(Cow::Owned),
            _ => None,
        };
        VerifiedMessage::new(&self.scheme, incoming, self.full_url(incoming).into(), id, said)
    }
}

/// The bare primitives, for the published test sets.
#[doc(hidden)]
pub mod primitives {
    use super::check;
    use crate::scheme::Algorithm;
    use crate::secret::key::{Key, Tag};

    /// Whether `tag` is the HMAC-SHA-256 of `message`.
    pub fn hmac_sha256_matches(key: &[u8], message: &[u8], tag: &[u8; 32]) -> bool {
        Key::shared(Algorithm::HmacSha256, key)
            .is_ok_and(|key| check::any_valid(&key, &[message], &[Tag::from_slice(tag)]))
    }

    /// Whether `signature` is a strict Ed25519 signature of `message`.
    pub fn ed25519_verifies(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        ed25519_dalek::VerifyingKey::from_bytes(public_key)
            .is_ok_and(|key| check::any_ed25519(&key, message, &[Tag::from_slice(signature)]))
    }
}
