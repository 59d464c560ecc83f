//! How often each path of de-duplication was taken.

use std::sync::atomic::{AtomicU64, Ordering};

use surehook_core::Outcome;
use surehook_core::telemetry::attempt::DedupResult;

/// What became of an endpoint's verified messages in this process: each attempt is counted once, under what it came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DedupCounts {
    /// The handler ran, and its end was the claim's end.
    pub new: u64,
    /// The stored answer was sent.
    pub duplicate: u64,
    /// Another attempt was being handled: 409.
    pub in_flight: u64,
    /// The id came before with another body, and that is worth a report.
    pub id_reuse: u64,
    /// An identical message under another id that is not signed: the stored answer was sent, and somebody has to look.
    pub same_body_other_id: u64,
    /// The handler ended after its lease had passed to another owner: nothing was stored.
    pub fenced: u64,
    /// The store could not be asked: 503.
    pub unavailable: u64,
    /// The store could not be asked, and the handler ran without de-duplication, or its answer could not be stored at once.
    pub unprotected: u64,
    /// Answers that were stored without their body: it was too long, or streamed.
    pub bodies_omitted: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    new: AtomicU64,
    duplicate: AtomicU64,
    in_flight: AtomicU64,
    id_reuse: AtomicU64,
    same_body_other_id: AtomicU64,
    fenced: AtomicU64,
    unavailable: AtomicU64,
    unprotected: AtomicU64,
    bodies_omitted: AtomicU64,
}

impl Counters {
    pub(crate) fn count(&self, dedup: DedupResult, outcome: Outcome) {
        let counter = match (dedup, outcome) {
            (DedupResult::New, _) => &self.new,
            (DedupResult::Duplicate, _) => &self.duplicate,
            (DedupResult::InFlight, _) => &self.in_flight,
            (DedupResult::IdReuse, _) => &self.id_reuse,
            (DedupResult::SameBodyOtherId, _) => &self.same_body_other_id,
            (DedupResult::Fenced, _) => &self.fenced,
            (DedupResult::Unavailable, Outcome::Unavailable) => &self.unavailable,
            (DedupResult::Unavailable, _) => &self.unprotected,
            // Not asked.
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer that is stored without its body. True: it is the first.
    pub(crate) fn count_omitted_body(&self) -> bool {
        self.bodies_omitted.fetch_add(1, Ordering::Relaxed) == 0
    }

    pub(crate) fn read(&self) -> DedupCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DedupCounts {
            new: read(&self.new),
            duplicate: read(&self.duplicate),
            in_flight: read(&self.in_flight),
            id_reuse: read(&self.id_reuse),
            same_body_other_id: read(&self.same_body_other_id),
            fenced: read(&self.fenced),
            unavailable: read(&self.unavailable),
            unprotected: read(&self.unprotected),
            bodies_omitted: read(&self.bodies_omitted),
        }
    }
}
