//! From the text of a secret to its bytes.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use smallvec::{SmallVec, smallvec};
use zeroize::Zeroizing;

use crate::error::ConfigError;
use crate::scheme::{Algorithm, SecretForm};

/// Prefixes of secrets that are base64 behind them, in the order they are stripped; Supabase writes `v1,whsec_`.
const STANDARD_PREFIXES: [&str; 3] = ["v1,", "whsec_", "whpk_"];

/// The key's bytes.
pub(crate) fn bytes_of(text: &str, form: SecretForm) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    match form {
        SecretForm::Standard => base64(without_prefixes(text), text),
        SecretForm::Utf8 | SecretForm::StandardOrUtf8 => Ok(Zeroizing::new(text.as_bytes().to_vec())),
        SecretForm::Base64 => base64(text, text),
        SecretForm::P256Spki => base64_strict(text).ok_or_else(not_base64),
        SecretForm::Hex => hexadecimal(text).ok_or_else(|| {
            ConfigError::secret_invalid("it is not hexadecimal; copy it unchanged from the provider's page")
        }),
        // 32 bytes are 64 digits or 43 letters, so the length tells which it is.
        SecretForm::Ed25519Hex => hexadecimal(text).or_else(|| base64_of(text, false)).ok_or_else(|| {
            ConfigError::secret_invalid(
                "it is neither hexadecimal nor base64; copy it unchanged from the provider's page",
            )
        }),
    }
}

fn hexadecimal(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    base16ct::mixed::decode_vec(text).map(Zeroizing::new).ok()
}

/// The keys that a shared secret may stand for.
pub(super) fn shared_keys(text: &str, form: SecretForm) -> Result<SmallVec<[Zeroizing<Vec<u8>>; 2]>, ConfigError> {
    let mut keys = smallvec![bytes_of(text, form)?];
    if form == SecretForm::StandardOrUtf8 {
        let encoded = without_prefixes(text);
        keys.extend(base64_of(encoded, encoded != text).filter(|bytes| bytes.len() >= super::MIN_KEY_BYTES));
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

/// The bytes of base64 as providers write it: padded or not, and with the URL-safe alphabet where it
/// can only be that. Half a padding, a foreign character or loose bits at the end are the marks of a text that was cut or changed.
pub(super) fn base64_of(encoded: &str, prefixed: bool) -> Option<Zeroizing<Vec<u8>>> {
    let url_safe = encoded.contains(['-', '_']);
    if url_safe && is_another_prefix(encoded, prefixed) {
        return None;
    }
    let engine: GeneralPurpose = match (url_safe, encoded.contains('=')) {
        (false, true) => STANDARD,
        (false, false) => STANDARD_NO_PAD,
        (true, true) => URL_SAFE,
        (true, false) => URL_SAFE_NO_PAD,
    };
    engine.decode(encoded).map(Zeroizing::new).ok()
}

/// Whether what looks like the URL-safe alphabet is the prefix of another credential (`shk_…`), or of this one written wrongly
/// (`WHSEC_…`, `whsec-…`). Behind a prefix of its own only the second can be.
fn is_another_prefix(encoded: &str, prefixed: bool) -> bool {
    let Some((first, _)) = encoded.split_once(['-', '_']) else { return false };
    let word = (2..=10).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_lowercase());
    (word && !prefixed) || ["whsec", "whpk", "whsk"].iter().any(|own| first.eq_ignore_ascii_case(own))
}

fn base64(encoded: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    base64_of(encoded, encoded != text).ok_or_else(not_base64)
}

fn not_base64() -> ConfigError {
    ConfigError::secret_invalid("it is not strict base64; copy it unchanged from the provider's dashboard")
}
