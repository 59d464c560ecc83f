//! What `surehook.testing` is made of.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use surehook::core::{Signer, Timestamp, Unsigned, generate_secret, scheme};
use surehook::{Client, ClientOptions, Clock, Error, Scheme, SystemClock};

use crate::client::LANGUAGE;
use crate::convert::{self, Headers};
use crate::{before_send, errors};

/// What is recorded in this process, until `end`.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct Capture {
    capture: surehook::Capture,
    /// Who was captured before, while this one is not ended.
    before: Mutex<Option<Option<Client>>>,
}

#[pymethods]
impl Capture {
    /// `serve(attempts, before_send)` asks `before_send`, by default that of `init`, for each of them.
    #[new]
    #[pyo3(signature = (before_send, serve))]
    fn new(py: Python<'_>, before_send: Option<&Bound<'_, PyAny>>, serve: &Bound<'_, PyAny>) -> PyResult<Self> {
        let capture = surehook::Capture::new();
        let options = ClientOptions {
            capture: Some(capture.clone()),
            before_send: Some(before_send::direct(before_send, serve)),
            language: Some(LANGUAGE.to_owned()),
            ..ClientOptions::default()
        };
        let client = Client::new(options).map_err(|error| errors::configuration(py, &error))?;
        Ok(Self { capture, before: Mutex::new(Some(surehook::divert(Some(client)))) })
    }

    /// The attempts so far, in the form of the wire, oldest first.
    fn attempts<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyAny>> {
        self.capture.attempts().iter().map(|attempt| before_send::as_dict(py, attempt)).collect()
    }

    fn clear(&self) {
        self.capture.clear();
    }

    /// Lets the attempts go where they went before.
    fn end(&self) {
        if let Some(before) = self.before.lock().unwrap_or_else(PoisonError::into_inner).take() {
            surehook::divert(before);
        }
    }
}

/// (query, headers, body)
type Signed<'py> = (String, Vec<(String, String)>, Bound<'py, PyBytes>);

/// Signs a request as a provider does: (query, the headers that come to the given ones, body).
#[pyfunction]
#[pyo3(signature = (*, provider, scheme, secret, method, url, query, headers, message_id, timestamp, body))]
#[allow(clippy::too_many_arguments)] // the parts of a request, by name
pub(crate) fn sign<'py>(
    py: Python<'py>,
    provider: &str,
    scheme: Option<&str>,
    secret: &str,
    method: &str,
    url: &str,
    query: &str,
    headers: &Bound<'py, PyAny>,
    message_id: &str,
    timestamp: i64,
    body: &[u8],
) -> PyResult<Signed<'py>> {
    let headers = Headers::read(headers)?;
    let unsigned = Unsigned {
        method,
        query,
        headers: &headers.slices(),
        message_id,
        timestamp: Timestamp::from_unix_micros(timestamp),
        body,
    };
    let signed =
        Signer::new(row(py, provider, scheme)?, secret).and_then(|signer| signer.with_url(url).sign_request(&unsigned));
    let request = signed.map_err(|error| errors::configuration(py, &error))?;
    Ok((request.query, request.headers, PyBytes::new(py, &request.body)))
}

/// A secret of the provider's form, made of random bytes.
#[pyfunction]
#[pyo3(signature = (provider, scheme, random))]
pub(crate) fn new_secret(py: Python<'_>, provider: &str, scheme: Option<&str>, random: [u8; 24]) -> PyResult<String> {
    let secret = generate_secret(&*row(py, provider, scheme)?, &random);
    secret.map_err(|error| errors::configuration(py, &error))
}

/// Stops the SDK's clock at a time, in microseconds since 1970; `None` lets it run.
#[pyfunction]
#[pyo3(signature = (at))]
pub(crate) fn freeze(at: Option<i64>) {
    SystemClock::freeze(at.map(Timestamp::from_unix_micros));
}

/// The SDK's time, in microseconds since 1970.
#[pyfunction]
pub(crate) fn now() -> i64 {
    SystemClock.now().unix_micros()
}

fn row(py: Python<'_>, provider: &str, own: Option<&str>) -> PyResult<Arc<Scheme>> {
    if let Some(own) = convert::scheme(py, own)? {
        return Ok(Arc::new(own));
    }
    scheme::find(provider).ok_or_else(|| errors::configuration(py, &Error::unknown_provider(provider)))
}
