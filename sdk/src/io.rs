//! The SDK's I/O thread: what waits for a network or for a timer runs here, never on a thread of the host.
//!
//! It starts with the first task. A child of a fork gets a thread of its own.

use std::sync::{LazyLock, Mutex, PoisonError};

use surehook_core::dedup::StoreError;
use tokio::runtime::{Builder, Handle};

use crate::process::PerProcess;

/// So many questions to stores of this host are asked at a time. They would only stand in line before one file.
const BESIDE: usize = 16;

static RUNTIME: LazyLock<PerProcess<Mutex<Option<Handle>>>> = LazyLock::new(|| PerProcess::new(Mutex::default));

/// The I/O thread, for tasks to be spawned on.
///
/// # Errors
/// No thread can be had.
pub(crate) fn handle() -> Result<Handle, StoreError> {
    let runtime = RUNTIME.get();
    let mut handle = runtime.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*handle {
        return Ok(handle.clone());
    }
    let started =
        start().map_err(|error| StoreError { reason: format!("the I/O thread cannot be started: {error}") })?;
    Ok(handle.insert(started).clone())
}

/// Runs a task on the I/O thread.
///
/// # Errors
/// No thread can be had; the task is dropped.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), StoreError> {
    handle()?.spawn(task);
    Ok(())
}

fn start() -> std::io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().max_blocking_threads(BESIDE).build()?;
    let handle = runtime.handle().clone();
    let thread = std::thread::Builder::new().name("surehook-io".to_owned());
    thread.spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
}
