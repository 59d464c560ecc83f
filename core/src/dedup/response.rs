//! What is kept of a handler's answer, and how it looks when a duplicate gets it.

use crate::request::HeaderPairs;

/// The largest body that is stored, in bytes. A longer one is left out as a whole, never cut.
pub const STORED_BODY_LIMIT: usize = 64 * 1024;
/// The most bytes of headers that are stored; a header that does not fit is left out.
pub const STORED_HEADERS_LIMIT: usize = 8 * 1024;

/// Headers that say what the body is, or what the provider should do. Never `set-cookie`: a replay may reach another
/// client than the one the cookie was made for.
const STORED_HEADERS: &[&str] =
    &["cache-control", "content-encoding", "content-language", "content-type", "etag", "location", "webhook-delivery"];
/// Headers that would be wrong beside a body that is left out.
const BODY_HEADERS: &[&str] = &["content-encoding", "etag"];
/// Tells a replay from a first answer.
const REPLAYED_HEADER: &str = "Idempotent-Replayed";

/// The answer of a handled message, as far as it is kept for its duplicates.
///
/// ```
/// use surehook_core::dedup::StoredResponse;
///
/// let headers: [(&[u8], &[u8]); 2] = [(b"Content-Type", b"text/plain"), (b"Set-Cookie", b"session=1")];
/// let stored = StoredResponse::capture(201, &headers, Some(b"created"));
///
/// let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
/// assert_eq!(stored.replay_headers(), [text("content-type", "text/plain"), text("Idempotent-Replayed", "true")]);
/// assert_eq!((stored.status(), stored.replay_body()), (201, &b"created"[..]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: StoredBody,
}

/// The body of a [`StoredResponse`].
#[derive(Clone, PartialEq, Eq)]
pub enum StoredBody {
    /// All of its bytes.
    Bytes(Box<[u8]>),
    /// It was too long, or it was streamed past the wrapper.
    Omitted,
}

impl std::fmt::Debug for StoredBody {
    /// Tells the length only: a body may hold anything.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Omitted => f.write_str("Omitted"),
        }
    }
}

impl StoredResponse {
    /// Keeps what may be kept of an answer. `body` is `None` where its bytes were not seen.
    ///
    /// Headers are kept by an allow-list, in their order, their names in lower case. A value with a byte outside of
    /// printable ASCII is left out: not every server could send it back unchanged.
    pub fn capture(status: u16, headers: HeaderPairs<'_>, body: Option<&[u8]>) -> Self {
        let body = match body {
            Some(bytes) if bytes.len() <= STORED_BODY_LIMIT => StoredBody::Bytes(bytes.into()),
            _ => StoredBody::Omitted,
        };
        let mut room = STORED_HEADERS_LIMIT;
        let mut kept = Vec::new();
        for &(name, value) in headers {
            let Some((name, value)) = storable(name, value, &body) else { continue };
            let Some(left) = room.checked_sub(name.len() + value.len()) else { continue };
            room = left;
            kept.push((name.to_owned(), value.to_owned()));
        }
        Self { status, headers: kept, body }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The stored headers, names in lower case, without what marks a replay.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The stored body.
    pub fn body(&self) -> &StoredBody {
        &self.body
    }

    /// The headers of a replay: the stored ones, then `Idempotent-Replayed: true`, or `body-omitted` where the body is not
    /// sent again.
    pub fn replay_headers(&self) -> Vec<(String, String)> {
        let mark = match self.body {
            StoredBody::Bytes(_) => "true",
            StoredBody::Omitted => "body-omitted",
        };
        let mut headers = Vec::with_capacity(self.headers.len() + 1);
        headers.extend(self.headers.iter().cloned());
        headers.push((REPLAYED_HEADER.to_owned(), mark.to_owned()));
        headers
    }

    /// The body of a replay: the very bytes of the first answer, or none at all.
    pub fn replay_body(&self) -> &[u8] {
        match &self.body {
            StoredBody::Bytes(bytes) => bytes,
            StoredBody::Omitted => b"",
        }
    }

    /// The bytes it takes.
    pub(super) fn size(&self) -> usize {
        let headers =
            self.headers.iter().map(|(name, value)| 2 * size_of::<String>() + name.capacity() + value.capacity());
        size_of::<Self>() + headers.sum::<usize>() + self.replay_body().len()
    }
}

/// The header as it is stored, if it is.
fn storable<'v>(name: &[u8], value: &'v [u8], body: &StoredBody) -> Option<(&'static str, &'v str)> {
    let name = *STORED_HEADERS.iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes()))?;
    if *body == StoredBody::Omitted && BODY_HEADERS.contains(&name) {
        return None;
    }
    if !value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return None;
    }
    Some((name, std::str::from_utf8(value).ok()?))
}
