//! An endpoint: what one webhook route of an application does with a request before its handler.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use surehook_core::dedup::{DedupKey, Fingerprint, OnIdReuse, OwnerToken, ReplayGuard};
use surehook_core::envelope::{Envelope, EnvelopeFields};
use surehook_core::handshake::{self, HandshakeAnswer};
use surehook_core::scheme::Scheme;
use surehook_core::telemetry::attempt::DedupResult;
use surehook_core::telemetry::bodies::BodyFilter;
use surehook_core::telemetry::redact::Redactor;
use surehook_core::verify::DEFAULT_TOLERANCE;
use surehook_core::{
    ConfigError, CustomVerdict, Incoming, Outcome, ReasonCode, Rejection, Requirements, VerifiedMessage, Verifier,
};

use crate::admission::{Admission, Begun, Claimed};
use crate::answer::Answer;
use crate::arrival::{Arrival, Body, Request};
use crate::client::{self, Client};
use crate::clock::{Clock, SystemClock};
use crate::counts::{Counters, DedupCounts};
use crate::delivery::{Delivery, Hold};
use crate::diagnosis::{self, Diagnostician};
use crate::notice::{self, Level};
use crate::options::{EndpointOptions, OnInFlight, OnStoreError, Verification};
use crate::process::PerProcess;
use crate::record::{Record, Subject};
use crate::settings;
use crate::store::{DedupStore, NAMESPACE};
use crate::workers;

/// One webhook route: verifies, de-duplicates, and says what to do with each request.
///
/// ```
/// use surehook::{Body, Decision, Endpoint, EndpointOptions, Request};
///
/// let endpoint = Endpoint::new(EndpointOptions {
///     secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()],
///     ..EndpointOptions::new("clerk")
/// })
/// .unwrap();
///
/// let unsigned = Request { method: "POST", path: "/webhooks", headers: &[], body: Body::Bytes(b"{}") };
/// match endpoint.begin(unsigned) {
///     Decision::Answer(answer) => assert_eq!(answer.status, 401),
///     Decision::Handle(_) => unreachable!("nobody signed it"),
/// }
/// ```
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) scheme: Arc<Scheme>,
    pub(crate) requirements: Requirements,
    pub(crate) redactor: Redactor,
    pub(crate) bodies: Option<BodyFilter>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ttl: Duration,
    pub(crate) reject_status: u16,
    pub(crate) on_id_reuse: Option<OnIdReuse>,
    pub(crate) on_in_flight: OnInFlight,
    pub(crate) on_store_error: OnStoreError,
    pub(crate) counters: Counters,
    /// Whether handlers run inside of a transaction of the application's, which is asked before it ends.
    pub(crate) in_transaction: bool,
    /// Whether the host language makes a span of each delivery.
    pub(crate) traced: bool,
    verifier: Option<Verifier>,
    /// Whether a function of the user's verifies, in place of the scheme.
    custom: bool,
    verify_token: Option<String>,
    diagnostician: Diagnostician,
    max_body_bytes: usize,
    memory: Memory,
    fields: EnvelopeFields,
    warnings: Vec<String>,
    client: Option<Client>,
}

/// What an endpoint remembers of earlier requests.
pub(crate) enum Memory {
    /// Handled messages and their answers.
    Dedup(DedupStore),
    /// Only that a request was seen.
    Guard(Arc<PerProcess<ReplayGuard>>),
    /// Nothing: without verification nothing that a request says can be relied on.
    None,
}

/// What to do with a request.
pub enum Decision {
    /// Send this; the handler must not run.
    Answer(Answer),
    /// Run the handler, then [`Delivery::finish`] or [`Delivery::fail`].
    Handle(Delivery),
}

/// A user's function that names a message; it sees only what was verified.
pub type KeyFunction<'f> = &'f mut dyn FnMut(&VerifiedMessage<'_>) -> Option<String>;

/// The functions of the user that take part in one [`Endpoint::begin_with`].
#[derive(Default)]
pub struct Hooks<'f> {
    /// Names the message in place of the provider's id. It is called only after the signature passed; when it returns
    /// `None` or an empty text, the provider's id counts.
    pub key: Option<KeyFunction<'f>>,
    /// Verifies in place of the scheme, at endpoints with [`EndpointOptions::custom_verifier`]. It is not called for a body
    /// over the limit.
    pub verifier: Option<&'f mut dyn FnMut() -> CustomVerdict>,
}

impl Endpoint {
    /// Builds an endpoint.
    ///
    /// # Errors
    /// An unknown provider; a secret that is missing (the message names the environment variables), empty or unusable;
    /// an option outside of its range.
    pub fn new(options: EndpointOptions) -> Result<Self, ConfigError> {
        let scheme = settings::scheme_of(&options)?;
        let name = settings::endpoint_name(options.name.as_deref(), &scheme)?;
        let reject_status = settings::reject_status(options.reject_status)?;
        let on = options.verification == Verification::On;
        let checked = on && !options.custom_verifier;
        let secrets = if checked { settings::secrets(&options.secrets, &scheme)? } else { Vec::new() };
        let verifier = on.then(|| settings::verifier(&scheme, &secrets, &options)).transpose()?;
        let tolerance = verifier.as_ref().and_then(Verifier::tolerance).unwrap_or(DEFAULT_TOLERANCE);
        let ttl = settings::dedup_ttl(options.dedup_ttl, tolerance)?;
        settings::check_waiting(&options)?;
        let memory = if on {
            settings::memory(options.store.clone(), options.dedup.as_deref(), tolerance)?
        } else {
            Memory::None
        };
        let fields = settings::envelope_fields(&scheme, options.event_type_field.as_deref())?;
        let requirements = settings::requirements(&options)?;
        let warnings = settings::warnings(&name, verifier.as_ref(), &scheme, ttl, &memory);
        if matches!(&memory, Memory::Dedup(store) if !store.outlives_the_process()) {
            workers::warn_of_memory(options.workers);
        }
        let inner = Arc::new(Inner {
            max_body_bytes: options.max_body_bytes.unwrap_or(scheme.max_body_bytes),
            scheme,
            custom: options.custom_verifier,
            verify_token: options.verify_token,
            diagnostician: Diagnostician::default(),
            memory,
            fields,
            requirements,
            redactor: Redactor::new(&secrets),
            bodies: options.capture_body.as_ref().map(BodyFilter::new).transpose()?,
            clock: options.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            client: options.client,
            on_id_reuse: options.on_id_reuse,
            on_in_flight: options.on_in_flight,
            on_store_error: options.on_store_error,
            traced: options.traced,
            counters: Counters::default(),
            in_transaction: options.store.as_ref().is_some_and(DedupStore::is_application),
            name,
            ttl,
            verifier,
            reject_status,
            warnings,
        });
        diagnosis::register(&inner);
        Ok(Self(inner))
    }

    /// The endpoint's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The provider's name.
    pub fn provider(&self) -> &str {
        &self.0.scheme.provider
    }

    /// The most bytes of a body to read; beyond it hand in [`Body::TooLarge`].
    pub fn max_body_bytes(&self) -> usize {
        self.0.max_body_bytes
    }

    /// Whether [`begin_without_waiting`](Self::begin_without_waiting) and [`Delivery::finish_without_waiting`] ask nothing but
    /// the memory of this process, and so return at once. A file may keep them waiting.
    pub fn is_instant(&self) -> bool {
        self.0.is_instant()
    }

    /// What the owner should be told about the settings; also given as notices.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// How often each path of de-duplication was taken at this endpoint, in this process.
    pub fn dedup_counts(&self) -> DedupCounts {
        self.0.counters.read()
    }

    /// Says what to do with a request. Never panics. Waits for a store on the other side of a network, at most 250 ms, and
    /// with [`OnInFlight::Wait`] for another attempt; [`begin_without_waiting`](Self::begin_without_waiting) never does.
    pub fn begin(&self, request: Request<'_>) -> Decision {
        self.begin_with(request, Hooks::default())
    }

    /// The same, with functions of the user.
    pub fn begin_with(&self, request: Request<'_>, hooks: Hooks<'_>) -> Decision {
        self.begin_without_waiting(request, hooks).wait()
    }

    /// The same for a thread that others wait for, such as an event loop's: what takes time is left for later. An application with
    /// a [`DedupStore::application`] calls this one, and answers the question.
    pub fn begin_without_waiting(&self, request: Request<'_>, hooks: Hooks<'_>) -> Begun {
        let decided = catch_unwind(AssertUnwindSafe(|| Beginning::new(&self.0, &request).decide(hooks)));
        decided.unwrap_or_else(|_| Begun::Now(self.0.failed_check()))
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.0.name)
            .field("provider", &self.provider())
            .finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn verifier(&self) -> Option<&Verifier> {
        self.verifier.as_ref()
    }

    pub(crate) fn is_instant(&self) -> bool {
        match &self.memory {
            Memory::Dedup(store) => store.is_instant(),
            Memory::Guard(_) | Memory::None => true,
        }
    }

    /// Who sends this endpoint's telemetry, if anybody does.
    pub(crate) fn client(&self) -> Option<Client> {
        let client = self.client.clone().or_else(client::current);
        if client.is_none() {
            client::say_that_nothing_is_recorded();
        }
        client.filter(Client::is_on)
    }

    fn begin_record(self: &Arc<Self>, request: &Request<'_>) -> Record {
        let client = self.client();
        let arrival = Arrival::new(request, self.clock.now());
        Record::new(Arc::clone(self), client, arrival)
    }
}

/// One request on its way to a decision.
struct Beginning<'e> {
    endpoint: &'e Arc<Inner>,
    request: &'e Request<'e>,
    record: Record,
}

impl<'e> Beginning<'e> {
    fn new(endpoint: &'e Arc<Inner>, request: &'e Request<'e>) -> Self {
        Self { endpoint, request, record: endpoint.begin_record(request) }
    }

    fn decide(self, hooks: Hooks<'_>) -> Begun {
        let request = self.request;
        let Some(verifier) = &self.endpoint.verifier else { return Begun::Now(self.let_through()) };
        let refused = |code| verifier.refuse(code, request.headers);
        let body = match request.body {
            Body::Bytes(body) => body,
            Body::TooLarge => return Begun::Now(self.reject(refused(ReasonCode::BodyTooLarge))),
            Body::Unavailable | Body::Incomplete => {
                return Begun::Now(self.reject(refused(ReasonCode::BodyUnavailable)));
            }
        };
        let incoming = Incoming { method: request.method, path: request.path, headers: request.headers, body };
        let token = self.endpoint.verify_token.as_deref();
        if let Some(answer) = handshake::subscription(&incoming, self.endpoint.scheme.handshake.as_ref(), token) {
            return Begun::Now(self.shake_hands(Subject::default(), answer));
        }
        let now = self.record.received_at();
        let verified = match self.endpoint.custom {
            true => verifier.verify_by(&incoming, || hooks.verifier.map_or(CustomVerdict::Failed, |verify| verify())),
            false => verifier.verify_request(&incoming, now),
        };
        match verified {
            Ok(message) => {
                self.endpoint.diagnostician.learn(&message, now);
                self.admit(&incoming, &message, hooks.key)
            }
            Err(rejection) => {
                let diagnostician = &self.endpoint.diagnostician;
                let rejection = diagnostician.explain(Some(self.endpoint), verifier, &incoming, rejection, now);
                Begun::Now(self.reject(rejection))
            }
        }
    }

    /// A verified message: a question of the provider, or an event; and has it been here before?
    fn admit(mut self, incoming: &Incoming<'_>, message: &VerifiedMessage<'_>, key: Option<KeyFunction<'_>>) -> Begun {
        self.record.capture_request(message.body());
        let subject = Subject::verified(message, self.endpoint.fields.read(incoming.headers, message.body()));
        if let Some(answer) = self.endpoint.verifier().and_then(|verifier| handshake::answer(verifier, message)) {
            return Begun::Now(self.shake_hands(subject, answer));
        }
        self.record.tell(self.request);
        Begun::Now(match &self.endpoint.memory {
            Memory::Dedup(store) => {
                let user_key = key.and_then(|key| key(message)).filter(|key| !key.is_empty());
                let key = DedupKey::of(NAMESPACE, &self.endpoint.name, message, user_key.as_deref());
                let claimed = Claimed { store: store.clone(), key, owner: OwnerToken::new(random()) };
                let (fingerprint, user_key) = (Fingerprint::of(message.body()), user_key.is_some());
                return Admission { record: self.record, subject, claimed, fingerprint, user_key }.begin();
            }
            Memory::Guard(guard) => match guard.get().admit(message, self.record.received_at()) {
                Ok(pass) => self.handle(subject, Hold::Guard(Arc::clone(guard), pass), DedupResult::Off),
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
        notice::give(
            Level::Warning,
            format!("{}: rejected a request: {rejection} See {}", endpoint.name, rejection.docs()),
        );
        let status = match rejection.code() {
            ReasonCode::BodyTooLarge => 413,
            _ => endpoint.reject_status,
        };
        self.record.tell(self.request);
        self.record.subject = Subject::rejected(&rejection);
        let mut answer = Answer::reject(status, rejection);
        self.record.answered(Outcome::Rejected, DedupResult::Off, &mut answer);
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

fn random() -> u128 {
    uuid::Uuid::new_v4().as_u128()
}
