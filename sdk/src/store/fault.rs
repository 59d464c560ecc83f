//! What went wrong between us and a remote store, and whom it concerns.

use surehook_core::dedup::StoreError;

/// A question that was not answered as it should be.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) reach: Reach,
    pub(crate) error: StoreError,
}

/// How far a question came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It was not asked: there is no connection.
    Unsent,
    /// It was asked and not answered, so what it was to change may have changed.
    Unanswered,
    /// The store answers, and can do nothing for anybody: it is full, a replica, or lacks its table.
    Refused,
    /// The store answers, and it is this message that it can do nothing for.
    Message,
}

impl Fault {
    pub(crate) fn new(reach: Reach, reason: impl Into<String>) -> Self {
        Self { reach, error: StoreError { reason: reason.into() } }
    }

    /// Whether the next question about another message would fare no better.
    pub(crate) fn concerns_all(&self) -> bool {
        self.reach != Reach::Message
    }
}
