//! Strict, bounded reading of signature headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smallvec::SmallVec;

use crate::error::ReasonCode;
use crate::scheme::Scheme;
use crate::time::Timestamp;

/// The headers of a request: names and values as they came, in order, repeated ones repeated.
pub type HeaderPairs<'a> = &'a [(&'a [u8], &'a [u8])];

/// Longer signature lists are refused.
const MAX_SIGNATURE_HEADER: usize = 8 * 1024;
/// Longer signature lists are refused.
const MAX_SIGNATURES: usize = 64;
/// Longer message ids are refused.
const MAX_MESSAGE_ID: usize = 256;
/// More digits are no time in seconds.
const MAX_TIMESTAMP_DIGITS: usize = 12;

/// The three headers of the one family a request uses, unread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignatureHeaders<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) timestamp: &'a [u8],
    pub(crate) signature: &'a [u8],
}

/// Finds the signature headers of a request.
///
/// # Errors
/// `duplicate_header`, `mixed_header_family` or `missing_header`, in this order.
pub(crate) fn find<'a>(scheme: &Scheme, headers: HeaderPairs<'a>) -> Result<SignatureHeaders<'a>, ReasonCode> {
    let mut found: SmallVec<[[Option<&'a [u8]>; 3]; 2]> = SmallVec::from_elem([None; 3], scheme.header_families.len());
    for &(name, value) in headers {
        let Some((family, part)) = position(scheme, name) else { continue };
        if found[family][part].replace(value).is_some() {
            return Err(ReasonCode::DuplicateHeader);
        }
    }
    let mut used = found.iter().filter(|family| family.iter().any(Option::is_some));
    let family = used.next().ok_or(ReasonCode::MissingHeader)?;
    if used.next().is_some() {
        return Err(ReasonCode::MixedHeaderFamily);
    }
    let [Some(id), Some(timestamp), Some(signature)] = *family else {
        return Err(ReasonCode::MissingHeader);
    };
    Ok(SignatureHeaders { id, timestamp, signature })
}

/// Which header of which family a name is.
fn position(scheme: &Scheme, name: &[u8]) -> Option<(usize, usize)> {
    scheme.header_families.iter().enumerate().find_map(|(index, family)| {
        [family.id, family.timestamp, family.signature]
            .iter()
            .position(|known| name.eq_ignore_ascii_case(known.as_bytes()))
            .map(|part| (index, part))
    })
}

/// Reads a message id: 1 to 256 visible ASCII characters, none of them `.`.
///
/// A `.` would let a sender move the border between id and timestamp without changing the signed bytes.
pub(crate) fn message_id(raw: &[u8]) -> Result<&str, ReasonCode> {
    let allowed = |byte: &u8| byte.is_ascii_graphic() && *byte != b'.';
    if raw.is_empty() || raw.len() > MAX_MESSAGE_ID || !raw.iter().all(allowed) {
        return Err(ReasonCode::MalformedMessageId);
    }
    std::str::from_utf8(raw).map_err(|_| ReasonCode::MalformedMessageId)
}

/// Reads a timestamp: 1 to 12 ASCII digits without a leading zero, in seconds.
pub(crate) fn timestamp(raw: &[u8]) -> Result<Timestamp, ReasonCode> {
    let plain = (1..=MAX_TIMESTAMP_DIGITS).contains(&raw.len())
        && raw.iter().all(u8::is_ascii_digit)
        && (raw.len() == 1 || raw[0] != b'0');
    if !plain {
        return Err(ReasonCode::MalformedTimestamp);
    }
    let seconds = raw.iter().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Ok(Timestamp::from_unix_seconds(seconds))
}

/// The readable entries of a signature header.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    /// HMAC-SHA-256 values.
    pub(crate) v1: SmallVec<[[u8; 32]; 2]>,
    /// Ed25519 values.
    pub(crate) v1a: Vec<[u8; 64]>,
    /// Whether there were entries of another version.
    pub(crate) other_versions: bool,
}

/// Reads a signature header: entries `version,base64` parted by spaces; those that cannot be read are skipped.
///
/// # Errors
/// `too_many_signatures` beyond 8 KiB or 64 entries, `malformed_signature` when no entry can be read.
pub(crate) fn signatures(raw: &[u8]) -> Result<Signatures, ReasonCode> {
    if raw.len() > MAX_SIGNATURE_HEADER {
        return Err(ReasonCode::TooManySignatures);
    }
    let mut read = Signatures::default();
    let entries = raw.split(|byte| *byte == b' ').filter(|entry| !entry.is_empty());
    for (index, entry) in entries.enumerate() {
        if index == MAX_SIGNATURES {
            return Err(ReasonCode::TooManySignatures);
        }
        read.push(entry);
    }
    if read.v1.is_empty() && read.v1a.is_empty() && !read.other_versions {
        return Err(ReasonCode::MalformedSignature);
    }
    Ok(read)
}

impl Signatures {
    fn push(&mut self, entry: &[u8]) {
        let Some(comma) = entry.iter().position(|byte| *byte == b',') else { return };
        let (version, value) = (&entry[..comma], &entry[comma + 1..]);
        match version {
            b"v1" => self.v1.extend(decode::<32>(value)),
            b"v1a" => self.v1a.extend(decode::<64>(value)),
            _ => self.other_versions |= !version.is_empty() && !value.is_empty(),
        }
    }
}

/// Strict base64 of exactly `N` bytes.
fn decode<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    // One block more than `N` needs: `decode_slice` estimates its need upwards.
    let mut buffer = [0_u8; 72];
    let length = STANDARD.decode_slice(value, &mut buffer).ok()?;
    (length == N).then(|| buffer.first_chunk().copied()).flatten()
}
