//! How an error crosses the border: one private exception whose arguments are (code, message, details).

use pyo3::prelude::*;
use pyo3::types::PyDict;
use surehook::{Diagnosis, Error, Rejection};

pyo3::create_exception!(surehook._native, NativeError, pyo3::exceptions::PyException);

/// (finding, certainty, evidence, fix)
pub(crate) type Diagnosed = (&'static str, &'static str, String, String);

pub(crate) fn diagnosed(diagnosis: &Diagnosis) -> Diagnosed {
    let Diagnosis { finding, certainty, evidence, fix } = diagnosis;
    (finding.as_str(), certainty.as_str(), evidence.clone(), fix.clone())
}

/// A secret or an option that cannot be used, as the SDK says it.
pub(crate) fn configuration(py: Python<'_>, error: &Error) -> PyErr {
    let finding = match error {
        Error::SecretInvalid { finding, .. } => finding.map(|finding| finding.as_str()),
        _ => None,
    };
    raise(py, error.code(), error.to_string(), |details| {
        details.set_item("kind", "configuration")?;
        details.set_item("finding", finding)
    })
}

/// An option whose Python value stands for nothing that it may be.
pub(crate) fn invalid_option(py: Python<'_>, option: &'static str, fault: impl Into<String>) -> PyErr {
    configuration(py, &Error::invalid_option(option, fault))
}

/// A message that was refused.
pub(crate) fn verification(py: Python<'_>, rejection: &Rejection) -> PyErr {
    raise(py, rejection.code().as_str(), rejection.message().to_owned(), |details| {
        details.set_item("kind", "verification")?;
        details.set_item("docs", rejection.docs())?;
        details.set_item("diagnosis", rejection.diagnosis().map(diagnosed))
    })
}

/// The public exception for one of the private ones, which Python's own functions turn into it themselves.
pub(crate) fn public(py: Python<'_>, error: PyErr) -> PyErr {
    let module = py.import("surehook.errors");
    let public = module.and_then(|module| module.call_method1("from_native", (error.into_value(py),)));
    public.map_or_else(|failed| failed, PyErr::from_value)
}

fn raise(py: Python<'_>, code: &str, message: String, fill: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>) -> PyErr {
    let details = PyDict::new(py);
    match fill(&details) {
        Ok(()) => NativeError::new_err((code.to_owned(), message, details.unbind())),
        Err(error) => error,
    }
}
