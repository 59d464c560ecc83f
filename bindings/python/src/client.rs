//! The process-wide client.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use surehook::ClientOptions;

use crate::{before_send, convert, errors, interruptible};

/// The host language, as an attempt's record names it.
pub(crate) const LANGUAGE: &str = "python";

/// Waits longer than this are not possible.
const LONGEST_WAIT_SECONDS: f64 = 86_400.0;

/// Starts telemetry. `serve(attempts, before_send)` is what the thread of `before_send` runs.
#[pyfunction]
#[pyo3(signature = (
    *, api_key, endpoint, runtime, framework, spool_dir, spool_max_attempts, spool_max_bytes, ca_file, before_send, serve,
    service, package,
))]
#[allow(clippy::too_many_arguments)] // they are the arguments of the public function, by name
pub(crate) fn init(
    py: Python<'_>,
    api_key: Option<String>,
    endpoint: Option<String>,
    runtime: String,
    framework: Option<String>,
    spool_dir: Option<PathBuf>,
    spool_max_attempts: Option<&Bound<'_, PyAny>>,
    spool_max_bytes: Option<&Bound<'_, PyAny>>,
    ca_file: Option<PathBuf>,
    before_send: Option<&Bound<'_, PyAny>>,
    serve: &Bound<'_, PyAny>,
    service: Option<&Bound<'_, PyAny>>,
    package: Option<String>,
) -> PyResult<()> {
    if before_send.is_none() {
        before_send::unset();
    }
    let options = ClientOptions {
        api_key,
        endpoint,
        ca_file,
        spool_dir,
        spool_max_attempts: convert::whole("spool_max_attempts", spool_max_attempts)?,
        spool_max_bytes: convert::whole("spool_max_bytes", spool_max_bytes)?,
        before_send: before_send.map(|function| before_send::setting(function, serve)),
        service: convert::text("service", service)?,
        package,
        language: Some(LANGUAGE.to_owned()),
        framework,
        runtime: Some(runtime),
        ..ClientOptions::default()
    };
    match py.detach(|| surehook::init(options)) {
        Ok(_) => Ok(()),
        Err(error) => Err(errors::configuration(py, &error)),
    }
}

/// Waits until everything is stored, for a number of seconds at most.
#[pyfunction]
pub(crate) fn flush(py: Python<'_>, timeout: f64) -> PyResult<bool> {
    interruptible::done(py, move || surehook::flush(wait(timeout)))
}

/// Flushes, then stops sending.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>, timeout: f64) -> PyResult<bool> {
    let done = interruptible::done(py, move || surehook::shutdown(wait(timeout)));
    before_send::rest();
    done
}

/// (recorded, stored, summarised, dropped by reason, queued)
#[pyfunction]
pub(crate) fn stats() -> (u64, u64, u64, BTreeMap<&'static str, u64>, u64) {
    let stats = surehook::stats();
    let dropped = stats.dropped.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    (stats.recorded, stats.stored, stats.summarised, dropped, stats.queued)
}

/// The (level, text) of everything the SDK had to say since the last call.
#[pyfunction]
pub(crate) fn take_notices() -> Vec<(&'static str, String)> {
    surehook::take_notices().into_iter().map(|notice| (notice.level.as_str(), notice.text)).collect()
}

fn wait(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST_WAIT_SECONDS)).unwrap_or_default()
}
