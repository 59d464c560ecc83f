//! What is kept of a handler's answer, and how it looks when a duplicate gets it.

use crate::request::HeaderPairs;
use crate::telemetry::redact::Redactor;

/// The largest body that is stored, in bytes. A longer one is left out as a whole, never cut.
pub const STORED_BODY_LIMIT: usize = 64 * 1024;
/// The most bytes of headers that are stored; a header that does not fit is left out.
pub const STORED_HEADERS_LIMIT: usize = 8 * 1024;

/// Headers that are right for one connection, one moment, one client or one request, and wrong for another. `set-cookie` most
/// of all: a replay may reach another client than the one the cookie was made for.
const NOT_STORED: &[&str] = &[
    // Hop by hop (RFC 9110, section 7.6.1).
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // Of this answer alone.
    "clear-site-data",
    "content-length",
    "date",
    "idempotent-replayed",
    "server-timing",
    "set-cookie",
    "set-cookie2",
    "traceparent",
    "x-request-id",
];
/// Headers beside `content-…` that describe a body, and would be wrong beside one that is left out.
const BODY_HEADERS: &[&str] = &["accept-ranges", "digest", "etag", "last-modified", "repr-digest", "x-content-digest"];
/// Headers that begin like those that describe a body, and do not.
const POLICY_HEADERS: &[&str] = &["content-security-policy", "content-security-policy-report-only"];
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
    /// Headers are kept in their order, their names in lower case, but for those of a short list, those that `Connection` names
    /// and those that look like a credential. A value with a byte outside of printable ASCII is left out: not every server
    /// could send it back unchanged.
    pub fn capture(status: u16, headers: HeaderPairs<'_>, body: Option<&[u8]>) -> Self {
        Self::capture_set(status, &[], headers, body, &Redactor::new::<&str>(&[]))
    }

    /// The same, without the headers that were there `before` the handler with the same value: what stands around a handler
    /// gives them to a replay as well. `redactor` knows the secrets of the endpoint.
    pub fn capture_set(
        status: u16,
        before: HeaderPairs<'_>,
        headers: HeaderPairs<'_>,
        body: Option<&[u8]>,
        redactor: &Redactor,
    ) -> Self {
        let body = match body {
            Some(bytes) if bytes.len() <= STORED_BODY_LIMIT => StoredBody::Bytes(bytes.into()),
            _ => StoredBody::Omitted,
        };
        let mut room = STORED_HEADERS_LIMIT;
        let mut kept = Vec::new();
        for &(name, value) in headers {
            let was_there = before.iter().any(|(earlier, same)| earlier.eq_ignore_ascii_case(name) && *same == value);
            if was_there || is_named_by_connection(headers, name) {
                continue;
            }
            let Some((name, value)) = storable(name, value, &body, redactor) else { continue };
            let Some(left) = room.checked_sub(name.len() + value.len()) else { continue };
            room = left;
            kept.push((name, value.to_owned()));
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
fn storable<'v>(name: &[u8], value: &'v [u8], body: &StoredBody, redactor: &Redactor) -> Option<(String, &'v str)> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || !name.iter().all(is_name) || !value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    let value = std::str::from_utf8(value).ok()?;
    let describes_the_body = BODY_HEADERS.contains(&name.as_str())
        || name.starts_with("content-") && !POLICY_HEADERS.contains(&name.as_str());
    let is_left_out = NOT_STORED.contains(&name.as_str())
        || *body == StoredBody::Omitted && describes_the_body
        || redactor.takes_for_a_credential(&name, value);
    (!is_left_out).then_some((name, value))
}

/// Whether a header is only for the next hop: `Connection: x-one-hop` says so.
fn is_named_by_connection(headers: HeaderPairs<'_>, name: &[u8]) -> bool {
    let connections = headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(b"connection"));
    connections
        .flat_map(|(_, value)| value.split(|byte| *byte == b','))
        .any(|named| named.trim_ascii().eq_ignore_ascii_case(name))
}
