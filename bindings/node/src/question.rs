//! Questions to a table of the application's own: JavaScript runs the statements, one after another.

use napi::bindgen_prelude::{Buffer, BufferSlice};
use napi_derive::napi;
use surehook::{Asked, Operation};

use crate::delivery::Answer;
use crate::endpoint::Decision;

/// One statement. `load` reads the value of a key; `replace` replaces it where it still is `old`.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Statement {
    pub kind: String,
    pub key: String,
    /// Nothing: there was no row.
    pub old: Option<Buffer>,
    /// Nothing: the row is to be deleted.
    pub next: Option<Buffer>,
    pub expires_at_ms: Option<f64>,
}

/// A question. While there is a `statement`, it is to be run, and its result said; then one of the ends is there.
#[napi]
pub struct Question(Option<State>);

enum State {
    Begin(Asked<surehook::Decision>),
    Finish(Asked<surehook::Settled>),
    GiveBack(Asked<()>),
}

/// Says what came of the statement to the question that is open, whatever its end will be.
macro_rules! answered {
    ($self:ident, $question:ident => $asked:expr) => {
        $self.0 = $self.0.take().map(|state| match state {
            State::Begin(Asked::Again($question)) => State::Begin($asked),
            State::Finish(Asked::Again($question)) => State::Finish($asked),
            State::GiveBack(Asked::Again($question)) => State::GiveBack($asked),
            done => done,
        })
    };
}

#[napi]
impl Question {
    #[napi(catch_unwind, getter)]
    pub fn statement(&self) -> Option<Statement> {
        match self.0.as_ref()? {
            State::Begin(Asked::Again(question)) => Some(question.operation().into()),
            State::Finish(Asked::Again(question)) => Some(question.operation().into()),
            State::GiveBack(Asked::Again(question)) => Some(question.operation().into()),
            _ => None,
        }
    }

    #[napi(catch_unwind)]
    pub fn loaded(&mut self, value: Option<BufferSlice<'_>>) {
        answered!(self, question => question.loaded(value.as_deref()));
    }

    #[napi(catch_unwind)]
    pub fn replaced(&mut self, took_place: bool) {
        answered!(self, question => question.replaced(took_place));
    }

    #[napi(catch_unwind)]
    #[allow(clippy::unit_arg, reason = "one of the ends is nothing")]
    pub fn failed(&mut self, reason: String) {
        answered!(self, question => failed(question, &reason));
    }

    /// What the question of `begin` came to.
    #[napi(catch_unwind)]
    pub fn decision(&mut self) -> Option<Decision> {
        match self.0.take()? {
            State::Begin(Asked::Done(decision)) => Some(decision.into()),
            _ => None,
        }
    }

    /// What the question of `finish` came to.
    #[napi(catch_unwind)]
    pub fn settled(&mut self) -> Option<Settled> {
        match self.0.take()? {
            State::Finish(Asked::Done(settled)) => Some(Settled(Some(settled))),
            _ => None,
        }
    }
}

/// How a delivery ended inside of a transaction.
#[napi]
pub struct Settled(Option<surehook::Settled>);

#[napi]
impl Settled {
    /// Whether to commit the transaction.
    #[napi(catch_unwind, getter)]
    pub fn commit(&self) -> bool {
        self.0.as_ref().is_some_and(surehook::Settled::commit)
    }

    /// To be sent instead of the handler's answer.
    #[napi(catch_unwind, getter)]
    pub fn replacement(&self) -> Option<Answer> {
        self.0.as_ref()?.replacement().cloned().map(Answer::from)
    }

    #[napi(catch_unwind)]
    pub fn committed(&mut self) {
        if let Some(settled) = self.0.take() {
            settled.committed();
        }
    }

    /// The question is to be answered outside of the transaction.
    #[napi(catch_unwind)]
    pub fn rolled_back(&mut self, reason: Option<String>) -> Option<Question> {
        self.0.take().map(|settled| settled.rolled_back(reason.as_deref()).into())
    }
}

fn failed<T>(question: surehook::Question<T>, reason: &str) -> Asked<T> {
    Asked::Done(question.failed(reason))
}

impl From<Operation<'_>> for Statement {
    fn from(operation: Operation<'_>) -> Self {
        match operation {
            Operation::Load { key } => {
                Self { kind: "load".to_owned(), key: key.to_owned(), old: None, next: None, expires_at_ms: None }
            }
            Operation::Replace { key, old, new, expires_at } => Self {
                kind: "replace".to_owned(),
                key: key.to_owned(),
                old: old.map(Buffer::from),
                next: new.map(Buffer::from),
                expires_at_ms: expires_at.map(|at| at.unix_millis() as f64),
            },
        }
    }
}

impl From<surehook::Question<surehook::Decision>> for Question {
    fn from(question: surehook::Question<surehook::Decision>) -> Self {
        Self(Some(State::Begin(Asked::Again(question))))
    }
}

impl From<Asked<surehook::Settled>> for Question {
    fn from(asked: Asked<surehook::Settled>) -> Self {
        Self(Some(State::Finish(asked)))
    }
}

impl From<Asked<()>> for Question {
    fn from(asked: Asked<()>) -> Self {
        Self(Some(State::GiveBack(asked)))
    }
}
