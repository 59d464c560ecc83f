//! The application's `beforeSend`: its function runs on the thread of its own environment, and the sender's thread waits.
//!
//! A process may have several environments, its main thread and workers, each with a function of its own; the one that was
//! given last is asked. When its environment ends, the next is asked, and without any the attempt is not sent.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use surehook::BeforeSend;
use surehook::core::telemetry::attempt::Attempt;

/// The desks of the environments that have a function, the last one to be asked first.
static DESKS: Mutex<Vec<Arc<Desk>>> = Mutex::new(Vec::new());

/// One for the process, so that settings stay equal whichever environment gives them.
static BEFORE_SEND: LazyLock<BeforeSend> = LazyLock::new(|| BeforeSend::new(judge));

pub(crate) fn before_send() -> BeforeSend {
    BEFORE_SEND.clone()
}

/// Whether the attempt is to be sent, and as what.
fn judge(attempt: &mut Attempt) -> bool {
    let Ok(json) = serde_json::to_string(attempt) else { return false };
    loop {
        let Some(desk) = lock(&DESKS).last().cloned() else { return false };
        match desk.ask(&json) {
            Some(Verdict::Send(changed)) => {
                *attempt = *changed;
                return true;
            }
            Some(Verdict::Drop) => return false,
            None => desk.leave(),
        }
    }
}

/// Wakes JavaScript without keeping its process alive.
type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

/// Where the sender's thread leaves attempts for one environment, and gets them back.
struct Desk {
    wake: Wake,
    cases: Mutex<Cases>,
    /// A case came, was judged, or none is taken any more.
    changed: Condvar,
}

#[derive(Default)]
struct Cases {
    is_open: bool,
    last_id: u32,
    waiting: VecDeque<Case>,
    judged: HashMap<u32, Verdict>,
}

enum Verdict {
    Send(Box<Attempt>),
    Drop,
}

/// An attempt that waits for a verdict.
#[napi(object, object_from_js = false)]
pub struct Case {
    pub id: u32,
    /// The attempt in the wire's form, as JSON.
    pub attempt: String,
}

impl Desk {
    /// Asks for a verdict and waits for it; `None`: the environment has ended, or has no function any more.
    fn ask(&self, attempt: &str) -> Option<Verdict> {
        let mut cases = lock(&self.cases);
        if !cases.is_open {
            return None;
        }
        cases.last_id = cases.last_id.wrapping_add(1);
        let id = cases.last_id;
        cases.waiting.push_back(Case { id, attempt: attempt.to_owned() });
        self.changed.notify_all();
        self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        let waits = |cases: &mut Cases| cases.is_open && !cases.judged.contains_key(&id);
        let mut cases = self.changed.wait_while(cases, waits).unwrap_or_else(PoisonError::into_inner);
        cases.judged.remove(&id)
    }

    fn close(&self) {
        let mut cases = lock(&self.cases);
        cases.is_open = false;
        cases.waiting.clear();
        drop(cases);
        self.changed.notify_all();
    }

    /// Is not asked again.
    fn leave(&self) {
        lock(&DESKS).retain(|other| !std::ptr::eq(&raw const **other, self));
    }
}

/// An environment's end of its desk. JavaScript takes cases when `wake` is called, and judges them.
#[napi]
pub struct Screening(Arc<Desk>);

#[napi]
impl Screening {
    /// `wake` is called on the environment's own thread whenever cases wait.
    #[napi(catch_unwind, constructor)]
    pub fn new(env: Env, wake: Function<'_, (), ()>) -> napi::Result<Self> {
        let wake = wake.build_threadsafe_function::<()>().weak::<true>().callee_handled::<false>().build()?;
        let desk = Arc::new(Desk { wake, cases: Mutex::default(), changed: Condvar::new() });
        env.add_env_cleanup_hook(Arc::clone(&desk), |desk| {
            desk.leave();
            desk.close();
        })?;
        Ok(Self(desk))
    }

    /// From now on this environment is asked, before all others.
    #[napi(catch_unwind)]
    pub fn open(&self) {
        lock(&self.0.cases).is_open = true;
        self.0.leave();
        lock(&DESKS).push(Arc::clone(&self.0));
    }

    /// From now on it is not asked.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.0.leave();
        self.0.close();
    }

    /// The next attempt that waits. One that is taken must be judged.
    #[napi(catch_unwind)]
    pub fn take(&self) -> Option<Case> {
        lock(&self.0.cases).waiting.pop_front()
    }

    /// Judges a case: the attempt as it is to be sent, as JSON, or nothing when it is not. What comes back says why it could not
    /// be taken, and is dropped.
    #[napi(catch_unwind)]
    pub fn judge(&self, id: u32, attempt: Option<String>) -> Option<String> {
        let read = attempt.map(|json| Attempt::read_own(&serde_json::from_str(&json)?));
        let (verdict, fault) = match read {
            Some(Ok(attempt)) => (Verdict::Send(Box::new(attempt)), None),
            Some(Err(error)) => (Verdict::Drop, Some(without_values(&error))),
            None => (Verdict::Drop, None),
        };
        lock(&self.0.cases).judged.insert(id, verdict);
        self.0.changed.notify_all();
        fault
    }

    /// Waits until a case is there, at most so long. For the end of the process, when `wake` is not called any more.
    #[napi(catch_unwind)]
    pub fn wait(&self, timeout_ms: u32) {
        let timeout = Duration::from_millis(u64::from(timeout_ms));
        let nothing = |cases: &mut Cases| cases.waiting.is_empty();
        drop(self.0.changed.wait_timeout_while(lock(&self.0.cases), timeout, nothing));
    }
}

/// What serde says of a fault, without the value that it may repeat: ``missing field `endpoint```, `invalid type`.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = if text.starts_with("missing field") { text.find(" at line ") } else { text.find([':', '`']) };
    text[..end.unwrap_or(text.len())].trim_end().to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
