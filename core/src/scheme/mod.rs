//! What a provider is: one row of data.
//!
//! The rows are `providers.json`. A user's own scheme is the same object, read by [`Scheme::from_json`].

mod content;
mod handshake;
mod path;
mod place;

use std::sync::{Arc, LazyLock};

use serde::de::{Error as _, IntoDeserializer, value};
use serde::{Deserialize, Deserializer};

pub use content::{Content, Piece};
pub use handshake::Handshake;
pub use path::{Path, Segment};
pub use place::{HeaderFamily, Place, SignaturePlace, TimeUnit, TimestampPlace, TimestampRule};

use crate::error::ConfigError;

/// How one provider signs, and what its messages look like.
///
/// ```
/// let clerk = surehook_core::scheme::find("clerk").unwrap();
/// assert_eq!(clerk.secret_env[0], "CLERK_WEBHOOK_SIGNING_SECRET");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scheme {
    /// The name users give, in lower case.
    pub provider: String,
    /// The name people read.
    #[serde(default)]
    pub title: String,
    /// The provider's own page about its signatures.
    #[serde(default)]
    pub docs: String,
    /// The packages of others that agree with this row in tests.
    #[serde(default)]
    pub checked_with: Vec<String>,
    /// Why it could not be checked, where it could not.
    #[serde(default)]
    pub unverified: Option<String>,
    /// Environment variables that usually hold the secret, in the order they are tried.
    #[serde(default)]
    pub secret_env: Vec<String>,
    /// How the secret's text becomes a key.
    #[serde(deserialize_with = "secret_form")]
    pub secret: SecretForm,
    /// How it signs.
    pub algorithm: Algorithm,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// Where the signature is.
    pub signature: SignaturePlace,
    /// What is signed.
    pub content: Content,
    /// When it was signed, where the provider says so.
    #[serde(default)]
    pub timestamp: Option<TimestampRule>,
    /// What names a message over its retries; `None`: its family's header, or the hash of its body.
    #[serde(default)]
    pub message_id: Option<Place>,
    /// Where the event type is.
    #[serde(default)]
    pub event_type: Option<Place>,
    /// Where the id of the entity is in the JSON body.
    #[serde(default)]
    pub entity_id: Option<Path>,
    /// The largest body the provider sends, in bytes.
    #[serde(default = "one_mebibyte")]
    pub max_body_bytes: usize,
    /// Whether the provider sends the same bytes again when it retries a message.
    #[serde(default)]
    pub constant_body: bool,
    /// For how long the provider tries to deliver a message, in seconds, where it says so.
    #[serde(default)]
    pub retry_window_seconds: Option<u32>,
    /// What the provider asks of an endpoint first.
    #[serde(default)]
    pub handshake: Option<Handshake>,
    /// What a user should know of it.
    #[serde(default)]
    pub note: Option<String>,
}

/// How the text of a secret becomes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretForm {
    /// `whsec_` and base64, or base64 alone, for HMAC; `whpk_` and base64 for Ed25519.
    Standard,
    /// The text's own bytes, or the base64 behind its prefix: the text does not tell which (Polar).
    StandardOrUtf8,
    /// The text's own bytes.
    Utf8,
    /// Base64.
    Base64,
    /// Hexadecimal.
    Hex,
    /// An Ed25519 public key in hexadecimal.
    Ed25519Hex,
    /// A P-256 public key: a DER SubjectPublicKeyInfo in base64.
    P256Spki,
}

/// How a provider signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// By the version of each entry of the list: `v1` HMAC-SHA-256, `v1a` Ed25519.
    Standard,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-1.
    HmacSha1,
    /// HMAC with SHA-512.
    HmacSha512,
    /// Ed25519.
    Ed25519,
    /// ECDSA over P-256 with SHA-256; the signature is DER.
    EcdsaP256,
    /// Not at all: it sends the secret itself.
    Token,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal, in either case.
    #[default]
    Hex,
    /// Base64 with padding.
    Base64,
}

/// Reads the form. The error does not repeat the text, which may be the secret itself, put in the wrong place.
fn secret_form<'de, D: Deserializer<'de>>(text: D) -> Result<SecretForm, D::Error> {
    const FAULT: &str = "secret must be the form of the secret, not the secret itself: standard, standard_or_utf8, utf8, \
                         base64, hex, ed25519_hex or p256_spki";
    let name = String::deserialize(text).map_err(|_| D::Error::custom(FAULT))?;
    let form: value::StringDeserializer<value::Error> = name.into_deserializer();
    SecretForm::deserialize(form).map_err(|_| D::Error::custom(FAULT))
}

fn one_mebibyte() -> usize {
    1024 * 1024
}

#[derive(Deserialize)]
struct Table {
    providers: Vec<Arc<Scheme>>,
}

/// The table. That it can be read is a test of this crate.
static PROVIDERS: LazyLock<Vec<Arc<Scheme>>> = LazyLock::new(|| {
    let table: Table = serde_json::from_str(include_str!("providers.json")).unwrap_or(Table { providers: Vec::new() });
    table.providers
});

/// Every provider this version knows.
pub fn providers() -> &'static [Arc<Scheme>] {
    &PROVIDERS
}

/// The row of a provider, or `None` when there is no such provider.
pub fn find(provider: &str) -> Option<Arc<Scheme>> {
    PROVIDERS.iter().find(|scheme| scheme.provider == provider).cloned()
}

impl Scheme {
    /// For how long the provider tries to deliver a message, where it says so.
    pub fn retry_window(&self) -> Option<std::time::Duration> {
        self.retry_window_seconds.map(|seconds| std::time::Duration::from_secs(seconds.into()))
    }

    /// A user's own scheme: the same JSON object as a row of the table.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] that names the member and its fault.
    ///
    /// ```
    /// use surehook_core::Scheme;
    ///
    /// let scheme = Scheme::from_json(
    ///     r#"{
    ///         "provider": "acme", "secret": "utf8", "algorithm": "hmac_sha256", "encoding": "hex",
    ///         "signature": {"header": "x-acme-signature", "prefix": "sha256="}, "content": "{body}"
    ///     }"#,
    /// );
    /// assert_eq!(scheme.unwrap().title, "acme");
    /// assert!(Scheme::from_json("{}").unwrap_err().to_string().contains("provider"));
    /// ```
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let mut scheme: Self =
            serde_json::from_str(text).map_err(|error| ConfigError::invalid_option("scheme", error.to_string()))?;
        if scheme.title.is_empty() {
            scheme.title.clone_from(&scheme.provider);
        }
        scheme.lower_header_names();
        match scheme.fault() {
            Some(fault) => Err(ConfigError::invalid_option("scheme", fault)),
            None => Ok(scheme),
        }
    }

    /// A scheme for messages that a function of the user verifies: it only tells where their id and event type usually are.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] for an empty name.
    pub fn verified_elsewhere(provider: &str) -> Result<Self, ConfigError> {
        let row = serde_json::json!({
            "provider": provider, "secret": "utf8", "algorithm": "hmac_sha256", "signature": {"header": "x-signature"},
            "content": "{body}", "message_id": {"body": ["id"]}, "event_type": {"body": ["type"]}, "entity_id": "data.id",
        });
        Self::from_json(&row.to_string())
    }

    /// Whether the dedup id stands in bytes that are signed. Where not, a body's hash is part of what a message is called.
    pub fn signs_message_id(&self) -> bool {
        match &self.message_id {
            None => matches!(self.signature, SignaturePlace::Families(_)) || self.signs_body(),
            Some(Place::Header(_)) => self.content.has(&Piece::Id),
            Some(Place::Body(paths)) => {
                self.signs_body() || paths.iter().all(|path| self.content.has(&Piece::Field(path.clone())))
            }
        }
    }

    /// Whether the whole body is signed.
    pub fn signs_body(&self) -> bool {
        self.content.has(&Piece::Body)
    }

    /// Whether the public URL is signed, so that an endpoint has to know it.
    pub fn signs_url(&self) -> bool {
        self.content.has(&Piece::Url)
    }

    fn lower_header_names(&mut self) {
        let lower = |name: &mut String| name.make_ascii_lowercase();
        match &mut self.signature {
            SignaturePlace::Families(families) => families.iter_mut().for_each(|family| {
                [&mut family.id, &mut family.timestamp, &mut family.signature].into_iter().for_each(lower);
            }),
            SignaturePlace::Header { name, .. }
            | SignaturePlace::Pairs { name, .. }
            | SignaturePlace::Numbered { name, .. } => lower(name),
            SignaturePlace::Body(_) => {}
        }
        if let Some(TimestampRule { place: TimestampPlace::Header(name), .. }) = &mut self.timestamp {
            lower(name);
        }
        for place in [&mut self.message_id, &mut self.event_type].into_iter().flatten() {
            if let Place::Header(name) = place {
                lower(name);
            }
        }
    }

    /// What contradicts itself in this row.
    fn fault(&self) -> Option<&'static str> {
        let families = matches!(self.signature, SignaturePlace::Families(_));
        let timed = self.timestamp.as_ref();
        let id_header = families || matches!(self.message_id, Some(Place::Header(_)));
        let key_fits = match self.algorithm {
            Algorithm::Standard => matches!(self.secret, SecretForm::Standard | SecretForm::StandardOrUtf8),
            Algorithm::Ed25519 => self.secret == SecretForm::Ed25519Hex,
            Algorithm::EcdsaP256 => self.secret == SecretForm::P256Spki,
            _ => !matches!(self.secret, SecretForm::Ed25519Hex | SecretForm::P256Spki),
        };
        let pairs = matches!(self.signature, SignaturePlace::Pairs { .. });
        let in_family = timed.is_some_and(|rule| rule.place == TimestampPlace::Family);
        let in_pair = timed.is_some_and(|rule| matches!(rule.place, TimestampPlace::Pair(_)));
        [
            (self.provider.is_empty(), "provider must not be empty"),
            (!key_fits, "secret and algorithm do not go together"),
            (families != (self.algorithm == Algorithm::Standard), "families go with the algorithm standard"),
            (families && !in_family, "a family needs a timestamp without a place of its own"),
            (!families && in_family, "the timestamp needs a place: header, pair or body"),
            (in_pair && !pairs, "a timestamp in a pair needs a signature in pairs"),
            (self.content.has(&Piece::Id) && !id_header, "{id} needs a message_id in a header"),
            (self.content.has(&Piece::Timestamp) && timed.is_none(), "{timestamp} needs a timestamp"),
            (self.algorithm != Algorithm::Token && self.content.pieces().is_empty(), "content must not be empty"),
            (self.max_body_bytes == 0, "max_body_bytes must be at least 1"),
        ]
        .into_iter()
        .find_map(|(wrong, fault)| wrong.then_some(fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read_and_makes_sense() {
        let table: Table = serde_json::from_str(include_str!("providers.json")).unwrap();
        assert!(!table.providers.is_empty());
        for scheme in table.providers {
            assert_eq!(scheme.fault(), None, "{}", scheme.provider);
            assert!(
                scheme.provider.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
            assert_eq!(scheme.checked_with.is_empty(), scheme.unverified.is_some(), "{}", scheme.provider);
        }
    }

    #[test]
    fn a_provider_stands_in_the_table_once() {
        let mut names: Vec<_> = providers().iter().map(|scheme| &scheme.provider).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), providers().len());
    }

    #[test]
    fn a_secret_in_the_place_of_its_form_is_not_repeated() {
        for given in [r#""whsec_canary""#, r#"["whsec_canary"]"#, r#"{"utf8": "whsec_canary"}"#, "5"] {
            let row = format!(
                r#"{{"provider": "acme", "secret": {given}, "algorithm": "hmac_sha256", "signature": {{"header": "x"}}, "content": "{{body}}"}}"#
            );
            let error = Scheme::from_json(&row).unwrap_err().to_string();
            assert!(error.contains("the form of the secret"), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_scheme_that_contradicts_itself_is_refused_with_the_fault() {
        let row = |changed: &str| {
            let mut row = serde_json::json!({
                "provider": "acme", "secret": "utf8", "algorithm": "hmac_sha256",
                "signature": {"header": "X-Acme"}, "content": "{body}",
            });
            let changed: serde_json::Map<_, _> = serde_json::from_str(changed).unwrap();
            row.as_object_mut().unwrap().extend(changed);
            Scheme::from_json(&row.to_string())
        };
        let accepted = row("{}").unwrap();
        assert_eq!(accepted.signature, SignaturePlace::Header { name: "x-acme".into(), prefix: String::new() });
        for (changed, fault) in [
            (r#"{"secret": "ed25519_hex"}"#, "do not go together"),
            (r#"{"content": "{id}.{body}"}"#, "{id} needs"),
            (r#"{"content": "{timestamp}.{body}"}"#, "{timestamp} needs"),
            (r#"{"content": ""}"#, "content must not be empty"),
            (r#"{"signature": {}}"#, "exactly one of"),
            (r#"{"timestamp": {"pair": "t"}}"#, "signature in pairs"),
            (r#"{"timestamp": {}}"#, "needs a place"),
            (r#"{"algorithm": "hmac_md5"}"#, "hmac_md5"),
            (r#"{"colour": "red"}"#, "colour"),
        ] {
            let error = row(changed).unwrap_err();
            assert_eq!(error.code(), "invalid_option");
            assert!(error.to_string().contains(fault), "{changed}: {error}");
        }
    }
}
