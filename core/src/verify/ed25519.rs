//! Ed25519, by the strict rules: canonical encodings only, no points of small order.

use ed25519_dalek::{Signature, VerifyingKey};

/// Whether any candidate is a signature of `parts`, one after the other.
pub(crate) fn any_valid(key: &VerifyingKey, parts: &[&[u8]], candidates: &[[u8; 64]]) -> bool {
    let signed = parts.concat();
    candidates.iter().any(|candidate| key.verify_strict(&signed, &Signature::from_bytes(candidate)).is_ok())
}
