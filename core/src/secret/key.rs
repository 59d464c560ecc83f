//! Keys that check signatures.

use ed25519_dalek::VerifyingKey;
use hmac::{Hmac, KeyInit, Mac};
use p256::pkcs8::DecodePublicKey;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use smallvec::SmallVec;

use crate::error::ConfigError;
use crate::scheme::Algorithm;

/// A signature's bytes.
pub(crate) type Tag = SmallVec<[u8; 64]>;

/// A key, ready to check signatures.
#[derive(Clone)]
pub(crate) enum Key {
    Hmac(KeyedHmac),
    Ed25519(Box<VerifyingKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
    /// The SHA-256 of a secret that is sent as it is: of one length, whatever is compared with it.
    Token([u8; 32]),
}

/// An HMAC that already holds its key.
#[derive(Clone)]
pub(crate) enum KeyedHmac {
    Sha256(Box<Hmac<Sha256>>),
    Sha1(Box<Hmac<Sha1>>),
    Sha512(Box<Hmac<Sha512>>),
}

impl Key {
    /// A key of these bytes that both sides know.
    pub(crate) fn shared(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, ConfigError> {
        match algorithm {
            Algorithm::Token => Ok(Self::Token(Sha256::digest(bytes).into())),
            _ => KeyedHmac::new(algorithm, bytes).map(Self::Hmac),
        }
    }

    /// The public key of these bytes.
    pub(super) fn public(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, ConfigError> {
        if algorithm == Algorithm::EcdsaP256 {
            let key = p256::ecdsa::VerifyingKey::from_public_key_der(bytes)
                .map_err(|_| ConfigError::secret_invalid("it is not a P-256 public key in DER"))?;
            return Ok(Self::P256(Box::new(key)));
        }
        let bytes: [u8; 32] =
            bytes.try_into().map_err(|_| ConfigError::secret_invalid("an Ed25519 public key must be 32 bytes long"))?;
        let key = VerifyingKey::from_bytes(&bytes)
            .map_err(|_| ConfigError::secret_invalid("it is not an Ed25519 public key"))?;
        if key.is_weak() {
            return Err(ConfigError::secret_invalid("the public key is a weak point that accepts forged signatures"));
        }
        Ok(Self::Ed25519(Box::new(key)))
    }

    /// What kind of key it is, for `Debug`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "hmac",
            Self::Ed25519(_) => "ed25519",
            Self::P256(_) => "p256",
            Self::Token(_) => "token",
        }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({}, [redacted])", self.kind())
    }
}

impl KeyedHmac {
    fn new(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, ConfigError> {
        let keyed = match algorithm {
            Algorithm::HmacSha1 => Hmac::new_from_slice(bytes).map(|mac| Self::Sha1(Box::new(mac))),
            Algorithm::HmacSha512 => Hmac::new_from_slice(bytes).map(|mac| Self::Sha512(Box::new(mac))),
            _ => Hmac::new_from_slice(bytes).map(|mac| Self::Sha256(Box::new(mac))),
        };
        keyed.map_err(|_| ConfigError::secret_invalid("its length is not one that HMAC can use"))
    }

    /// The MAC of `parts`, one after the other.
    pub(crate) fn mac<P: AsRef<[u8]>>(&self, parts: &[P]) -> Tag {
        fn run<M: Mac + Clone, P: AsRef<[u8]>>(keyed: &M, parts: &[P]) -> Tag {
            let mut mac = keyed.clone();
            for part in parts {
                mac.update(part.as_ref());
            }
            Tag::from_slice(&mac.finalize().into_bytes())
        }
        match self {
            Self::Sha256(keyed) => run(&**keyed, parts),
            Self::Sha1(keyed) => run(&**keyed, parts),
            Self::Sha512(keyed) => run(&**keyed, parts),
        }
    }
}
