//! How an error crosses the border: one private exception whose arguments are (code, message, details).

use pyo3::prelude::*;
use pyo3::types::PyDict;
use surehook::Rejection;

pyo3::create_exception!(surehook._native, NativeError, pyo3::exceptions::PyException);

/// A secret or an option that cannot be used.
pub(crate) fn configuration(py: Python<'_>, code: &str, message: String) -> PyErr {
    raise(py, "configuration", code, message, None)
}

/// A message that was refused.
pub(crate) fn verification(py: Python<'_>, rejection: &Rejection) -> PyErr {
    let code = rejection.code();
    raise(py, "verification", code.as_str(), code.message().to_owned(), Some(rejection.docs()))
}

fn raise(py: Python<'_>, kind: &str, code: &str, message: String, docs: Option<String>) -> PyErr {
    let details = PyDict::new(py);
    let filled =
        details.set_item("kind", kind).and_then(|()| docs.map_or(Ok(()), |docs| details.set_item("docs", docs)));
    match filled {
        Ok(()) => NativeError::new_err((code.to_owned(), message, details.unbind())),
        Err(error) => error,
    }
}
