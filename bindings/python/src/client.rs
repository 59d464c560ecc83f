//! The process-wide client.

use std::collections::BTreeMap;
use std::time::Duration;

use pyo3::prelude::*;
use surehook::ClientOptions;

use crate::errors;

/// Waits longer than this are not possible.
const LONGEST_WAIT_SECONDS: f64 = 86_400.0;

/// Starts telemetry.
#[pyfunction]
pub(crate) fn init(
    py: Python<'_>,
    api_key: Option<String>,
    endpoint: Option<String>,
    runtime: String,
    framework: Option<String>,
) -> PyResult<()> {
    let language = Some("python".to_owned());
    let options =
        ClientOptions { api_key, endpoint, language, framework, runtime: Some(runtime), ..ClientOptions::default() };
    match py.detach(|| surehook::init(options)) {
        Ok(_) => Ok(()),
        Err(error) => Err(errors::configuration(py, &error)),
    }
}

/// Waits until everything is stored, for a number of seconds at most.
#[pyfunction]
pub(crate) fn flush(py: Python<'_>, timeout: f64) -> bool {
    py.detach(|| surehook::flush(wait(timeout)))
}

/// Flushes, then stops sending.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>, timeout: f64) -> bool {
    py.detach(|| surehook::shutdown(wait(timeout)))
}

/// (recorded, stored, dropped by reason, queued)
#[pyfunction]
pub(crate) fn stats() -> (u64, u64, BTreeMap<&'static str, u64>, u64) {
    let stats = surehook::stats();
    let dropped = stats.dropped.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    (stats.recorded, stats.stored, dropped, stats.queued)
}

/// The (level, text) of everything the SDK had to say since the last call.
#[pyfunction]
pub(crate) fn take_notices() -> Vec<(&'static str, String)> {
    surehook::take_notices().into_iter().map(|notice| (notice.level.as_str(), notice.text)).collect()
}

fn wait(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST_WAIT_SECONDS)).unwrap_or_default()
}
