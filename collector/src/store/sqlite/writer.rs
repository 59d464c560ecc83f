//! The one thread that writes. It takes all batches that wait, commits them together, then answers each.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use surehook_core::Timestamp;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::append::Memory;
use super::health::{self, Fault, Place};
use super::{deferred, group};
use crate::api::live::Feed;
use crate::clock::Clock;
use crate::error::Error;
use crate::export::Meters;
use crate::messages::missed::Missed;
use crate::store::{Record, Stored, Submission};

/// Attempts after which a group is closed: more would make the first batch of it wait for the last.
const GROUP_ATTEMPTS: usize = 4_000;
/// Missed deadlines that are written down at a time.
const SWEPT: usize = 500;
/// For so long a batch that could not be stored means that none can be, unless one is.
const REFUSING: Duration = Duration::from_secs(10);

enum Command {
    Store(Submission),
    Run(Box<dyn FnOnce(&mut Connection) + Send>),
    Check(Timestamp, SyncSender<Result<(), Fault>>),
    Close,
}

/// When deadlines are looked at.
#[derive(Clone, Copy)]
pub(crate) struct Sweeps {
    pub(crate) interval: Duration,
    pub(crate) restart_grace: Duration,
}

/// The way to the thread that writes.
pub(crate) struct Writer {
    commands: SyncSender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Closed when the thread ends, however it does.
    alive: watch::Receiver<()>,
}

impl Writer {
    /// Starts the thread. `queue` batches may wait for it.
    pub(super) fn start(
        connection: Connection,
        place: Place,
        queue: usize,
        feed: Feed,
        meters: Arc<Meters>,
        clock: Clock,
        sweeps: Sweeps,
    ) -> Result<Self, Error> {
        let (commands, receiver) = sync_channel(queue.max(1));
        let (life, alive) = watch::channel(());
        let quiet_until = if deferred::any(&connection)? { clock.now() + sweeps.restart_grace } else { clock.now() };
        let thread = Thread {
            connection,
            place,
            quiet_until,
            refused_at: None,
            _life: life,
            memory: Memory::default(),
            receiver,
            feed,
            meters,
            clock,
            sweep_interval: sweeps.interval,
            next_sweep: Instant::now(),
        };
        let thread = Builder::new().name("surehook-writer".to_owned()).spawn(move || thread.run())?;
        Ok(Self { commands, thread: Mutex::new(Some(thread)), alive })
    }

    /// Hands a batch over, unless too many wait already. The answer comes through [`Submission::stored`].
    pub(crate) fn submit(&self, submission: Submission) -> Result<(), Error> {
        self.commands.try_send(Command::Store(submission)).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Error::StorageUnavailable,
        })
    }

    /// Runs a rare piece of work on the writing connection and waits for its answer. Blocks the calling thread.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, wait) = sync_channel(1);
        let work = move |connection: &mut Connection| {
            // Nobody waits any more: nobody is told.
            let _ = answer.send(work(connection));
        };
        self.commands.send(Command::Run(Box::new(work))).map_err(|_| Error::StorageUnavailable)?;
        wait.recv().map_err(|_| Error::StorageUnavailable)?
    }

    /// Finds out whether a batch that came now would be kept. Blocks the calling thread.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), Fault> {
        let (answer, wait) = sync_channel(1);
        self.commands.send(Command::Check(now, answer)).map_err(|_| Fault::Ended)?;
        wait.recv().unwrap_or(Err(Fault::Ended))
    }

    /// Waits until the thread has ended.
    pub(crate) async fn ended(&self) {
        let mut alive = self.alive.clone();
        while alive.changed().await.is_ok() {}
    }

    /// Writes what waits, then ends the thread. Later batches are refused.
    pub(crate) fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = self.commands.send(Command::Close);
            if thread.join().is_err() {
                tracing::error!("the writer ended with a fault");
            }
        }
    }
}

struct Thread {
    connection: Connection,
    place: Place,
    /// Until then no deadline counts as missed.
    quiet_until: Timestamp,
    /// When a batch could not be stored, unless one was since.
    refused_at: Option<Instant>,
    _life: watch::Sender<()>,
    memory: Memory,
    receiver: Receiver<Command>,
    feed: Feed,
    meters: Arc<Meters>,
    clock: Clock,
    sweep_interval: Duration,
    next_sweep: Instant,
}

impl Thread {
    fn run(mut self) {
        let mut next = None;
        loop {
            if Instant::now() >= self.next_sweep {
                self.sweep();
            }
            let command = match next.take() {
                Some(command) => command,
                None => match self.receiver.recv_timeout(self.next_sweep.saturating_duration_since(Instant::now())) {
                    Ok(command) => command,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => break,
                },
            };
            match command {
                Command::Store(first) => {
                    let (group, following) = self.gather(first);
                    next = following;
                    self.store(group);
                }
                Command::Run(work) => work(&mut self.connection),
                Command::Check(now, answer) => {
                    // Nobody waits any more: nobody is told.
                    let _ = answer.send(self.check(now));
                }
                Command::Close => break,
            }
        }
        // Leaves one file behind instead of three; the log alone is as safe.
        let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// Stores a silent drop for each deadline of deferred work that has passed, some at a time.
    fn sweep(&mut self) {
        if self.clock.now() < self.quiet_until {
            self.next_sweep = Instant::now() + self.sweep_interval;
            return;
        }
        let missed = deferred::missed(&self.connection, self.clock.now(), SWEPT).unwrap_or_else(|error| {
            tracing::error!(%error, "deadlines of deferred work could not be read");
            Vec::new()
        });
        // When there are more, they are next, after what a sender waits for.
        let pause = if missed.len() < SWEPT { self.sweep_interval } else { Duration::ZERO };
        let attempts: Vec<Record> = missed.into_iter().map(Missed::record).filter_map(Record::new).collect();
        if !attempts.is_empty() {
            let (stored, _) = oneshot::channel();
            let (instance, sent_at) = (Uuid::nil(), self.clock.now());
            self.store(vec![Submission {
                key: None,
                instance,
                sent_at,
                dropped: Vec::new(),
                refused: None,
                attempts,
                stored,
            }]);
        }
        self.next_sweep = Instant::now() + pause;
    }

    fn check(&mut self, now: Timestamp) -> Result<(), Fault> {
        if self.refused_at.is_some_and(|at| at.elapsed() < REFUSING) {
            // The cause, where it is still there to be found.
            return health::check(&mut self.connection, &mut self.place, now).and(Err(Fault::Refusing));
        }
        health::check(&mut self.connection, &mut self.place, now)
    }

    /// Takes the batches that wait behind the first one, up to a bound or to a command of another kind.
    fn gather(&self, first: Submission) -> (Vec<Submission>, Option<Command>) {
        let mut attempts = first.attempts.len();
        let mut group = vec![first];
        while attempts < GROUP_ATTEMPTS {
            match self.receiver.try_recv() {
                Ok(Command::Store(submission)) => {
                    attempts += submission.attempts.len();
                    group.push(submission);
                }
                Ok(other) => return (group, Some(other)),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        (group, None)
    }

    /// Commits a group and answers its batches. When it fails, each batch is tried alone: none may fail another.
    fn store(&mut self, group: Vec<Submission>) {
        match self.commit(&group) {
            Ok(stored) => {
                for (submission, stored) in group.into_iter().zip(stored) {
                    let _ = submission.stored.send(Ok(stored));
                }
            }
            Err(_) if group.len() > 1 => {
                for submission in group {
                    self.store(vec![submission]);
                }
            }
            Err(error) => {
                tracing::error!(%error, "a batch could not be stored");
                for submission in group {
                    let _ = submission.stored.send(Err(Error::StorageUnavailable));
                }
            }
        }
    }

    fn commit(&mut self, group: &[Submission]) -> Result<Vec<Stored>, Error> {
        // A commit to a file that is gone succeeds, and is lost.
        if let Err(fault) = self.place.check() {
            tracing::error!(%fault, "a batch could not be stored");
            self.refused_at = Some(Instant::now());
            return Err(Error::StorageUnavailable);
        }
        let watched = self.feed.is_watched();
        match group::commit(&mut self.connection, &mut self.memory, group, self.clock.now(), watched) {
            Ok(committed) => {
                self.refused_at = None;
                self.feed.publish(committed.events);
                self.meters.stored(&committed.fresh);
                committed.lost.iter().for_each(|(reason, count)| self.meters.lost(reason, *count));
                Ok(committed.stored)
            }
            Err(error) => {
                self.refused_at = Some(Instant::now());
                // It may hold what was rolled back.
                self.memory = Memory::default();
                Err(error)
            }
        }
    }
}
