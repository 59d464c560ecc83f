//! Python values to what the SDK takes. A value of the wrong type is a `TypeError` that names it, never its content.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyMemoryView, PyString, PyTuple};
use smallvec::SmallVec;
use surehook::core::Timestamp;
use surehook::core::scheme::{self, SecretForm};
use surehook::{Error, Scheme};

use crate::errors;

/// A body of this many bytes or more is hashed without the interpreter's lock.
pub(crate) const UNLOCKED_FROM: usize = 16 * 1024;
/// So many headers, as verification alone is often given, need no allocation.
const FEW: usize = 4;

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

/// Header pairs, from a mapping (names in any case) or from pairs. A list of values is a header sent several times.
pub(crate) struct Headers(SmallVec<[(Octets, Octets); FEW]>);

impl Headers {
    pub(crate) fn read(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut headers = Self(SmallVec::new());
        if let Ok(dict) = value.cast::<PyDict>() {
            for (name, text) in dict.iter() {
                headers.add(&name, &text)?;
            }
            return Ok(headers);
        }
        let wrong = || PyTypeError::new_err(format!("headers must be a mapping or pairs, not {}", type_name(value)));
        if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
            return Err(wrong());
        }
        let items = value.getattr("items").map_or_else(|_| Ok(value.clone()), |items| items.call0());
        for item in items.and_then(|items| items.try_iter()).map_err(|_| wrong())? {
            let (name, text) = item.and_then(|item| two_of(&item)).map_err(|_| wrong())?;
            headers.add(&name, &text)?;
        }
        Ok(headers)
    }

    pub(crate) fn slices(&self) -> SmallVec<[(&[u8], &[u8]); FEW]> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect()
    }

    fn add(&mut self, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if !is_sequence(value) {
            self.0.push((header_text(name)?, header_text(value)?));
            return Ok(());
        }
        for value in value.try_iter()? {
            self.0.push((header_text(name)?, header_text(&value?)?));
        }
        Ok(())
    }
}

fn two_of<'py>(pair: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    if pair.is_instance_of::<PyList>() {
        pair.extract::<[_; 2]>().map(|[name, value]| (name, value))
    } else {
        pair.extract()
    }
}

fn is_sequence(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>()
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

/// The user's own scheme, from the JSON that stands for it.
pub(crate) fn scheme(py: Python<'_>, json: Option<&str>) -> PyResult<Option<Scheme>> {
    json.map(|json| Scheme::from_json(json).map_err(|error| errors::configuration(py, &error))).transpose()
}

/// The form of the secrets of the user's own scheme, or of a provider's.
pub(crate) fn secret_form(own: Option<&Scheme>, provider: &str) -> SecretForm {
    let form = own.map(|own| own.secret).or_else(|| scheme::find(provider).map(|row| row.secret));
    form.unwrap_or(SecretForm::Standard)
}

/// Secrets as text, or why what was given is none. That is known before a request comes, and only matters when one does.
pub(crate) type Secrets = std::result::Result<Vec<String>, Error>;

/// One secret or several; where they are none, that is raised.
pub(crate) fn secrets(py: Python<'_>, value: Option<&Bound<'_, PyAny>>, form: SecretForm) -> PyResult<Vec<String>> {
    read_secrets(value, form, false)?.map_err(|error| errors::configuration(py, &error))
}

/// One secret or several, of a program that is only being imported. No text means none was given; `None` in a list is a variable
/// of the environment that is not set.
pub(crate) fn given_secrets(value: Option<&Bound<'_, PyAny>>, form: SecretForm) -> PyResult<Secrets> {
    read_secrets(value, form, true)
}

fn read_secrets(value: Option<&Bound<'_, PyAny>>, form: SecretForm, holes: bool) -> PyResult<Secrets> {
    let Some(value) = value else { return Ok(Ok(Vec::new())) };
    if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
        return Ok(secret(value, form)?.map(|secret| vec![secret]));
    }
    let wrong =
        || PyTypeError::new_err(format!("a secret must be str, bytes or a list of them, not {}", type_name(value)));
    if value.is_instance_of::<PyDict>() {
        return Err(wrong());
    }
    let items = value.try_iter().map_err(|_| wrong())?;
    let several =
        items.map(|item| one_of_several(&item.map_err(|_| wrong())?, form, holes)).collect::<PyResult<Vec<_>>>()?;
    if several.is_empty() {
        return Ok(Err(Error::SecretMissing { hint: "the list of secrets is empty".to_owned() }));
    }
    Ok(several.into_iter().collect())
}

fn one_of_several(
    value: &Bound<'_, PyAny>,
    form: SecretForm,
    holes: bool,
) -> PyResult<std::result::Result<String, Error>> {
    match holes && value.is_none() {
        true => Ok(Err(Error::SecretMissing { hint: "one of the list is None".to_owned() })),
        false => secret(value, form),
    }
}

/// A secret as text. Bytes are the raw key where the scheme's text is its base64, and else the text itself.
fn secret(value: &Bound<'_, PyAny>, form: SecretForm) -> PyResult<std::result::Result<String, Error>> {
    let no_text = || Error::secret_invalid("it is no valid text");
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_str().map(str::to_owned).map_err(|_| no_text()));
    }
    let Ok(bytes) = value.cast::<PyBytes>() else {
        return Err(PyTypeError::new_err(format!("a secret must be str or bytes, not {}", type_name(value))));
    };
    Ok(match form {
        SecretForm::Standard | SecretForm::StandardOrUtf8 => Ok(format!("whsec_{}", STANDARD.encode(bytes.as_bytes()))),
        _ => std::str::from_utf8(bytes.as_bytes()).map(str::to_owned).map_err(|_| no_text()),
    })
}

/// The text of the option of that name.
pub(crate) fn text(option: &'static str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<String>> {
    let Some(value) = value else { return Ok(None) };
    let Ok(text) = value.cast::<PyString>() else {
        return Err(PyTypeError::new_err(format!("the option {option} must be str, not {}", type_name(value))));
    };
    let no_text = |_| errors::invalid_option(value.py(), option, "it is no valid text");
    text.to_str().map(|text| Some(text.to_owned())).map_err(no_text)
}

/// The text, or the list of texts, of the option of that name.
pub(crate) fn texts(option: &'static str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    match value {
        Some(list) if is_sequence(list) => {
            list.try_iter()?.map(|one| Ok(text(option, Some(&one?))?.unwrap_or_default())).collect()
        }
        other => Ok(text(option, other)?.into_iter().collect()),
    }
}

/// The whole number of the option of that name.
pub(crate) fn whole<T>(option: &'static str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<T>>
where
    T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>,
{
    value.map(|value| value.extract().map_err(|error| no_number(option, "an int", value, &error))).transpose()
}

/// The number of seconds of the option of that name.
pub(crate) fn seconds(option: &'static str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Duration>> {
    let Some(value) = value else { return Ok(None) };
    let seconds = value.extract().map_err(|error| no_number(option, "a number", value, &error))?;
    let impossible = |_| errors::invalid_option(value.py(), option, "it is no possible number of seconds");
    Duration::try_from_secs_f64(seconds).map(Some).map_err(impossible)
}

/// The time of the option of that name, given in seconds since 1970.
pub(crate) fn time(option: &'static str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Timestamp>> {
    Ok(seconds(option, value)?.map(|since_1970| Timestamp::from_unix_seconds(0) + since_1970))
}

fn no_number(option: &'static str, kind: &str, value: &Bound<'_, PyAny>, error: &PyErr) -> PyErr {
    if error.is_instance_of::<PyOverflowError>(value.py()) {
        return errors::invalid_option(value.py(), option, "it is out of range");
    }
    PyTypeError::new_err(format!("the option {option} must be {kind}, not {}", type_name(value)))
}

/// What a value is, for an error that must not show the value.
pub(crate) fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "that".to_owned(), |name| name.to_string())
}
