//! The text forms of signatures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smallvec::SmallVec;

use crate::error::ReasonCode;
use crate::scheme::{Algorithm, Encoding, Scheme, SignaturePlace};
use crate::secret::key::{Key, Tag};

/// Longer signature headers are refused.
pub(super) const MAX_HEADER: usize = 8 * 1024;
/// Longer signature lists are refused.
const MAX_SIGNATURES: usize = 64;
/// The longest signature of any algorithm, in bytes: ECDSA over P-256 in DER.
const MAX_TAG: usize = 72;

/// The readable signatures of a request.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    /// Of `v1` entries (HMAC-SHA-256), or of a scheme without versions.
    own: SmallVec<[Tag; 2]>,
    /// Of `v1a` entries (Ed25519).
    v1a: Vec<Tag>,
    /// Whether there were entries of another version.
    other_versions: bool,
}

impl Signatures {
    /// Those that a key of the scheme can check.
    pub(crate) fn for_key(&self, scheme: &Scheme, key: &Key) -> &[Tag] {
        match key {
            Key::Ed25519(_) if scheme.algorithm == Algorithm::Standard => &self.v1a,
            _ => &self.own,
        }
    }

    /// Whether there are signatures of shared secrets.
    pub(crate) fn has_shared(&self) -> bool {
        !self.own.is_empty()
    }

    /// Whether there are `v1a` signatures, of private keys.
    pub(crate) fn has_public(&self) -> bool {
        !self.v1a.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.v1a.is_empty() && !self.other_versions
    }
}

/// Reads a signature header.
///
/// # Errors
/// `too_many_signatures` beyond 8 KiB or 64 entries, `malformed_signature` when no entry can be read.
pub(super) fn read(scheme: &Scheme, raw: &[u8]) -> Result<Signatures, ReasonCode> {
    if raw.len() > MAX_HEADER {
        return Err(ReasonCode::TooManySignatures);
    }
    match &scheme.signature {
        SignaturePlace::Families(_) => versions(raw),
        SignaturePlace::Pairs { separator, key, .. } => {
            let values: SmallVec<[&[u8]; 4]> =
                pairs(raw, *separator).filter(|(own, _)| *own == key.as_bytes()).map(|(_, value)| value).collect();
            if values.len() > MAX_SIGNATURES {
                return Err(ReasonCode::TooManySignatures);
            }
            if values.is_empty() && has_other_version(raw, *separator, key) {
                return Ok(Signatures { other_versions: true, ..Signatures::default() });
            }
            read_values(scheme, values)
        }
        SignaturePlace::Header { prefix, .. } => {
            read_values(scheme, [raw.strip_prefix(prefix.as_bytes()).ok_or(ReasonCode::MalformedSignature)?])
        }
        SignaturePlace::Numbered { .. } | SignaturePlace::Body(_) => read_values(scheme, [raw]),
    }
}

/// Reads values that are one signature each; those that cannot be read are skipped.
///
/// # Errors
/// `malformed_signature` when none can be read.
pub(super) fn read_values<'a>(
    scheme: &Scheme,
    values: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Signatures, ReasonCode> {
    let own = values.into_iter().filter_map(|value| decode(scheme, value)).collect();
    let read = Signatures { own, ..Signatures::default() };
    if read.is_empty() { Err(ReasonCode::MalformedSignature) } else { Ok(read) }
}

/// The `key=value` pairs of a header; one space after a separator is let through.
pub(super) fn pairs(raw: &[u8], separator: char) -> impl Iterator<Item = (&[u8], &[u8])> {
    raw.split(move |byte| char::from(*byte) == separator).filter_map(|pair| {
        let pair = pair.strip_prefix(b" ").unwrap_or(pair);
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        Some((&pair[..equals], &pair[equals + 1..]))
    })
}

/// Whether a list of pairs has a signature under a key like this one, with another number: `v0` beside `v1`.
fn has_other_version(raw: &[u8], separator: char, key: &str) -> bool {
    let letters = key.trim_end_matches(|character: char| character.is_ascii_digit());
    let numbered = |own: &[u8]| {
        let number = own.strip_prefix(letters.as_bytes());
        number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
    };
    !letters.is_empty()
        && letters.len() < key.len()
        && pairs(raw, separator).any(|(own, value)| numbered(own) && own != key.as_bytes() && !value.is_empty())
}

/// Whether a header is a list of this scheme's pairs at all: one has a signature's key, of any version.
pub(super) fn is_list(raw: &[u8], separator: char, key: &str) -> bool {
    pairs(raw, separator).any(|(own, _)| own == key.as_bytes()) || has_other_version(raw, separator, key)
}

/// Reads a list of `version,base64` entries parted by spaces; those that cannot be read are skipped.
fn versions(raw: &[u8]) -> Result<Signatures, ReasonCode> {
    let mut read = Signatures::default();
    let entries = raw.split(|byte| *byte == b' ').filter(|entry| !entry.is_empty());
    for (index, entry) in entries.enumerate() {
        if index == MAX_SIGNATURES {
            return Err(ReasonCode::TooManySignatures);
        }
        read.push_version(entry);
    }
    if read.is_empty() { Err(ReasonCode::MalformedSignature) } else { Ok(read) }
}

impl Signatures {
    fn push_version(&mut self, entry: &[u8]) {
        let Some(comma) = entry.iter().position(|byte| *byte == b',') else { return };
        let (version, value) = (&entry[..comma], &entry[comma + 1..]);
        match version {
            b"v1" => self.own.extend(base64(value).filter(|tag| tag.len() == 32)),
            b"v1a" => self.v1a.extend(base64(value).filter(|tag| tag.len() == 64)),
            _ => self.other_versions |= !version.is_empty() && !value.is_empty(),
        }
    }
}

/// The bytes of one signature, where they have a form that the algorithm makes.
fn decode(scheme: &Scheme, value: &[u8]) -> Option<Tag> {
    if scheme.algorithm == Algorithm::Token {
        return Some(Tag::from_slice(value));
    }
    let tag = match scheme.encoding {
        Encoding::Hex => hex(value),
        Encoding::Base64 => base64(value),
    }?;
    let fits = match scheme.algorithm {
        Algorithm::HmacSha1 => tag.len() == 20,
        Algorithm::HmacSha512 | Algorithm::Ed25519 => tag.len() == 64,
        Algorithm::EcdsaP256 => p256::ecdsa::Signature::from_der(&tag).is_ok(),
        _ => tag.len() == 32,
    };
    fits.then_some(tag)
}

fn base64(value: &[u8]) -> Option<Tag> {
    // One block more than a signature needs: `decode_slice` estimates its need upwards.
    let mut buffer = [0_u8; MAX_TAG + 3];
    let length = STANDARD.decode_slice(value, &mut buffer).ok()?;
    Some(Tag::from_slice(&buffer[..length]))
}

fn hex(value: &[u8]) -> Option<Tag> {
    let mut buffer = [0_u8; MAX_TAG];
    base16ct::mixed::decode(value, &mut buffer).ok().map(Tag::from_slice)
}
