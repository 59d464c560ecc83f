//! One monitored webhook route.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use surehook::{
    Body, Decision, EndpointOptions, KeyFunction, OnIdReuse, OnSilentDrop, Request, Verification, VerifiedMessage,
};

use crate::convert::{self, Headers, Octets, UNLOCKED_FROM};
use crate::delivery::{self, Delivery};
use crate::errors;
use crate::webhook::parsed;

/// A webhook route of this application.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct Endpoint(surehook::Endpoint);

#[pymethods]
impl Endpoint {
    #[new]
    #[pyo3(signature = (
        *, provider, signature_secret=None, event_type_field=None, name=None, tolerance=None, max_body_bytes=None,
        reject_status=None, dedup=None, dedup_ttl=None, require_processing_mark=false, steps=None, ignore=None,
        on_silent_drop=None, on_id_reuse=None, verification=None,
    ))]
    #[allow(clippy::too_many_arguments)] // they are the options of every wrapper, by name
    fn new(
        py: Python<'_>,
        provider: String,
        signature_secret: Option<&Bound<'_, PyAny>>,
        event_type_field: Option<String>,
        name: Option<String>,
        tolerance: Option<f64>,
        max_body_bytes: Option<usize>,
        reject_status: Option<u16>,
        dedup: Option<String>,
        dedup_ttl: Option<f64>,
        require_processing_mark: bool,
        steps: Option<BTreeMap<String, Vec<String>>>,
        ignore: Option<Vec<String>>,
        on_silent_drop: Option<&str>,
        on_id_reuse: Option<&str>,
        verification: Option<&str>,
    ) -> PyResult<Self> {
        let options = EndpointOptions {
            secrets: convert::secrets(signature_secret)?,
            name,
            tolerance: convert::seconds(py, "tolerance", tolerance)?,
            max_body_bytes,
            reject_status,
            verification: word(py, "verification", verification, &VERIFICATION)?.unwrap_or_default(),
            dedup,
            dedup_ttl: convert::seconds(py, "dedup_ttl", dedup_ttl)?,
            event_type_field,
            require_processing_mark,
            steps: steps.unwrap_or_default(),
            ignore: ignore.unwrap_or_default(),
            on_silent_drop: word(py, "on_silent_drop", on_silent_drop, &ON_SILENT_DROP)?.unwrap_or_default(),
            on_id_reuse: word(py, "on_id_reuse", on_id_reuse, &ON_ID_REUSE)?,
            ..EndpointOptions::new(provider)
        };
        surehook::Endpoint::new(options)
            .map(Self)
            .map_err(|error| errors::configuration(py, error.code(), error.to_string()))
    }

    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    #[getter]
    fn provider(&self) -> &str {
        self.0.provider()
    }

    #[getter]
    fn max_body_bytes(&self) -> usize {
        self.0.max_body_bytes()
    }

    /// A `Delivery`, or the answer to send. `key(body, headers)` is called only for a verified message.
    #[pyo3(signature = (method, path, headers, body, missing, key))]
    #[allow(clippy::too_many_arguments)] // one call for each request: an object to hold them would cost more
    fn begin<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &str,
        headers: &Bound<'py, PyAny>,
        body: Option<&Bound<'py, PyAny>>,
        missing: Option<&str>,
        key: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let headers = Headers::read(headers)?;
        let octets = body.map(convert::body).transpose()?.flatten();
        let pairs = headers.slices();
        let request = Request { method, path, headers: &pairs, body: content(octets.as_ref(), missing) };
        let unlocked = octets.as_ref().is_some_and(|octets| octets.as_slice().len() >= UNLOCKED_FROM);
        let decision = match key {
            Some(key) => {
                let mut call = |message: &VerifiedMessage<'_>| user_key(key, message, &pairs);
                self.0.begin_with_key(request, Some(&mut call as KeyFunction<'_>))
            }
            None if unlocked => py.detach(|| self.0.begin(request)),
            None => self.0.begin(request),
        };
        match decision {
            Decision::Answer(answer) => delivery::answer(py, answer),
            Decision::Handle(handle) => Ok(Bound::new(py, Delivery::new(handle))?.into_any()),
        }
    }
}

const VERIFICATION: [(&str, Verification); 2] = [("on", Verification::On), ("off", Verification::Off)];
const ON_SILENT_DROP: [(&str, OnSilentDrop); 2] = [("report", OnSilentDrop::Report), ("retry", OnSilentDrop::Retry)];
const ON_ID_REUSE: [(&str, OnIdReuse); 3] =
    [("replay", OnIdReuse::Replay), ("handle", OnIdReuse::Handle), ("reject", OnIdReuse::Reject)];

/// The value that a word stands for.
fn word<T: Copy>(py: Python<'_>, option: &str, given: Option<&str>, words: &[(&str, T)]) -> PyResult<Option<T>> {
    let Some(given) = given else { return Ok(None) };
    let found = words.iter().find(|(word, _)| *word == given).map(|(_, value)| Some(*value));
    found.ok_or_else(|| {
        let allowed: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let text = format!("the option {option} must be one of: {}", allowed.join(", "));
        errors::configuration(py, "invalid_option", text)
    })
}

fn content<'a>(octets: Option<&'a Octets>, missing: Option<&str>) -> Body<'a> {
    match octets {
        Some(octets) => Body::Bytes(octets.as_slice()),
        None if missing == Some("too_large") => Body::TooLarge,
        None => Body::Unavailable,
    }
}

/// What the user's function makes of the body (parsed where it is JSON) and the headers (names in lower case).
fn user_key(key: &Bound<'_, PyAny>, message: &VerifiedMessage<'_>, headers: &[(&[u8], &[u8])]) -> Option<String> {
    let names = PyDict::new(key.py());
    for (name, value) in headers {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        names.set_item(name, PyString::new(key.py(), &String::from_utf8_lossy(value))).ok()?;
    }
    key.call1((parsed(key.py(), message.body()), names)).ok()?.extract().ok()
}
