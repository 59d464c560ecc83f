//! Who may send, and who may look.

pub(crate) mod access;
pub(crate) mod keys;
pub(crate) mod origin;
pub(crate) mod sessions;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// The SHA-256 of a secret. Secrets are compared by their hashes, so that no comparison tells how much was right; they
/// hold 256 random bits, so a fast hash is enough.
pub(crate) type Hash = [u8; 32];

pub(crate) fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// 256 random bits as 43 characters.
pub(crate) fn random_secret() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
