//! The thread that tells Python what the SDK's I/O thread found out.
//!
//! A call into Python may have to wait for the interpreter's lock, for as long as a handler holds it. The I/O thread must not:
//! it renews the leases of running handlers. So such calls have a thread of their own.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread::JoinHandle;

use pyo3::prelude::*;
use surehook::PerProcess;

static WAKER: LazyLock<PerProcess<Mutex<State>>> = LazyLock::new(|| PerProcess::new(Mutex::default));

type Call = Box<dyn FnOnce(Python<'_>) + Send>;

/// No more calls than this keep the interpreter's lock from others.
const AT_ONCE: usize = 64;

/// What the thread is told.
pub(crate) enum Message {
    /// Call this with the interpreter's lock.
    Call(Call),
    Stop,
}

#[derive(Default)]
enum State {
    #[default]
    NotStarted,
    Running(Sender<Message>, JoinHandle<()>),
    Stopped,
}

/// Where calls into Python go; the first one starts the thread. What is sent after [`stop_waker`] is dropped.
pub(crate) fn calls() -> io::Result<Sender<Message>> {
    let waker = WAKER.get();
    let mut state = waker.lock().unwrap_or_else(PoisonError::into_inner);
    match &*state {
        State::Running(calls, _) => return Ok(calls.clone()),
        State::Stopped => return Err(io::Error::other("the interpreter is ending")),
        State::NotStarted => {}
    }
    let (calls, messages) = channel();
    let thread = std::thread::Builder::new().name("surehook-waker".to_owned()).spawn(move || run(&messages))?;
    *state = State::Running(calls.clone(), thread);
    Ok(calls)
}

fn run(messages: &Receiver<Message>) {
    while let Ok(Message::Call(call)) = messages.recv() {
        // An interpreter that ends has nobody left who waits for the call.
        let _ = Python::try_attach(|py| call_with_those_behind(py, call, messages));
    }
}

/// Getting the interpreter's lock takes longer than a call, so what came meanwhile is called with it.
fn call_with_those_behind(py: Python<'_>, first: Call, messages: &Receiver<Message>) {
    first(py);
    for _ in 1..AT_ONCE {
        match messages.try_recv() {
            Ok(Message::Call(call)) => call(py),
            Ok(Message::Stop) | Err(_) => return,
        }
    }
}

/// Ends the thread, so that the interpreter does not end under it.
#[pyfunction]
pub(crate) fn stop_waker(py: Python<'_>) {
    py.detach(|| {
        let waker = WAKER.get();
        let state = std::mem::replace(&mut *waker.lock().unwrap_or_else(PoisonError::into_inner), State::Stopped);
        if let State::Running(calls, thread) = state {
            let _ = calls.send(Message::Stop);
            let _ = thread.join();
        }
    });
}
