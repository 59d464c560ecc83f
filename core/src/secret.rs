//! Signing secrets: strict parsing, a floor for their strength, and no way to print them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::ConfigError;

/// Fewer bytes than this are refused.
const MIN_KEY_BYTES: usize = 16;
/// Fewer bytes than this are used with a warning: Standard Webhooks asks for 24 to 64.
const RECOMMENDED_KEY_BYTES: usize = 24;
/// More text than this is no secret of any provider.
const MAX_SECRET_TEXT: usize = 1024;

/// An HMAC-SHA-256 that already holds its key.
pub(crate) type KeyedHmac = Hmac<Sha256>;

/// A secret that checks signatures: `whsec_…` (or its bare base64) checks `v1`, `whpk_…` checks `v1a`.
///
/// The key never shows in `Debug`, and is wiped when dropped as far as its libraries can.
///
/// ```
/// use surehook_core::Secret;
///
/// let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
/// assert_eq!(format!("{secret:?}"), "Secret(v1, [redacted])");
/// assert!(Secret::parse("whsec_").is_err());
/// ```
#[derive(Clone)]
pub struct Secret {
    key: Key,
    weak: bool,
}

#[derive(Clone)]
pub(crate) enum Key {
    Hmac(Box<KeyedHmac>),
    Ed25519(Box<VerifyingKey>),
}

impl Secret {
    /// Reads a secret as the provider's dashboard shows it.
    ///
    /// # Errors
    /// [`ConfigError::SecretInvalid`] names the fault without repeating the text: stray whitespace or quotes, another
    /// kind of credential, base64 that is not strict, fewer than 16 bytes, a private key where the public one belongs.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        refuse_what_is_no_secret(text)?;
        match text.strip_prefix("whpk_") {
            Some(encoded) => Self::ed25519(encoded),
            None => Self::hmac(text.strip_prefix("whsec_").unwrap_or(text)),
        }
    }

    /// A warning for whoever configured a key that is usable but shorter than recommended.
    pub fn warning(&self) -> Option<&'static str> {
        self.weak.then_some(
            "The signing secret is shorter than 24 bytes. It works; rotate it to a longer one in the provider's dashboard.",
        )
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    fn hmac(encoded: &str) -> Result<Self, ConfigError> {
        let bytes = decode(encoded)?;
        if bytes.len() < MIN_KEY_BYTES {
            return Err(ConfigError::secret_invalid(
                "it decodes to fewer than 16 bytes; copy the whole secret from the provider's dashboard",
            ));
        }
        let keyed = KeyedHmac::new_from_slice(&bytes)
            .map_err(|_| ConfigError::secret_invalid("its length is not one that HMAC-SHA-256 can use"))?;
        Ok(Self { key: Key::Hmac(Box::new(keyed)), weak: bytes.len() < RECOMMENDED_KEY_BYTES })
    }

    fn ed25519(encoded: &str) -> Result<Self, ConfigError> {
        let bytes = decode(encoded)?;
        let bytes: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| ConfigError::secret_invalid("a whpk_ key must be 32 bytes long"))?;
        let key = VerifyingKey::from_bytes(&bytes)
            .map_err(|_| ConfigError::secret_invalid("the whpk_ key is not an Ed25519 public key"))?;
        if key.is_weak() {
            return Err(ConfigError::secret_invalid("the whpk_ key is a weak point that accepts forged signatures"));
        }
        Ok(Self { key: Key::Ed25519(Box::new(key)), weak: false })
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.key {
            Key::Hmac(_) => "Secret(v1, [redacted])",
            Key::Ed25519(_) => "Secret(v1a, [redacted])",
        })
    }
}

/// A key that makes signatures: `whsec_…` for `v1`, `whsk_…` for `v1a`. For test events and the command line.
pub(crate) enum SigningSecret {
    Hmac(Box<KeyedHmac>),
    Ed25519(Box<SigningKey>),
}

impl SigningSecret {
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let Some(encoded) = text.strip_prefix("whsk_") else {
            return match Secret::parse(text)?.key {
                Key::Hmac(keyed) => Ok(Self::Hmac(keyed)),
                Key::Ed25519(_) => Err(ConfigError::secret_invalid("a whpk_ key can check signatures, not make them")),
            };
        };
        let bytes = decode(encoded)?;
        let seed: &[u8; 32] = bytes
            .first_chunk()
            .filter(|_| matches!(bytes.len(), 32 | 64))
            .ok_or_else(|| ConfigError::secret_invalid("a whsk_ key must be 32 or 64 bytes long"))?;
        Ok(Self::Ed25519(Box::new(SigningKey::from_bytes(seed))))
    }
}

fn decode(encoded: &str) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    STANDARD.decode(encoded).map(Zeroizing::new).map_err(|_| {
        ConfigError::secret_invalid(
            "it is not strict base64 (A-Z a-z 0-9 + / with = padding); copy it unchanged from the provider's dashboard",
        )
    })
}

/// Refuses, with a reason, what people paste by mistake. The text itself never becomes part of the error.
fn refuse_what_is_no_secret(text: &str) -> Result<(), ConfigError> {
    let fault = if text.is_empty() {
        "it is empty"
    } else if text.trim().is_empty() {
        "it is only whitespace"
    } else if text.trim() != text {
        "it has whitespace before or after it; remove the stray space or newline"
    } else if text.starts_with(['"', '\'', '`']) || text.ends_with(['"', '\'', '`']) {
        "it is wrapped in quotes; remove them"
    } else if text.len() > MAX_SECRET_TEXT {
        "it is longer than any signing secret"
    } else if text.contains("${") || text.contains("{{") || text.starts_with('$') {
        "it is a placeholder that was never replaced by its value"
    } else if text.contains("://") {
        "it is a URL; the signing secret starts with whsec_"
    } else if text.starts_with("whsk_") {
        "it is the private signing key (whsk_); a receiver needs the public key (whpk_)"
    } else if text.starts_with("sk_") || text.starts_with("pk_") {
        "it is an API key; the signing secret starts with whsec_ and is shown on the webhook endpoint's page"
    } else if text.starts_with("eyJ") && text.contains('.') {
        "it is a JWT; the signing secret starts with whsec_"
    } else {
        return Ok(());
    };
    Err(ConfigError::secret_invalid(fault))
}
