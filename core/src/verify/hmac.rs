//! HMAC-SHA-256 with a constant-time comparison.

use hmac::Mac;
use subtle::{Choice, ConstantTimeEq};

use crate::secret::KeyedHmac;

/// The MAC of `parts`, one after the other.
pub(crate) fn mac(keyed: &KeyedHmac, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = keyed.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Whether any candidate is the expected value; the time taken does not tell which, or how much of it.
pub(crate) fn any_equal(expected: &[u8; 32], candidates: &[[u8; 32]]) -> bool {
    let mut found = Choice::from(0);
    for candidate in candidates {
        found |= expected.ct_eq(candidate);
    }
    found.into()
}
