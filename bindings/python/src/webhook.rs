//! Verification alone.

use jiter::{PythonParse, StringCacheMode};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use surehook::core::{ConfigError, HeaderPairs, ReasonCode, Rejection, Timestamp, VerifiedMessage, Verifier};

use crate::convert::{self, Headers, Octets, UNLOCKED_FROM};
use crate::errors;

/// The provider whose rules Svix, Clerk and all the other Standard Webhooks senders share.
const FAMILY: &str = "standard-webhooks";

/// Checks the signatures of a Standard Webhooks sender.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct Webhook(surehook::Webhook);

#[pymethods]
impl Webhook {
    #[new]
    #[pyo3(signature = (secret))]
    fn new(py: Python<'_>, secret: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let secrets = convert::secrets(secret)?;
        surehook::Webhook::with_provider(FAMILY, &secrets)
            .map(Self)
            .map_err(|error| errors::configuration(py, error.code(), error.to_string()))
    }

    /// The parsed body, or nothing where it is not asked for.
    fn verify<'py>(
        &self,
        py: Python<'py>,
        payload: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        json_parse: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let check = |body: &_, headers: &_| self.0.verify(body, headers).map(|_| ());
        let headers = Headers::read(headers)?;
        let Some(body) = convert::body(payload)? else {
            return Err(errors::verification(py, &Rejection::new(ReasonCode::BodyUnavailable)));
        };
        unlocked(py, &body, |body| check(body, &headers.slices()))
            .map_err(|rejection| errors::verification(py, &rejection))?;
        Ok(json_parse.then(|| parsed(py, body.as_slice())))
    }
}

/// What `surehook.verify` says: (valid, code, message, docs, message id, signed at).
type Verdict = (bool, Option<&'static str>, Option<&'static str>, Option<String>, Option<String>, Option<i64>);

/// Checks one message at a time of choice.
#[pyfunction]
#[pyo3(signature = (provider, secret, body, headers, tolerance, max_body_bytes, now))]
#[allow(clippy::too_many_arguments)] // they are the arguments of the public function, by name
pub(crate) fn verify(
    py: Python<'_>,
    provider: &str,
    secret: Option<&Bound<'_, PyAny>>,
    body: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
    tolerance: Option<f64>,
    max_body_bytes: Option<usize>,
    now: Option<f64>,
) -> PyResult<Verdict> {
    let configuration = |error: ConfigError| errors::configuration(py, error.code(), error.to_string());
    let mut verifier = Verifier::new(provider, &convert::secrets(secret)?).map_err(configuration)?;
    if let Some(tolerance) = convert::seconds(py, "tolerance", tolerance)? {
        verifier = verifier.with_tolerance(tolerance).map_err(configuration)?;
    }
    if let Some(limit) = max_body_bytes {
        verifier = verifier.with_max_body_bytes(limit).map_err(configuration)?;
    }
    let now = convert::seconds(py, "now", now)?;
    let headers = Headers::read(headers)?;
    let Some(body) = convert::body(body)? else {
        return Ok(refused(&Rejection::new(ReasonCode::BodyUnavailable)));
    };
    Ok(unlocked(py, &body, |body| {
        let slices = headers.slices();
        check(verifier, body, &slices, now).map_or_else(|rejection| refused(&rejection), |message| accepted(&message))
    }))
}

/// Every reason code, in the order of the contract.
#[pyfunction]
pub(crate) fn reason_codes() -> Vec<&'static str> {
    ReasonCode::ALL.iter().map(|code| code.as_str()).collect()
}

fn check<'a>(
    verifier: Verifier,
    body: &'a [u8],
    headers: HeaderPairs<'a>,
    now: Option<std::time::Duration>,
) -> Result<VerifiedMessage<'a>, Rejection> {
    match now.and_then(|since_1970| i64::try_from(since_1970.as_secs()).ok()) {
        Some(seconds) => verifier.verify(body, headers, Timestamp::from_unix_seconds(seconds)),
        None => surehook::Webhook::with_verifier(verifier).verify(body, headers),
    }
}

fn accepted(message: &VerifiedMessage<'_>) -> Verdict {
    (true, None, None, None, Some(message.message_id().to_owned()), Some(message.timestamp().unix_seconds()))
}

fn refused(rejection: &Rejection) -> Verdict {
    let id = rejection.claimed_message_id().map(str::to_owned);
    (false, Some(rejection.code().as_str()), Some(rejection.message()), Some(rejection.docs()), id, None)
}

/// Runs `work` on the bytes; without the interpreter's lock where they are many.
pub(crate) fn unlocked<T: Send>(py: Python<'_>, body: &Octets, work: impl Send + FnOnce(&[u8]) -> T) -> T {
    let bytes = body.as_slice();
    if bytes.len() < UNLOCKED_FROM { work(bytes) } else { py.detach(|| work(bytes)) }
}

/// The JSON value, or the bytes as they are where they hold none.
pub(crate) fn parsed<'py>(py: Python<'py>, body: &[u8]) -> Bound<'py, PyAny> {
    let parser = PythonParse { cache_mode: StringCacheMode::Keys, ..PythonParse::default() };
    parser.python_parse(py, body).unwrap_or_else(|_| PyBytes::new(py, body).into_any())
}
