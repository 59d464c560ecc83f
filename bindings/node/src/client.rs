//! Telemetry of the process.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;

use crate::convert::{Result, coded, whole};
use crate::screening;

#[napi(object)]
pub struct InitOptions {
    pub api_key: Option<String>,
    pub endpoint: Option<String>,
    pub ca_file: Option<String>,
    pub spool_dir: Option<String>,
    pub spool_max_attempts: Option<f64>,
    pub spool_max_bytes: Option<f64>,
    /// Whether an environment has a `Screening` that is open.
    pub before_send: bool,
    pub runtime: Option<String>,
    pub service: Option<String>,
    /// The name of the application's package.
    pub package: Option<String>,
}

#[napi(object)]
pub struct Stats {
    pub recorded: f64,
    pub stored: f64,
    pub summarised: f64,
    pub queued: f64,
    pub dropped: HashMap<String, f64>,
}

#[napi(object)]
pub struct Notice {
    /// `info`, `warning` or `error`.
    pub level: String,
    pub text: String,
}

#[napi(catch_unwind)]
pub fn init(options: InitOptions) -> Result<()> {
    let options = surehook::ClientOptions {
        api_key: options.api_key,
        endpoint: options.endpoint,
        ca_file: options.ca_file.map(PathBuf::from),
        spool_dir: options.spool_dir.map(PathBuf::from),
        spool_max_attempts: options.spool_max_attempts.map(whole),
        spool_max_bytes: options.spool_max_bytes.map(whole),
        before_send: options.before_send.then(screening::before_send),
        capture: None,
        service: options.service,
        package: options.package,
        language: Some("node".to_owned()),
        framework: None,
        runtime: options.runtime,
    };
    surehook::init(options).map(drop).map_err(coded)
}

/// A wait that a thread of the pool does, so that the event loop goes on.
pub struct Wait {
    wait: fn(Duration) -> bool,
    timeout: Duration,
}

impl Task for Wait {
    type Output = bool;
    type JsValue = bool;

    fn compute(&mut self) -> napi::Result<bool> {
        Ok((self.wait)(self.timeout))
    }

    fn resolve(&mut self, _env: Env, nothing_left: bool) -> napi::Result<bool> {
        Ok(nothing_left)
    }
}

#[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
pub fn flush(timeout_ms: u32) -> AsyncTask<Wait> {
    AsyncTask::new(Wait { wait: surehook::flush, timeout: milliseconds(timeout_ms) })
}

/// For the end of the process, when no promise is waited for any more.
#[napi(catch_unwind)]
pub fn flush_sync(timeout_ms: u32) -> bool {
    surehook::flush(milliseconds(timeout_ms))
}

#[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
pub fn shutdown(timeout_ms: u32) -> AsyncTask<Wait> {
    AsyncTask::new(Wait { wait: surehook::shutdown, timeout: milliseconds(timeout_ms) })
}

#[napi(catch_unwind)]
pub fn stats() -> Stats {
    let stats = surehook::stats();
    Stats {
        recorded: stats.recorded as f64,
        stored: stats.stored as f64,
        summarised: stats.summarised as f64,
        queued: stats.queued as f64,
        dropped: stats.dropped.iter().map(|(reason, count)| (reason.as_str().to_owned(), *count as f64)).collect(),
    }
}

#[napi(catch_unwind)]
pub fn take_notices() -> Vec<Notice> {
    let notices = surehook::take_notices().into_iter();
    notices.map(|notice| Notice { level: notice.level.as_str().to_owned(), text: notice.text }).collect()
}

fn milliseconds(number: u32) -> Duration {
    Duration::from_millis(u64::from(number))
}
