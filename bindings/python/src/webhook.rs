//! Verification alone.

use std::sync::Arc;

use jiter::{PythonParse, StringCacheMode};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use surehook::core::diagnose::Finding;
use surehook::core::scheme::SecretForm;
use surehook::core::{Incoming, ReasonCode, Timestamp, Verifier};
use surehook::{Clock, Error, Rejection, SystemClock, VerifiedMessage};

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
    #[pyo3(signature = (secret))]
    fn new(py: Python<'_>, secret: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let secrets = convert::secrets(py, secret, SecretForm::Standard)?;
        let webhook = surehook::Webhook::with_provider(FAMILY, &secrets);
        webhook.map(Self).map_err(|error| errors::configuration(py, &error))
    }

    /// Check ``payload``, the raw body, against its headers and return it parsed.
    ///
    /// Header names may be in any case. A body that is no JSON comes back as bytes; with
    /// ``json_parse=False`` nothing comes back.
    ///
    /// Raises WebhookVerificationError when the signature does not hold, TypeError when ``payload`` or
    /// ``headers`` are no body and no headers.
    #[pyo3(signature = (payload, headers, *, json_parse = true))]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        payload: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        json_parse: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let refused = |rejection: &Rejection| errors::public(py, errors::verification(py, rejection));
        let headers = Headers::read(headers)?;
        let Some(body) = convert::body(payload)? else {
            return Err(refused(&Rejection::new(ReasonCode::BodyUnavailable)));
        };
        let check = |body: &_| self.0.verify(body, &headers.slices()).map(|_| ());
        unlocked(py, &body, check).map_err(|rejection| refused(&rejection))?;
        Ok(json_parse.then(|| parsed(py, body.as_slice())))
    }
}

/// What `surehook.verify` says: (valid, code, message, docs, message id, signed at, diagnosis).
type Verdict =
    (bool, Option<&'static str>, Option<&'static str>, Option<String>, Option<String>, Option<i64>, Option<Diagnosed>);

/// Checks one message at a time of choice. `scheme` is the JSON of a scheme of the user's own.
#[pyfunction]
#[pyo3(signature = (provider, scheme, secret, body, headers, method, url, tolerance, max_body_bytes, now))]
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
) -> PyResult<Verdict> {
    let configuration = |error: Error| errors::configuration(py, &error);
    let provider = convert::text("provider", provider)?.unwrap_or_default();
    let own = convert::scheme(py, scheme)?;
    let secrets = convert::secrets(py, secret, convert::secret_form(own.as_ref(), &provider))?;
    let mut verifier = match own {
        Some(own) => Verifier::for_scheme(Arc::new(own), &secrets),
        None => Verifier::new(&provider, &secrets),
    }
    .map_err(configuration)?;
    if let Some(tolerance) = convert::seconds("tolerance", tolerance)? {
        verifier = verifier.with_tolerance(tolerance).map_err(configuration)?;
    }
    if let Some(limit) = convert::whole("max_body_bytes", max_body_bytes)? {
        verifier = verifier.with_max_body_bytes(limit).map_err(configuration)?;
    }
    let path = convert::text("url", url)?.unwrap_or_default();
    if let Some(url) = path.split('?').next().filter(|url| !url.is_empty()) {
        verifier = verifier.with_url(url).map_err(configuration)?;
    }
    let webhook = surehook::Webhook::with_verifier(verifier.complete().map_err(configuration)?);
    let method = convert::text("method", method)?;
    let now = convert::seconds("now", now)?;
    let now = now.map_or_else(|| SystemClock.now(), |since_1970| Timestamp::from_unix_seconds(0) + since_1970);
    let headers = Headers::read(headers)?;
    let Some(body) = convert::body(body)? else {
        return Ok(refused(&Rejection::new(ReasonCode::BodyUnavailable)));
    };
    Ok(unlocked(py, &body, |body| {
        let method = method.as_deref().unwrap_or("POST");
        let incoming = Incoming { method, path: &path, headers: &headers.slices(), body };
        let verified = webhook.verify_request(&incoming, now);
        verified.map_or_else(|rejection| refused(&rejection), |message| accepted(&message))
    }))
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
    let parser = PythonParse { cache_mode: StringCacheMode::Keys, ..PythonParse::default() };
    parser.python_parse(py, body).unwrap_or_else(|_| PyBytes::new(py, body).into_any())
}
