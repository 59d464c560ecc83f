//! Deferred work: what a process says that does the work of a delivery after its answer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use surehook_core::marks::{Mark, Marks};
use surehook_core::outcome::judge_deferred;
use surehook_core::telemetry::attempt::{Attempt, Dedup, DedupResult, Failure, RequestInfo, Verification};
use surehook_core::telemetry::bodies;
use surehook_core::telemetry::deferral::Deferral;
use surehook_core::telemetry::redact::Redactor;
use surehook_core::{ConfigError, Timestamp};

use crate::client::{self, Client};
use crate::clock::{Clock, SystemClock};
use crate::delivery::guarded;
use crate::handler::HandlerError;
use crate::record::attempt_id;

/// The shortest and the longest time for which work may be deferred.
const DEADLINES: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 3600);

/// The work of a delivery that its handler deferred, taken up from the token of [`Delivery::defer`](crate::Delivery::defer),
/// in any process and without an endpoint there.
///
/// Ends with the first of [`processed`](Self::processed), [`failed`](Self::failed) and [`fail`](Self::fail). Dropped before, it
/// says nothing: work that crashed and is tried again may still be done by its deadline.
///
/// ```
/// # let _ = surehook::init(surehook::ClientOptions::default());
/// # let token = surehook::core::telemetry::deferral::Deferral {
/// #     attempt: uuid::Uuid::from_u128(1), endpoint: "clerk".into(), provider: "clerk".into(), message_id: None,
/// #     event_type: Some("user.created".into()), entity_id: None,
/// #     verification: surehook::core::telemetry::attempt::VerificationResult::Verified,
/// #     deadline: surehook::core::Timestamp::from_unix_seconds(1), missing_steps: vec![],
/// # }.token();
/// let work = surehook::Deferred::open(&token).unwrap();
/// assert_eq!(work.event_type(), Some("user.created"));
/// work.step("send_welcome");
/// work.processed();
/// ```
pub struct Deferred {
    deferral: Deferral,
    redactor: Redactor,
    client: Option<Client>,
    taken_up: Timestamp,
    since: Instant,
    open: Mutex<Option<Open>>,
}

#[derive(Default)]
struct Open {
    marks: Marks,
    metadata: Map<String, Value>,
    failure: Option<Failure>,
}

impl Deferred {
    /// Takes up the work of a token; the process-wide client of [`init`](crate::init) sends what becomes of it.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when the text is no token.
    pub fn open(token: &str) -> Result<Self, ConfigError> {
        let client = client::current();
        if client.is_none() {
            client::say_that_nothing_is_recorded();
        }
        Self::new(token, client)
    }

    /// The same with a client of its own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(token: &str, client: Client) -> Result<Self, ConfigError> {
        Self::new(token, Some(client))
    }

    fn new(token: &str, client: Option<Client>) -> Result<Self, ConfigError> {
        Ok(Self {
            deferral: Deferral::read(token)?,
            redactor: Redactor::new::<&str>(&[]),
            client: client.filter(Client::is_on),
            taken_up: SystemClock.now(),
            since: Instant::now(),
            open: Mutex::new(Some(Open::default())),
        })
    }

    /// The provider's id of the message.
    pub fn message_id(&self) -> Option<&str> {
        self.deferral.message_id.as_deref()
    }

    /// The event type.
    pub fn event_type(&self) -> Option<&str> {
        self.deferral.event_type.as_deref()
    }

    /// The id of what the event is about.
    pub fn entity_id(&self) -> Option<&str> {
        self.deferral.entity_id.as_deref()
    }

    /// Records that a named piece of the work is done.
    pub fn step(&self, name: &str) {
        let (name, at_us) = (self.redactor.step(name), self.elapsed_us());
        if let Some(open) = self.lock().as_mut() {
            open.marks.step(&name, at_us);
        }
    }

    /// What [`step`](Self::step) was just told has only begun: it counts when [`step_ended`](Self::step_ended) says so.
    pub fn step_begun(&self, name: &str) {
        if let Some(open) = self.lock().as_mut() {
            open.marks.begun(&self.redactor.step(name));
        }
    }

    /// Records that a named piece of the work ended just now, after `duration`. One that ended with an error was not done.
    pub fn step_ended(&self, name: &str, duration: Duration, error: Option<HandlerError<'_>>) {
        let step = crate::record::step(&self.redactor, name, self.elapsed_us(), duration, error);
        if let Some(open) = self.lock().as_mut() {
            open.marks.record(step);
        }
    }

    /// Says that the work is done: with required steps missing, it is a silent drop that names them.
    pub fn processed(&self) {
        self.end(|open, _| open.marks.processed());
    }

    /// Says that the work could not be done.
    pub fn failed(&self, reason: &str) {
        self.failed_with(reason, Map::new());
    }

    /// The same, with values that help to understand why. They are redacted, and told up to 8 KiB.
    pub fn failed_with(&self, reason: &str, details: Map<String, Value>) {
        self.end(|open, redactor| {
            open.metadata = bodies::metadata(details, redactor);
            open.marks.failed(&redactor.message(reason));
        });
    }

    /// Says that the work ended with an error.
    pub fn fail(&self, error: HandlerError<'_>) {
        self.end(|open, redactor| {
            let error = redactor.error(error.error_type, error.message, error.location);
            open.failure = Some(Failure { reason: None, error: Some(error) });
            open.marks.failed("");
        });
    }

    fn end(&self, mark: impl FnOnce(&mut Open, &Redactor)) {
        let Some(mut open) = self.lock().take() else { return };
        guarded(self.client.as_ref(), || {
            mark(&mut open, &self.redactor);
            self.send(open);
        });
    }

    fn send(&self, open: Open) {
        let Some(client) = &self.client else { return };
        let judgement = judge_deferred(&open.marks, &self.deferral.missing_steps);
        let reason = match open.marks.mark() {
            Some(Mark::Failed { reason }) => Some(reason.clone()),
            _ => None,
        };
        let Deferral { attempt, endpoint, provider, message_id, event_type, entity_id, verification, .. } =
            self.deferral.clone();
        client.record(Attempt {
            id: attempt_id(self.taken_up),
            continues: Some(attempt),
            endpoint,
            provider,
            message_id,
            event_type,
            entity_id,
            received_at: self.taken_up,
            provider_timestamp: None,
            duration_us: self.elapsed_us(),
            status: None,
            outcome: judgement.outcome,
            sender_left: false,
            deferred_until: None,
            verification: Verification { result: verification, code: None, diagnosis: None },
            dedup: Dedup { result: DedupResult::Off, store: None, key: None },
            steps: open.marks.into_steps(),
            missing_steps: judgement.missing_steps,
            failure: open.failure.or_else(|| reason.map(|reason| Failure { reason: Some(reason), error: None })),
            request: RequestInfo::default(),
            response: None,
            bodies: None,
            metadata: open.metadata,
        });
    }

    fn elapsed_us(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Deferred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deferred").field("message_id", &self.message_id()).finish_non_exhaustive()
    }
}

/// By when work that is deferred at `now` is to be marked.
pub(crate) fn deadline(now: Timestamp, after: Duration) -> Result<Timestamp, ConfigError> {
    match DEADLINES.contains(&after) {
        true => Ok(now + after),
        false => Err(ConfigError::invalid_option("deadline", "it must be 1 second to 7 days")),
    }
}
