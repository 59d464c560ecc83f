//! The user's `before_send`, called for each attempt before it is sent.
//!
//! It runs on a thread that Python starts, beside the sender's: when the interpreter ends, it ends each thread that is inside of
//! it by unwinding its stack, which must not have frames of Rust in it. The sender's thread waits for the answers.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use surehook::core::telemetry::attempt::Attempt;
use surehook::{BeforeSend, PerProcess};

use crate::json;
use crate::webhook::parsed;

/// The function that [`init`](crate::client::init) was given last: given again, it is the same setting.
static LATEST: Mutex<Option<Latest>> = Mutex::new(None);

struct Latest {
    function: Py<PyAny>,
    before_send: BeforeSend,
    thread: Arc<Thread>,
}

/// The way to the thread of a process; `None`: it does not run.
type Thread = PerProcess<Mutex<Option<Sender<Job>>>>;

/// An attempt, and where the answer goes: the attempt that is to be sent, or `None`.
struct Job {
    attempt: Attempt,
    answer: Sender<Option<Attempt>>,
}

/// The attempts that wait for `before_send`, one after the other.
#[pyclass(frozen, module = "surehook._native")]
pub(crate) struct Attempts {
    jobs: Mutex<Receiver<Job>>,
    current: Mutex<Option<Job>>,
}

#[pymethods]
impl Attempts {
    /// The next attempt; `None` once there will be no more. What was not answered is refused.
    fn take<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        drop(lock(&self.current).take());
        let job = py.detach(|| lock(&self.jobs).recv()).ok()?;
        let attempt = as_dict(py, &job.attempt);
        *lock(&self.current) = Some(job);
        Some(attempt)
    }

    /// What becomes of the attempt that was taken: `None`, or a dict that is an attempt.
    fn answer(&self, said: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let attempt = said.map(attempt_of).transpose()?;
        if let Some(job) = lock(&self.current).take() {
            // Nobody waits any more when the sender was ended meanwhile.
            let _ = job.answer.send(attempt);
        }
        Ok(())
    }
}

/// The setting for a function. `serve(attempts, function)` is run by the thread.
pub(crate) fn setting(function: &Bound<'_, PyAny>, serve: &Bound<'_, PyAny>) -> BeforeSend {
    let mut latest = lock(&LATEST);
    if let Some(same) = latest.as_ref().filter(|latest| latest.function.is(function)) {
        return same.before_send.clone();
    }
    let thread = Arc::new(Thread::new(Mutex::default));
    let (ours, own, serve) = (thread.clone(), function.clone().unbind(), serve.clone().unbind());
    let before_send = BeforeSend::new(move |attempt| {
        ask(&ours, &own, &serve, attempt.clone()).map(|changed| *attempt = changed).is_some()
    });
    let function = function.clone().unbind();
    let before = latest.replace(Latest { function, before_send: before_send.clone(), thread });
    drop(latest);
    drop(before);
    before_send
}

/// Without a thread, for attempts that are captured where they are recorded: asks the function, or else the one that `init` was
/// given last.
pub(crate) fn direct(function: Option<&Bound<'_, PyAny>>, serve: &Bound<'_, PyAny>) -> BeforeSend {
    let (own, serve) = (function.map(|function| function.clone().unbind()), serve.clone().unbind());
    BeforeSend::new(move |attempt| {
        let function = Python::try_attach(|py| match &own {
            Some(own) => Some(own.clone_ref(py)),
            None => lock(&LATEST).as_ref().map(|latest| latest.function.clone_ref(py)),
        });
        match function.flatten() {
            Some(function) => ask_here(&function, &serve, attempt.clone()).map(|changed| *attempt = changed).is_some(),
            None => true,
        }
    })
}

/// `init` was given no function.
pub(crate) fn unset() {
    let before = lock(&LATEST).take();
    drop(before);
}

/// Lets the thread end; the next attempt starts a new one.
pub(crate) fn rest() {
    let latest = lock(&LATEST);
    if let Some(Latest { thread, .. }) = &*latest {
        lock(&thread.get()).take();
    }
}

fn ask(thread: &Thread, function: &Py<PyAny>, serve: &Py<PyAny>, attempt: Attempt) -> Option<Attempt> {
    // An interpreter that is about to end may start no thread any more (CPython 3.12).
    let Some(jobs) = running(thread, function, serve) else { return ask_here(function, serve, attempt) };
    let (answer, answered) = channel();
    jobs.send(Job { attempt, answer }).ok()?;
    answered.recv().ok().flatten()
}

/// Asks on this very thread.
fn ask_here(function: &Py<PyAny>, serve: &Py<PyAny>, attempt: Attempt) -> Option<Attempt> {
    let (jobs, receiver) = channel();
    let (answer, answered) = channel();
    jobs.send(Job { attempt, answer }).ok()?;
    drop(jobs);
    let attempts = Attempts { jobs: Mutex::new(receiver), current: Mutex::new(None) };
    Python::try_attach(|py| serve.bind(py).call1((Bound::new(py, attempts)?, function)).map(drop))?.ok()?;
    answered.recv().ok().flatten()
}

fn running(thread: &Thread, function: &Py<PyAny>, serve: &Py<PyAny>) -> Option<Sender<Job>> {
    let thread = thread.get();
    if let Some(jobs) = &*lock(&thread) {
        return Some(jobs.clone());
    }
    // Not while the lock is held: whoever has the interpreter's may wait for this one.
    let (jobs, receiver) = channel();
    let attempts = Attempts { jobs: Mutex::new(receiver), current: Mutex::new(None) };
    Python::try_attach(|py| start(py, attempts, function, serve).ok()).flatten()?;
    *lock(&thread) = Some(jobs.clone());
    Some(jobs)
}

fn start(py: Python<'_>, attempts: Attempts, function: &Py<PyAny>, serve: &Py<PyAny>) -> PyResult<()> {
    let named = PyDict::new(py);
    named.set_item("target", serve)?;
    named.set_item("args", (Bound::new(py, attempts)?, function))?;
    named.set_item("name", "surehook-before-send")?;
    named.set_item("daemon", true)?;
    py.import("threading")?.getattr("Thread")?.call((), Some(&named))?.call_method0("start").map(drop)
}

/// An attempt in the form of the wire.
pub(crate) fn as_dict<'py>(py: Python<'py>, attempt: &Attempt) -> Bound<'py, PyAny> {
    parsed(py, &serde_json::to_vec(attempt).unwrap_or_default())
}

fn attempt_of(said: &Bound<'_, PyAny>) -> PyResult<Attempt> {
    if !said.is_instance_of::<PyDict>() {
        return Err(PyTypeError::new_err("it returned neither a dict nor None"));
    }
    let attempt = Attempt::read_own(&json::value(said));
    attempt.map_err(|error| PyValueError::new_err(format!("what it returned is no attempt: {error}")))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
