//! How a handler ended: with an answer, or with an error.

use surehook_core::HeaderPairs;

/// A handler's answer.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderPairs<'a>,
    /// Its body.
    pub body: ResponseBody<'a>,
}

/// The body of an answer.
#[derive(Clone, Copy, Debug)]
pub enum ResponseBody<'a> {
    /// All of its bytes.
    Bytes(&'a [u8]),
    /// It was longer than [`STORED_BODY_LIMIT`](crate::STORED_BODY_LIMIT), or streamed past the wrapper.
    NotCaptured,
}

/// How a handler ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// It raised an error.
    Raised,
    /// It took too long.
    TimedOut,
    /// It was cancelled, or the sender went away.
    Cancelled,
}

/// The error that ended a handler.
#[derive(Clone, Copy, Debug)]
pub struct HandlerError<'a> {
    /// How it ended.
    pub kind: ErrorKind,
    /// The error's type, e.g. `IntegrityError`.
    pub error_type: &'a str,
    /// The error's text.
    pub message: &'a str,
    /// Where it was raised, e.g. `app/webhooks.py:31 in create_user`; part of the fingerprint.
    pub location: Option<&'a str>,
}
