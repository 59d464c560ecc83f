//! Verification alone.

use jiter::{JsonResult, PythonParse, StringCacheMode};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyDateTime, PyTzInfo, PyTzInfoAccess};
use surehook::core::diagnose::Finding;
use surehook::core::scheme::SecretForm;
use surehook::core::{Incoming, ReasonCode, Timestamp};
use surehook::{Clock, Rejection, SystemClock, VerifiedMessage, VerifierSettings};

use crate::convert::{self, Headers, Octets, UNLOCKED_FROM};
use crate::errors::{self, Diagnosed};

/// The provider whose rules Svix, Clerk and all the other Standard Webhooks senders share.
const FAMILY: &str = "standard-webhooks";

/// Checks the signatures of a Standard Webhooks sender. `verify` is what users call, with no Python function around it: that
/// would cost a twelfth of the time.
#[pyclass(frozen, subclass, module = "surehook._native")]
pub(crate) struct Webhook(surehook::Webhook);

#[pymethods]
impl Webhook {
    #[new]
    #[pyo3(signature = (whsecret))]
    fn new(py: Python<'_>, whsecret: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let secrets = convert::secrets(py, whsecret, SecretForm::Standard)?;
        let webhook = surehook::Webhook::with_provider(FAMILY, &secrets);
        webhook.map(Self).map_err(|error| errors::configuration(py, &error))
    }

    /// Check ``data``, the raw body, against its headers and return it parsed.
    ///
    /// Header names may be in any case. With ``json_parse=False`` nothing comes back. A process looks for the cause of five refusals a second at most; with
    /// ``diagnose=True`` of each one, which takes up to 5 ms.
    ///
    /// Raises WebhookVerificationError when the signature does not hold, BodyNotJsonError (a
    /// json.JSONDecodeError) when it does and the body is no JSON, TypeError when ``data`` or ``headers``
    /// are no body and no headers.
    #[pyo3(signature = (data, headers, *, json_parse = true, diagnose = false, received_at = None))]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        json_parse: bool,
        diagnose: bool,
        received_at: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let refused = |rejection: &Rejection| errors::public(py, errors::verification(py, rejection));
        let headers = Headers::read(headers)?;
        let Some(body) = convert::body(data)? else {
            return Err(refused(&Rejection::new(ReasonCode::BodyUnavailable)));
        };
        let now = surehook::Webhook::reference_time(convert::time("received_at", received_at)?, SystemClock.now());
        let check = |body: &_| checked(&self.0, &Incoming::post(&headers.slices(), body), now, diagnose).map(|_| ());
        unlocked(py, &body, check).map_err(|rejection| refused(&rejection))?;
        json_parse.then(|| loaded(py, body.as_slice())).transpose()
    }

    /// The signature of a message as its sender writes it, ``v1,…``. A ``timestamp`` without a zone is UTC.
    ///
    /// Raises ConfigurationError for an id, a time or a body that ``verify`` refuses whoever signed it.
    #[pyo3(signature = (msg_id, timestamp, data))]
    fn sign(&self, py: Python<'_>, msg_id: &str, timestamp: SignedAt, data: &Bound<'_, PyAny>) -> PyResult<String> {
        let no_text = || errors::invalid_option(py, "data", "it is no valid text");
        let signed = convert::body(data)?.ok_or_else(no_text).and_then(|body| {
            let signature = self.0.sign(msg_id, timestamp.0, body.as_slice());
            signature.map_err(|error| errors::configuration(py, &error))
        });
        signed.map_err(|error| errors::public(py, error))
    }
}

/// The whole second of a `datetime`; one without a zone is UTC.
struct SignedAt(Timestamp);

impl<'a, 'py> FromPyObject<'a, 'py> for SignedAt {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let Ok(at) = value.cast::<PyDateTime>() else {
            let name = convert::type_name(&value);
            return Err(PyTypeError::new_err(format!("timestamp must be a datetime, not {name}")));
        };
        let at = if at.get_tzinfo().is_some() {
            at.to_owned().into_any()
        } else {
            let zone = [("tzinfo", PyTzInfo::utc(value.py())?)].into_py_dict(value.py())?;
            at.call_method("replace", (), Some(&zone))?
        };
        let seconds: f64 = at.call_method0("timestamp")?.extract()?;
        Ok(Self(Timestamp::from_unix_seconds(seconds.floor() as i64)))
    }
}

/// What `surehook.verify` says: (valid, code, message, docs, message id, signed at, diagnosis).
type Verdict =
    (bool, Option<&'static str>, Option<&'static str>, Option<String>, Option<String>, Option<i64>, Option<Diagnosed>);

/// Checks one message at a time of choice. `scheme` is the JSON of a scheme of the user's own.
#[pyfunction]
#[pyo3(signature = (provider, scheme, secret, body, headers, method, url, tolerance, max_body_bytes, now, received_at, diagnose))]
#[allow(clippy::too_many_arguments)] // they are the arguments of the public function, by name
pub(crate) fn verify(
    py: Python<'_>,
    provider: Option<&Bound<'_, PyAny>>,
    scheme: Option<&str>,
    secret: Option<&Bound<'_, PyAny>>,
    body: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
    method: Option<&Bound<'_, PyAny>>,
    url: Option<&Bound<'_, PyAny>>,
    tolerance: Option<&Bound<'_, PyAny>>,
    max_body_bytes: Option<&Bound<'_, PyAny>>,
    now: Option<&Bound<'_, PyAny>>,
    received_at: Option<&Bound<'_, PyAny>>,
    diagnose: bool,
) -> PyResult<Verdict> {
    let provider = convert::text("provider", provider)?.unwrap_or_default();
    let own = convert::scheme(py, scheme)?;
    let secrets = convert::secrets(py, secret, convert::secret_form(own.as_ref(), &provider))?;
    let path = convert::text("url", url)?.unwrap_or_default();
    let settings = VerifierSettings {
        provider: &provider,
        scheme,
        secrets: &secrets,
        url: path.split('?').next().filter(|url| !url.is_empty()),
        tolerance: convert::seconds("tolerance", tolerance)?,
        max_body_bytes: convert::whole("max_body_bytes", max_body_bytes)?,
    };
    let webhook = surehook::Webhook::cached(&settings).map_err(|error| errors::configuration(py, &error))?;
    let method = convert::text("method", method)?;
    let now = convert::time("now", now)?.unwrap_or_else(|| SystemClock.now());
    let now = surehook::Webhook::reference_time(convert::time("received_at", received_at)?, now);
    let headers = Headers::read(headers)?;
    let Some(body) = convert::body(body)? else {
        return Ok(refused(&Rejection::new(ReasonCode::BodyUnavailable)));
    };
    Ok(unlocked(py, &body, |body| {
        let method = method.as_deref().unwrap_or("POST");
        let incoming = Incoming { method, path: &path, headers: &headers.slices(), body };
        let inflated = match webhook.verifier().inflated(&incoming) {
            Ok(inflated) => inflated,
            Err(rejection) => return refused(&rejection),
        };
        let incoming = Incoming { body: inflated.as_deref().unwrap_or(body), ..incoming };
        let verified = checked(&webhook, &incoming, now, diagnose);
        verified.map_or_else(|rejection| refused(&rejection), |message| accepted(&message))
    }))
}

/// Looks for the cause of a refusal within the limit of the process, or each time.
fn checked<'a>(
    webhook: &'a surehook::Webhook,
    incoming: &Incoming<'a>,
    now: Timestamp,
    diagnose: bool,
) -> Result<VerifiedMessage<'a>, Rejection> {
    if diagnose { webhook.verify_and_diagnose(incoming, now) } else { webhook.verify_request(incoming, now) }
}

/// Every reason code, in the order of the contract.
#[pyfunction]
pub(crate) fn reason_codes() -> Vec<&'static str> {
    ReasonCode::ALL.iter().map(|code| code.as_str()).collect()
}

/// Every finding of a diagnosis, in the order of the contract.
#[pyfunction]
pub(crate) fn findings() -> Vec<&'static str> {
    Finding::ALL.iter().map(|finding| finding.as_str()).collect()
}

fn accepted(message: &VerifiedMessage<'_>) -> Verdict {
    let signed_at = message.timestamp().map(Timestamp::unix_seconds);
    (true, None, None, None, Some(message.message_id().to_owned()), signed_at, None)
}

fn refused(rejection: &Rejection) -> Verdict {
    let id = rejection.claimed_message_id().map(str::to_owned);
    let (code, message, docs) = (rejection.code().as_str(), rejection.message(), rejection.docs());
    (false, Some(code), Some(message), Some(docs), id, None, rejection.diagnosis().map(errors::diagnosed))
}

/// Runs `work` on the bytes; without the interpreter's lock where they are many.
pub(crate) fn unlocked<T: Send>(py: Python<'_>, body: &Octets, work: impl Send + FnOnce(&[u8]) -> T) -> T {
    let bytes = body.as_slice();
    if bytes.len() < UNLOCKED_FROM { work(bytes) } else { py.detach(|| work(bytes)) }
}

/// The JSON value, or the bytes as they are where they hold none.
pub(crate) fn parsed<'py>(py: Python<'py>, body: &[u8]) -> Bound<'py, PyAny> {
    fast(py, body).unwrap_or_else(|_| PyBytes::new(py, body).into_any())
}

/// The JSON value. What the fast parser does not take, `json.loads` decides: it takes lone surrogates and `NaN`, and says where
/// the fault is.
fn loaded<'py>(py: Python<'py>, body: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    fast(py, body).or_else(|_| py.import("surehook.errors")?.call_method1("loaded", (PyBytes::new(py, body),)))
}

fn fast<'py>(py: Python<'py>, body: &[u8]) -> JsonResult<Bound<'py, PyAny>> {
    PythonParse { cache_mode: StringCacheMode::Keys, ..PythonParse::default() }.python_parse(py, body)
}
