//! Python values to what the SDK takes. A value of the wrong type is a `TypeError` that names it, never its content.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};

use crate::errors;

/// A body of this many bytes or more is hashed without the interpreter's lock.
pub(crate) const UNLOCKED_FROM: usize = 16 * 1024;

/// The bytes of a `str` or a bytes-like object, without a copy where that can be.
pub(crate) enum Octets {
    Str(PyBackedStr),
    Bytes(PyBackedBytes),
}

impl Octets {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Str(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// The raw body. `None`: a `str` that has no UTF-8 form, whose bytes are gone.
pub(crate) fn body(value: &Bound<'_, PyAny>) -> PyResult<Option<Octets>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(Octets::Bytes(bytes.clone().into())));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(PyBackedStr::try_from(text.clone()).ok().map(Octets::Str));
    }
    if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
        let bytes = value.py().get_type::<PyBytes>().call1((value,))?;
        return Ok(Some(Octets::Bytes(bytes.extract()?)));
    }
    Err(PyTypeError::new_err(format!("the body must be the raw bytes or text as received, not {}", type_name(value))))
}

/// Header pairs, from a mapping (names in any case) or from pairs.
pub(crate) struct Headers(Vec<(Octets, Octets)>);

impl Headers {
    pub(crate) fn read(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(dict) = value.cast::<PyDict>() {
            return dict.iter().map(|(name, text)| pair(&name, &text)).collect::<PyResult<_>>().map(Self);
        }
        let wrong = || PyTypeError::new_err(format!("headers must be a mapping or pairs, not {}", type_name(value)));
        if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
            return Err(wrong());
        }
        let items = if value.hasattr("items")? { value.call_method0("items")? } else { value.clone() };
        let mut pairs = Vec::new();
        for item in items.try_iter().map_err(|_| wrong())? {
            let (name, text): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract().map_err(|_| wrong())?;
            pairs.push(pair(&name, &text)?);
        }
        Ok(Self(pairs))
    }

    pub(crate) fn slices(&self) -> Vec<(&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect()
    }
}

fn pair(name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<(Octets, Octets)> {
    Ok((header_text(name)?, header_text(value)?))
}

fn header_text(value: &Bound<'_, PyAny>) -> PyResult<Octets> {
    if let Ok(text) = value.cast::<PyString>() {
        if let Ok(text) = PyBackedStr::try_from(text.clone()) {
            return Ok(Octets::Str(text));
        }
        // Lone surrogates: no header that anybody signed, but it has to get its reason code.
        return Ok(Octets::Bytes(text.call_method1("encode", ("utf-8", "surrogatepass"))?.extract()?));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Octets::Bytes(bytes.clone().into()));
    }
    Err(PyTypeError::new_err(format!("header names and values must be str or bytes, not {}", type_name(value))))
}

/// One secret or several. `None` means none was given.
pub(crate) fn secrets(value: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
        return Ok(vec![secret(value)?]);
    }
    let wrong =
        || PyTypeError::new_err(format!("a secret must be str, bytes or a list of them, not {}", type_name(value)));
    if value.is_instance_of::<PyDict>() {
        return Err(wrong());
    }
    let several = value.try_iter().map_err(|_| wrong())?.map(|item| secret(&item?)).collect::<PyResult<Vec<_>>>()?;
    if several.is_empty() {
        return Err(errors::configuration(
            value.py(),
            "secret_missing",
            "the list of signing secrets is empty".to_owned(),
        ));
    }
    Ok(several)
}

fn secret(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast::<PyString>() {
        let invalid =
            |_| errors::configuration(value.py(), "secret_invalid", "the signing secret is no valid text".to_owned());
        return text.to_str().map(str::to_owned).map_err(invalid);
    }
    if let Ok(key) = value.cast::<PyBytes>() {
        return Ok(format!("whsec_{}", STANDARD.encode(key.as_bytes())));
    }
    Err(PyTypeError::new_err(format!("a secret must be str or bytes, not {}", type_name(value))))
}

/// A number of seconds as an option of that name.
pub(crate) fn seconds(py: Python<'_>, option: &str, value: Option<f64>) -> PyResult<Option<Duration>> {
    let invalid = |_| {
        errors::configuration(py, "invalid_option", format!("the option {option} is not a possible number of seconds"))
    };
    value.map(|seconds| Duration::try_from_secs_f64(seconds).map_err(invalid)).transpose()
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "that".to_owned(), |name| name.to_string())
}
