//! A delivery while its handler runs.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use surehook::{Answer, AttributeValue, Response, ResponseBody};

use crate::convert::{self, Headers};
use crate::errors;
use crate::handler_error::HandlerFailure;
use crate::json;
use crate::pending;
use crate::question;
use crate::webhook::parsed;

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
    fn sender(&self) -> Option<&str> {
        self.0.sender()
    }

    #[getter]
    fn event_type(&self) -> Option<&str> {
        self.0.event_type()
    }

    #[getter]
    fn entity_id(&self) -> Option<&str> {
        self.0.entity_id()
    }

    /// What the form holds that the provider sent; `None` where the body is no form.
    #[getter]
    fn form<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.0.form().map(|form| parsed(py, form.as_bytes()))
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

    /// The sender closed the connection; the handler runs on.
    fn sender_left(&self) {
        self.0.sender_left();
    }

    /// The token; `deadline` is in seconds.
    fn defer(&self, deadline: &Bound<'_, PyAny>) -> PyResult<String> {
        let py = deadline.py();
        let deadline = convert::seconds("deadline", Some(deadline))?.unwrap_or_default();
        self.0.defer(deadline).map_err(|error| errors::configuration(py, &error))
    }

    /// What a trace says of it so far: (name, value) pairs.
    fn attributes(&self) -> Attributes {
        attributes(self.0.attributes())
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
    fn fail<'py>(&self, py: Python<'py>, error: HandlerFailure) -> PyResult<Bound<'py, PyAny>> {
        question::released(py, py.detach(|| self.0.fail_without_waiting(error.error())))
    }
}

/// (name, value) pairs.
pub(crate) type Attributes = Vec<(&'static str, Attribute)>;

/// The value of an attribute.
#[derive(IntoPyObject)]
pub(crate) enum Attribute {
    Text(String),
    Number(u64),
}

fn attributes(told: Vec<surehook::Attribute>) -> Attributes {
    let value = |value| match value {
        AttributeValue::Text(text) => Attribute::Text(text),
        AttributeValue::Number(number) => Attribute::Number(number),
    };
    told.into_iter().map(|(name, told)| (name, value(told))).collect()
}

/// (status, headers, body, what a trace says of it)
pub(crate) fn answer(py: Python<'_>, answer: Answer) -> PyResult<Bound<'_, PyAny>> {
    let parts = (answer.status, answer.headers, PyBytes::new(py, &answer.body), attributes(answer.attributes));
    parts.into_pyobject(py).map(Bound::into_any)
}
