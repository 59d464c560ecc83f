//! Questions to a table of the application's own, which Python asks in the transaction that they belong to.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use surehook::{Asked, Decision, Operation};

use crate::delivery;
use crate::pending;

/// One statement to be run, and what follows from its answer. It is answered once.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct Question(Mutex<Option<Open>>);

/// How a delivery ended inside of the application's transaction. It is ended once.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct Settled(Mutex<Option<surehook::Settled>>);

enum Open {
    Claim(surehook::Question<Decision>),
    End(surehook::Question<surehook::Settled>),
    Release(surehook::Question<()>),
}

#[pymethods]
impl Question {
    /// (key,) to be loaded; or (key, old, new, microseconds since 1970 when the row may be removed) to be replaced.
    fn operation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let operation = match open.as_ref().ok_or_else(answered)? {
            Open::Claim(question) => question.operation(),
            Open::End(question) => question.operation(),
            Open::Release(question) => question.operation(),
        };
        match operation {
            Operation::Load { key } => (key,).into_pyobject(py).map(Bound::into_any),
            Operation::Replace { key, old, new, expires_at } => {
                let bytes = |value: Option<&[u8]>| value.map(|value| PyBytes::new(py, value));
                let expires_at = expires_at.map(|at| at.unix_micros());
                (key, bytes(old), bytes(new), expires_at).into_pyobject(py).map(Bound::into_any)
            }
        }
    }

    /// The value that was loaded, where there was a row.
    fn loaded<'py>(&self, py: Python<'py>, value: Option<&[u8]>) -> PyResult<Bound<'py, PyAny>> {
        match self.take()? {
            Open::Claim(question) => claimed(py, question.loaded(value)),
            Open::End(question) => settled(py, question.loaded(value)),
            Open::Release(question) => released(py, question.loaded(value)),
        }
    }

    /// Whether the row was replaced.
    fn replaced<'py>(&self, py: Python<'py>, took_place: bool) -> PyResult<Bound<'py, PyAny>> {
        match self.take()? {
            Open::Claim(question) => claimed(py, question.replaced(took_place)),
            Open::End(question) => settled(py, question.replaced(took_place)),
            Open::Release(question) => released(py, question.replaced(took_place)),
        }
    }

    /// The statement raised.
    fn failed<'py>(&self, py: Python<'py>, reason: &str) -> PyResult<Bound<'py, PyAny>> {
        match self.take()? {
            Open::Claim(question) => claimed(py, Asked::Done(question.failed(reason))),
            Open::End(question) => settled(py, Asked::Done(question.failed(reason))),
            Open::Release(question) => {
                question.failed(reason);
                released(py, Asked::Done(()))
            }
        }
    }
}

#[pymethods]
impl Settled {
    /// Whether to commit, and the answer to send instead of the handler's.
    fn verdict<'py>(&self, py: Python<'py>) -> PyResult<(bool, Option<Bound<'py, PyAny>>)> {
        let settled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let settled = settled.as_ref().ok_or_else(answered)?;
        let instead = settled.replacement().map(|answer| delivery::answer(py, answer.clone())).transpose()?;
        Ok((settled.commit(), instead))
    }

    fn committed(&self) -> PyResult<()> {
        self.take()?.committed();
        Ok(())
    }

    /// The claim is to be given back, outside of the transaction.
    #[pyo3(signature = (reason))]
    fn rolled_back<'py>(&self, py: Python<'py>, reason: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        released(py, self.take()?.rolled_back(reason))
    }
}

/// Whether the work of a handler that answers with this status may be committed.
#[pyfunction]
pub(crate) fn may_commit(status: u16) -> bool {
    surehook::may_commit(status)
}

impl Question {
    fn take(&self) -> PyResult<Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(answered)
    }
}

impl Settled {
    fn take(&self) -> PyResult<surehook::Settled> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(answered)
    }
}

/// A `Question`, or what `begin` comes to.
pub(crate) fn claimed(py: Python<'_>, asked: Asked<Decision>) -> PyResult<Bound<'_, PyAny>> {
    match asked {
        Asked::Again(question) => open(py, Open::Claim(question)),
        Asked::Done(decision) => pending::decided(py, decision),
    }
}

/// A `Question`, or a `Settled`.
pub(crate) fn settled(py: Python<'_>, asked: Asked<surehook::Settled>) -> PyResult<Bound<'_, PyAny>> {
    match asked {
        Asked::Again(question) => open(py, Open::End(question)),
        Asked::Done(settled) => Ok(Bound::new(py, Settled(Mutex::new(Some(settled))))?.into_any()),
    }
}

/// A `Question`, or `None`.
pub(crate) fn released(py: Python<'_>, asked: Asked<()>) -> PyResult<Bound<'_, PyAny>> {
    match asked {
        Asked::Again(question) => open(py, Open::Release(question)),
        Asked::Done(()) => Ok(py.None().into_bound(py)),
    }
}

fn open(py: Python<'_>, open: Open) -> PyResult<Bound<'_, PyAny>> {
    Ok(Bound::new(py, Question(Mutex::new(Some(open))))?.into_any())
}

fn answered() -> PyErr {
    PyRuntimeError::new_err("it was answered already")
}
