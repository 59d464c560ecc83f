//! What a provider is: one row of data.
//!
//! The rows are `providers.json`. A user's own scheme is the same object, read by [`Scheme::from_json`].

mod content;
mod fault;
mod handshake;
mod path;
mod place;

use std::sync::{Arc, LazyLock};

use serde::Deserialize;

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
    pub secret: SecretForm,
    /// Whether the user chooses the secret, so that no form of it is known: a short or odd one is then a warning.
    #[serde(default)]
    pub secret_is_chosen: bool,
    /// With what every secret of the provider starts, where that cannot be mistaken for anything else.
    #[serde(default)]
    pub secret_prefix: Option<String>,
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
    /// Where the JSON body names the action of an event whose type is in a header.
    #[serde(default)]
    pub event_action: Option<Path>,
    /// The event types that the provider documents, without their actions. Where neither the id nor the type's header is signed,
    /// only a type of this list tells one message from another.
    #[serde(default)]
    pub event_types: Vec<String>,
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
    /// What the provider does with an endpoint that does not answer 2xx.
    #[serde(default)]
    pub retry: Retry,
    /// What the provider sends as HTML forms; `None`: nothing, and a body that looks like one is not read.
    #[serde(default)]
    pub forms: Option<Forms>,
    /// Whether the body is signed before it is compressed for the way (gzip or deflate, told by `content-encoding`).
    #[serde(default)]
    pub signed_before_compression: bool,
    /// In which form the URL is signed; only where the content has it.
    #[serde(default)]
    pub url: Option<UrlRule>,
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
    /// Base64, padded or not.
    Base64,
    /// Hexadecimal.
    Hex,
    /// An Ed25519 public key in hexadecimal, or in base64.
    Ed25519Hex,
    /// A P-256 public key: a DER SubjectPublicKeyInfo in base64.
    P256Spki,
}

/// What a provider does with an endpoint that does not answer 2xx.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// After so many answers in a row that are not 2xx, it sends nothing any more. Ours count too: 409 and 503.
    #[serde(default)]
    pub disable: Option<u32>,
}

/// What a provider sends as HTML forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forms {
    /// Some of its events: the form's members, or the JSON that is its only one, `payload`.
    Events,
    /// Events and the fields that are read of the body for the signature: each is then the member of its path's last name.
    Fields,
}

/// In which form the URL is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlRule {
    /// The characters whose percent-escapes are decoded first, e.g. `:/`; all others stay as they came.
    #[serde(default)]
    pub decoded: String,
    /// Whether it is signed with its port or without it: both are tried.
    #[serde(default)]
    pub either_port: bool,
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
        let mut scheme: Self = serde_json::from_str(text)
            .map_err(|error| ConfigError::invalid_option("scheme", fault::of_text(&error)))?;
        if scheme.title.is_empty() {
            scheme.title.clone_from(&scheme.provider);
        }
        scheme.lower_header_names();
        // Nobody but its user knows what a secret of an own scheme looks like, but for those of the family.
        scheme.secret_is_chosen = scheme.secret != SecretForm::Standard;
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

    /// Whether a text has the form of this provider's secrets and of nothing else, so that one in a list can be told from a word of
    /// a passphrase.
    pub fn is_unmistakable(&self, secret: &str) -> bool {
        let family: &[&str] = match self.secret {
            SecretForm::Standard => &["whsec_", "whpk_"],
            _ => &[],
        };
        let mut prefixes = family.iter().copied().chain(self.secret_prefix.as_deref());
        let rest = prefixes.find_map(|prefix| secret.strip_prefix(prefix)).unwrap_or_default();
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte))
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

    /// Whether an event's type ends with an action, as in `pull_request.closed`.
    pub fn has_actions(&self) -> bool {
        self.event_action.is_some() || matches!(&self.event_type, Some(Place::Body(paths)) if paths.len() > 1)
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
    fn a_type_in_a_header_beside_an_unsigned_id_has_its_list() {
        for scheme in providers().iter().filter(|scheme| !scheme.signs_message_id()) {
            let in_header = matches!(scheme.event_type, Some(Place::Header(_)));
            assert!(!in_header || scheme.event_types.len() > 5, "{}", scheme.provider);
            let mut types = scheme.event_types.clone();
            types.sort();
            types.dedup();
            assert_eq!(types, scheme.event_types, "{}: sorted, each once", scheme.provider);
        }
    }

    #[test]
    fn a_time_that_is_in_signed_bytes_may_be_declared() {
        for row in [
            serde_json::json!({"content": "{body}", "timestamp": {"body": "sent_at"}}),
            serde_json::json!({"content": "{field:sent_at}.{field:id}", "timestamp": {"body": "sent_at"}}),
            serde_json::json!({"content": "{id}{timestamp}{body}", "timestamp": {"header": "x-time"}, "message_id": {"header": "x-id"}}),
        ] {
            let mut own = serde_json::json!({
                "provider": "acme", "secret": "utf8", "algorithm": "hmac_sha256", "signature": {"header": "x-acme"},
            });
            own.as_object_mut().unwrap().extend(row.as_object().unwrap().clone());
            assert!(Scheme::from_json(&own.to_string()).is_ok(), "{own}");
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
            (r#"{"algorithm": "hmac_md5"}"#, "hmac_sha512"),
            (r#"{"colour": "red"}"#, "colour"),
            (r#"{"secret_env": ["whsec_C2FVsBQIhrscChlQIMV"]}"#, "secret_env holds names like"),
            (r#"{"provider": ""}"#, "provider must not be empty"),
            (r#"{"max_body_bytes": 0}"#, "max_body_bytes"),
            (r#"{"content": "fixed"}"#, "something of the request"),
            (r#"{"algorithm": "token", "secret": "hex"}"#, "do not go together"),
            (r#"{"timestamp": {"header": "x-time"}}"#, "not signed"),
            (r#"{"timestamp": {"header": "x-time", "tolerance_seconds": null}}"#, "not signed"),
            (
                r#"{"signature": {"header": "x-acme", "pairs": {"separator": ",", "key": "v1"}}, "timestamp": {"pair": "t"}}"#,
                "not signed",
            ),
            (r#"{"content": "{field:id}", "timestamp": {"body": "sent_at"}}"#, "not signed"),
            (r#"{"algorithm": "token", "content": "", "timestamp": {"header": "x-time"}}"#, "not signed"),
            (r#"{"content": "{field:a}{field:b}"}"#, "text between"),
            (r#"{"content": "{id}{body}", "message_id": {"header": "x-id"}}"#, "text between"),
            (r#"{"content": "{field:a}{id}", "message_id": {"header": "x-id"}}"#, "text between"),
            (r#"{"content": "{free:a}.{free:b}"}"#, "at most one"),
            (r#"{"event_action": "action"}"#, "event_action"),
            (r#"{"timestamp": {"header": "x-time", "tolerance_seconds": 0}}"#, "1 to 3600"),
            (r#"{"timestamp": {"header": "x-time", "tolerance_seconds": 3601}}"#, "1 to 3600"),
            (r#"{"timestamp": {"header": "X-ACME"}}"#, "twice"),
            (r#"{"message_id": {"header": "x-acme"}}"#, "twice"),
            (r#"{"signature": {"header": ""}}"#, "no header name"),
            (r#"{"signature": {"header": "x acme"}}"#, "no header name"),
            (r#"{"signature": {"header": "x-acmé"}}"#, "no header name"),
            (r#"{"signature": {"numbered_header": "x-acme-", "most": 0}}"#, "most must be"),
            (r#"{"signature": {"numbered_header": "x-acme-", "most": 101}}"#, "most must be"),
            (r#"{"signature": {"numbered_header": "x-acme-"}, "message_id": {"header": "x-acme-1"}}"#, "twice"),
            (r#"{"signature": {"header": "x-acme", "pairs": {"separator": "=", "key": "v1"}}}"#, "separator"),
            (r#"{"signature": {"header": "x-acme", "pairs": {"separator": "é", "key": "v1"}}}"#, "separator"),
            (r#"{"signature": {"header": "x-acme", "pairs": {"separator": ",", "key": ""}}}"#, "key of a pair"),
            (r#"{"signature": {"header": "x-acme", "pairs": {"separator": ",", "key": "v=1"}}}"#, "key of a pair"),
            (
                r#"{"signature": {"header": "x-acme", "pairs": {"separator": ",", "key": "t"}}, "timestamp": {"pair": "t"}}"#,
                "key of a pair",
            ),
            (r#"{"signature": {"body": "sig"}}"#, "cannot sign itself"),
            (r#"{"signature": {"body": "sig"}, "content": "{params}"}"#, "cannot sign itself"),
            (r#"{"signature": {"body": "sig"}, "content": "{field:id}{field:sig}"}"#, "cannot sign itself"),
        ] {
            let error = row(changed).expect_err(changed);
            assert_eq!(error.code(), "invalid_option");
            assert!(error.to_string().contains(fault), "{changed}: {error}");
        }
    }

    #[test]
    fn a_secret_in_the_place_of_something_else_is_not_repeated() {
        let secret = r#"whsec_`, expected `\", expected C2FVsBQIhrscChlQIMV"#;
        for row in [
            serde_json::json!({"provider": "acme", "secret": secret}),
            serde_json::json!({"provider": "acme", "secret": [secret]}),
            serde_json::json!({"provider": "acme", "secret": {"utf8": secret}}),
            serde_json::json!({"provider": "acme", "secret_env": secret}),
            serde_json::json!({"provider": "acme", "signature": {"header": "x", "pairs": {"separator": secret}}}),
        ] {
            let error = Scheme::from_json(&row.to_string()).unwrap_err().to_string();
            assert!(!error.contains("C2FV") && !error.contains("whsec_"), "{error}");
            assert!(error.contains("expected"), "{error}");
        }
    }
}
