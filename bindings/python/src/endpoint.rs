//! One monitored webhook route.

use std::collections::BTreeMap;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString, PyTuple};
use surehook::core::scheme::SecretForm;
use surehook::core::{Incoming, form};
use surehook::{
    Body, CaptureBody, CustomVerdict, DedupStore, EndpointOptions, Forget, Hooks, KeyFunction, OnIdReuse, OnInFlight,
    OnSilentDrop, OnStoreError, OnUnsignedId, Request, Verification, VerifiedMessage, Workers,
};

use crate::convert::{self, Headers, Octets, UNLOCKED_FROM};
use crate::errors;
use crate::pending;
use crate::secret::{SecretAnswer, SecretCall};
use crate::webhook::parsed;

/// A webhook route of this application.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct Endpoint {
    endpoint: surehook::Endpoint,
    secret_form: SecretForm,
}

#[pymethods]
impl Endpoint {
    /// `scheme` is the JSON of a scheme of the user's own; with `custom_verifier` each `begin` brings a verdict;
    /// with `application`, the kind of a store in the application's own database, it may bring a question.
    #[new]
    #[pyo3(signature = (
        *, provider=None, scheme=None, signature_secret=None, custom_verifier=false, secret_function=false, url=None, verify_token=None,
        event_type_field=None, name=None, tolerance=None, max_body_bytes=None, reject_status=None, dedup=None,
        dedup_ttl=None, on_store_error=None, on_in_flight=None, on_id_reuse=None, on_unsigned_id=None,
        require_processing_mark=false,
        steps=None, ignore=None, on_silent_drop=None, verification=None, capture_body=None, traced=false, application=None,
        workers=None, namespace=None, package=None,
    ))]
    #[allow(clippy::too_many_arguments)] // they are the options of every wrapper, by name
    fn new(
        py: Python<'_>,
        provider: Option<&Bound<'_, PyAny>>,
        scheme: Option<&str>,
        signature_secret: Option<&Bound<'_, PyAny>>,
        custom_verifier: bool,
        secret_function: bool,
        url: Option<&Bound<'_, PyAny>>,
        verify_token: Option<&Bound<'_, PyAny>>,
        event_type_field: Option<&Bound<'_, PyAny>>,
        name: Option<&Bound<'_, PyAny>>,
        tolerance: Option<&Bound<'_, PyAny>>,
        max_body_bytes: Option<&Bound<'_, PyAny>>,
        reject_status: Option<&Bound<'_, PyAny>>,
        dedup: Option<&Bound<'_, PyAny>>,
        dedup_ttl: Option<&Bound<'_, PyAny>>,
        on_store_error: Option<&Bound<'_, PyAny>>,
        on_in_flight: Option<&Bound<'_, PyAny>>,
        on_id_reuse: Option<&Bound<'_, PyAny>>,
        on_unsigned_id: Option<&Bound<'_, PyAny>>,
        require_processing_mark: bool,
        steps: Option<BTreeMap<String, Vec<String>>>,
        ignore: Option<Vec<String>>,
        on_silent_drop: Option<&Bound<'_, PyAny>>,
        verification: Option<&Bound<'_, PyAny>>,
        capture_body: Option<&Bound<'_, PyAny>>,
        traced: bool,
        application: Option<&str>,
        workers: Option<(Option<u32>, u32)>,
        namespace: Option<&Bound<'_, PyAny>>,
        package: Option<String>,
    ) -> PyResult<Self> {
        let configuration = |error| errors::configuration(py, &error);
        let provider = convert::text("provider", provider)?.unwrap_or_default();
        let scheme = convert::scheme(py, scheme)?;
        let secret_form = convert::secret_form(scheme.as_ref(), &provider);
        let (secrets, secret_fault) = match convert::given_secrets(signature_secret, secret_form)? {
            Ok(secrets) => (secrets, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        let options = EndpointOptions {
            secrets,
            secret_fault,
            scheme,
            custom_verifier,
            secret_function,
            urls: convert::texts("url", url)?,
            verify_token: convert::text("verify_token", verify_token)?,
            name: convert::text("name", name)?,
            tolerance: convert::seconds("tolerance", tolerance)?,
            max_body_bytes: convert::whole("max_body_bytes", max_body_bytes)?,
            reject_status: convert::whole("reject_status", reject_status)?,
            verification: word("verification", verification, &VERIFICATION)?.unwrap_or_default(),
            dedup: convert::text("dedup", dedup)?,
            dedup_ttl: convert::seconds("dedup_ttl", dedup_ttl)?,
            on_store_error: word("on_store_error", on_store_error, &ON_STORE_ERROR)?.unwrap_or_default(),
            on_in_flight: word("on_in_flight", on_in_flight, &ON_IN_FLIGHT)?,
            on_id_reuse: word("on_id_reuse", on_id_reuse, &ON_ID_REUSE)?,
            on_unsigned_id: word("on_unsigned_id", on_unsigned_id, &ON_UNSIGNED_ID)?.unwrap_or_default(),
            event_type_field: convert::text("event_type_field", event_type_field)?,
            require_processing_mark,
            steps: steps.unwrap_or_default(),
            ignore: ignore.unwrap_or_default(),
            on_silent_drop: word("on_silent_drop", on_silent_drop, &ON_SILENT_DROP)?.unwrap_or_default(),
            capture_body: capture_body.map(captured).transpose()?.flatten(),
            traced,
            store: application.map(DedupStore::application).transpose().map_err(configuration)?,
            workers: workers.map(|(count, number)| Workers { count, number }),
            namespace: convert::text("namespace", namespace)?,
            package,
            ..EndpointOptions::new(provider)
        };
        surehook::Endpoint::new(options).map(|endpoint| Self { endpoint, secret_form }).map_err(configuration)
    }

    #[getter]
    fn name(&self) -> &str {
        self.endpoint.name()
    }

    #[getter]
    fn provider(&self) -> &str {
        self.endpoint.provider()
    }

    #[getter]
    fn max_body_bytes(&self) -> usize {
        self.endpoint.max_body_bytes()
    }

    /// A place among the calls of the user's function; `None`: too many run.
    fn call_secret_function(&self) -> Option<SecretCall> {
        let call = self.endpoint.call_secret_function()?;
        Some(SecretCall::new(call, self.secret_form))
    }

    /// Raises what is wrong with the secret.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.endpoint.check().map_err(|error| errors::configuration(py, &error))
    }

    /// Notices what is wrong with the secret.
    fn begin_to_serve(&self) {
        self.endpoint.begin_to_serve();
    }

    fn set_secrets(&self, secrets: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = secrets.py();
        let given = convert::secrets(py, Some(secrets), self.secret_form)?;
        self.endpoint.set_secrets(&given).map_err(|error| errors::configuration(py, &error))
    }

    /// The counts by their names.
    fn dedup_counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = self.endpoint.dedup_counts();
        let named = PyDict::new(py);
        named.set_item("new", counts.new)?;
        named.set_item("duplicate", counts.duplicate)?;
        named.set_item("in_flight", counts.in_flight)?;
        named.set_item("id_reuse", counts.id_reuse)?;
        named.set_item("same_body_other_id", counts.same_body_other_id)?;
        named.set_item("fenced", counts.fenced)?;
        named.set_item("unavailable", counts.unavailable)?;
        named.set_item("unprotected", counts.unprotected)?;
        named.set_item("bodies_omitted", counts.bodies_omitted)?;
        Ok(named)
    }

    /// Whether the store knew a message that is named by one of the three.
    #[pyo3(signature = (id, idempotency_key, dedup_key))]
    fn forget(
        &self,
        py: Python<'_>,
        id: Option<&str>,
        idempotency_key: Option<&str>,
        dedup_key: Option<&str>,
    ) -> PyResult<bool> {
        let message = match (id, idempotency_key, dedup_key) {
            (Some(id), None, None) => Forget::Id(id),
            (None, Some(key), None) => Forget::UserKey(key),
            (None, None, Some(key)) => Forget::Key(key),
            _ => return Err(PyTypeError::new_err("give one of id, idempotency_key and dedup_key")),
        };
        let keys = self.endpoint.keys(message).map_err(|error| errors::configuration(py, &error))?;
        py.detach(|| self.endpoint.forget(&keys)).map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }

    /// A `Delivery`, the answer to send, a `Pending` where that is to come, or a `Question` to be answered. `verdict` is what the user's own verifier said; `key(body, headers)` is called
    /// only for a verified message.
    #[pyo3(signature = (method, path, headers, body, missing, verdict, key, received_at = None, secret = None))]
    #[allow(clippy::too_many_arguments)] // one call for each request: an object to hold them would cost more
    fn begin<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &str,
        headers: &Bound<'py, PyAny>,
        body: Option<&Bound<'py, PyAny>>,
        missing: Option<&str>,
        verdict: Option<&Bound<'py, PyAny>>,
        key: Option<&Bound<'py, PyAny>>,
        received_at: Option<&Bound<'py, PyAny>>,
        secret: Option<&SecretAnswer>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let received_at = convert::time("received_at", received_at)?;
        let headers = Headers::read(headers)?;
        let octets = body.map(convert::body).transpose()?.flatten();
        let pairs = headers.slices();
        let request = Request { method, path, headers: &pairs, body: content(octets.as_ref(), missing) };
        let long = octets.as_ref().is_some_and(|octets| octets.as_slice().len() >= UNLOCKED_FROM);
        let verdict = custom_verdict(verdict);
        let key = key.map(|key| key.clone().unbind());
        let mut said = secret.map(|secret| secret.0.clone());
        let mut begin = || {
            let mut verify = || verdict.clone();
            let mut named = key.as_ref().map(|key| {
                |message: &VerifiedMessage<'_>| Python::attach(|py| user_key(key.bind(py), message, &pairs))
            });
            let key = named.as_mut().map(|named| named as KeyFunction<'_>);
            let hooks = Hooks { key, received_at, verifier: Some(&mut verify), secret: said.take() };
            self.endpoint.begin_without_waiting(request, hooks)
        };
        let begun = if long || !self.endpoint.is_instant() { py.detach(begin) } else { begin() };
        pending::begun(py, begun)
    }
}

const VERIFICATION: [(&str, Verification); 2] = [("on", Verification::On), ("off", Verification::Off)];
const ON_SILENT_DROP: [(&str, OnSilentDrop); 2] = [("report", OnSilentDrop::Report), ("retry", OnSilentDrop::Retry)];
const ON_STORE_ERROR: [(&str, OnStoreError); 2] =
    [("reject", OnStoreError::Reject), ("process", OnStoreError::Process)];
const ON_IN_FLIGHT: [(&str, OnInFlight); 2] = [("answer", OnInFlight::Answer), ("wait", OnInFlight::Wait)];
const ON_ID_REUSE: [(&str, OnIdReuse); 3] =
    [("replay", OnIdReuse::Replay), ("handle", OnIdReuse::Handle), ("reject", OnIdReuse::Reject)];

const ON_UNSIGNED_ID: [(&str, OnUnsignedId); 2] =
    [("duplicate", OnUnsignedId::Duplicate), ("handle", OnUnsignedId::Handle)];

/// `True`, the paths that are taken out, or a dict with `keep` and `remove`.
fn captured(value: &Bound<'_, PyAny>) -> PyResult<Option<CaptureBody>> {
    let wrong = |fault: &str| errors::invalid_option(value.py(), "capture_body", fault);
    let shape = || wrong("it must be a bool, a list of paths to take out, or a dict with lists as keep and remove");
    let paths = |paths: &Bound<'_, PyAny>| {
        let list = paths.is_instance_of::<PyList>() || paths.is_instance_of::<PyTuple>();
        let read = if list { paths.extract::<Vec<String>>().ok() } else { None };
        read.ok_or_else(|| wrong("paths are a list of str, e.g. [\"data.email_addresses\"]"))
    };
    if let Ok(on) = value.cast::<PyBool>() {
        return Ok(on.is_true().then(CaptureBody::default));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return Ok(Some(CaptureBody { remove: paths(value)?, ..CaptureBody::default() }));
    }
    let mut capture = CaptureBody::default();
    for (name, value) in value.cast::<PyDict>().map_err(|_| shape())?.iter() {
        match name.extract::<String>().as_deref() {
            Ok("keep") => capture.keep = paths(&value)?,
            Ok("remove") => capture.remove = paths(&value)?,
            _ => return Err(shape()),
        }
    }
    Ok(Some(capture))
}

/// The value that a word stands for.
fn word<T: Copy>(option: &'static str, given: Option<&Bound<'_, PyAny>>, words: &[(&str, T)]) -> PyResult<Option<T>> {
    let Some((given, text)) = given.zip(convert::text(option, given)?) else { return Ok(None) };
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| Some(*value));
    found.ok_or_else(|| {
        let allowed: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        errors::invalid_option(given.py(), option, format!("it must be one of: {}", allowed.join(", ")))
    })
}

/// `True`, a text, and a tuple of the message's id and its sender accept, `False` refuses; anything else means that the verifier
/// failed.
fn custom_verdict(said: Option<&Bound<'_, PyAny>>) -> CustomVerdict {
    let Some(said) = said else { return CustomVerdict::Failed };
    let accepted = |message_id, sender| CustomVerdict::Accepted { message_id, sender };
    if let Ok(said) = said.cast::<PyBool>() {
        return if said.is_true() { accepted(None, None) } else { CustomVerdict::Refused };
    }
    match said.extract::<(Option<String>, Option<String>)>() {
        Ok((id, sender)) => accepted(id, sender),
        Err(_) => match said.extract::<String>() {
            Ok(id) if !id.is_empty() => accepted(Some(id), None),
            _ => CustomVerdict::Failed,
        },
    }
}

fn content<'a>(octets: Option<&'a Octets>, missing: Option<&str>) -> Body<'a> {
    match octets {
        Some(octets) => Body::Bytes(octets.as_slice()),
        None => match missing {
            Some("too_large") => Body::TooLarge,
            Some("incomplete") => Body::Incomplete,
            _ => Body::Unavailable,
        },
    }
}

/// What the user's function makes of the body (parsed where it is JSON or a form) and the headers (names in lower case).
fn user_key(key: &Bound<'_, PyAny>, message: &VerifiedMessage<'_>, headers: &[(&[u8], &[u8])]) -> Option<String> {
    let names = PyDict::new(key.py());
    for (name, value) in headers {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        names.set_item(name, PyString::new(key.py(), &String::from_utf8_lossy(value))).ok()?;
    }
    let form = form::held(message.scheme(), &Incoming::post(headers, message.body()));
    let body = parsed(key.py(), form.as_ref().map_or(message.body(), |form| form.as_bytes()));
    key.call1((body, names)).ok()?.extract().ok()
}
