//! Waits without the interpreter's lock that a signal can end: Python runs its handlers of signals on the main thread only when
//! that comes back to it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Between two looks at the signals.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is sent there, or what a handler of a signal raises, as that of Ctrl-C does.
pub(crate) fn received<T: Send>(py: Python<'_>, mut answers: Receiver<T>) -> PyResult<T> {
    loop {
        let (back, found) = py.detach(move || {
            let found = answers.recv_timeout(LOOK_EVERY);
            (answers, found)
        });
        answers = back;
        match found {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => return Err(PyRuntimeError::new_err("nobody will answer any more")),
        }
    }
}

/// What the work comes to. It has a thread of its own, on which it goes on when a signal ended the wait.
pub(crate) fn done<T: Send + 'static>(py: Python<'_>, work: impl FnOnce() -> T + Send + 'static) -> PyResult<T> {
    let (tell, answers) = channel();
    std::thread::Builder::new().name("surehook-wait".to_owned()).spawn(move || drop(tell.send(work())))?;
    received(py, answers)
}
