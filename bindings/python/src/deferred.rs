//! The work of a delivery that its handler deferred.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors;
use crate::handler_error::HandlerFailure;
use crate::json;

/// The handle on deferred work.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct Deferred(surehook::Deferred);

#[pymethods]
impl Deferred {
    #[new]
    fn new(py: Python<'_>, token: &str) -> PyResult<Self> {
        surehook::Deferred::open(token).map(Self).map_err(|error| errors::configuration(py, &error))
    }

    #[getter]
    fn message_id(&self) -> Option<&str> {
        self.0.message_id()
    }

    #[getter]
    fn event_type(&self) -> Option<&str> {
        self.0.event_type()
    }

    #[getter]
    fn entity_id(&self) -> Option<&str> {
        self.0.entity_id()
    }

    fn step(&self, name: &Bound<'_, PyAny>) {
        self.0.step(&json::text(name));
    }

    fn step_begun(&self, name: &Bound<'_, PyAny>) {
        self.0.step_begun(&json::text(name));
    }

    #[pyo3(signature = (name, seconds, error))]
    fn step_ended(&self, name: &Bound<'_, PyAny>, seconds: f64, error: Option<HandlerFailure>) {
        let duration = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        self.0.step_ended(&json::text(name), duration, error.as_ref().map(HandlerFailure::error));
    }

    fn processed(&self) {
        self.0.processed();
    }

    fn failed(&self, reason: &Bound<'_, PyAny>, metadata: &Bound<'_, PyDict>) {
        self.0.failed_with(&json::text(reason), json::metadata(metadata));
    }

    fn fail(&self, error: HandlerFailure) {
        self.0.fail(error.error());
    }
}
