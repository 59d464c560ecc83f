//! Keys that make signatures, for test events and the command line.

use ed25519_dalek::Signer;
use p256::pkcs8::DecodePrivateKey;
use zeroize::Zeroizing;

use super::Secret;
use super::decode::{base64_of, bytes_of};
use super::key::{Key, KeyedHmac, Tag};
use crate::error::ConfigError;
use crate::scheme::{Scheme, SecretForm};

/// A key that signs as a provider does.
pub(crate) enum SigningKey {
    Hmac(KeyedHmac),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    P256(Box<p256::ecdsa::SigningKey>),
    /// Sent as it is.
    Token(Zeroizing<String>),
}

impl SigningKey {
    /// The shared secret as a receiver has it, or a private key: `whsk_…`, an Ed25519 seed in hexadecimal, a P-256 key as
    /// PKCS #8 DER in base64.
    pub(crate) fn for_scheme(text: &str, scheme: &Scheme) -> Result<Self, ConfigError> {
        match scheme.secret {
            SecretForm::Standard if text.starts_with("whsk_") => Self::ed25519(&whsk_bytes(text)?),
            SecretForm::Ed25519Hex => Self::ed25519(&bytes_of(text, SecretForm::Ed25519Hex)?),
            SecretForm::P256Spki => Self::p256(&bytes_of(text, SecretForm::Base64)?),
            _ => match &Secret::for_scheme(text, scheme)?.keys()[0] {
                Key::Hmac(keyed) => Ok(Self::Hmac(keyed.clone())),
                Key::Token(_) => Ok(Self::Token(Zeroizing::new(text.to_owned()))),
                Key::Ed25519(_) | Key::P256(_) => {
                    Err(ConfigError::secret_invalid("a public key can check signatures, not make them"))
                }
            },
        }
    }

    pub(crate) fn sign<P: AsRef<[u8]>>(&self, parts: &[P]) -> Tag {
        let joined = || parts.iter().flat_map(|part| part.as_ref().iter().copied()).collect::<Vec<u8>>();
        match self {
            Self::Hmac(keyed) => keyed.mac(parts),
            Self::Ed25519(key) => Tag::from_slice(&key.sign(&joined()).to_bytes()),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(&joined());
                Tag::from_slice(signature.to_der().as_bytes())
            }
            Self::Token(text) => Tag::from_slice(text.as_bytes()),
        }
    }

    fn ed25519(bytes: &[u8]) -> Result<Self, ConfigError> {
        let seed: &[u8; 32] = bytes
            .first_chunk()
            .filter(|_| matches!(bytes.len(), 32 | 64))
            .ok_or_else(|| ConfigError::secret_invalid("a private Ed25519 key must be 32 or 64 bytes long"))?;
        Ok(Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed))))
    }

    fn p256(bytes: &[u8]) -> Result<Self, ConfigError> {
        p256::ecdsa::SigningKey::from_pkcs8_der(bytes)
            .map(|key| Self::P256(Box::new(key)))
            .map_err(|_| ConfigError::secret_invalid("it is not a private P-256 key in PKCS #8"))
    }
}

fn whsk_bytes(text: &str) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    base64_of(text.trim_start_matches("whsk_"), true)
        .ok_or_else(|| ConfigError::secret_invalid("the whsk_ key is not base64"))
}
