//! Shared by the tests: signed requests, an endpoint to send them to, and a collector that can be told to misbehave.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

pub mod collector;
pub mod http;
pub mod proxy;
pub mod random;
pub mod redaction;
pub mod storage;
pub mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use surehook::core::dedup::{DedupKey, MessageName, OperatorId, RegistryKey, Scope, Sender, Senders};
use surehook::core::{Secret, Timestamp, scheme, sign};
use surehook::{Answer, Body, Client, ClientOptions, Clock, Decision, Delivery, Endpoint, EndpointOptions, Request};
use surehook::{Response, ResponseBody, Stats};

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const START: i64 = 1_700_000_000;

/// A clock that moves only when told.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START * 1_000_000)))
    }

    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst))
    }
}

/// An endpoint with a name of its own (the memory store is shared by the process) and a clock that stands still.
pub fn endpoint(change: impl FnOnce(&mut EndpointOptions)) -> Endpoint {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut options = EndpointOptions {
        secrets: vec![SECRET.to_owned()],
        name: Some(format!("endpoint-{}", COUNT.fetch_add(1, Ordering::SeqCst))),
        clock: Some(ManualClock::new()),
        client: Some(silent_client()),
        ..EndpointOptions::new("clerk")
    };
    change(&mut options);
    Endpoint::new(options).unwrap()
}

/// A client without a key.
pub fn silent_client() -> Client {
    Client::new(ClientOptions { api_key: Some(String::new()), ..ClientOptions::default() }).unwrap()
}

/// A message as a provider sends it.
#[derive(Clone)]
pub struct Message {
    pub id: String,
    pub body: Vec<u8>,
    pub sent_at: i64,
}

impl Message {
    pub fn new(id: &str, body: &str) -> Self {
        Self { id: id.to_owned(), body: body.as_bytes().to_vec(), sent_at: START }
    }

    pub fn user_created(id: &str) -> Self {
        Self::new(id, r#"{"type":"user.created","data":{"id":"user_1"}}"#)
    }

    /// Signs it and hands it in.
    pub fn begin(&self, endpoint: &Endpoint) -> Decision {
        self.with_request(|request| endpoint.begin(request))
    }

    /// Hands in what `with` makes of the signed request.
    pub fn with_request<T>(&self, with: impl FnOnce(Request<'_>) -> T) -> T {
        self.signed_with(&[SECRET], with)
    }

    /// The same, with the signatures of these secrets.
    pub fn signed_with<T>(&self, secrets: &[&str], with: impl FnOnce(Request<'_>) -> T) -> T {
        // An id that no provider signs is sent beside another one's signature.
        let id = self.id.replace('.', "-");
        let signatures = secrets.iter().map(|secret| sign(secret, &id, self.sent_at, &self.body).unwrap());
        let signature = signatures.collect::<Vec<_>>().join(" ");
        let timestamp = self.sent_at.to_string();
        let headers: [(&[u8], &[u8]); 4] = [
            (b"Svix-Id", self.id.as_bytes()),
            (b"Svix-Timestamp", timestamp.as_bytes()),
            (b"Svix-Signature", signature.as_bytes()),
            (b"Content-Type", b"application/json"),
        ];
        let path = "/webhooks/clerk";
        with(Request { method: "POST", path, headers: &headers, body: Body::Bytes(&self.body) })
    }
}

/// The key of a message of `clerk` at the endpoint of this name, whose sender signs with [`SECRET`].
pub fn key(endpoint: &str, id: &str) -> DedupKey {
    let scope = Scope::new("", "clerk", endpoint);
    let tag = Secret::parse(SECRET).unwrap().seed().tag(&RegistryKey::of(&scope));
    let mut senders = Senders::default();
    senders.register(&[tag]);
    let name = MessageName::for_operator(&scheme::find("clerk").unwrap(), OperatorId::Provider(id)).unwrap();
    DedupKey::of(&scope, &Sender::Registered(senders.of(tag).unwrap()), &name)
}

pub fn handled(decision: Decision) -> Delivery {
    match decision {
        Decision::Handle(delivery) => delivery,
        Decision::Answer(answer) => panic!("expected the handler to run, got {answer:?}"),
    }
}

pub fn answered(decision: Decision) -> Answer {
    match decision {
        Decision::Answer(answer) => answer,
        Decision::Handle(delivery) => panic!("expected an answer, got {delivery:?}"),
    }
}

pub fn ok(body: &[u8]) -> Response<'_> {
    Response { status: 200, headers: &[(b"content-type", b"text/plain")], body: ResponseBody::Bytes(body) }
}

pub fn status(status: u16) -> Response<'static> {
    Response { status, headers: &[], body: ResponseBody::Bytes(b"") }
}

pub fn assert_identity(stats: &Stats) {
    let dropped: u64 = stats.dropped.values().sum();
    assert_eq!(stats.recorded, stats.stored + stats.summarised + dropped + stats.queued, "{stats:?}");
}
