//! The sender: takes attempts without blocking, and posts them from one thread of its own.

mod state;
mod target;
mod worker;

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use surehook_core::telemetry::attempt::{Attempt, DropReason, Instance, SdkInfo};
use surehook_core::telemetry::refusals::{Kind, Verdict};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::before_send::BeforeSend;
use crate::capture::Capture;
use crate::clock::{Clock as _, SystemClock};
use crate::spool;
use state::{Phase, State};
pub(crate) use target::Target;

/// An attempt waits at most this long for others to share its batch.
const BATCH_INTERVAL: Duration = Duration::from_secs(1);
/// After its deadline, a shutdown waits this long for the thread to let go of a running request.
const ABORT_GRACE: Duration = Duration::from_millis(100);

/// What became of the attempts that a process recorded: `recorded = stored + summarised + dropped + queued`, always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Attempts handed to the sender, with those that earlier processes left in the spool.
    pub recorded: u64,
    /// Attempts that a collector has stored.
    pub stored: u64,
    /// Refused requests that a collector has as a number.
    pub summarised: u64,
    /// Attempts lost, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Attempts that wait in memory or in the spool, or are on their way.
    pub queued: u64,
}

impl Stats {
    /// The sum of two accounts.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.recorded += other.recorded;
        self.stored += other.stored;
        self.summarised += other.summarised;
        self.queued += other.queued;
        for (reason, count) in other.dropped {
            *self.dropped.entry(reason).or_default() += count;
        }
        self
    }
}

/// What a sender is told once, and keeps over a fork.
#[derive(Clone, PartialEq)]
pub(crate) struct Settings {
    pub(crate) sdk: SdkInfo,
    /// The API key: labels that are redacted stay apart under it.
    pub(crate) label_key: Zeroizing<String>,
    /// What the application is called.
    pub(crate) service: Option<String>,
    /// Where to send; `None`: telemetry is off.
    pub(crate) target: Option<Target>,
    /// Where attempts are kept until a collector has them; `None`: in memory.
    pub(crate) spool: Option<spool::Settings>,
    pub(crate) before_send: Option<BeforeSend>,
    /// Where attempts are kept in place of being sent.
    pub(crate) capture: Option<Capture>,
}

/// The queue and its thread.
pub(crate) struct Sender(Arc<Shared>);

/// What the callers and the thread share.
struct Shared {
    settings: Settings,
    instance: Instance,
    state: Mutex<State>,
    /// Tells waiting callers that something was settled.
    settled: Condvar,
    /// Wakes the thread.
    wake: Notify,
}

impl Sender {
    /// A sender without a thread; the first attempt starts it.
    pub(crate) fn new(settings: Settings, instance: Instance) -> Self {
        let state = Mutex::new(State::new(settings.spool.clone()));
        Self(Arc::new(Shared { settings, instance, state, settled: Condvar::new(), wake: Notify::new() }))
    }

    /// Takes an attempt, or counts it as dropped when there is no room.
    pub(crate) fn record(&self, attempt: Attempt) {
        let line = self.0.settings.spool.as_ref().and_then(|_| spool::Line::of(&attempt));
        let mut state = self.0.lock();
        let was_full = state.has_full_batch();
        if state.keep(attempt, line) {
            self.kept(state, was_full);
        }
    }

    /// Takes a refused request: it is told in full now or later, or only counted. Of `proved` ones the cause is known. The
    /// attempt is only made when it may be told.
    pub(crate) fn refuse(&self, kind: Kind, proved: bool, attempt: impl FnOnce() -> Attempt) {
        let (now, random) = (SystemClock.now(), getrandom::u64().unwrap_or_default());
        let mut state = self.0.lock();
        let was_full = state.has_full_batch();
        state.draw(now, false);
        match state.refusals.add(kind, proved, now, random, attempt) {
            Verdict::Told(attempt) => state.keep_refused(*attempt),
            Verdict::Kept => state.await_minute_end(now),
        }
        self.kept(state, was_full);
    }

    /// Has what was just kept sent in time.
    fn kept(&self, mut state: MutexGuard<'_, State>, was_full: bool) {
        let first = state.due.is_none();
        if first {
            state.due = Some(Instant::now() + BATCH_INTERVAL);
        }
        // A thread that was told of a full batch, or waits for the collector, need not be told of each attempt after it.
        let wake = first || (!was_full && state.has_full_batch());
        self.start_if_idle(&mut state);
        drop(state);
        if wake {
            self.0.wake.notify_one();
        }
    }

    /// Whether starts of handlers are kept.
    pub(crate) fn keeps_starts(&self) -> bool {
        self.0.settings.spool.is_some()
    }

    /// A handler starts; the attempt is what is told of it if this process ends before it does.
    pub(crate) fn begin(&self, attempt: &Attempt) {
        let Some(line) = spool::Line::of(attempt) else { return };
        if let Some(spool) = &mut self.0.lock().spool {
            spool.begin(attempt.id, line);
        }
    }

    /// Counts an attempt that was lost before it could be recorded.
    pub(crate) fn lost(&self, reason: DropReason) {
        self.0.lock().queue.lost(reason, 1);
    }

    /// Sends what is queued and waits for it up to `timeout`; true when nothing is left.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let mut state = self.0.lock();
        state.urges += 1;
        if !state.is_done() {
            self.start_if_idle(&mut state);
        }
        self.0.wake.notify_one();
        let state = self.0.wait(state, timeout, |state| !state.is_done() && state.phase != Phase::Idle);
        state.is_done()
    }

    /// The same, and ends the thread; what is left at the deadline stays in the spool, or is counted as dropped.
    pub(crate) fn shutdown(&self, timeout: Duration) -> bool {
        let mut state = self.0.lock();
        state.urges += 1;
        if state.phase == Phase::Running {
            state.phase = Phase::Closing;
        }
        self.0.wake.notify_one();
        let mut state = self.0.wait(state, timeout, |state| state.phase != Phase::Idle);
        if state.phase == Phase::Idle {
            return state.is_empty();
        }
        state.phase = Phase::Aborting;
        self.0.wake.notify_one();
        drop(self.0.wait(state, ABORT_GRACE, |state| state.phase != Phase::Idle));
        false
    }

    pub(crate) fn stats(&self) -> Stats {
        self.0.lock().stats()
    }

    fn start_if_idle(&self, state: &mut State) {
        if state.phase != Phase::Idle {
            return;
        }
        let Some(target) = self.0.settings.target.clone() else { return };
        let shared = Arc::clone(&self.0);
        let thread = std::thread::Builder::new().name("surehook-sender".to_owned());
        // Where no thread can be had, the attempts stay queued and the next one tries again.
        if thread.spawn(move || worker::run(&shared, &target)).is_ok() {
            state.phase = Phase::Running;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while `pending` holds, at most for `timeout`.
    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        timeout: Duration,
        pending: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        let waited = self.settled.wait_timeout_while(state, timeout, |state| pending(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
