//! Attempts that wait to be sent, and the account of those that were lost.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

use super::attempt::{Attempt, DropReason, Step, VerificationResult};
use super::refusals::{self, Tally};
use super::wire::Ack;
use crate::time::Timestamp;

/// How much a queue may hold, in flight or not, and how much one batch may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// The most attempts in the queue.
    pub attempts: usize,
    /// The most bytes in the queue, as estimated.
    pub bytes: usize,
    /// The most attempts in a batch.
    pub batch_attempts: usize,
    /// The most bytes in a batch, as estimated.
    pub batch_bytes: usize,
}

impl Default for QueueLimits {
    /// 10,000 attempts or 16 MiB, in batches of 100 attempts or 256 KiB.
    fn default() -> Self {
        Self { attempts: 10_000, bytes: 16 * 1024 * 1024, batch_attempts: 100, batch_bytes: 256 * 1024 }
    }
}

/// One part in so many of the queue is kept free for attempts that were not refused: nobody can fill it with forgeries.
const RESERVED: usize = 4;

/// Where the recorded attempts are. `recorded = stored + summarised + dropped + queued + in_flight`, always and exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that were ever handed to the queue.
    pub recorded: u64,
    /// Those that a collector has stored.
    pub stored: u64,
    /// Refused ones that a collector has as a number.
    pub summarised: u64,
    /// Those that were lost, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Those that wait, and refused ones whose number waits.
    pub queued: u64,
    /// Those that are being sent.
    pub in_flight: u64,
}

impl Counts {
    /// All that were lost.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }
}

/// A bounded queue of attempts. It never blocks and holds no lock: its owner does.
///
/// ```
/// # use surehook_core::telemetry::attempt::*;
/// # use surehook_core::{Outcome, Timestamp};
/// # let attempt = Attempt {
/// #     id: uuid::Uuid::from_u128(1), continues: None, endpoint: "clerk".into(), provider: "clerk".into(), message_id: None,
/// #     event_type: None, entity_id: None, received_at: Timestamp::from_unix_micros(0), provider_timestamp: None,
/// #     duration_us: 1, status: None, sender_left: false, deferred_until: None, outcome: Outcome::Processed,
/// #     verification: Verification { result: VerificationResult::Verified, code: None, diagnosis: None },
/// #     dedup: Dedup { result: DedupResult::New, store: None, key: None }, steps: vec![], missing_steps: vec![], failure: None,
/// #     request: RequestInfo::default(), response: None, bodies: None, metadata: serde_json::Map::new(),
/// # };
/// use surehook_core::telemetry::queue::{AttemptQueue, QueueLimits};
/// use surehook_core::telemetry::wire::Ack;
///
/// let mut queue = AttemptQueue::new(QueueLimits::default());
/// queue.push(attempt).unwrap();
/// let batch = queue.take(Timestamp::from_unix_micros(7)).unwrap();
/// assert_eq!(queue.counts().in_flight, 1);
/// queue.acknowledge(batch, &Ack { accepted: 1, ..Ack::default() });
/// assert_eq!((queue.counts().recorded, queue.counts().stored), (1, 1));
/// ```
#[derive(Debug)]
pub struct AttemptQueue {
    limits: QueueLimits,
    waiting: VecDeque<Queued>,
    waiting_bytes: usize,
    in_flight: usize,
    in_flight_bytes: usize,
    next_number: u64,
    recorded: u64,
    stored: u64,
    summarised: u64,
    dropped: BTreeMap<DropReason, u64>,
    /// Drops that no batch has told yet.
    unreported: BTreeMap<DropReason, u64>,
    /// Refused requests whose numbers no batch has told yet.
    refused: Tally,
    /// Those whose numbers are in batches that are in flight.
    refused_in_flight: u64,
    /// What a batch told without being accepted. The collector may have heard them, so they are told again as they
    /// were.
    retold: VecDeque<Report>,
    /// When the last report was made.
    last_report: Option<Timestamp>,
}

/// Numbers as a batch tells them. A collector counts those of one process and one time once.
#[derive(Debug)]
struct Report {
    at: Timestamp,
    dropped: BTreeMap<DropReason, u64>,
    refused: Tally,
}

impl Report {
    fn refused(&self) -> u64 {
        self.refused.values().sum()
    }
}

#[derive(Debug)]
struct Queued {
    /// Its place in the order of recording.
    number: u64,
    bytes: usize,
    /// Whether it went through [`InFlight::screen`].
    screened: bool,
    attempt: Attempt,
}

/// A batch that was taken from a queue, and has to be given back to it in one way or another.
#[derive(Debug)]
#[must_use = "acknowledge, restore or drop it through the queue it came from"]
pub struct InFlight {
    items: Vec<Queued>,
    taken_at: Timestamp,
    report: Option<Report>,
}

impl InFlight {
    /// The attempts, oldest first.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.items.iter().map(|item| &item.attempt)
    }

    /// How many attempts there are; zero when all were refused by [`screen`](Self::screen), or there is only a report.
    pub fn attempt_count(&self) -> usize {
        self.items.len()
    }

    /// The losses that this batch tells the collector.
    pub fn dropped(&self) -> Option<&BTreeMap<DropReason, u64>> {
        self.report.as_ref().map(|report| &report.dropped).filter(|dropped| !dropped.is_empty())
    }

    /// The numbers of refused requests that this batch tells the collector.
    pub fn refused(&self) -> Option<&Tally> {
        self.report.as_ref().map(|report| &report.refused).filter(|refused| !refused.is_empty())
    }

    /// The time of the report that this batch carries.
    pub fn reported_at(&self) -> Option<Timestamp> {
        self.report.as_ref().map(|report| report.at)
    }

    /// The time to send it under: the same for losses that are told again, so that a collector counts them once.
    pub fn sent_at(&self) -> Timestamp {
        self.report.as_ref().map_or(self.taken_at, |report| report.at)
    }

    /// Shows each attempt, once in its life, to `keep`, which may change it. Answers those it refused, to be given up; both
    /// batches may be empty then.
    pub fn screen(&mut self, mut keep: impl FnMut(&mut Attempt) -> bool) -> InFlight {
        let (mut kept, mut refused) = (Vec::with_capacity(self.items.len()), Vec::new());
        for mut item in self.items.drain(..) {
            let wanted = item.screened || keep(&mut item.attempt);
            item.screened = true;
            if wanted { kept.push(item) } else { refused.push(item) }
        }
        self.items = kept;
        InFlight { items: refused, taken_at: self.taken_at, report: None }
    }

    /// The batch in two halves, the older one first.
    ///
    /// # Errors
    /// The batch itself, when it is a single attempt.
    pub fn halve(mut self) -> Result<(InFlight, InFlight), InFlight> {
        if self.items.len() < 2 {
            return Err(self);
        }
        let newer = self.items.split_off(self.items.len() / 2);
        let newer = InFlight { items: newer, taken_at: self.taken_at, report: None };
        Ok((self, newer))
    }

    fn bytes(&self) -> usize {
        self.items.iter().map(|item| item.bytes).sum()
    }
}

impl AttemptQueue {
    /// An empty queue.
    pub fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            in_flight: 0,
            in_flight_bytes: 0,
            next_number: 0,
            recorded: 0,
            stored: 0,
            summarised: 0,
            dropped: BTreeMap::new(),
            unreported: BTreeMap::new(),
            refused: Tally::new(),
            refused_in_flight: 0,
            retold: VecDeque::new(),
            last_report: None,
        }
    }

    /// Takes an attempt in.
    ///
    /// # Errors
    /// Why it was not taken: the queue is full, or it is larger than a batch may be. It is counted either way.
    pub fn push(&mut self, attempt: Attempt) -> Result<(), DropReason> {
        let bytes = estimated_size(&attempt);
        let refused = attempt.verification.result == VerificationResult::Rejected;
        if let Some(reason) = self.refusal(bytes, refused) {
            self.lost(reason, 1);
            return Err(reason);
        }
        self.recorded += 1;
        self.waiting.push_back(Queued { number: self.next_number, bytes, screened: false, attempt });
        self.next_number += 1;
        self.waiting_bytes += bytes;
        Ok(())
    }

    /// Counts attempts that were lost before they could be queued.
    pub fn lost(&mut self, reason: DropReason, count: u64) {
        self.recorded += count;
        self.count_dropped(reason, count);
    }

    /// Counts refused requests that are told as numbers.
    pub fn refused(&mut self, counted: Tally) {
        for (kind, count) in counted {
            self.recorded += count;
            refusals::add(&mut self.refused, kind, count);
        }
    }

    /// The next batch, or `None` when nothing waits.
    pub fn take(&mut self, now: Timestamp) -> Option<InFlight> {
        let mut bytes = 0;
        // Any one attempt fits: a larger one was never taken in.
        let fitting = self.waiting.iter().take(self.limits.batch_attempts).take_while(|item| {
            bytes += item.bytes;
            bytes <= self.limits.batch_bytes
        });
        let count = fitting.count();
        if count == 0 && self.refused_waiting() == 0 {
            return None;
        }
        let report = self.retold.pop_front().or_else(|| self.report(now));
        self.refused_in_flight += report.as_ref().map_or(0, Report::refused);
        let batch = InFlight { items: self.waiting.drain(..count).collect(), taken_at: now, report };
        self.waiting_bytes -= batch.bytes();
        self.in_flight += count;
        self.in_flight_bytes += batch.bytes();
        Some(batch)
    }

    /// Whether a batch would be full, so that there is no reason to wait for more.
    pub fn has_full_batch(&self) -> bool {
        self.waiting.len() >= self.limits.batch_attempts || self.waiting_bytes >= self.limits.batch_bytes
    }

    /// Ends a batch that a collector has accounted for: see [`read_answer`](super::wire::read_answer).
    pub fn acknowledge(&mut self, batch: InFlight, ack: &Ack) {
        self.landed(&batch);
        self.summarised += batch.report.as_ref().map_or(0, Report::refused);
        let rejected = ack.rejected.len().min(batch.items.len());
        self.stored += (batch.items.len() - rejected) as u64;
        self.count_dropped(DropReason::RejectedByServer, rejected as u64);
    }

    /// Puts a batch back that was not delivered, in its old place.
    pub fn restore(&mut self, batch: InFlight) {
        self.landed(&batch);
        self.waiting_bytes += batch.bytes();
        self.retold.extend(batch.report);
        for item in batch.items.into_iter().rev() {
            self.waiting.push_front(item);
        }
        // More than one batch may be in flight, so this one need not be the oldest.
        if !self.waiting.iter().is_sorted_by_key(|item| item.number) {
            self.waiting.make_contiguous().sort_by_key(|item| item.number);
        }
    }

    /// Gives a batch up. The losses it was to tell are told by the next one; the refused requests that it counted are lost.
    pub fn give_up(&mut self, batch: InFlight, reason: DropReason) {
        self.landed(&batch);
        self.count_dropped(reason, batch.items.len() as u64);
        if let Some(mut report) = batch.report {
            self.count_dropped(reason, report.refused());
            report.refused.clear();
            self.retold.extend(Some(report).filter(|report| !report.dropped.is_empty()));
        }
    }

    /// Gives up the numbers of refused requests that wait.
    pub fn give_up_refused(&mut self, reason: DropReason) {
        let count = self.refused_waiting();
        self.refused.clear();
        self.retold.iter_mut().for_each(|report| report.refused.clear());
        self.count_dropped(reason, count);
    }

    /// Gives up all that waits, and the batches that were taken and are lost with whoever took them.
    pub fn give_up_all(&mut self, reason: DropReason) {
        let count = std::mem::take(&mut self.in_flight) as u64 + std::mem::take(&mut self.refused_in_flight);
        self.in_flight_bytes = 0;
        self.count_dropped(reason, count);
        self.give_up_waiting(reason);
        self.give_up_refused(reason);
    }

    /// Gives up all that waits.
    pub fn give_up_waiting(&mut self, reason: DropReason) {
        let count = self.waiting.len() as u64;
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.count_dropped(reason, count);
    }

    /// Whether nothing waits and nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.in_flight == 0 && self.refused_waiting() + self.refused_in_flight == 0
    }

    /// Where the recorded attempts are.
    pub fn counts(&self) -> Counts {
        Counts {
            recorded: self.recorded,
            stored: self.stored,
            summarised: self.summarised,
            dropped: self.dropped.clone(),
            queued: self.waiting.len() as u64 + self.refused_waiting(),
            in_flight: self.in_flight as u64 + self.refused_in_flight,
        }
    }

    /// Refused requests whose numbers wait to be told, or told again.
    fn refused_waiting(&self) -> u64 {
        self.refused.values().sum::<u64>() + self.retold.iter().map(Report::refused).sum::<u64>()
    }

    fn refusal(&self, bytes: usize, refused: bool) -> Option<DropReason> {
        if bytes > self.limits.batch_bytes {
            return Some(DropReason::TooLarge);
        }
        // What is in flight keeps its room, so that it can always come back.
        let room = |limit: usize| if refused { limit - limit / RESERVED } else { limit };
        let full = self.waiting.len() + self.in_flight >= room(self.limits.attempts)
            || self.waiting_bytes + self.in_flight_bytes + bytes > room(self.limits.bytes);
        full.then_some(DropReason::QueueFull)
    }

    /// What is to be told now, under a time that no other report of this queue has.
    fn report(&mut self, now: Timestamp) -> Option<Report> {
        if self.unreported.is_empty() && self.refused.is_empty() {
            return None;
        }
        let at = self.last_report.map_or(now, |last| now.max(last + Duration::from_micros(1)));
        self.last_report = Some(at);
        let (dropped, refused) = (std::mem::take(&mut self.unreported), std::mem::take(&mut self.refused));
        Some(Report { at, dropped, refused })
    }

    fn landed(&mut self, batch: &InFlight) {
        self.in_flight = self.in_flight.saturating_sub(batch.items.len());
        self.in_flight_bytes = self.in_flight_bytes.saturating_sub(batch.bytes());
        let refused = batch.report.as_ref().map_or(0, Report::refused);
        self.refused_in_flight = self.refused_in_flight.saturating_sub(refused);
    }

    fn count_dropped(&mut self, reason: DropReason, count: u64) {
        if count > 0 {
            *self.dropped.entry(reason).or_default() += count;
            *self.unreported.entry(reason).or_default() += count;
        }
    }
}

/// The bytes an attempt takes in memory, nearly; its JSON is about as long.
fn estimated_size(attempt: &Attempt) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let failure = attempt.failure.as_ref().map_or(0, |failure| {
        let error = failure.error.as_ref();
        optional(&failure.reason) + error.map_or(0, |error| error.kind.len() + error.message.len() + 64)
    });
    size_of::<Attempt>()
        + attempt.endpoint.len()
        + attempt.provider.len()
        + optional(&attempt.message_id)
        + optional(&attempt.event_type)
        + optional(&attempt.entity_id)
        + optional(&attempt.dedup.store)
        + attempt.steps.iter().map(step_size).sum::<usize>()
        + attempt.missing_steps.iter().map(|step| step.len() + 32).sum::<usize>()
        + failure
        + attempt.bodies.as_ref().map_or(0, |bodies| optional(&bodies.request) + optional(&bodies.response))
        + attempt.request.method.len()
        + attempt.request.path.len()
        + attempt.request.headers.iter().map(|(name, value)| name.len() + value.len() + 64).sum::<usize>()
        + attempt.metadata.iter().map(|(name, value)| name.len() + 48 + json_size(value)).sum::<usize>()
}

fn step_size(step: &Step) -> usize {
    let error = step.error.as_ref().map_or(0, |error| error.kind.len() + error.message.len() + 64);
    size_of::<Step>() + step.name.len() + error
}

fn json_size(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(json_size).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + 48 + json_size(value)).sum(),
    };
    inside + size_of::<Value>()
}
