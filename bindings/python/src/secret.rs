//! What a Python function says of the secrets of a request.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use surehook::core::scheme::SecretForm;

use crate::convert;

/// One call of the function, from before it starts until it has ended.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct SecretCall {
    form: SecretForm,
    call: surehook::SecretCall,
}

/// What it said.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct SecretAnswer(pub(crate) surehook::SecretAnswer);

impl SecretCall {
    pub(crate) fn new(call: surehook::SecretCall, form: SecretForm) -> Self {
        Self { form, call }
    }
}

#[pymethods]
impl SecretCall {
    /// What it gave: nothing, a secret, several, or a dict with `secret` and `sender`.
    fn answered(&self, given: &Bound<'_, PyAny>) -> SecretAnswer {
        SecretAnswer(self.call.answered(read(given, self.form)))
    }

    /// It has ended, whether somebody still waits for it or not.
    fn end(&self) {
        self.call.end();
    }
}

#[pymethods]
impl SecretAnswer {
    #[staticmethod]
    fn timed_out() -> Self {
        Self(surehook::SecretAnswer::timed_out())
    }

    #[staticmethod]
    fn too_many() -> Self {
        Self(surehook::SecretAnswer::too_many())
    }

    #[staticmethod]
    fn failed(fault: String) -> Self {
        Self(surehook::SecretAnswer::Failed(fault))
    }
}

fn read(given: &Bound<'_, PyAny>, form: SecretForm) -> surehook::SecretAnswer {
    if given.is_none() {
        return surehook::SecretAnswer::Unknown;
    }
    let Ok(named) = given.cast::<PyDict>() else { return secrets(given, None, form) };
    let member = |name: &str| named.get_item(name).ok().flatten().filter(|value| !value.is_none());
    let sender = match member("sender").map(|sender| sender.extract::<String>()) {
        Some(Ok(sender)) => Some(sender),
        Some(Err(_)) => return failed("named a sender that is no str"),
        None => None,
    };
    match member("secret") {
        Some(secret) => secrets(&secret, sender, form),
        None => surehook::SecretAnswer::Unknown,
    }
}

fn secrets(given: &Bound<'_, PyAny>, sender: Option<String>, form: SecretForm) -> surehook::SecretAnswer {
    let text = given.is_instance_of::<PyString>() || given.is_instance_of::<PyBytes>();
    let list = given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>();
    if !text && !list {
        return failed(&format!(
            "returned {}, not str, bytes, a list of them, a dict or None",
            convert::type_name(given)
        ));
    }
    if list && given.len().is_ok_and(|length| length == 0) {
        return surehook::SecretAnswer::Unknown;
    }
    match convert::given_secrets(Some(given), form) {
        Ok(Ok(secrets)) => surehook::SecretAnswer::Secrets { secrets, sender },
        Ok(Err(fault)) => failed(&format!("gave what is no secret: {fault}")),
        Err(_) => failed("returned a list of what are no secrets"),
    }
}

fn failed(fault: &str) -> surehook::SecretAnswer {
    surehook::SecretAnswer::Failed(fault.to_owned())
}
