//! From a request and what became of it to the record of the attempt.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value};
use surehook_core::dedup::{DedupKey, Store};
use surehook_core::diagnose::Certainty;
use surehook_core::envelope::Envelope;
use surehook_core::telemetry::attempt::{
    Attempt, Bodies, Dedup, DedupResult, Failure, ResponseInfo, Step, Verification, VerificationResult,
};
use surehook_core::telemetry::redact::Redactor;
use surehook_core::telemetry::refusals::{Kind, Shape};
use surehook_core::{Diagnosis, Outcome, ReasonCode, Rejection, Timestamp, VerifiedMessage};
use uuid::{NoContext, Uuid};

use crate::answer::Answer;
use crate::arrival::{Arrival, Request};
use crate::client::Client;
use crate::endpoint::Inner;
use crate::handler::HandlerError;
use crate::keyring::Keys;
use crate::span::{self, Attribute};
use crate::store::DedupStore;

/// What a request is about, as far as it could be trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    pub(crate) verification: Option<VerificationResult>,
    pub(crate) code: Option<ReasonCode>,
    pub(crate) diagnosis: Option<Diagnosis>,
    pub(crate) message_id: Option<String>,
    /// Who sent it, where the function that gave the secret says so.
    pub(crate) sender: Option<String>,
    pub(crate) envelope: Envelope,
    pub(crate) provider_timestamp: Option<Timestamp>,
}

impl Subject {
    pub(crate) fn verified(message: &VerifiedMessage<'_>, envelope: Envelope) -> Self {
        Self {
            verification: Some(VerificationResult::Verified),
            code: None,
            diagnosis: None,
            message_id: Some(message.message_id().to_owned()),
            sender: message.sender().map(str::to_owned),
            envelope,
            provider_timestamp: message.timestamp(),
        }
    }

    pub(crate) fn unverified(envelope: Envelope) -> Self {
        Self { verification: Some(VerificationResult::Unverified), envelope, ..Self::default() }
    }

    pub(crate) fn rejected(rejection: &Rejection) -> Self {
        Self {
            verification: Some(VerificationResult::Rejected),
            code: Some(rejection.code()),
            diagnosis: rejection.diagnosis().cloned(),
            message_id: rejection.claimed_message_id().map(str::to_owned),
            ..Self::default()
        }
    }

    /// The message's id, for a line of a log.
    pub(crate) fn id_for_log(&self) -> &str {
        self.message_id.as_deref().unwrap_or("without an id")
    }
}

/// The record of one attempt in the making.
pub(crate) struct Record {
    pub(crate) endpoint: Arc<Inner>,
    /// What the request was checked with.
    pub(crate) keys: Arc<Keys>,
    pub(crate) subject: Subject,
    /// The store that was asked, if one was.
    pub(crate) dedup_store: Option<DedupStore>,
    /// The message's key in it.
    pub(crate) dedup_key: Option<DedupKey>,
    pub(crate) client: Option<Client>,
    /// The attempt's id, where somebody asked for it before its end.
    id: OnceLock<Uuid>,
    /// Where a trace finds what the attempt came to; `None` where none asks.
    verdict: Option<Arc<OnceLock<Verdict>>>,
    bodies: Bodies,
    arrival: Arrival,
}

/// What an attempt came to, for a trace.
pub(crate) struct Verdict {
    outcome: Outcome,
    /// The type of the error that ended the handler.
    error: Option<String>,
}

impl Verdict {
    /// What a trace says of it.
    pub(crate) fn attributes(&self) -> Vec<Attribute> {
        span::end(self.outcome, self.error.as_deref())
    }
}

/// How an attempt ended.
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    pub(crate) dedup: DedupResult,
    pub(crate) status: Option<u16>,
    pub(crate) response_size: Option<u64>,
    /// The sender closed the connection before it was answered.
    pub(crate) sender_left: bool,
    /// By when deferred work is to be marked; it counts where the outcome is still that.
    pub(crate) deferred_until: Option<Timestamp>,
    pub(crate) steps: Vec<Step>,
    pub(crate) missing_steps: Vec<String>,
    pub(crate) failure: Option<Failure>,
    pub(crate) metadata: Map<String, Value>,
}

impl Record {
    pub(crate) fn new(endpoint: Arc<Inner>, keys: Arc<Keys>, client: Option<Client>, arrival: Arrival) -> Self {
        let (subject, bodies) = (Subject::default(), Bodies::default());
        Self {
            endpoint,
            keys,
            subject,
            dedup_store: None,
            dedup_key: None,
            client,
            id: OnceLock::new(),
            verdict: None,
            bodies,
            arrival,
        }
    }

    /// It knows the secrets that the request was checked with.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.keys.redactor
    }

    /// The attempt's id.
    pub(crate) fn id(&self) -> Uuid {
        *self.id.get_or_init(|| attempt_id(self.arrival.received_at))
    }

    pub(crate) fn received_at(&self) -> Timestamp {
        self.arrival.received_at
    }

    /// Microseconds since the request came.
    pub(crate) fn elapsed_us(&self) -> u64 {
        self.arrival.elapsed_us()
    }

    /// Its handler starts.
    pub(crate) fn begin(&self, dedup: DedupResult) {
        if let Some(client) = &self.client {
            client.begin(|| self.never_finished(dedup));
        }
    }

    /// What is told of the attempt if its process ends before its handler does.
    fn never_finished(&self, dedup: DedupResult) -> Attempt {
        let error = self.redactor().error("NeverFinished", "the process ended while the handler ran", None);
        let copy = Self {
            endpoint: Arc::clone(&self.endpoint),
            keys: Arc::clone(&self.keys),
            subject: self.subject.clone(),
            dedup_store: self.dedup_store.clone(),
            dedup_key: self.dedup_key,
            client: self.client.clone(),
            id: OnceLock::from(self.id()),
            verdict: None,
            bodies: Bodies::default(),
            arrival: self.arrival.clone(),
        };
        copy.attempt(Ending {
            outcome: Outcome::Failed,
            dedup,
            status: None,
            response_size: None,
            sender_left: false,
            deferred_until: None,
            steps: Vec::new(),
            missing_steps: Vec::new(),
            failure: Some(Failure { reason: None, error: Some(error) }),
            metadata: Map::new(),
        })
    }

    /// Keeps what may be told of the request, once there is a verdict on it; nothing where nobody is told.
    pub(crate) fn tell(&mut self, request: &Request<'_>) {
        if self.client.is_some() {
            self.arrival.tell(request, &self.keys.redactor);
        }
    }

    /// A label as it is told.
    pub(crate) fn label(&self, label: &str) -> String {
        let key = self.client.as_ref().map_or(&[][..], Client::label_key);
        self.keys.redactor.label(label, key)
    }

    /// Keeps what may be told of the request's body, where bodies are captured.
    pub(crate) fn capture_request(&mut self, body: &[u8]) {
        self.bodies.request = self.told(body);
    }

    /// Keeps what may be told of the answer's body, where bodies are captured.
    pub(crate) fn capture_response(&mut self, body: &[u8]) {
        self.bodies.response = self.told(body);
    }

    /// Where a trace will find what the attempt came to; `None` where none asks.
    pub(crate) fn verdict(&mut self) -> Option<Arc<OnceLock<Verdict>>> {
        self.verdict = self.endpoint.traced.then(Arc::default);
        self.verdict.clone()
    }

    /// What a trace says of the attempt so far; empty where none asks.
    pub(crate) fn attributes(&self, dedup: DedupResult) -> Vec<Attribute> {
        match self.endpoint.traced {
            true => span::start(&self.endpoint, &self.subject, dedup, self.arrival.request.size),
            false => Vec::new(),
        }
    }

    fn told(&self, body: &[u8]) -> Option<String> {
        let filter = self.endpoint.bodies.as_ref().filter(|_| self.client.is_some())?;
        filter.told(body, self.redactor())
    }

    /// Sends the record of an attempt that Surehook answered itself, and gives the answer what a trace says of it.
    pub(crate) fn answered(self, outcome: Outcome, dedup: DedupResult, answer: &mut Answer) {
        let ending = self.ending_of(outcome, dedup, answer);
        self.send(ending);
    }

    /// The same for a request that was refused. Most of these are only counted, so nothing is told of one before it is known
    /// that it is.
    pub(crate) fn refused(mut self, request: &Request<'_>, answer: &mut Answer) {
        let ending = self.ending_of(Outcome::Rejected, DedupResult::Off, answer);
        self.note(&ending);
        let (Some(client), Some(code)) = (self.client.clone(), self.subject.code) else { return };
        let diagnosis = self.subject.diagnosis.as_ref();
        let kind = Kind {
            endpoint: self.endpoint.name.clone(),
            provider: self.endpoint.scheme.provider.clone(),
            code,
            finding: diagnosis.map(|diagnosis| diagnosis.finding),
            shape: if self.subject.message_id.is_some() { Shape::Named } else { Shape::Nameless },
        };
        let proved = diagnosis.is_some_and(|diagnosis| diagnosis.certainty == Certainty::Proved);
        client.refuse(kind, proved, || {
            self.tell(request);
            self.attempt(ending)
        });
    }

    /// How an attempt ended that Surehook answered itself; gives the answer what a trace says of it.
    fn ending_of(&self, outcome: Outcome, dedup: DedupResult, answer: &mut Answer) -> Ending {
        answer.attributes = self.attributes(dedup);
        if !answer.attributes.is_empty() {
            let code = self.subject.code.map(ReasonCode::as_str);
            answer.attributes.extend(span::end(outcome, code));
        }
        Ending {
            outcome,
            dedup,
            status: Some(answer.status),
            response_size: Some(answer.body.len() as u64),
            sender_left: self.arrival.broken_off,
            deferred_until: None,
            steps: Vec::new(),
            missing_steps: Vec::new(),
            failure: None,
            metadata: Map::new(),
        }
    }

    /// Counts the attempt, and queues its record where telemetry is on.
    pub(crate) fn send(self, ending: Ending) {
        self.note(&ending);
        if let Some(client) = self.client.clone() {
            client.record(self.attempt(ending));
        }
    }

    /// Counts the attempt, and says what it came to.
    fn note(&self, ending: &Ending) {
        self.endpoint.counters.count(ending.dedup, ending.outcome);
        if let Some(verdict) = &self.verdict {
            let error = ending.failure.as_ref().and_then(|failure| failure.error.as_ref());
            // An attempt is sent once.
            let _ = verdict.set(Verdict { outcome: ending.outcome, error: error.map(|error| error.kind.clone()) });
        }
    }

    fn attempt(self, ending: Ending) -> Attempt {
        Attempt {
            id: self.id(),
            continues: None,
            endpoint: self.endpoint.name.clone(),
            provider: self.endpoint.scheme.provider.clone(),
            message_id: self.subject.message_id.as_deref().map(|id| self.label(id)),
            event_type: self.subject.envelope.event_type.as_deref().map(|event_type| self.label(event_type)),
            entity_id: self.subject.envelope.entity_id.as_deref().map(|id| self.label(id)),
            received_at: self.arrival.received_at,
            provider_timestamp: self.subject.provider_timestamp,
            duration_us: self.arrival.elapsed_us(),
            status: ending.status,
            outcome: ending.outcome,
            sender_left: ending.sender_left,
            deferred_until: ending.deferred_until.filter(|_| ending.outcome == Outcome::Deferred),
            verification: Verification {
                result: self.subject.verification.unwrap_or(VerificationResult::Unverified),
                code: self.subject.code,
                diagnosis: self.subject.diagnosis,
            },
            dedup: Dedup {
                result: ending.dedup,
                store: self.dedup_store.map(|store| store.kind().to_owned()),
                key: self.dedup_key.map(|key| key.to_string()),
            },
            steps: ending.steps,
            missing_steps: ending.missing_steps,
            failure: ending.failure,
            request: self.arrival.request,
            response: ending.response_size.map(|size| ResponseInfo { size }),
            bodies: Some(self.bodies).filter(|bodies| *bodies != Bodies::default()),
            metadata: ending.metadata,
        }
    }
}

/// A step that ended just now.
pub(crate) fn step(
    redactor: &Redactor,
    name: &str,
    at_us: u64,
    duration: Duration,
    error: Option<HandlerError<'_>>,
) -> Step {
    let error = error.map(|error| redactor.error(error.error_type, error.message, error.location));
    let duration_us = u64::try_from(duration.as_micros()).ok();
    Step { name: redactor.step(name), at_us, duration_us, error }
}

/// A UUIDv7 of a moment.
pub(crate) fn attempt_id(at: Timestamp) -> Uuid {
    let micros = u64::try_from(at.unix_micros()).unwrap_or(0);
    let nanos = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, micros / 1_000_000, nanos))
}
