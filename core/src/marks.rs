//! What a handler says about its own work: its mark and its steps.

use std::collections::BTreeSet;

use crate::telemetry::attempt::Step;
use crate::text;

/// The most steps that are recorded, and the most names that are remembered beyond them.
pub const MAX_STEPS: usize = 200;
/// The most characters of a step's name that are kept.
pub const MAX_STEP_NAME: usize = 200;
/// The most bytes of a reason that are kept.
pub const MAX_REASON: usize = 1000;

/// What a handler said of its work as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// `processed()`.
    Processed,
    /// `failed(reason)`.
    Failed {
        /// The reason it gave, cut to [`MAX_REASON`] bytes and not redacted yet.
        reason: String,
    },
    /// `defer()`: the work goes on elsewhere, and is marked there.
    Deferred,
}

/// The marks and steps of one run of a handler. The first mark wins.
///
/// ```
/// use surehook_core::Marks;
/// use surehook_core::marks::Mark;
///
/// let mut marks = Marks::default();
/// marks.step("create_profile", 1_500);
/// marks.processed();
/// marks.failed("too late");
/// assert_eq!(marks.mark(), Some(&Mark::Processed));
/// assert_eq!(marks.steps()[0].name, "create_profile");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    mark: Option<Mark>,
    steps: Vec<Step>,
    /// Names first seen when `steps` was full: a handler with many steps must not look like one that left some out.
    late: BTreeSet<String>,
}

impl Marks {
    /// The handler says that it did its work.
    pub fn processed(&mut self) {
        self.mark.get_or_insert(Mark::Processed);
    }

    /// The handler says that it failed, and why.
    pub fn failed(&mut self, reason: &str) {
        self.mark.get_or_insert_with(|| Mark::Failed { reason: text::cut(reason, MAX_REASON).to_owned() });
    }

    /// The handler says that its work goes on after the answer, to be marked later.
    pub fn deferred(&mut self) {
        self.mark.get_or_insert(Mark::Deferred);
    }

    /// The handler did a step, `at_us` microseconds after the request was received.
    pub fn step(&mut self, name: &str, at_us: u64) {
        self.record(Step { name: name.to_owned(), at_us, duration_us: None, error: None });
    }

    /// The handler did a step, or failed at it: one with an error does not count as done.
    ///
    /// The name is cut to [`MAX_STEP_NAME`] characters. Steps after the first [`MAX_STEPS`] are not recorded; they still
    /// count as done, for up to as many further names.
    pub fn record(&mut self, step: Step) {
        let name = text::cut_chars(&step.name, MAX_STEP_NAME);
        if self.steps.len() < MAX_STEPS {
            let name = name.to_owned();
            self.steps.push(Step { name, ..step });
        } else if step.error.is_none() && self.late.len() < MAX_STEPS && !self.did(name) {
            self.late.insert(name.to_owned());
        }
    }

    /// The step of this name that was told last has only begun: it does not count until [`record`](Self::record) says how it
    /// ended.
    pub fn begun(&mut self, name: &str) {
        let name = text::cut_chars(name, MAX_STEP_NAME);
        match self.steps.iter().rposition(|step| step.name == name && step.duration_us.is_none()) {
            Some(place) => drop(self.steps.remove(place)),
            None => drop(self.late.remove(name)),
        }
    }

    /// The first mark.
    pub fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref()
    }

    /// The recorded steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether the handler did this step at least once.
    pub fn did(&self, step: &str) -> bool {
        let step = text::cut_chars(step, MAX_STEP_NAME);
        self.steps.iter().any(|done| done.name == step && done.error.is_none()) || self.late.contains(step)
    }

    /// The recorded steps, for the attempt's record.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}
