//! The answers that Surehook itself gives to a sender.

use surehook_core::Rejection;
use surehook_core::dedup::StoredResponse;
use surehook_core::handshake::HandshakeAnswer;

use crate::span::Attribute;

/// The body of every rejection: the reason is for the endpoint's owner, never for the sender.
const REJECTED: &str = r#"{"error":"invalid webhook signature"}"#;
const TOO_LARGE: &str = r#"{"error":"payload too large"}"#;
const IN_FLIGHT: &str = r#"{"error":"this message is being handled"}"#;
const UNAVAILABLE: &str = r#"{"error":"temporarily unavailable"}"#;
const ID_REUSED: &str = r#"{"error":"this message id came before with another body"}"#;
const NOT_PROCESSED: &str = r#"{"error":"the message was not processed"}"#;

/// When a sender may try again while another attempt is being handled, in seconds.
const IN_FLIGHT_RETRY: &str = "5";
/// When a sender may try again while the dedup store is down, or the secret is missing, in seconds.
const UNAVAILABLE_RETRY: &str = "30";

/// Why an answer was given without the handler, or in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerKind {
    /// Verification failed.
    Reject,
    /// The message was handled before.
    Replay,
    /// Another attempt is being handled.
    Busy,
    /// The endpoint has no secret that could be used.
    Unconfigured,
    /// The dedup store, or the function that gives the secrets, could not be asked.
    Unavailable,
    /// The provider asked whether the endpoint is its user's.
    Handshake,
    /// The handler's answer was replaced, so that the provider tries again.
    SilentDrop,
}

impl AnswerKind {
    /// `reject`, `unconfigured`, `replay`, `busy`, `unavailable`, `handshake` or `silent_drop`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Replay => "replay",
            Self::Busy => "busy",
            Self::Unconfigured => "unconfigured",
            Self::Unavailable => "unavailable",
            Self::Handshake => "handshake",
            Self::SilentDrop => "silent_drop",
        }
    }
}

/// A whole HTTP answer, to be sent as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Why it is given.
    pub kind: AnswerKind,
    /// The HTTP status.
    pub status: u16,
    /// The headers, without `content-length`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Why the request was rejected, or could not be checked. Never to be sent.
    pub rejection: Option<Rejection>,
    /// What a trace says of the attempt; empty where the endpoint is not [`traced`](crate::EndpointOptions::traced).
    pub attributes: Vec<Attribute>,
}

impl Answer {
    pub(crate) fn reject(status: u16, rejection: Rejection) -> Self {
        let body = if status == 413 { TOO_LARGE } else { REJECTED };
        Self { rejection: Some(rejection), ..Self::json(AnswerKind::Reject, status, body) }
    }

    pub(crate) fn replay(stored: &StoredResponse) -> Self {
        Self {
            kind: AnswerKind::Replay,
            status: stored.status(),
            headers: stored.replay_headers(),
            body: stored.replay_body().to_vec(),
            rejection: None,
            attributes: Vec::new(),
        }
    }

    pub(crate) fn busy() -> Self {
        Self::json(AnswerKind::Busy, 409, IN_FLIGHT).with_retry_after(IN_FLIGHT_RETRY)
    }

    pub(crate) fn unconfigured(rejection: Rejection) -> Self {
        let answer = Self::json(AnswerKind::Unconfigured, 503, UNAVAILABLE).with_retry_after(UNAVAILABLE_RETRY);
        Self { rejection: Some(rejection), ..answer }
    }

    pub(crate) fn unavailable() -> Self {
        Self::json(AnswerKind::Unavailable, 503, UNAVAILABLE).with_retry_after(UNAVAILABLE_RETRY)
    }

    /// What gives the secrets of a request failed.
    pub(crate) fn unchecked(rejection: Rejection) -> Self {
        Self { rejection: Some(rejection), ..Self::unavailable() }
    }

    pub(crate) fn id_reused() -> Self {
        Self::json(AnswerKind::Reject, 422, ID_REUSED)
    }

    pub(crate) fn handshake(answer: HandshakeAnswer) -> Self {
        let HandshakeAnswer { status, content_type, body } = answer;
        let headers = content_type.map(|kind| ("content-type".to_owned(), kind.to_owned())).into_iter().collect();
        Self { kind: AnswerKind::Handshake, status, headers, body, rejection: None, attributes: Vec::new() }
    }

    pub(crate) fn silent_drop(status: u16) -> Self {
        Self::json(AnswerKind::SilentDrop, status, NOT_PROCESSED)
    }

    fn json(kind: AnswerKind, status: u16, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { kind, status, headers, body: body.as_bytes().to_vec(), rejection: None, attributes: Vec::new() }
    }

    fn with_retry_after(mut self, seconds: &str) -> Self {
        self.headers.push(("retry-after".to_owned(), seconds.to_owned()));
        self
    }
}
