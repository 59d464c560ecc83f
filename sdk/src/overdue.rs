//! Nothing is held for longer than 15 minutes: a delivery that nobody ended by then is ended here, as failed.
//!
//! A handler that runs on after its sender left has nobody who waits for it, and in some hosts nobody can tell whether it still
//! runs at all. So the end is watched for here, once for every language, and for every delivery.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use surehook_core::dedup::LEASE_LIMIT;

use crate::delivery::{Open, guarded};
use crate::handler::{ErrorKind, HandlerError};
use crate::io;
use crate::notice::{self, Level};
use crate::process::PerProcess;

/// How often is looked for deliveries that are overdue.
const TICK: Duration = Duration::from_secs(1);

const NEVER_ANSWERED: HandlerError<'static> = HandlerError {
    kind: ErrorKind::TimedOut,
    error_type: "NeverAnswered",
    message: "the handler did not answer within 15 minutes",
    location: None,
};

static WATCH: LazyLock<PerProcess<Watch>> = LazyLock::new(|| PerProcess::new(Watch::default));

/// Holds a delivery until somebody ends it.
pub(crate) struct Slot {
    state: Mutex<State>,
    /// The process whose delivery it is.
    pid: u32,
}

enum State {
    Open(Box<Open>),
    /// It was ended here, while its handler ran.
    Overdue,
    Ended,
}

/// What was in a slot.
pub(crate) enum Taken {
    Open(Box<Open>),
    Overdue,
    Ended,
}

impl Slot {
    pub(crate) fn new(open: Box<Open>) -> Self {
        Self { state: Mutex::new(State::Open(open)), pid: std::process::id() }
    }

    /// Looks at, or changes, a delivery that has not ended. What fails in it reaches neither a handler nor the watch.
    pub(crate) fn peek<T>(&self, look: impl FnOnce(&mut Open) -> T) -> Option<T> {
        // In a child of a fork a thread of its parent may have held the lock: nobody there lets go of it.
        let mut state = match self.pid == std::process::id() {
            true => self.lock(),
            false => self.state.try_lock().ok()?,
        };
        match &mut *state {
            State::Open(open) => guarded(None, || look(open)),
            State::Overdue | State::Ended => None,
        }
    }

    /// The right to end the delivery, once. A child of a fork holds a copy, which is not its own to end: its parent runs the
    /// handler.
    pub(crate) fn take(&self) -> Taken {
        if self.pid != std::process::id() {
            if let Ok(mut state) = self.state.try_lock() {
                std::mem::forget(std::mem::replace(&mut *state, State::Ended));
            }
            return Taken::Ended;
        }
        match std::mem::replace(&mut *self.lock(), State::Ended) {
            State::Open(open) => Taken::Open(open),
            State::Overdue => Taken::Overdue,
            State::Ended => Taken::Ended,
        }
    }

    /// Ends a delivery that nobody ended in time.
    fn end(&self) {
        let mut state = self.lock();
        if !matches!(&*state, State::Open(_)) {
            return;
        }
        let State::Open(open) = std::mem::replace(&mut *state, State::Overdue) else { return };
        drop(state);
        let text = "a handler did not answer within 15 minutes; its message counts as failed, and may run again";
        notice::give(Level::Warning, format!("{}: {text}", open.endpoint_name()));
        // Where the claim is in the application's own database, nobody is there to give it back: it lapses with its lease.
        drop(open.fail_guarded(NEVER_ANSWERED));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The deliveries of this process that may be open.
#[derive(Default)]
struct Watch(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    slots: Vec<Weak<Slot>>,
    ticking: bool,
}

/// Ends the delivery in a slot when it is overdue.
pub(crate) fn watch(slot: &Arc<Slot>) {
    let watch = WATCH.get();
    let mut watched = watch.lock();
    watched.slots.push(Arc::downgrade(slot));
    if !watched.ticking {
        // Where no thread can be had, the claim lapses all the same.
        watched.ticking = io::spawn(tick()).is_ok();
    }
}

/// Looks after deliveries as long as there are open ones.
async fn tick() {
    loop {
        tokio::time::sleep(TICK).await;
        let Some(overdue) = WATCH.get().overdue() else { return };
        overdue.iter().for_each(|slot| slot.end());
    }
}

impl Watch {
    /// Forgets what has ended, and finds what is overdue. `None`: nothing is open, and the watch ends.
    fn overdue(&self) -> Option<Vec<Arc<Slot>>> {
        let mut watched = self.lock();
        let mut overdue = Vec::new();
        watched.slots.retain(|slot| {
            let Some(slot) = slot.upgrade() else { return false };
            match slot.peek(|open| open.is_overdue(LEASE_LIMIT)) {
                Some(true) => overdue.push(slot),
                Some(false) => return true,
                None => {}
            }
            false
        });
        watched.ticking = !(watched.slots.is_empty() && overdue.is_empty());
        watched.ticking.then_some(overdue)
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
