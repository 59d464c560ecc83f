//! What a store on the other side of a network, or another attempt, has to be heard for first.

use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use surehook::{Answer, Asked, Begun, Decision, Ended};

use crate::delivery::{self, Delivery};
use crate::interruptible;
use crate::question;
use crate::waker::{self, Message};

/// A decision or an end to come. It is waited for once, in one of two ways.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct Pending(Mutex<Option<Awaited>>);

enum Awaited {
    Decision(surehook::Pending),
    End(surehook::PendingEnd),
    /// What a store of the application's own is asked comes after it.
    Preparation(surehook::Preparation),
}

/// What came of it.
enum Outcome {
    Decided(Decision),
    Ended(Option<Answer>),
    Prepared(Begun),
}

#[pymethods]
impl Pending {
    /// What came of it; waits without the interpreter's lock.
    fn wait<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (tell, outcomes) = channel();
        match self.take()? {
            Awaited::Decision(pending) => pending.then(move |decision| drop(tell.send(Outcome::Decided(decision)))),
            Awaited::End(pending) => pending.then(move |replacement| drop(tell.send(Outcome::Ended(replacement)))),
            Awaited::Preparation(preparation) => {
                preparation.then(move |begun| drop(tell.send(Outcome::Prepared(begun))));
            }
        }
        interruptible::received(py, outcomes)?.into_python(py)
    }

    /// Calls `done` with what came of it, on a thread of its own. When that fails, as it does where an event loop is closed, a
    /// delivery counts as abandoned.
    fn then(&self, done: Py<PyAny>) -> PyResult<()> {
        let calls = waker::calls()?;
        let tell = move |outcome: Outcome| {
            let call = move |py: Python<'_>| drop(outcome.into_python(py).and_then(|value| done.call1(py, (value,))));
            drop(calls.send(Message::Call(Box::new(call))));
        };
        match self.take()? {
            Awaited::Decision(pending) => pending.then(move |decision| tell(Outcome::Decided(decision))),
            Awaited::End(pending) => pending.then(move |replacement| tell(Outcome::Ended(replacement))),
            Awaited::Preparation(preparation) => preparation.then(move |begun| tell(Outcome::Prepared(begun))),
        }
        Ok(())
    }
}

impl Pending {
    fn new(awaited: Awaited) -> Self {
        Self(Mutex::new(Some(awaited)))
    }

    fn take(&self) -> PyResult<Awaited> {
        let awaited = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        awaited.ok_or_else(|| PyRuntimeError::new_err("it was waited for already"))
    }
}

impl Outcome {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Self::Decided(decision) => decided(py, decision),
            Self::Ended(Some(instead)) => delivery::answer(py, instead),
            Self::Ended(None) => Ok(py.None().into_bound(py)),
            Self::Prepared(next) => begun(py, next),
        }
    }
}

/// A `Delivery`, or the answer to send.
pub(crate) fn decided(py: Python<'_>, decision: Decision) -> PyResult<Bound<'_, PyAny>> {
    match decision {
        Decision::Answer(answer) => delivery::answer(py, answer),
        Decision::Handle(handle) => Ok(Bound::new(py, Delivery::new(handle))?.into_any()),
    }
}

/// A `Delivery`, the answer to send, a `Pending` that has to be waited for and comes to one of these, or a `Question` to be
/// answered.
pub(crate) fn begun(py: Python<'_>, begun: Begun) -> PyResult<Bound<'_, PyAny>> {
    match begun {
        Begun::Now(decision) => decided(py, decision),
        Begun::Ask(asked) => question::claimed(py, Asked::Again(asked)),
        Begun::Later(pending) => Ok(Bound::new(py, Pending::new(Awaited::Decision(pending)))?.into_any()),
        Begun::Prepare(preparation) => Ok(Bound::new(py, Pending::new(Awaited::Preparation(preparation)))?.into_any()),
    }
}

/// `None`, the answer to send instead of the handler's, a `Pending` that has to be waited for, or, in a transaction of the
/// application's, a `Question` to be answered or a `Settled`.
pub(crate) fn ended(py: Python<'_>, ended: Ended) -> PyResult<Bound<'_, PyAny>> {
    match ended {
        Ended::Now(replacement) => Outcome::Ended(replacement).into_python(py),
        Ended::Transaction(asked) => question::settled(py, asked),
        Ended::Later(pending) => Ok(Bound::new(py, Pending::new(Awaited::End(pending)))?.into_any()),
    }
}
