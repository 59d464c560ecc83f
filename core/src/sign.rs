//! Making signatures, for test events.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::error::{ConfigError, ReasonCode};
use crate::request::{HeaderPairs, Incoming};
use crate::scheme::{self, Algorithm, Encoding, Piece, Place, Scheme, SignaturePlace, TimestampPlace};
use crate::secret::SigningKey;
use crate::signed_body;
use crate::time::Timestamp;
use crate::verify::content::{self, Signed};
use crate::verify::{Verifier, borders};
use crate::verify::{read, timestamps};

/// The signature entry of a message by the Standard Webhooks rules: `v1,…` for `whsec_` secrets, `v1a,…` for `whsk_` keys.
///
/// # Errors
/// [`ConfigError::SecretInvalid`] when the secret cannot sign; [`ConfigError::InvalidOption`] as [`Signer::signature`].
///
/// ```
/// let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// let entry = surehook_core::sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, br#"{"test": 2432232314}"#);
/// assert_eq!(entry.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
/// ```
pub fn sign(secret: &str, message_id: &str, timestamp_seconds: i64, body: &[u8]) -> Result<String, ConfigError> {
    let scheme = scheme::find("standard-webhooks").ok_or_else(|| ConfigError::unknown_provider("standard-webhooks"))?;
    let signer = Signer::new(scheme, secret)?;
    let timestamp = Timestamp::from_unix_seconds(timestamp_seconds);
    signer.signature(&Unsigned { message_id, timestamp, ..Unsigned::post(body) })
}

/// Signs requests as a provider does.
///
/// ```
/// use surehook_core::{Signer, Timestamp, Unsigned, Verifier, scheme};
///
/// let stripe = scheme::find("stripe").unwrap();
/// let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let unsigned = Unsigned { timestamp: now, ..Unsigned::post(br#"{"id":"evt_1"}"#) };
/// let headers = Signer::new(stripe, "whsec_0123456789abcdef").unwrap().sign(&unsigned).unwrap();
/// assert_eq!(headers[0].0, "stripe-signature");
///
/// let pairs: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
/// let verifier = Verifier::new("stripe", &["whsec_0123456789abcdef"]).unwrap();
/// assert_eq!(verifier.verify(unsigned.body, &pairs, now).unwrap().message_id(), "evt_1");
/// ```
pub struct Signer {
    scheme: Arc<Scheme>,
    key: SigningKey,
    url: String,
}

/// What a provider sends of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// The query of the URL, without its question mark; empty for none.
    pub query: String,
    /// The headers that come to those it had.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A request that is yet to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// The method.
    pub method: &'a str,
    /// The query of the URL, without its question mark; empty for none.
    pub query: &'a str,
    /// The headers that it has already; a form is told by its `content-type`.
    pub headers: HeaderPairs<'a>,
    /// The message's id, for schemes that put it into a header.
    pub message_id: &'a str,
    /// The time of signing.
    pub timestamp: Timestamp,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Unsigned<'a> {
    /// A `POST` with this body, without an id, at the Unix epoch.
    pub fn post(body: &'a [u8]) -> Self {
        let timestamp = Timestamp::from_unix_seconds(0);
        Self { method: "POST", query: "", headers: &[], message_id: "", timestamp, body }
    }
}

impl Signer {
    /// A signer with the shared secret as a receiver has it, or with a private key: `whsk_…`, an Ed25519 seed in hexadecimal,
    /// a P-256 key as PKCS #8 DER in base64.
    ///
    /// # Errors
    /// [`ConfigError::SecretInvalid`] when the secret cannot sign.
    pub fn new(scheme: Arc<Scheme>, secret: &str) -> Result<Self, ConfigError> {
        let key = SigningKey::for_scheme(secret, &scheme)?;
        Ok(Self { scheme, key, url: String::new() })
    }

    /// A signer with the first of a verifier's secrets that can sign.
    ///
    /// # Errors
    /// [`ConfigError::SecretInvalid`] when there are only public keys.
    pub fn of(verifier: &Verifier) -> Result<Self, ConfigError> {
        let scheme = verifier.scheme();
        let mut keys = verifier.secrets().iter().map(|secret| SigningKey::for_scheme(secret.text(), scheme));
        let unable = || ConfigError::secret_invalid("a public key can check signatures, not make them");
        let key = keys.find_map(Result::ok).ok_or_else(unable)?;
        Ok(Self { scheme: Arc::clone(scheme), key, url: String::new() })
    }

    /// Sets the public URL of the endpoint without its query, for schemes that sign it.
    pub fn with_url(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }

    /// The whole request that a provider would send. The body is the given one, but for schemes that write the time of signing,
    /// the message's id or the signature into it: then it is JSON, written anew with them. The id of a body that names one stays.
    /// The hash of a body that is no form comes into the query, for schemes that look for it there.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when a body that is to be written into is not JSON or has no place for it, and as
    /// [`signature`](Self::signature).
    ///
    /// ```
    /// use surehook_core::{Signer, Timestamp, Unsigned, Verifier, scheme};
    ///
    /// let signer = Signer::new(scheme::find("mailgun").unwrap(), "0123456789abcdef").unwrap();
    /// let now = Timestamp::from_unix_seconds(1_700_000_000);
    /// let event = Unsigned { message_id: "token_1", timestamp: now, ..Unsigned::post(br#"{"event-data":{}}"#) };
    /// let request = signer.sign_request(&event).unwrap();
    /// assert!(request.headers.is_empty());
    ///
    /// let verifier = Verifier::new("mailgun", &["0123456789abcdef"]).unwrap();
    /// assert_eq!(verifier.verify(&request.body, &[], now).unwrap().message_id(), "token_1");
    /// ```
    pub fn sign_request(&self, unsigned: &Unsigned<'_>) -> Result<SignedRequest, ConfigError> {
        let time = self.timestamp_text(unsigned);
        let prepared = signed_body::prepared(&self.scheme, unsigned.body, &time, unsigned.message_id)?;
        let body = prepared.unwrap_or_else(|| unsigned.body.to_vec());
        let query = self.query_with_hash(&Unsigned { body: &body, ..*unsigned });
        let unsigned = Unsigned { body: &body, query: &query, ..*unsigned };
        if let SignaturePlace::Body(path) = &self.scheme.signature {
            let signed = signed_body::signed(&self.scheme, &body, path, &self.signature(&unsigned)?)?;
            return Ok(SignedRequest { query, headers: Vec::new(), body: signed });
        }
        let headers = self.sign(&unsigned)?;
        Ok(SignedRequest { query, headers, body })
    }

    fn query_with_hash(&self, unsigned: &Unsigned<'_>) -> String {
        let Unsigned { method, query, headers, body, .. } = *unsigned;
        let is_form = Incoming { method, path: "", headers, body }.is_form();
        if !self.scheme.content.has(&Piece::Params) || is_form || query.contains("bodySHA256=") {
            return query.to_owned();
        }
        let parted = if query.is_empty() { "" } else { "&" };
        format!("{query}{parted}bodySHA256={}", base16ct::lower::encode_string(&Sha256::digest(body)))
    }

    /// The headers that a provider would send with the request.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when the scheme puts its signature into the body, and as [`signature`](Self::signature).
    pub fn sign(&self, unsigned: &Unsigned<'_>) -> Result<Vec<(String, String)>, ConfigError> {
        let signature = self.signature(unsigned)?;
        let time = self.timestamp_text(unsigned);
        let mut headers = Vec::new();
        match &self.scheme.signature {
            SignaturePlace::Families(families) => headers.extend([
                (families[0].id.clone(), unsigned.message_id.to_owned()),
                (families[0].timestamp.clone(), time.clone()),
                (families[0].signature.clone(), signature),
            ]),
            SignaturePlace::Header { name, prefix } => headers.push((name.clone(), format!("{prefix}{signature}"))),
            SignaturePlace::Pairs { name, separator, key } => {
                let timed = match self.scheme.timestamp.as_ref().map(|rule| &rule.place) {
                    Some(TimestampPlace::Pair(own)) => format!("{own}={time}{separator}"),
                    _ => String::new(),
                };
                headers.push((name.clone(), format!("{timed}{key}={signature}")));
            }
            SignaturePlace::Numbered { name, .. } => headers.push((format!("{name}1"), signature)),
            SignaturePlace::Body(path) => {
                let fault = format!("{} puts its signature into the body, at {path}", self.scheme.title);
                return Err(ConfigError::invalid_option("provider", fault));
            }
        }
        if let Some(TimestampPlace::Header(name)) = self.scheme.timestamp.as_ref().map(|rule| &rule.place) {
            headers.push((name.clone(), time));
        }
        if let Some(Place::Header(name)) = &self.scheme.message_id
            && !unsigned.message_id.is_empty()
        {
            headers.push((name.clone(), unsigned.message_id.to_owned()));
        }
        Ok(headers)
    }

    /// The signature alone, as it is written; with its version where a scheme has versions.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] for what every verifier of the scheme would refuse whoever signed it: an id or a time of
    /// another form, a body that the provider would not send to this URL.
    ///
    /// ```
    /// use surehook_core::{Signer, Unsigned, scheme};
    ///
    /// let twilio = Signer::new(scheme::find("twilio").unwrap(), "0123456789abcdef").unwrap().with_url("https://example.com/");
    /// assert!(twilio.signature(&Unsigned::post(b"{}")).unwrap_err().to_string().contains("bodySHA256"));
    /// let query = "bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    /// assert!(twilio.signature(&Unsigned { query, ..Unsigned::post(b"{}") }).is_ok());
    /// ```
    pub fn signature(&self, unsigned: &Unsigned<'_>) -> Result<String, ConfigError> {
        let path = format!("?{}", unsigned.query);
        let incoming =
            Incoming { method: unsigned.method, path: &path, headers: unsigned.headers, body: unsigned.body };
        let url = match unsigned.query {
            "" => self.url.clone(),
            query => format!("{}?{query}", self.url),
        };
        let time = self.timestamp_text(unsigned);
        self.check(unsigned, &time)?;
        let signed = Signed {
            id: unsigned.message_id.as_bytes(),
            timestamp: time.as_bytes(),
            body: unsigned.body,
            url: &url,
            incoming: &incoming,
        };
        let pieces = content::pieces(&self.scheme, &signed).ok_or_else(|| {
            let title = &self.scheme.title;
            let fault =
                format!("{title} sends a body that is no form with its SHA-256 as bodySHA256 in the URL's query");
            ConfigError::invalid_option("url", fault)
        })?;
        let checked = self.scheme.timestamp.as_ref().is_some_and(|rule| rule.tolerance_seconds.is_some());
        if self.scheme.content.has_borders() && !borders::are_clear(&self.scheme, &pieces, checked) {
            let fault =
                "a signed value contains the text that parts it from the next, so the signature would fit other values";
            return Err(ConfigError::invalid_option("body", fault));
        }
        let tag = self.key.sign(&pieces);
        Ok(match (self.scheme.algorithm, self.scheme.encoding) {
            (Algorithm::Standard, _) => format!("{}{}", self.version(), STANDARD.encode(&tag)),
            (Algorithm::Token, _) => String::from_utf8_lossy(&tag).into_owned(),
            (_, Encoding::Hex) => base16ct::lower::encode_string(&tag),
            (_, Encoding::Base64) => STANDARD.encode(&tag),
        })
    }

    /// Refuses what no verifier takes.
    fn check(&self, unsigned: &Unsigned<'_>, time: &str) -> Result<(), ConfigError> {
        let refused =
            |option, code: ReasonCode| Err(ConfigError::invalid_option(option, format!("{code}: {}", code.message())));
        let families = matches!(self.scheme.signature, SignaturePlace::Families(_));
        let id_in_header = families || matches!(self.scheme.message_id, Some(Place::Header(_)));
        if id_in_header
            && (families || !unsigned.message_id.is_empty())
            && let Err(code) = read::message_id(&self.scheme, unsigned.message_id.as_bytes())
        {
            return refused("message_id", code);
        }
        if let Some(rule) = &self.scheme.timestamp
            && let Err(code) = timestamps::read(time.as_bytes(), rule.unit)
        {
            return refused("timestamp", code);
        }
        Ok(())
    }

    fn version(&self) -> &'static str {
        if matches!(self.key, SigningKey::Ed25519(_)) { "v1a," } else { "v1," }
    }

    fn timestamp_text(&self, unsigned: &Unsigned<'_>) -> String {
        self.scheme.timestamp.as_ref().map_or_else(String::new, |rule| timestamps::write(unsigned.timestamp, rule.unit))
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("provider", &self.scheme.provider).finish_non_exhaustive()
    }
}
