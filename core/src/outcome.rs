//! The truth table: what became of an attempt.

use serde::{Deserialize, Serialize};

use crate::marks::{Mark, Marks};
use crate::requirements::{OnSilentDrop, Requirements};

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The handler did its work.
    Processed,
    /// The handler answered 2xx and did not do its work.
    SilentDrop,
    /// The handler failed, or answered anything but 2xx.
    Failed,
    /// The request was refused before the handler.
    Rejected,
    /// Another attempt of the message is being handled.
    InFlight,
    /// The dedup store could not be asked.
    Unavailable,
    /// The message was handled before.
    Duplicate,
    /// The event type is declared ignored.
    Ignored,
    /// The handler answered, and its work goes on elsewhere: what became of it is told later.
    Deferred,
    /// One that this version does not know: a later one wrote it.
    #[serde(skip_deserializing)]
    Other,
}

impl Outcome {
    /// The stable name, e.g. `silent_drop`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::SilentDrop => "silent_drop",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::InFlight => "in_flight",
            Self::Unavailable => "unavailable",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Deferred => "deferred",
            Self::Other => "other",
        }
    }
}

/// How a handler ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlerEnd {
    /// It answered.
    Answered {
        /// The HTTP status.
        status: u16,
    },
    /// It raised an error, ran out of time or was cancelled.
    Errored,
}

/// The verdict on one run of a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Judgement {
    /// What became of the attempt.
    pub outcome: Outcome,
    /// The required steps that the handler did not record, where that makes it a silent drop.
    pub missing_steps: Vec<String>,
    /// The status to send instead of the handler's answer.
    pub answer_override: Option<u16>,
    /// Whether the answer is stored for duplicates. If not, the provider's retry runs the handler again.
    pub store_response: bool,
}

/// What a handler's end comes to, before its work is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Success,
    /// Providers count a redirect as a failure too.
    NoSuccess,
    None,
}

/// What a handler did, compared with what is required of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    SaidFailed,
    /// It goes on elsewhere: what is missing may still be done.
    SaidDeferred,
    /// The event type is one the application does nothing about.
    NotExpected,
    StepsMissing,
    SaidProcessed,
    /// It said nothing, and a mark is required.
    MarkMissing,
    /// It said nothing, and nothing is required.
    Unmarked,
}

/// Judges one run of a handler.
///
/// ```
/// use surehook_core::outcome::{HandlerEnd, judge};
/// use surehook_core::{Marks, Outcome, Requirements};
///
/// let requirements = Requirements::default().with_steps("user.*", &["create_profile"]).unwrap();
/// let mut marks = Marks::default();
/// marks.step("send_mail", 120);
///
/// let judgement = judge(&marks, HandlerEnd::Answered { status: 200 }, &requirements, Some("user.created"));
/// assert_eq!(judgement.outcome, Outcome::SilentDrop);
/// assert_eq!(judgement.missing_steps, ["create_profile"]);
/// ```
pub fn judge(marks: &Marks, end: HandlerEnd, requirements: &Requirements, event_type: Option<&str>) -> Judgement {
    let missing_steps = requirements.missing_steps(marks, event_type);
    let answer = answer(end);
    let outcome = outcome(answer, work(marks, &missing_steps, requirements, event_type));
    let dropped = outcome == Outcome::SilentDrop;
    Judgement {
        outcome,
        missing_steps: if dropped { missing_steps } else { Vec::new() },
        answer_override: (dropped && requirements.on_silent_drop == OnSilentDrop::Retry).then_some(500),
        store_response: matches!(outcome, Outcome::Processed | Outcome::Ignored | Outcome::Deferred),
    }
}

/// Judges deferred work by the marks of the process that did it; `missing` is what the handler had left to do.
///
/// ```
/// use surehook_core::outcome::judge_deferred;
/// use surehook_core::{Marks, Outcome};
///
/// let mut marks = Marks::default();
/// marks.processed();
/// assert_eq!(judge_deferred(&marks, &[]).outcome, Outcome::Processed);
/// assert_eq!(judge_deferred(&marks, &["send_mail".to_owned()]).outcome, Outcome::SilentDrop);
/// ```
pub fn judge_deferred(marks: &Marks, missing: &[String]) -> Judgement {
    // The steps were named by an endpoint that read them before.
    let requirements = Requirements::default().with_steps("*", missing).unwrap_or_default();
    judge(marks, HandlerEnd::Answered { status: 200 }, &requirements, None)
}

/// The table itself; the first row that fits counts.
const fn outcome(answer: Answer, work: Work) -> Outcome {
    match (answer, work) {
        (Answer::NoSuccess | Answer::None, _) => Outcome::Failed,
        (Answer::Success, Work::SaidFailed) => Outcome::Failed,
        (Answer::Success, Work::NotExpected) => Outcome::Ignored,
        (Answer::Success, Work::SaidDeferred) => Outcome::Deferred,
        (Answer::Success, Work::StepsMissing | Work::MarkMissing) => Outcome::SilentDrop,
        (Answer::Success, Work::SaidProcessed | Work::Unmarked) => Outcome::Processed,
    }
}

const fn answer(end: HandlerEnd) -> Answer {
    match end {
        HandlerEnd::Answered { status: 200..=299 } => Answer::Success,
        HandlerEnd::Answered { .. } => Answer::NoSuccess,
        HandlerEnd::Errored => Answer::None,
    }
}

fn work(marks: &Marks, missing_steps: &[String], requirements: &Requirements, event_type: Option<&str>) -> Work {
    match marks.mark() {
        Some(Mark::Failed { .. }) => Work::SaidFailed,
        _ if requirements.ignores(event_type) => Work::NotExpected,
        Some(Mark::Deferred) => Work::SaidDeferred,
        _ if !missing_steps.is_empty() => Work::StepsMissing,
        Some(Mark::Processed) => Work::SaidProcessed,
        None if requirements.require_processing_mark => Work::MarkMissing,
        None => Work::Unmarked,
    }
}
