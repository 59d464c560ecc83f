//! Signed messages of 1 KiB, and endpoints that take them.

use surehook::core::sign;
use surehook::{Body, Client, ClientOptions, DedupStore, Endpoint, EndpointOptions, Request, Response, ResponseBody};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What the handler answers.
pub(crate) const ANSWER: Response<'_> =
    Response { status: 200, headers: &[(b"content-type", b"text/plain")], body: ResponseBody::Bytes(b"ok") };

/// A message as a provider sends it.
pub(crate) struct Message {
    id: String,
    timestamp: String,
    signature: String,
    body: Vec<u8>,
}

impl Message {
    /// So many messages, each with an id of its own.
    pub(crate) fn several(count: usize) -> Vec<Self> {
        let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
        (0..count).map(|index| Self::new(index, now)).collect()
    }

    fn new(index: usize, sent_at: i64) -> Self {
        let id = format!("msg_{index:027}");
        let mut body = format!(r#"{{"type":"user.created","data":{{"id":"user_{index}","note":""#).into_bytes();
        body.resize(1021, b'x');
        body.extend(b"\"}}");
        let signature = sign(SECRET, &id, sent_at, &body).unwrap();
        Self { id, timestamp: sent_at.to_string(), signature, body }
    }

    pub(crate) fn with_request<T>(&self, with: impl FnOnce(Request<'_>) -> T) -> T {
        let headers: [(&[u8], &[u8]); 4] = [
            (b"svix-id", self.id.as_bytes()),
            (b"svix-timestamp", self.timestamp.as_bytes()),
            (b"svix-signature", self.signature.as_bytes()),
            (b"content-type", b"application/json"),
        ];
        with(Request { method: "POST", path: "/webhooks/clerk", headers: &headers, body: Body::Bytes(&self.body) })
    }
}

/// An endpoint to which no message has come yet. Nothing is recorded: telemetry has bars of its own.
pub(crate) fn endpoint(store: &DedupStore, round: usize) -> Endpoint {
    let silent = Client::new(ClientOptions { api_key: Some(String::new()), ..ClientOptions::default() }).unwrap();
    let options = EndpointOptions {
        secrets: vec![SECRET.to_owned()],
        name: Some(format!("round-{round}")),
        store: Some(store.clone()),
        client: Some(silent),
        ..EndpointOptions::new("clerk")
    };
    Endpoint::new(options).unwrap()
}
