//! One request on its way from the verdict on its signature to a decision.

use std::sync::Arc;

use surehook_core::dedup::{Fingerprint, Guarded, MessageName};
use surehook_core::envelope::Envelope;
use surehook_core::handshake::{self, HandshakeAnswer};
use surehook_core::telemetry::attempt::DedupResult;
use surehook_core::verify::reference_time;
use surehook_core::{CustomVerdict, Incoming, Outcome, ReasonCode, Rejection, Timestamp, VerifiedMessage};

use super::{Checking, Decision, Hooks, Inner, KeyFunction, Memory};
use crate::admission::Begun;
use crate::answer::Answer;
use crate::arrival::{Body, Request};
use crate::candidate::Candidate;
use crate::delivery::{Delivery, Hold};
use crate::keyring::Keys;
use crate::notice::{self, Level};
use crate::record::{Record, Subject};
use crate::secret_function::NoKeys;

/// A request, and the record of it.
pub(super) struct Beginning<'e> {
    endpoint: &'e Arc<Inner>,
    request: &'e Request<'e>,
    record: Record,
}

impl<'e> Beginning<'e> {
    pub(super) fn new(endpoint: &'e Arc<Inner>, request: &'e Request<'e>, keys: Arc<Keys>, now: Timestamp) -> Self {
        Self { endpoint, request, record: endpoint.begin_record(request, keys, now) }
    }

    pub(super) fn decide(self, hooks: Hooks<'_>) -> Begun {
        let request = self.request;
        let keys = Arc::clone(&self.record.keys);
        let verifier = &keys.verifier;
        let refused = |code| verifier.refuse(code, request.headers);
        if matches!(self.endpoint.checking, Checking::Off) {
            return Begun::Now(self.let_through());
        }
        let body = match request.body {
            Body::Bytes(body) => body,
            Body::TooLarge => return Begun::Now(self.reject(refused(ReasonCode::BodyTooLarge))),
            Body::Unavailable | Body::Incomplete => {
                return Begun::Now(self.reject(refused(ReasonCode::BodyUnavailable)));
            }
        };
        let incoming = Incoming { method: request.method, path: request.path, headers: request.headers, body };
        let inflated = match verifier.inflated(&incoming) {
            Ok(inflated) => inflated,
            Err(rejection) => return Begun::Now(self.reject(rejection)),
        };
        let incoming = Incoming { body: inflated.as_deref().unwrap_or(body), ..incoming };
        let token = self.endpoint.verify_token.as_deref();
        if let Some(answer) = handshake::subscription(&incoming, self.endpoint.scheme.handshake.as_ref(), token) {
            return Begun::Now(self.shake_hands(Subject::default(), answer));
        }
        let now = reference_time(hooks.received_at, self.record.received_at(), self.endpoint.ttl);
        let verified = match self.endpoint.checking {
            Checking::Custom => {
                verifier.verify_by(&incoming, || hooks.verifier.map_or(CustomVerdict::Failed, |verify| verify()))
            }
            Checking::Off | Checking::Secrets(_) | Checking::Function(_) => verifier.verify_request(&incoming, now),
        };
        match verified {
            Ok(message) => {
                let message = match &keys.sender {
                    Some(sender) => message.from_sender(Some(sender.clone())),
                    None => message,
                };
                self.endpoint.diagnostician.learn(&message, now);
                self.admit(&incoming, &message, hooks.key)
            }
            Err(rejection) => {
                let diagnostician = &self.endpoint.diagnostician;
                let rejection = diagnostician.explain(self.endpoint, verifier, &incoming, rejection, now);
                Begun::Now(self.reject(rejection))
            }
        }
    }

    /// A verified message: a question of the provider, or an event; and has it been here before?
    fn admit(mut self, incoming: &Incoming<'_>, message: &VerifiedMessage<'_>, key: Option<KeyFunction<'_>>) -> Begun {
        self.record.capture_request(message.body());
        let subject = Subject::verified(message, self.endpoint.fields.read(incoming.headers, message.body()));
        if let Some(answer) = handshake::answer(message) {
            return Begun::Now(self.shake_hands(subject, answer));
        }
        self.record.tell(self.request);
        Begun::Now(match &self.endpoint.memory {
            Memory::Dedup(store) => {
                let user_key = key.and_then(|key| key(message)).filter(|key| !key.is_empty());
                let (store, signers) = (store.clone(), Arc::clone(self.endpoint.signers()));
                let sender = signers.sender_of(&self.record.keys.verifier, message, self.record.received_at());
                let name = MessageName::of(message, user_key.as_deref(), self.endpoint.on_unsigned_id);
                let fingerprint = match user_key {
                    Some(_) => Fingerprint::of_message(message).without_id(),
                    None => Fingerprint::of_message(message),
                };
                let (record, user_key) = (self.record, user_key.is_some());
                let candidate = Candidate { record, subject, store, signers, name, fingerprint, user_key };
                return candidate.begin(sender);
            }
            Memory::Guard(guard) => match guard.get().admit(message, self.record.received_at()) {
                Ok(Guarded::First(pass)) => {
                    self.handle(subject, Hold::Guard(Arc::clone(guard), pass), DedupResult::Off)
                }
                Ok(Guarded::Repeated) => self.handle(subject, Hold::Nothing, DedupResult::Repeated),
                Err(code) => self.reject(Rejection::new(code).with_claimed_message_id(message.message_id())),
            },
            Memory::None => self.handle(subject, Hold::Nothing, DedupResult::Off),
        })
    }

    /// The provider asked something; the handler has nothing to do with it.
    fn shake_hands(mut self, subject: Subject, answer: HandshakeAnswer) -> Decision {
        self.record.tell(self.request);
        self.answer(subject, Outcome::Ignored, DedupResult::Off, Answer::handshake(answer))
    }

    /// There is no secret to check with: nothing is let through, and nothing is remembered.
    pub(super) fn without_keys(self, fault: NoKeys) -> Decision {
        let refused = |code| self.endpoint.bare.verifier.refuse(code, self.request.headers);
        match fault {
            NoKeys::Unknown => {
                let rejection = refused(ReasonCode::SecretUnknown);
                self.reject(rejection)
            }
            NoKeys::Missing(error) => {
                let rejection = refused(ReasonCode::SecretMissing);
                self.endpoint.say_that_it_is_unconfigured(&error, self.record.received_at());
                self.unchecked(rejection.clone(), Answer::unconfigured(rejection))
            }
            NoKeys::Failed(fault) => {
                let (name, rejection) = (&self.endpoint.name, refused(ReasonCode::VerifierError));
                let text = format!("{name}: the function that gives its secrets {fault}: the request is answered 503");
                notice::give(Level::Error, text);
                self.unchecked(rejection.clone(), Answer::unchecked(rejection))
            }
        }
    }

    fn unchecked(mut self, rejection: Rejection, mut answer: Answer) -> Decision {
        self.record.tell(self.request);
        self.record.subject = Subject::rejected(&rejection);
        self.record.answered(Outcome::Unavailable, DedupResult::Off, &mut answer);
        Decision::Answer(answer)
    }

    /// Verification is off.
    fn let_through(mut self) -> Decision {
        self.record.tell(self.request);
        let envelope = match self.request.body {
            Body::Bytes(body) if body.len() > self.endpoint.max_body_bytes => {
                return self.reject(Rejection::new(ReasonCode::BodyTooLarge));
            }
            Body::Bytes(body) => {
                self.record.capture_request(body);
                self.endpoint.fields.read(self.request.headers, body)
            }
            Body::TooLarge => return self.reject(Rejection::new(ReasonCode::BodyTooLarge)),
            Body::Unavailable => Envelope::default(),
            // A part of a message is no message, whoever sent it.
            Body::Incomplete => return self.reject(Rejection::new(ReasonCode::BodyUnavailable)),
        };
        self.handle(Subject::unverified(envelope), Hold::Nothing, DedupResult::Off)
    }

    fn reject(mut self, rejection: Rejection) -> Decision {
        let endpoint = self.endpoint;
        endpoint.say(&rejection, self.record.received_at());
        let status = match rejection.code() {
            ReasonCode::BodyTooLarge => 413,
            _ => endpoint.reject_status,
        };
        self.record.subject = Subject::rejected(&rejection);
        let mut answer = Answer::reject(status, rejection);
        self.record.refused(self.request, &mut answer);
        Decision::Answer(answer)
    }

    fn answer(mut self, subject: Subject, outcome: Outcome, dedup: DedupResult, mut answer: Answer) -> Decision {
        self.record.subject = subject;
        self.record.answered(outcome, dedup, &mut answer);
        Decision::Answer(answer)
    }

    fn handle(mut self, subject: Subject, hold: Hold, dedup: DedupResult) -> Decision {
        self.record.subject = subject;
        Decision::Handle(Delivery::new(self.record, hold, dedup))
    }
}
