//! What the callers and the thread share behind one lock: the attempts, and where each of them is.

use std::time::Instant;

use surehook_core::telemetry::attempt::{Attempt, DropReason};
use surehook_core::telemetry::queue::{AttemptQueue, QueueLimits};

use super::Stats;
use crate::spool::{self, Contents, Segment, Spool};

pub(super) struct State {
    /// With a spool, it holds the attempts of one segment at a time.
    pub(super) queue: AttemptQueue,
    pub(super) spool: Option<Spool>,
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
            segment: None,
            due: None,
            urges: 0,
            phase: Phase::Idle,
        }
    }

    /// Takes an attempt in, with the line that spools it. True: it waits.
    pub(super) fn keep(&mut self, attempt: Attempt, line: Option<spool::Line>) -> bool {
        let Some(spool) = &mut self.spool else { return self.queue.push(attempt).is_ok() };
        let Some(line) = line else {
            self.queue.lost(DropReason::TooLarge, 1);
            return false;
        };
        let lost = spool.keep(attempt, &line);
        self.queue.lost(DropReason::SpoolFull, lost);
        true
    }

    /// Whether nothing waits, here or on the disk.
    pub(super) fn is_empty(&self) -> bool {
        let loaded = self.segment.is_some() || !self.queue.is_empty();
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
        settled.map(Segment::delete).is_some()
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
    }

    /// The thread failed: gives up what it was at, and what would end with the process.
    pub(super) fn give_up_after_fault(&mut self) {
        self.queue.give_up_all(DropReason::InternalError);
        // Whatever the fault was, the same attempts must not bring it about again.
        self.segment.take().into_iter().for_each(Segment::delete);
        self.give_up_memory(DropReason::InternalError);
    }

    fn give_up_memory(&mut self, reason: DropReason) {
        if let Some(spool) = &mut self.spool {
            let lost = spool.give_up_memory();
            self.queue.lost(reason, lost);
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let counts = self.queue.counts();
        let spooled = self.spool.as_ref().map_or(0, Spool::attempts);
        Stats {
            recorded: counts.recorded + spooled,
            stored: counts.stored,
            dropped: counts.dropped,
            queued: counts.queued + counts.in_flight + spooled,
        }
    }
}
