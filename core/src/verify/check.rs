//! The comparison itself: constant time for shared secrets, strict rules for public keys.

use ed25519_dalek::VerifyingKey;
use p256::ecdsa::signature::Verifier as _;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::secret::key::{Key, Tag};

/// Whether any candidate is a signature of `parts`, one after the other, under this key.
pub(crate) fn any_valid<P: AsRef<[u8]>>(key: &Key, parts: &[P], candidates: &[Tag]) -> bool {
    if candidates.is_empty() {
        return false;
    }
    match key {
        Key::Hmac(keyed) => any_equal(&keyed.mac(parts), candidates),
        Key::Token(hash) => {
            let hashes: Vec<Tag> =
                candidates.iter().map(|candidate| Tag::from_slice(&Sha256::digest(candidate))).collect();
            any_equal(hash, &hashes)
        }
        Key::Ed25519(key) => any_ed25519(key, &joined(parts), candidates),
        Key::P256(key) => {
            let signed = joined(parts);
            candidates.iter().any(|candidate| {
                p256::ecdsa::Signature::from_der(candidate)
                    .is_ok_and(|signature| key.verify(&signed, &signature).is_ok())
            })
        }
    }
}

/// Whether any candidate is the expected value; the time taken does not tell which, or how much of it.
pub(crate) fn any_equal(expected: &[u8], candidates: &[Tag]) -> bool {
    let mut found = Choice::from(0);
    for candidate in candidates {
        found |= equal(expected, candidate);
    }
    found.into()
}

/// Eight bytes at a time: `subtle` puts a barrier behind each comparison.
fn equal(expected: &[u8], candidate: &[u8]) -> Choice {
    if expected.len() != candidate.len() {
        return Choice::from(0);
    }
    let (words, rest) = expected.as_chunks();
    let (candidate_words, candidate_rest) = candidate.as_chunks();
    let pairs = words.iter().zip(candidate_words);
    pairs.fold(rest.ct_eq(candidate_rest), |equal, (word, own)| {
        equal & u64::from_ne_bytes(*word).ct_eq(&u64::from_ne_bytes(*own))
    })
}

/// By the strict rules: canonical encodings only, no points of small order.
pub(crate) fn any_ed25519(key: &VerifyingKey, signed: &[u8], candidates: &[Tag]) -> bool {
    candidates.iter().any(|candidate| {
        ed25519_dalek::Signature::from_slice(candidate)
            .is_ok_and(|signature| key.verify_strict(signed, &signature).is_ok())
    })
}

fn joined<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.as_ref().iter().copied()).collect()
}
