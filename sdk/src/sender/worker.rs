//! The sender's thread: waits for work, posts it, and does what the answer says.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use surehook_core::telemetry::attempt::DropReason;
use surehook_core::telemetry::backoff::{Backoff, UNAUTHORIZED_PROBE, retry_after};
use surehook_core::telemetry::queue::InFlight;
use surehook_core::telemetry::wire::{self, Ack, Answer};

use super::state::Phase;
use super::target::{Reply, Target, compress};
use super::{BATCH_INTERVAL, Shared};
use crate::clock::{Clock, SystemClock};
use crate::notice::{self, Level};
use crate::spool::{self, Segment};

/// How often to look for what processes that are gone left in the spool.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// Runs until the sender is shut down.
pub(super) fn run(shared: &Shared, target: &Target) {
    let ended = catch_unwind(AssertUnwindSafe(|| serve(shared, target)));
    let fault = match ended {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("it failed".to_owned()),
    };
    let failed = fault.is_some();
    if let Some(fault) = fault {
        notice::give(
            Level::Error,
            format!("the telemetry thread could not run: {fault}; the attempts that waited are lost"),
        );
    }
    let mut state = shared.lock();
    if failed {
        state.give_up_after_fault();
    } else if state.phase == Phase::Aborting {
        state.give_up(DropReason::ShutdownTimeout);
    }
    state.rest();
    state.due = None;
    state.phase = Phase::Idle;
    drop(state);
    shared.settled.notify_all();
}

fn serve(shared: &Shared, target: &Target) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = target.connect().map_err(std::io::Error::other)?;
    let worker = Worker {
        shared,
        target,
        client,
        backoff: Backoff::default(),
        urges_seen: 0,
        urges_sent: 0,
        warned: false,
        next: None,
        next_look: Instant::now(),
    };
    runtime.block_on(worker.work());
    Ok(())
}

struct Worker<'a> {
    shared: &'a Shared,
    target: &'a Target,
    client: reqwest::Client,
    backoff: Backoff,
    urges_seen: u64,
    /// The urges that were there when a batch was sent last: only a later one ends the pause after it.
    urges_sent: u64,
    /// Whether the owner was told that the collector does not take our batches.
    warned: bool,
    /// Half of a batch that was too large as a whole.
    next: Option<InFlight>,
    /// When to look for what processes that are gone left in the spool.
    next_look: Instant,
}

/// What the thread is to do next.
enum Task {
    Wait(Option<Instant>),
    Send(InFlight),
    /// Look for what processes that are gone left in the spool.
    Look(spool::Settings),
    /// Read a segment of the spool.
    Load(Segment),
    End,
}

impl Worker<'_> {
    async fn work(mut self) {
        loop {
            match self.next_task() {
                Task::End => return,
                Task::Wait(None) => self.shared.wake.notified().await,
                Task::Wait(Some(until)) => {
                    // Woken or not, the next task is looked up anew.
                    let _ = tokio::time::timeout_at(until.into(), self.shared.wake.notified()).await;
                }
                Task::Send(batch) => {
                    if let Some(pause) = self.send(batch).await {
                        self.pause(pause).await;
                    }
                }
                Task::Look(settings) => self.look(&settings),
                Task::Load(segment) => self.load(segment),
            }
        }
    }

    fn next_task(&mut self) -> Task {
        let mut state = self.shared.lock();
        if state.phase == Phase::Aborting {
            if let Some(half) = self.next.take() {
                state.queue.restore(half);
            }
            return Task::End;
        }
        self.urges_sent = state.urges;
        if let Some(half) = self.next.take() {
            return Task::Send(half);
        }
        if state.discard_settled() {
            self.shared.settled.notify_all();
        }
        let look = state.spool.as_ref().map(|spool| (self.next_look, spool.settings()));
        if let Some((_, settings)) = look.filter(|(next, _)| *next <= Instant::now()) {
            self.next_look = Instant::now() + LOOK_INTERVAL;
            return Task::Look(settings.clone());
        }
        let next_look = look.map(|(next, _)| next);
        let urged = state.phase == Phase::Closing || state.urges != self.urges_seen;
        state.draw(SystemClock.now(), urged);
        if state.is_empty() {
            state.due = None;
            self.urges_seen = state.urges;
            return if state.phase == Phase::Closing { Task::End } else { Task::Wait(next_look) };
        }
        let due = state.due.is_none_or(|due| due <= Instant::now());
        if !(urged || due || state.has_loaded() || state.has_full_batch()) {
            return Task::Wait(state.next_due());
        }
        state.due = Some(Instant::now() + BATCH_INTERVAL);
        if let Some(batch) = state.queue.take(SystemClock.now()) {
            return Task::Send(batch);
        }
        if let Some(segment) = state.next_segment() {
            return Task::Load(segment);
        }
        // Only what is held of this minute waits: the next attempt has to wake this thread.
        state.due = None;
        Task::Wait(state.minute_end())
    }

    fn look(&self, settings: &spool::Settings) {
        let orphans = settings.orphans();
        let found: u64 = orphans.iter().map(Segment::attempts).sum();
        if found > 0 {
            notice::give(Level::Info, format!("{found} attempts that an earlier process left in the spool are sent"));
        }
        self.shared.lock().adopt(orphans);
        self.shared.settled.notify_all();
    }

    fn load(&self, mut segment: Segment) {
        let contents = segment.read();
        if contents.unreadable > 0 {
            let count = contents.unreadable;
            notice::give(Level::Error, format!("{count} attempts in the spool cannot be read and are lost"));
        }
        self.shared.lock().load(segment, contents);
        self.shared.settled.notify_all();
    }

    /// Posts a batch and settles it; answers for how long to pause before the next.
    async fn send(&mut self, mut batch: InFlight) -> Option<Duration> {
        self.screen(&mut batch);
        if batch.attempt_count() == 0 && batch.refused().is_none() {
            self.shared.lock().queue.restore(batch);
            return None;
        }
        let Some(gzipped) = self.encode(&batch) else {
            self.lose(batch, DropReason::InternalError);
            return None;
        };
        let posted = tokio::select! {
            posted = self.target.post(&self.client, gzipped) => posted,
            () = self.aborted() => {
                self.shared.lock().queue.restore(batch);
                return None;
            }
        };
        match posted {
            Ok(reply) => self.settle(batch, &reply),
            Err(_) => Some(self.retry(batch, None, "it cannot be reached")),
        }
    }

    /// Keeps back what the application does not want sent.
    fn screen(&self, batch: &mut InFlight) {
        let Some(before_send) = &self.shared.settings.before_send else { return };
        let refused = batch.screen(|attempt| before_send.wants(attempt));
        self.shared.lock().queue.give_up(refused, DropReason::BeforeSend);
        self.shared.settled.notify_all();
    }

    fn encode(&self, batch: &InFlight) -> Option<Vec<u8>> {
        let settings = &self.shared.settings;
        let json =
            wire::encode(&settings.sdk, &self.shared.instance, settings.service.as_deref(), batch, SystemClock.now())
                .ok()?;
        compress(&json).ok()
    }

    fn settle(&mut self, batch: InFlight, reply: &Reply) -> Option<Duration> {
        match wire::read_answer(reply.status, &reply.body, batch.attempt_count()) {
            Answer::Stored(ack) => {
                self.stored(batch, &ack);
                None
            }
            Answer::Retry => {
                let after = reply.retry_after.as_deref().and_then(|value| retry_after(value, SystemClock.now()));
                Some(self.retry(batch, after, &format!("it answers {}", reply.status)))
            }
            Answer::Split => {
                self.split(batch);
                None
            }
            Answer::Unauthorized => {
                self.keep(batch, "it does not accept the API key");
                Some(UNAUTHORIZED_PROBE)
            }
            Answer::Refused => {
                self.lose(batch, DropReason::RejectedByServer);
                None
            }
        }
    }

    fn stored(&mut self, batch: InFlight, ack: &Ack) {
        self.shared.lock().queue.acknowledge(batch, ack);
        self.shared.settled.notify_all();
        self.backoff.reset();
        let address = self.target.address();
        if std::mem::take(&mut self.warned) {
            notice::give(Level::Info, format!("the collector at {address} takes batches again"));
        }
        if !ack.rejected.is_empty() {
            let count = ack.rejected.len();
            notice::give(Level::Error, format!("the collector at {address} refused {count} attempts; they are lost"));
        }
    }

    fn retry(&mut self, batch: InFlight, after: Option<Duration>, why: &str) -> Duration {
        self.keep(batch, why);
        self.backoff.next(random(), after)
    }

    /// Puts a batch back and tells the owner once.
    fn keep(&mut self, batch: InFlight, why: &str) {
        self.shared.lock().queue.restore(batch);
        if !std::mem::replace(&mut self.warned, true) {
            let address = self.target.address();
            let text = format!("telemetry waits for the collector at {address}: {why}; webhooks are handled as before");
            notice::give(Level::Warning, text);
        }
    }

    /// Halves a batch that is too large; one attempt that is too large alone is lost.
    fn split(&mut self, batch: InFlight) {
        match batch.halve() {
            Ok((older, newer)) => {
                self.shared.lock().queue.restore(newer);
                self.next = Some(older);
            }
            Err(single) => self.lose(single, DropReason::TooLarge),
        }
    }

    fn lose(&self, batch: InFlight, reason: DropReason) {
        let (count, address) = (batch.attempt_count(), self.target.address());
        self.shared.lock().queue.give_up(batch, reason);
        self.shared.settled.notify_all();
        notice::give(
            Level::Error,
            format!("{count} attempts could not be sent to the collector at {address} and are lost"),
        );
    }

    /// Sleeps; a new flush or a shutdown ends the sleep early, once, and what waits is sent then.
    async fn pause(&self, pause: Duration) {
        let until = tokio::time::Instant::now() + pause;
        while !self.is_urged_anew() {
            if tokio::time::timeout_at(until, self.shared.wake.notified()).await.is_err() {
                return;
            }
        }
    }

    fn is_urged_anew(&self) -> bool {
        let state = self.shared.lock();
        state.urges != self.urges_sent || state.phase == Phase::Aborting
    }

    /// Returns when the sender is to stop at once.
    async fn aborted(&self) {
        while self.shared.lock().phase != Phase::Aborting {
            self.shared.wake.notified().await;
        }
    }
}

/// A random share between 0 and 1.
fn random() -> f64 {
    getrandom::u32().map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX))
}
