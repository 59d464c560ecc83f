//! A delivery while its handler runs.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use surehook::{Answer, ErrorKind, HandlerError, Response, ResponseBody};

use crate::convert::Headers;
use crate::pending;
use crate::question;

/// The handle on one delivery.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct Delivery(surehook::Delivery);

impl Delivery {
    pub(crate) fn new(delivery: surehook::Delivery) -> Self {
        Self(delivery)
    }
}

#[pymethods]
impl Delivery {
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

    fn step(&self, name: &str) {
        self.0.step(name);
    }

    fn processed(&self) {
        self.0.processed();
    }

    fn failed(&self, reason: &str) {
        self.0.failed(reason);
    }

    /// The answer to send instead of the handler's, where there is one; a `Pending` where that is to come. `body` is `None`
    /// when it was not captured.
    fn finish<'py>(
        &self,
        py: Python<'py>,
        status: u16,
        headers: &Bound<'py, PyAny>,
        body: Option<&Bound<'py, PyBytes>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let headers = Headers::read(headers)?;
        let body = body.map_or(ResponseBody::NotCaptured, |bytes| ResponseBody::Bytes(bytes.as_bytes()));
        let headers = headers.slices();
        let finish = || self.0.finish_without_waiting(Response { status, headers: &headers, body });
        let ended = if self.0.is_instant() { finish() } else { py.detach(finish) };
        pending::ended(py, ended)
    }

    /// A `Question` where the claim in the application's own database is to be given back.
    #[pyo3(signature = (kind, error_type, message, location))]
    fn fail<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        error_type: &str,
        message: &str,
        location: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kind = if kind == "cancelled" { ErrorKind::Cancelled } else { ErrorKind::Raised };
        let error = HandlerError { kind, error_type, message, location };
        question::released(py, py.detach(|| self.0.fail_without_waiting(error)))
    }
}

/// (status, headers, body)
pub(crate) fn answer(py: Python<'_>, answer: Answer) -> PyResult<Bound<'_, PyAny>> {
    let parts = (answer.status, answer.headers, PyBytes::new(py, &answer.body));
    parts.into_pyobject(py).map(Bound::into_any)
}
