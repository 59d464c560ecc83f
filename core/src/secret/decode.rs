//! From the text of a secret to its bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smallvec::{SmallVec, smallvec};
use zeroize::Zeroizing;

use crate::error::ConfigError;
use crate::scheme::{Algorithm, SecretForm};

/// Prefixes of secrets that are base64 behind them, in the order they are stripped; Supabase writes `v1,whsec_`.
const STANDARD_PREFIXES: [&str; 3] = ["v1,", "whsec_", "whpk_"];

/// The key's bytes.
pub(crate) fn bytes_of(text: &str, form: SecretForm) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    match form {
        SecretForm::Standard => base64(without_prefixes(text)),
        SecretForm::Utf8 | SecretForm::StandardOrUtf8 => Ok(Zeroizing::new(text.as_bytes().to_vec())),
        SecretForm::Base64 | SecretForm::P256Spki => base64(text),
        SecretForm::Hex | SecretForm::Ed25519Hex => {
            base16ct::mixed::decode_vec(text).map(Zeroizing::new).map_err(|_| {
                ConfigError::secret_invalid("it is not hexadecimal; copy it unchanged from the provider's page")
            })
        }
    }
}

/// The keys that a shared secret may stand for.
pub(super) fn shared_keys(text: &str, form: SecretForm) -> Result<SmallVec<[Zeroizing<Vec<u8>>; 2]>, ConfigError> {
    let mut keys = smallvec![bytes_of(text, form)?];
    if form == SecretForm::StandardOrUtf8 {
        keys.extend(base64_strict(without_prefixes(text)).filter(|bytes| bytes.len() >= super::MIN_KEY_BYTES));
    }
    Ok(keys)
}

/// The algorithm whose public key a secret is; `None`: it is a shared secret.
pub(super) fn public_key_algorithm(text: &str, form: SecretForm) -> Option<Algorithm> {
    match form {
        SecretForm::Standard => text.starts_with("whpk_").then_some(Algorithm::Ed25519),
        SecretForm::Ed25519Hex => Some(Algorithm::Ed25519),
        SecretForm::P256Spki => Some(Algorithm::EcdsaP256),
        SecretForm::Utf8 | SecretForm::StandardOrUtf8 | SecretForm::Base64 | SecretForm::Hex => None,
    }
}

pub(crate) fn without_prefixes(text: &str) -> &str {
    STANDARD_PREFIXES.iter().fold(text, |rest, prefix| rest.strip_prefix(prefix).unwrap_or(rest))
}

/// Base64 with padding and nothing foreign in it.
pub(crate) fn base64_strict(encoded: &str) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD.decode(encoded).map(Zeroizing::new).ok()
}

fn base64(encoded: &str) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    base64_strict(encoded).ok_or_else(|| {
        ConfigError::secret_invalid(
            "it is not strict base64 (A-Z a-z 0-9 + / with = padding); copy it unchanged from the provider's dashboard",
        )
    })
}
