//! A delivery: one attempt while its handler runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value};
use surehook_core::dedup::{ReplayGuard, ReplayPass, STORED_BODY_LIMIT, StoredBody, StoredResponse};
use surehook_core::marks::{Mark, Marks};
use surehook_core::outcome::{HandlerEnd, Judgement, judge};
use surehook_core::telemetry::attempt::{DedupResult, DropReason, ErrorInfo, Failure, VerificationResult};
use surehook_core::telemetry::bodies;
use surehook_core::telemetry::deferral::Deferral;
use surehook_core::{ConfigError, HeaderPairs, Timestamp};

use crate::admission::Claimed;
use crate::answer::Answer;
use crate::client::Client;
use crate::clock::{Clock as _, SystemClock};
use crate::deferred;
use crate::handler::{ErrorKind, HandlerError, Response, ResponseBody};
use crate::lease::Lease;
use crate::notice::{self, Level};
use crate::overdue::{self, Slot, Taken};
use crate::process::PerProcess;
use crate::question::Asked;
use crate::record::{Ending, Record, Subject, Verdict};
use crate::settlement::{Ended, PendingEnd, Settlement, release};
use crate::span::Attribute;
use crate::transaction::{Settled, Work};

/// The right to run the handler for one message, and the place to say how that went.
///
/// Ends with [`finish`](Self::finish) or [`fail`](Self::fail); what comes after is ignored. Dropped without either, or open for
/// 15 minutes, the message counts as failed and the provider's retry runs the handler again.
#[must_use = "a delivery that is dropped counts as failed"]
pub struct Delivery {
    subject: Subject,
    slot: Arc<Slot>,
    /// Whether the handler runs inside of a transaction of the application's.
    in_transaction: bool,
    /// Where a trace finds what it came to; `None` where none asks.
    verdict: Option<Arc<OnceLock<Verdict>>>,
}

/// A delivery that has not ended.
pub(crate) struct Open {
    record: Record,
    hold: Hold,
    dedup: DedupResult,
    marks: Marks,
    metadata: Map<String, Value>,
    /// The sender closed the connection.
    sender_left: bool,
    /// When the handler began.
    since: Timestamp,
    /// By when deferred work is to be marked.
    deferred_until: Option<Timestamp>,
    /// The headers of the answer that were there before the handler.
    earlier_headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A delivery that has ended, before its claim is settled.
struct Closed {
    record: Record,
    hold: Hold,
    ending: Ending,
}

/// What is kept for a message while its handler runs.
pub(crate) enum Hold {
    /// In a store that outlives the process, with a lease that is renewed.
    Claim(Claimed, Option<Lease>),
    Guard(Arc<PerProcess<ReplayGuard>>, ReplayPass),
    Nothing,
}

impl Delivery {
    pub(crate) fn new(mut record: Record, hold: Hold, dedup: DedupResult) -> Self {
        let (subject, verdict, endpoint) = (record.subject.clone(), record.verdict(), Arc::clone(&record.endpoint));
        let open = Open {
            record,
            hold,
            dedup,
            marks: Marks::default(),
            metadata: Map::new(),
            sender_left: false,
            since: endpoint.clock.now(),
            deferred_until: None,
            earlier_headers: Vec::new(),
        };
        open.record.begin(dedup);
        let slot = Arc::new(Slot::new(Box::new(open)));
        overdue::watch(&slot);
        Self { subject, slot, in_transaction: endpoint.in_transaction, verdict }
    }

    /// The provider's id of the message; absent only where verification is off.
    pub fn message_id(&self) -> Option<&str> {
        self.subject.message_id.as_deref()
    }

    /// Who sent it, where the function that gave the secret named somebody.
    pub fn sender(&self) -> Option<&str> {
        self.subject.sender.as_deref()
    }

    /// The event type, e.g. `user.created`, where the body names one.
    pub fn event_type(&self) -> Option<&str> {
        self.subject.envelope.event_type.as_deref()
    }

    /// The id of what the event is about, where the body names one.
    pub fn entity_id(&self) -> Option<&str> {
        self.subject.envelope.entity_id.as_deref()
    }

    /// What the form holds that the provider sent, as JSON; `None` where the body is no form.
    pub fn form(&self) -> Option<&str> {
        self.subject.envelope.form.as_deref()
    }

    /// When the provider signed this attempt.
    pub fn provider_timestamp(&self) -> Option<Timestamp> {
        self.subject.provider_timestamp
    }

    /// What a trace says of the delivery so far: at first what is known of the request, after the end what became of it. Empty
    /// in between, while a store or a transaction is asked, and where the endpoint is not
    /// [`traced`](crate::EndpointOptions::traced).
    pub fn attributes(&self) -> Vec<Attribute> {
        match self.verdict.as_ref().and_then(|verdict| verdict.get()) {
            Some(verdict) => verdict.attributes(),
            None => self.slot.peek(|open| open.record.attributes(open.dedup)).unwrap_or_default(),
        }
    }

    /// Records that a named piece of the handler's work is done.
    pub fn step(&self, name: &str) {
        self.slot.peek(|open| {
            let (name, at_us) = (open.record.redactor().step(name), open.record.elapsed_us());
            open.marks.step(&name, at_us);
        });
    }

    /// What [`step`](Self::step) was just told has only begun: it counts when [`step_ended`](Self::step_ended) says so. For hosts
    /// in which one call is both, a statement and the head of a block.
    pub fn step_begun(&self, name: &str) {
        self.slot.peek(|open| {
            let name = open.record.redactor().step(name);
            open.marks.begun(&name);
        });
    }

    /// Records that a named piece of the handler's work ended just now, after `duration`. One that ended with an error was
    /// not done.
    pub fn step_ended(&self, name: &str, duration: Duration, error: Option<HandlerError<'_>>) {
        self.slot.peek(|open| {
            let at_us = open.record.elapsed_us();
            let step = crate::record::step(open.record.redactor(), name, at_us, duration, error);
            open.marks.record(step);
        });
    }

    /// Marks the message as processed. The first mark counts.
    pub fn processed(&self) {
        self.slot.peek(|open| open.marks.processed());
    }

    /// Marks the message as failed, whatever the answer: the provider's retry runs the handler again if the answer makes
    /// it retry. The first mark counts.
    pub fn failed(&self, reason: &str) {
        self.slot.peek(|open| {
            let reason = open.record.redactor().message(reason);
            open.marks.failed(&reason);
        });
    }

    /// The same, with values that help to understand why. They are redacted, and told up to 8 KiB.
    pub fn failed_with(&self, reason: &str, details: Map<String, Value>) {
        self.slot.peek(|open| {
            if open.marks.mark().is_none() {
                open.metadata = bodies::metadata(details, open.record.redactor());
            }
        });
        self.failed(reason);
    }

    /// Says that the work goes on after the answer, and returns the token by which another process takes it up with
    /// [`Deferred::open`](crate::Deferred::open). Not marked there within `deadline`, 1 s to 7 days, it is a silent drop. The first
    /// mark counts. Steps that are done here are to be told before.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when the deadline is out of its range, or the delivery has ended.
    pub fn defer(&self, deadline: Duration) -> Result<String, ConfigError> {
        let deferred = self.slot.peek(|open| {
            let deadline = deferred::deadline(SystemClock.now(), deadline)?;
            Ok(open.defer(&self.subject, deadline))
        });
        deferred.unwrap_or_else(|| {
            let fault = "the delivery has ended: it is to be deferred before the handler answers";
            Err(ConfigError::invalid_option("defer", fault))
        })
    }

    /// Says that the sender closed the connection. The delivery stays open: the handler runs on, and how it ends is what counts.
    /// The record says that nobody got the answer.
    pub fn sender_left(&self) {
        self.slot.peek(|open| open.sender_left = true);
    }

    /// Tells which headers the answer has already, before the handler: what did not come from it is not stored for duplicates.
    pub fn earlier_headers(&self, headers: HeaderPairs<'_>) {
        self.slot.peek(|open| {
            open.earlier_headers = headers.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        });
    }

    /// Whether [`finish`](Self::finish) returns at once: see [`Endpoint::is_instant`](crate::Endpoint::is_instant).
    pub fn is_instant(&self) -> bool {
        self.slot.peek(|open| open.record.endpoint.is_instant()).unwrap_or(true)
    }

    /// Ends the delivery with the handler's answer. `Some`: send this one instead. Waits for a store on the other side of a
    /// network, at most 250 ms; [`finish_without_waiting`](Self::finish_without_waiting) never does.
    pub fn finish(&self, response: Response<'_>) -> Option<Answer> {
        self.finish_without_waiting(response).wait()
    }

    /// The same for a thread that others wait for, such as an event loop's: what takes time is left for later. In a transaction of
    /// the application's, for a [`DedupStore::application`](crate::DedupStore::application), it is called before that ends.
    pub fn finish_without_waiting(&self, response: Response<'_>) -> Ended {
        let open = match self.slot.take() {
            Taken::Open(open) => open,
            // Its message may have passed to another attempt by now.
            Taken::Overdue if self.in_transaction => return Ended::Transaction(Asked::Done(Settled::undone())),
            Taken::Overdue | Taken::Ended => return Ended::Now(None),
        };
        let client = open.record.client.clone();
        let ended = guarded(client.as_ref(), move || open.finish(response));
        ended.unwrap_or_else(|| match self.in_transaction {
            true => Ended::Transaction(Asked::Done(Settled::undone())),
            false => Ended::Now(None),
        })
    }

    /// Ends the delivery with an error; the framework's own answer to it stays as it is. Never waits for a network. A claim in the
    /// application's own database lapses with its lease; [`fail_without_waiting`](Self::fail_without_waiting) gives it back.
    pub fn fail(&self, error: HandlerError<'_>) {
        drop(self.fail_without_waiting(error));
    }

    /// The same for a delivery in a transaction of the application's: once that is rolled back, the question gives the claim
    /// back.
    pub fn fail_without_waiting(&self, error: HandlerError<'_>) -> Asked<()> {
        match self.slot.take() {
            Taken::Open(open) => open.fail_guarded(error),
            Taken::Overdue | Taken::Ended => Asked::Done(()),
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.fail(HandlerError {
            kind: ErrorKind::Cancelled,
            error_type: "Abandoned",
            message: "the handler ended without an answer",
            location: None,
        });
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("message_id", &self.message_id()).finish_non_exhaustive()
    }
}

impl Open {
    fn defer(&mut self, subject: &Subject, deadline: Timestamp) -> String {
        self.marks.deferred();
        let deadline = *self.deferred_until.get_or_insert(deadline);
        let endpoint = &self.record.endpoint;
        let event_type = subject.envelope.event_type.clone();
        let label = |label: &Option<String>| label.as_deref().map(|label| self.record.label(label));
        let deferral = Deferral {
            attempt: self.record.id(),
            endpoint: endpoint.name.clone(),
            provider: endpoint.scheme.provider.clone(),
            message_id: label(&subject.message_id),
            entity_id: label(&subject.envelope.entity_id),
            verification: subject.verification.unwrap_or(VerificationResult::Unverified),
            deadline,
            missing_steps: endpoint.requirements.missing_steps(&self.marks, event_type.as_deref()),
            event_type: label(&event_type),
        };
        deferral.token()
    }

    fn finish(mut self, response: Response<'_>) -> Ended {
        let (body, size) = match response.body {
            ResponseBody::Bytes(bytes) => (Some(bytes), Some(bytes.len() as u64)),
            ResponseBody::NotCaptured => (None, None),
        };
        body.inspect(|body| self.record.capture_response(body));
        let judgement = self.judge(HandlerEnd::Answered { status: response.status });
        let replacement = judgement.answer_override.map(Answer::silent_drop);
        let kept = judgement.store_response.then(|| self.stored(&response, body));
        if let Some(StoredBody::Omitted) = kept.as_ref().map(StoredResponse::body) {
            self.say_that_a_body_is_omitted(size);
        }
        let status = replacement.as_ref().map_or(response.status, |answer| answer.status);
        let ended = self.end(judgement, Some(status), size, None);
        if ended.record.endpoint.in_transaction {
            return Ended::Transaction(ended.into_work().settle(kept, replacement));
        }
        match ended.settle(kept) {
            Some(settlement) => Ended::Later(PendingEnd { settlement: Box::new(settlement), replacement }),
            None => Ended::Now(replacement),
        }
    }

    pub(crate) fn endpoint_name(&self) -> &str {
        &self.record.endpoint.name
    }

    /// Whether the handler has run for so long, by the clock or by the time that really passed: a clock may be set back.
    pub(crate) fn is_overdue(&self, limit: Duration) -> bool {
        self.record.endpoint.clock.now() >= self.since + limit || self.record.elapsed_us() >= limit.as_micros() as u64
    }

    /// Ends it with an error; a fault of ours is counted.
    pub(crate) fn fail_guarded(self: Box<Self>, error: HandlerError<'_>) -> Asked<()> {
        let client = self.record.client.clone();
        guarded(client.as_ref(), move || self.fail(error)).unwrap_or(Asked::Done(()))
    }

    /// What is kept of the answer for duplicates.
    fn stored(&self, response: &Response<'_>, body: Option<&[u8]>) -> StoredResponse {
        let before: Vec<(&[u8], &[u8])> =
            self.earlier_headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        let redactor = self.record.redactor();
        StoredResponse::capture_set(response.status, &before, response.headers, body, redactor)
    }

    fn fail(self, error: HandlerError<'_>) -> Asked<()> {
        let info = self.record.redactor().error(error.error_type, error.message, error.location);
        let judgement = self.judge(HandlerEnd::Errored);
        let ended = self.end(judgement, None, None, Some(info));
        if ended.record.endpoint.in_transaction {
            return ended.into_work().give_back();
        }
        // Nothing is stored, so nothing is left for later.
        drop(ended.settle(None));
        Asked::Done(())
    }

    /// Said once for an endpoint: all of its answers are alike.
    fn say_that_a_body_is_omitted(&self, size: Option<u64>) {
        let endpoint = &self.record.endpoint;
        if matches!(self.hold, Hold::Claim(..)) && endpoint.counters.count_omitted_body() {
            let cause = match size {
                Some(size) => format!("of {size} bytes, over {STORED_BODY_LIMIT},"),
                None => "that is streamed".to_owned(),
            };
            let text =
                format!("an answer {cause} is not stored: duplicates get its status and headers, without a body");
            notice::give(Level::Info, format!("{}: {text}", endpoint.name));
        }
    }

    fn judge(&self, end: HandlerEnd) -> Judgement {
        let event_type = self.record.subject.envelope.event_type.as_deref();
        judge(&self.marks, end, &self.record.endpoint.requirements, event_type)
    }

    fn end(
        self,
        judgement: Judgement,
        status: Option<u16>,
        response_size: Option<u64>,
        error: Option<ErrorInfo>,
    ) -> Closed {
        let reason = match self.marks.mark() {
            Some(Mark::Failed { reason }) => Some(reason.clone()),
            _ => None,
        };
        let failure = (reason.is_some() || error.is_some()).then_some(Failure { reason, error });
        let ending = Ending {
            outcome: judgement.outcome,
            dedup: self.dedup,
            status,
            response_size,
            sender_left: self.sender_left,
            deferred_until: self.deferred_until,
            steps: self.marks.into_steps(),
            missing_steps: judgement.missing_steps,
            failure,
            metadata: self.metadata,
        };
        Closed { record: self.record, hold: self.hold, ending }
    }
}

impl Closed {
    /// What the application's transaction decides about.
    fn into_work(self) -> Work {
        let claimed = match self.hold {
            Hold::Claim(claimed, _) => Some(claimed),
            Hold::Guard(..) | Hold::Nothing => None,
        };
        Work { record: self.record, ending: self.ending, claimed }
    }

    /// Settles the claim and sends the record; `Some`: after a remote store was told.
    fn settle(self, kept: Option<StoredResponse>) -> Option<Settlement> {
        let Self { record, hold, ending } = self;
        match (hold, kept) {
            (Hold::Claim(claimed, lease), Some(response)) => {
                let settlement = Settlement { record, ending, claimed, lease, response: Arc::new(response) };
                if settlement.claimed.store.is_remote() {
                    return Some(settlement);
                }
                settlement.store_now();
                return None;
            }
            (Hold::Claim(claimed, lease), None) => {
                drop(lease);
                release(claimed, &record.endpoint.name);
            }
            (Hold::Guard(guard, pass), None) => guard.get().release(pass),
            (Hold::Guard(..), Some(_)) | (Hold::Nothing, _) => {}
        }
        record.send(ending);
        None
    }
}

/// What fails here must not change the answer of the host's handler. The attempt that is lost by it is counted.
pub(crate) fn guarded<T>(client: Option<&Client>, end: impl FnOnce() -> T) -> Option<T> {
    let ended = catch_unwind(AssertUnwindSafe(end)).ok();
    if ended.is_none() {
        client.inspect(|client| client.lost(DropReason::InternalError));
        notice::give(Level::Error, "an attempt could not be recorded; the handler's answer stands");
    }
    ended
}
