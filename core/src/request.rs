//! A request as it is handed to a verifier.

/// The headers of a request: names and values as they came, in order, repeated ones repeated.
pub type HeaderPairs<'a> = &'a [(&'a [u8], &'a [u8])];

/// What of a request can be signed.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The method, e.g. `POST`.
    pub method: &'a str,
    /// The path with its query, e.g. `/api/webhooks/clerk?tenant=1`.
    pub path: &'a str,
    /// The headers.
    pub headers: HeaderPairs<'a>,
    /// The body's bytes, exactly as they were received.
    pub body: &'a [u8],
}

impl<'a> Incoming<'a> {
    /// A `POST` of which only headers and body matter, as for every scheme that does not sign the URL.
    pub fn post(headers: HeaderPairs<'a>, body: &'a [u8]) -> Self {
        Self { method: "POST", path: "", headers, body }
    }

    /// The query of the path, without its question mark.
    pub(crate) fn query(&self) -> Option<&'a str> {
        self.path.split_once('?').map(|(_, query)| query)
    }

    /// Whether the body is said to be an HTML form.
    pub(crate) fn is_form(&self) -> bool {
        const FORM: &[u8] = b"application/x-www-form-urlencoded";
        self.header("content-type")
            .and_then(|value| value.split(|byte| *byte == b';').next())
            .is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(FORM))
    }

    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| *value)
    }
}

impl std::fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("method", &self.method)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}
