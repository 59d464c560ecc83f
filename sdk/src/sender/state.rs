//! What the callers and the thread share behind one lock: the attempts, and where each of them is.

use std::time::{Duration, Instant};

use surehook_core::Timestamp;
use surehook_core::telemetry::attempt::{Attempt, DropReason};
use surehook_core::telemetry::queue::{AttemptQueue, QueueLimits};
use surehook_core::telemetry::refusals::Refusals;

use super::Stats;
use crate::spool::{self, Contents, Segment, Spool};

pub(super) struct State {
    /// With a spool, it holds the attempts of one segment at a time.
    pub(super) queue: AttemptQueue,
    pub(super) spool: Option<Spool>,
    /// The refused requests of this minute.
    pub(super) refusals: Refusals,
    /// When the minute of the first of them has ended; `None` while there are none.
    minute_end: Option<Instant>,
    /// The segment whose attempts are in the queue.
    segment: Option<Segment>,
    /// When the attempts that wait are to be sent even if the batch is not full; `None` while none wait.
    pub(super) due: Option<Instant>,
    /// How often a caller asked for everything to be sent now.
    pub(super) urges: u64,
    pub(super) phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No thread.
    Idle,
    /// The thread runs.
    Running,
    /// The thread is to end when the queue is empty.
    Closing,
    /// The thread is to end now.
    Aborting,
}

impl State {
    pub(super) fn new(spool: Option<spool::Settings>) -> Self {
        Self {
            queue: AttemptQueue::new(QueueLimits::default()),
            spool: spool.map(Spool::new),
            refusals: Refusals::default(),
            minute_end: None,
            segment: None,
            due: None,
            urges: 0,
            phase: Phase::Idle,
        }
    }

    /// Takes an attempt in, with the line that spools it. True: it waits.
    pub(super) fn keep(&mut self, attempt: Attempt, line: Option<spool::Line>) -> bool {
        let Some(spool) = &mut self.spool else { return self.queue.push(attempt).is_ok() };
        let id = attempt.id;
        let Some(line) = line else {
            spool.end(id);
            self.queue.lost(DropReason::TooLarge, 1);
            return false;
        };
        let lost = spool.keep(attempt, &line);
        spool.end(id);
        self.queue.lost(DropReason::SpoolFull, lost);
        true
    }

    /// Takes a refused attempt in that is told in full.
    pub(super) fn keep_refused(&mut self, attempt: Attempt) {
        let line = self.spool.as_ref().and_then(|_| spool::Line::of(&attempt));
        // One that cannot be taken is counted.
        self.keep(attempt, line);
    }

    /// Lets go of what is held of minutes that have ended, or of all that is held.
    pub(super) fn draw(&mut self, now: Timestamp, all: bool) {
        let drawn = self.refusals.draw(now, all);
        drawn.sample.into_iter().for_each(|attempt| self.keep_refused(attempt));
        self.queue.refused(drawn.counted);
        if self.refusals.held() == 0 {
            self.minute_end = None;
        }
    }

    /// Remembers when what is held is to be drawn.
    pub(super) fn await_minute_end(&mut self, now: Timestamp) {
        let left = 60 - now.unix_seconds().rem_euclid(60).unsigned_abs();
        self.minute_end.get_or_insert_with(|| Instant::now() + Duration::from_secs(left));
    }

    /// When there is something to do, unless a caller has it done before.
    pub(super) fn next_due(&self) -> Option<Instant> {
        [self.due, self.minute_end].into_iter().flatten().min()
    }

    /// When what is held of this minute is to be drawn.
    pub(super) fn minute_end(&self) -> Option<Instant> {
        self.minute_end
    }

    /// Whether nothing waits, here or on the disk.
    pub(super) fn is_empty(&self) -> bool {
        let loaded = self.segment.is_some() || !self.queue.is_empty() || self.refusals.held() > 0;
        !loaded && self.spool.as_ref().is_none_or(|spool| spool.attempts() == 0)
    }

    /// Whether nothing waits, and nothing is left by earlier processes either.
    pub(super) fn is_done(&self) -> bool {
        self.is_empty() && self.spool.as_ref().is_none_or(Spool::is_done)
    }

    pub(super) fn has_full_batch(&self) -> bool {
        self.queue.has_full_batch() || self.spool.as_ref().is_some_and(Spool::has_full_segment)
    }

    /// Whether attempts of a segment wait: they are sent without a further delay.
    pub(super) fn has_loaded(&self) -> bool {
        self.segment.is_some()
    }

    /// Deletes the segment whose attempts are all settled, if there is one.
    pub(super) fn discard_settled(&mut self) -> bool {
        let settled = self.segment.take_if(|_| self.queue.is_empty());
        let any = settled.map(Segment::delete).is_some();
        if any {
            self.spool.iter_mut().for_each(Spool::tidy);
        }
        any
    }

    /// Lets go of the spool's directory while nothing is in it.
    pub(super) fn rest(&mut self) {
        if self.is_empty() {
            self.spool.iter_mut().for_each(Spool::rest);
        }
    }

    /// The oldest segment, to be read and then given to [`load`](Self::load).
    pub(super) fn next_segment(&mut self) -> Option<Segment> {
        self.spool.as_mut().and_then(Spool::take)
    }

    /// Queues what was read from a segment.
    pub(super) fn load(&mut self, segment: Segment, contents: Contents) {
        for attempt in contents.attempts {
            // One that cannot be taken is counted by the queue.
            let _ = self.queue.push(attempt);
        }
        self.queue.lost(DropReason::InternalError, contents.unreadable);
        self.spool.iter_mut().for_each(Spool::loaded);
        self.segment = Some(segment);
    }

    /// Takes over what other processes left.
    pub(super) fn adopt(&mut self, orphans: Vec<Segment>) {
        if let Some(spool) = &mut self.spool {
            let lost = spool.adopt(orphans);
            self.queue.lost(DropReason::SpoolFull, lost);
        }
    }

    /// Gives up what would end with the process. What is on the disk stays there, and counts as queued.
    pub(super) fn give_up(&mut self, reason: DropReason) {
        if self.segment.as_ref().is_none_or(Segment::is_in_memory) {
            self.queue.give_up_waiting(reason);
            self.segment = None;
        }
        self.give_up_memory(reason);
        self.give_up_refusals(reason);
    }

    fn give_up_refusals(&mut self, reason: DropReason) {
        let held = self.refusals.give_up();
        self.minute_end = None;
        self.queue.lost(reason, held);
        self.queue.give_up_refused(reason);
    }

    /// The thread failed: gives up what it was at, and what would end with the process.
    pub(super) fn give_up_after_fault(&mut self) {
        self.queue.give_up_all(DropReason::InternalError);
        // Whatever the fault was, the same attempts must not bring it about again.
        self.segment.take().into_iter().for_each(Segment::delete);
        self.give_up_memory(DropReason::InternalError);
        self.give_up_refusals(DropReason::InternalError);
    }

    fn give_up_memory(&mut self, reason: DropReason) {
        if let Some(spool) = &mut self.spool {
            let lost = spool.give_up_memory();
            self.queue.lost(reason, lost);
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let counts = self.queue.counts();
        let held = self.spool.as_ref().map_or(0, Spool::attempts) + self.refusals.held();
        Stats {
            recorded: counts.recorded + held,
            stored: counts.stored,
            summarised: counts.summarised,
            dropped: counts.dropped,
            queued: counts.queued + counts.in_flight + held,
        }
    }
}
