//! The record of one attempt, and the batch that carries it to a collector.
//!
//! These types are the wire format of `POST /v1/batches`, described for other languages by
//! `tests/contract/batch.v1.schema.json`. All times are microseconds since the Unix epoch.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::refusals::Refused;
use crate::diagnose::Diagnosis;
use crate::error::ReasonCode;
use crate::open_names::OpenNames;
use crate::outcome::Outcome;
use crate::time::Timestamp;

/// The version of the batch format that this crate writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// What a sender posts: some attempts, and who sent them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The version of the format: [`SCHEMA_VERSION`].
    pub schema: u32,
    /// The library that recorded the attempts.
    pub sdk: SdkInfo,
    /// The process that recorded them.
    pub instance: Instance,
    /// What the application is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// When the batch was encoded, by the sender's clock.
    pub sent_at: Timestamp,
    /// When it was posted, by the sender's clock: later than `sent_at` where it is posted again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_at: Option<Timestamp>,
    /// The id of the report of losses and refused requests that the batch carries. A collector counts each report once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_id: Option<Uuid>,
    /// Refused requests that are not told in full, by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// Attempts lost on the sender's side since the last accepted batch, counted by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<DropReason, u64>,
    /// The attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

/// The library that recorded an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdkInfo {
    /// The package's name, e.g. `surehook`.
    pub name: String,
    /// Its version, e.g. `0.1.0`.
    pub version: String,
    /// The host language: `python`, `node`, `rust`, …
    pub language: String,
    /// The web framework, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framework: Option<String>,
    /// The language's runtime and version, e.g. `CPython 3.11.7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
}

/// The process that recorded an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Random, new for each process.
    pub id: Uuid,
    /// The host's name, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The process id.
    pub pid: u32,
}

/// Why an attempt was lost before a collector stored it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DropReason {
    /// The queue was full; the newest attempt was not taken.
    QueueFull,
    /// The spool was full.
    SpoolFull,
    /// One attempt alone was larger than a batch may be.
    TooLarge,
    /// The collector refused it for a reason that a retry cannot change.
    RejectedByServer,
    /// It could not be delivered.
    Network,
    /// It was still queued when the time for the last flush was over.
    ShutdownTimeout,
    /// A fault of ours.
    InternalError,
    /// It was queued in a process that forked.
    Fork,
    /// The application's `before_send` did not want it sent, or failed over it.
    BeforeSend,
    /// One that this version does not know: a later one wrote it.
    #[serde(skip_deserializing)]
    Other,
}

impl DropReason {
    /// The reason with a name; `Other` for one that this version does not know.
    pub fn named(name: &str) -> Self {
        OpenNames::named(name)
    }

    /// The stable name, e.g. `queue_full`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::SpoolFull => "spool_full",
            Self::TooLarge => "too_large",
            Self::RejectedByServer => "rejected_by_server",
            Self::Network => "network",
            Self::ShutdownTimeout => "shutdown_timeout",
            Self::InternalError => "internal_error",
            Self::Fork => "fork",
            Self::BeforeSend => "before_send",
            Self::Other => "other",
        }
    }
}

/// One HTTP delivery of a message, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// A UUIDv7 made by the sender. A collector stores each id once.
    pub id: Uuid,
    /// The attempt whose work this is the rest of: then this one is no request, but what became of deferred work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<Uuid>,
    /// The endpoint's name.
    pub endpoint: String,
    /// The provider's name, e.g. `clerk`.
    pub provider: String,
    /// The provider's id of the message. Not to be trusted unless `verification.result` is `verified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The event type, read only after the signature passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The id of the thing the event is about (`data.id`), read only after the signature passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    /// When the request reached the wrapper; of deferred work, when it was taken up.
    pub received_at: Timestamp,
    /// The time the provider signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_timestamp: Option<Timestamp>,
    /// From `received_at` to the answer, in microseconds.
    pub duration_us: u64,
    /// The HTTP status of the answer; absent when the handler gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The sender closed the connection before it was answered, while the handler went on: `status` never reached it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sender_left: bool,
    /// What became of the attempt.
    #[serde(deserialize_with = "crate::open_names::read")]
    pub outcome: Outcome,
    /// What verification found.
    pub verification: Verification,
    /// What de-duplication found.
    pub dedup: Dedup,
    /// By when deferred work is to be marked; present exactly when the outcome is `deferred`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_until: Option<Timestamp>,
    /// The steps the handler recorded, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Required steps that the handler did not record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_steps: Vec<String>,
    /// Why the handler failed, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The request as far as it may be told.
    pub request: RequestInfo,
    /// The answer's size, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseInfo>,
    /// The bodies, where the application has them captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bodies: Option<Bodies>,
    /// Values the application attached.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, Value>,
}

/// Where an attempt holds a name of a fixed set.
const NAMES: [&str; 6] = [
    "/outcome",
    "/verification/result",
    "/verification/code",
    "/verification/diagnosis/finding",
    "/verification/diagnosis/certainty",
    "/dedup/result",
];

impl Attempt {
    /// Reads what the application itself made of an attempt, in its `before_send`.
    ///
    /// What comes from elsewhere may hold names of a later version, which are read as `other`. Here a name that does not exist
    /// is a mistake, and must not reach a collector as an attempt of which nobody knows what became.
    ///
    /// # Errors
    ///
    /// It is not in the form of the wire, or has a name that does not exist.
    pub fn read_own(written: &Value) -> serde_json::Result<Self> {
        let attempt = Self::deserialize(written)?;
        let understood = serde_json::to_value(&attempt)?;
        let is_unknown = |at: &&str| {
            let name = written.pointer(at).filter(|name| name.is_string());
            name.is_some_and(|name| understood.pointer(at) != Some(name))
        };
        match NAMES.into_iter().find(is_unknown) {
            Some(at) => Err(serde_json::Error::custom(format_args!("unknown name in {}", at[1..].replace('/', ".")))),
            None => Ok(attempt),
        }
    }

    /// The status that the sender got: none where it had left before the answer, whatever the handler did.
    pub fn answered(&self) -> Option<u16> {
        self.status.filter(|_| !self.sender_left)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// What verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The verdict.
    #[serde(deserialize_with = "crate::open_names::read")]
    pub result: VerificationResult,
    /// Why it was rejected; present exactly when the result is `rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::open_names::read_option")]
    pub code: Option<ReasonCode>,
    /// The cause of the rejection, where it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
}

/// The verdict of verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerificationResult {
    /// A signature was right.
    Verified,
    /// The request was refused.
    Rejected,
    /// Verification is switched off for this endpoint.
    Unverified,
    /// One that this version does not know: a later one wrote it.
    #[serde(skip_deserializing)]
    Other,
}

impl VerificationResult {
    /// The stable name, e.g. `verified`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Rejected => "rejected",
            Self::Unverified => "unverified",
            Self::Other => "other",
        }
    }
}

/// What de-duplication found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dedup {
    /// The verdict.
    #[serde(deserialize_with = "crate::open_names::read")]
    pub result: DedupResult,
    /// The kind of store that was asked, e.g. `memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// The message's key in it: 64 hexadecimal digits, by which an operator lets the message run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The verdict of de-duplication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DedupResult {
    /// Not asked: switched off, or the request was rejected first.
    Off,
    /// Not seen before, or released for another try.
    New,
    /// Handled before; the stored answer was sent.
    Duplicate,
    /// Another attempt is being handled now.
    InFlight,
    /// The same id came with another body.
    IdReuse,
    /// An identical message came under another id, and ids are not signed: a second event or a replay. The stored answer was
    /// sent; it counts as not handled until somebody has looked at it.
    SameBodyOtherId,
    /// De-duplication is off, and the same request came before: the handler ran again.
    Repeated,
    /// The lease had passed to another owner when the handler ended.
    Fenced,
    /// The store could not be asked.
    Unavailable,
    /// One that this version does not know: a later one wrote it.
    #[serde(skip_deserializing)]
    Other,
}

impl DedupResult {
    /// The stable name, e.g. `in_flight`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::New => "new",
            Self::Duplicate => "duplicate",
            Self::InFlight => "in_flight",
            Self::IdReuse => "id_reuse",
            Self::SameBodyOtherId => "same_body_other_id",
            Self::Repeated => "repeated",
            Self::Fenced => "fenced",
            Self::Unavailable => "unavailable",
            Self::Other => "other",
        }
    }
}

/// A named piece of the handler's work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The step's name, e.g. `create_profile`.
    pub name: String,
    /// When it ended, in microseconds after `received_at`.
    pub at_us: u64,
    /// How long it took, in microseconds, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<u64>,
    /// The error that ended it. A step with one was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
}

/// The bodies of an attempt, after redaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bodies {
    /// What the provider sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What the handler answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
}

/// Why a handler failed: a reason it gave, an error it raised, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What `failed(reason)` was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The error that left the handler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
}

/// An error that left a handler, after redaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorInfo {
    /// Its type, e.g. `IntegrityError`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its text, redacted and cut to 1,000 bytes.
    pub message: String,
    /// The same for errors of one cause: 16 hexadecimal digits.
    pub fingerprint: String,
}

/// What is told of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestInfo {
    /// The HTTP method.
    pub method: String,
    /// The path, with its query redacted.
    pub path: String,
    /// Headers of the allow-list, names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body's length in bytes.
    pub size: u64,
}

/// What is told of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseInfo {
    /// The body's length in bytes, where it was seen.
    pub size: u64,
}
