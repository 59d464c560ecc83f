//! How a handler, or a step of it, ended without a result.

use pyo3::prelude::*;
use surehook::{ErrorKind, HandlerError};

use crate::json;

/// (kind, type, text, location), in text of any kind: an error must not be hidden by what its text is made of.
pub(crate) struct HandlerFailure {
    kind: ErrorKind,
    error_type: String,
    message: String,
    location: Option<String>,
}

type Parts<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>, Option<Bound<'py, PyAny>>);

impl HandlerFailure {
    pub(crate) fn error(&self) -> HandlerError<'_> {
        let Self { kind, error_type, message, location } = self;
        HandlerError { kind: *kind, error_type, message, location: location.as_deref() }
    }
}

impl<'py> FromPyObject<'_, 'py> for HandlerFailure {
    type Error = PyErr;

    fn extract(parts: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (kind, error_type, message, location) = parts.extract::<Parts<'py>>()?;
        let owned = |value: &Bound<'_, PyAny>| json::text(value).into_owned();
        let kind = if owned(&kind) == "cancelled" { ErrorKind::Cancelled } else { ErrorKind::Raised };
        let location = location.as_ref().map(owned);
        Ok(Self { kind, error_type: owned(&error_type), message: owned(&message), location })
    }
}
