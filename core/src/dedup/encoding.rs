//! A stored response as bytes, for stores outside of this process.

use super::response::{StoredBody, StoredResponse};

/// The first byte: another layout gets another one.
const VERSION: u8 = 1;
const BODY_FOLLOWS: u8 = 1;
const BODY_OMITTED: u8 = 0;

impl StoredResponse {
    /// The response as bytes.
    ///
    /// A version, the status, whether a body follows, the number of headers, then each header's name and value with their
    /// lengths, then the body; numbers are big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = match self.body() {
            StoredBody::Bytes(_) => BODY_FOLLOWS,
            StoredBody::Omitted => BODY_OMITTED,
        };
        let mut bytes = Vec::with_capacity(64 + self.replay_body().len());
        bytes.push(VERSION);
        bytes.extend(self.status().to_be_bytes());
        bytes.push(body);
        push_length(&mut bytes, self.headers().len());
        for text in self.headers().iter().flat_map(|(name, value)| [name, value]) {
            push_length(&mut bytes, text.len());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(self.replay_body());
        bytes
    }

    /// The response that these bytes are, or `None` where no version of Surehook wrote them.
    ///
    /// Whoever can write to a store shall not write any header of an answer: what is not stored is not read either.
    ///
    /// ```
    /// use surehook_core::dedup::StoredResponse;
    ///
    /// let stored = StoredResponse::capture(201, &[(b"content-type", b"text/plain")], Some(b"created"));
    /// assert_eq!(StoredResponse::from_bytes(&stored.to_bytes()), Some(stored));
    /// assert_eq!(StoredResponse::from_bytes(b"\x02"), None);
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&version, bytes) = bytes.split_first()?;
        let (status, bytes) = bytes.split_first_chunk()?;
        let (&body, bytes) = bytes.split_first()?;
        let (count, mut bytes) = take_length(bytes)?;
        let mut headers = Vec::new();
        for _ in 0..count {
            let (name, rest) = take_text(bytes)?;
            let (value, rest) = take_text(rest)?;
            headers.push((name, value));
            bytes = rest;
        }
        let body = match (body, bytes) {
            (BODY_FOLLOWS, body) => Some(body),
            (BODY_OMITTED, b"") => None,
            _ => return None,
        };
        let response = Self::capture(u16::from_be_bytes(*status), &headers, body);
        // A body beyond the limit was never written by `to_bytes`.
        let whole = body.is_none() == (*response.body() == StoredBody::Omitted);
        (version == VERSION && whole).then_some(response)
    }
}

/// Lengths are those of [`capture`](StoredResponse::capture), whose limits are far below what 16 bits hold.
fn push_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
}

fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((usize::from(u16::from_be_bytes(*length)), rest))
}

fn take_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = take_length(bytes)?;
    rest.split_at_checked(length)
}
