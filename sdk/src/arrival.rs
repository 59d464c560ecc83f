//! A request as an adapter hands it in, and what is kept of it for its record.

use std::time::Instant;

use surehook_core::telemetry::attempt::RequestInfo;
use surehook_core::telemetry::redact::Redactor;
use surehook_core::{HeaderPairs, Timestamp};

/// No method is longer, in characters.
const MAX_METHOD: usize = 20;

/// An HTTP request as it reached the framework.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, e.g. `POST`.
    pub method: &'a str,
    /// The path with its query, e.g. `/api/webhooks/clerk?tenant=1`.
    pub path: &'a str,
    /// Names and values as they came, repeated headers repeated.
    pub headers: HeaderPairs<'a>,
    /// The raw body.
    pub body: Body<'a>,
}

/// The raw body of a request, or why there is none.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// Its bytes, exactly as received.
    Bytes(&'a [u8]),
    /// It is over [`Endpoint::max_body_bytes`](crate::Endpoint::max_body_bytes), and was not read to its end.
    TooLarge,
    /// Something else consumed it before.
    Unavailable,
    /// The sender hung up before all of it had come.
    Incomplete,
}

impl std::fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::TooLarge => f.write_str("TooLarge"),
            Self::Unavailable => f.write_str("Unavailable"),
            Self::Incomplete => f.write_str("Incomplete"),
        }
    }
}

impl Request<'_> {
    /// The length of the body as far as it was seen, in bytes.
    fn size(&self) -> u64 {
        match self.body {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::TooLarge | Body::Unavailable | Body::Incomplete => 0,
        }
    }
}

/// When a request came, and what may be told of it.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) received_at: Timestamp,
    started: Instant,
    /// The sender left in the middle of the body.
    pub(crate) broken_off: bool,
    pub(crate) request: RequestInfo,
}

impl Arrival {
    /// Nothing is told of the request yet: that costs time, which nobody gets before the verdict.
    pub(crate) fn new(request: &Request<'_>, received_at: Timestamp) -> Self {
        let broken_off = matches!(request.body, Body::Incomplete);
        let told = RequestInfo { size: request.size(), ..RequestInfo::default() };
        Self { received_at, started: Instant::now(), broken_off, request: told }
    }

    /// Keeps what may be told of the request.
    pub(crate) fn tell(&mut self, request: &Request<'_>, redactor: &Redactor) {
        self.request.method = redactor.name(&request.method.chars().take(MAX_METHOD).collect::<String>());
        self.request.path = redactor.path(request.path);
        self.request.headers = redactor.headers(request.headers);
    }

    /// Microseconds since the request came.
    pub(crate) fn elapsed_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
