//! Verify, de-duplicate and watch webhook deliveries inside your own handler.
//!
//! [`Endpoint::begin`] says what to do with a request; [`Delivery::finish`] says how the handler ended. Everything else
//! happens behind these two calls.
//!
//! ```
//! use surehook::{Body, Decision, Endpoint, EndpointOptions, Request, Response, ResponseBody};
//!
//! # let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
//! let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
//! let body = br#"{"type":"user.created","data":{"id":"user_1"}}"#;
//! let timestamp = now.to_string();
//! let signature = surehook::core::sign(secret, "msg_1", now as i64, body).unwrap();
//! let headers: [(&[u8], &[u8]); 3] = [
//!     (b"svix-id", b"msg_1"),
//!     (b"svix-timestamp", timestamp.as_bytes()),
//!     (b"svix-signature", signature.as_bytes()),
//! ];
//! let request = Request { method: "POST", path: "/webhooks", headers: &headers, body: Body::Bytes(body) };
//!
//! let options = EndpointOptions { secrets: vec![secret.to_owned()], ..EndpointOptions::new("clerk") };
//! let endpoint = Endpoint::new(options).unwrap();
//! match endpoint.begin(request) {
//!     Decision::Handle(delivery) => {
//!         assert_eq!(delivery.event_type(), Some("user.created"));
//!         delivery.step("create_profile");
//!         delivery.finish(Response { status: 200, headers: &[], body: ResponseBody::Bytes(b"ok") });
//!     }
//!     Decision::Answer(_) => unreachable!("it is signed, and new"),
//! }
//! match endpoint.begin(request) {
//!     Decision::Answer(replay) => assert_eq!(replay.body, b"ok"),
//!     Decision::Handle(_) => unreachable!("it was handled"),
//! }
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod admission;
mod answer;
mod arrival;
mod before_send;
mod candidate;
mod capture;
mod client;
mod clock;
mod counts;
mod deferred;
mod delivery;
mod diagnosis;
mod endpoint;
mod environment;
mod forget;
mod handler;
mod io;
mod keyring;
mod lease;
mod notice;
mod options;
mod overdue;
mod platform;
mod process;
mod question;
mod rationed;
mod record;
mod secret_function;
mod seen;
mod sender;
mod service;
mod settings;
mod settlement;
mod signers;
mod span;
mod spool;
mod store;
mod tls;
mod transaction;
mod verifiers;
mod waiters;
mod webhook;
mod workers;

pub use surehook_core as core;
pub use surehook_core::OnSilentDrop;
pub use surehook_core::dedup::{OnIdReuse, OnUnsignedId, STORED_BODY_LIMIT};
pub use surehook_core::telemetry::bodies::CaptureBody;
pub use surehook_core::{
    ConfigError as Error, CustomVerdict, Diagnosis, ReasonCode, Rejection, Scheme, VerifiedMessage,
};

pub use admission::{Begun, Pending};
pub use answer::{Answer, AnswerKind};
pub use arrival::{Body, Request};
pub use before_send::BeforeSend;
pub use candidate::Preparation;
pub use capture::Capture;
pub use client::{Client, ClientOptions, divert, flush, init, shutdown, stats};
pub use clock::{Clock, SystemClock};
pub use counts::DedupCounts;
pub use deferred::Deferred;
pub use delivery::Delivery;
pub use endpoint::{Decision, Endpoint, Hooks, KeyFunction};
pub use forget::Forget;
pub use handler::{ErrorKind, HandlerError, Response, ResponseBody};
pub use notice::{Level, Notice, take_notices};
pub use options::{EndpointOptions, OnInFlight, OnStoreError, Verification};
pub use process::PerProcess;
pub use question::{Asked, Operation, Question};
pub use secret_function::{SECRET_TIMEOUT, SecretAnswer, SecretCall};
pub use sender::Stats;
pub use settlement::{Ended, PendingEnd};
pub use span::{Attribute, AttributeValue};
pub use store::{DedupStore, Migration, StoreStats};
pub use transaction::{Settled, may_commit};
pub use verifiers::VerifierSettings;
pub use webhook::Webhook;
pub use workers::Workers;
