//! The decisions of Surehook, without I/O, clock, threads or randomness.
//!
//! A request is verified, and only then may it touch anything else: [`Verifier::verify`] is the one way to a
//! [`VerifiedMessage`], and de-duplication takes nothing else.
//!
//! ```
//! use surehook_core::{Timestamp, Verifier, sign};
//!
//! let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
//! let signature = sign(secret, "msg_1", 1_700_000_000, b"{}").unwrap();
//! let headers: [(&[u8], &[u8]); 3] = [
//!     (b"webhook-id", b"msg_1"),
//!     (b"webhook-timestamp", b"1700000000"),
//!     (b"webhook-signature", signature.as_bytes()),
//! ];
//! let now = Timestamp::from_unix_seconds(1_700_000_001);
//!
//! let verifier = Verifier::new("standard-webhooks", &[secret]).unwrap();
//! assert_eq!(verifier.verify(b"{}", &headers, now).unwrap().message_id(), "msg_1");
//! assert_eq!(verifier.verify(b"{ }", &headers, now).unwrap_err().code().as_str(), "signature_mismatch");
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod dedup;
pub mod diagnose;
pub mod envelope;
pub mod error;
mod event_pattern;
mod fields;
pub mod form;
pub mod handshake;
pub mod marks;
mod open_names;
pub mod outcome;
mod request;
mod requirements;
pub mod scheme;
mod secret;
mod sign;
mod signed_body;
pub mod telemetry;
mod text;
mod time;
pub mod verify;

pub use diagnose::Diagnosis;
pub use error::{ConfigError, ReasonCode, Rejection};
pub use marks::Marks;
pub use outcome::Outcome;
pub use request::{HeaderPairs, Incoming};
pub use requirements::{OnSilentDrop, Requirements};
pub use scheme::Scheme;
pub use secret::{Secret, SecretIdentity, TagSeed, generate_secret};
pub use sign::{SignedRequest, Signer, Unsigned, sign};
pub use time::Timestamp;
#[doc(hidden)]
pub use verify::primitives;
pub use verify::{CustomVerdict, VerifiedMessage, Verifier};
