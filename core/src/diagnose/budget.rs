//! How much a diagnosis may cost.

use std::cell::Cell;
use std::time::Duration;

/// The most experiments of one diagnosis.
pub const MAX_EXPERIMENTS: u32 = 20;
/// Larger bodies get only the cheap experiments, in bytes: another key, another end.
pub const MAX_BODY: usize = 64 * 1024;
/// Larger ones get none: one check alone would take most of the time there is.
pub const MAX_CHEAP_BODY: usize = 4 * 1024 * 1024;
/// No experiment begins after this time.
pub const MAX_TIME: Duration = Duration::from_millis(5);

/// What is left for one diagnosis.
pub(super) struct Budget<'a> {
    experiments: Cell<u32>,
    elapsed: &'a dyn Fn() -> Duration,
}

impl<'a> Budget<'a> {
    pub(super) fn new(elapsed: &'a dyn Fn() -> Duration) -> Self {
        Self { experiments: Cell::new(MAX_EXPERIMENTS), elapsed }
    }

    /// Takes one experiment; false: there is none left, or no time.
    pub(super) fn spend(&self) -> bool {
        let granted = !self.is_over();
        self.experiments.set(self.experiments.get().saturating_sub(1));
        granted
    }

    /// Whether no experiment is left, or no time.
    pub(super) fn is_over(&self) -> bool {
        self.experiments.get() == 0 || (self.elapsed)() >= MAX_TIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_experiments_are_granted_and_no_more() {
        let budget = Budget::new(&|| Duration::ZERO);
        assert_eq!((0..30).filter(|_| budget.spend()).count(), 20);
    }

    #[test]
    fn none_is_granted_when_the_time_is_over() {
        let budget = Budget::new(&|| MAX_TIME);
        assert!(!budget.spend());
    }
}
