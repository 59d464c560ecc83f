//! The spool: attempts on the disk until a collector has them, so that they outlive the process that recorded them.
//!
//! Attempts are kept in segments, files of one batch each. An attempt is written before its delivery ends, with one
//! write and no sync: it survives the death of the process, not that of the machine. A segment is deleted once all of its
//! attempts are settled. A process that died in between leaves it to the next one, which sends some attempts a second
//! time; a collector stores each once.

mod directory;
mod segment;
mod started;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use surehook_core::ConfigError;
use surehook_core::telemetry::attempt::Attempt;
use uuid::Uuid;

use directory::Claim;
use segment::Open;
pub(crate) use segment::{Contents, Line, Segment};
use started::Started;

/// How much a process keeps unless it is told otherwise: 10,000 attempts or 50 MiB, whichever first.
const MAX_ATTEMPTS: u64 = 10_000;
/// See [`MAX_ATTEMPTS`].
const MAX_BYTES: u64 = 50 * 1024 * 1024;
/// The most attempts and bytes of a segment: those of a batch.
const SEGMENT_ATTEMPTS: u64 = 100;
const SEGMENT_BYTES: u64 = 256 * 1024;
/// The most attempts and bytes that are kept in memory while the disk takes none.
const MEMORY_ATTEMPTS: u64 = 1_000;
const MEMORY_BYTES: u64 = 4 * 1024 * 1024;

/// Where a process spools, and how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    directory: PathBuf,
    max_attempts: u64,
    max_bytes: u64,
}

impl Settings {
    /// Makes sure that the directory is there and can be written to.
    pub(crate) fn new(
        directory: PathBuf,
        max_attempts: Option<u64>,
        max_bytes: Option<u64>,
    ) -> Result<Self, ConfigError> {
        for (option, most) in [("spool_max_attempts", max_attempts), ("spool_max_bytes", max_bytes)] {
            if most == Some(0) {
                return Err(ConfigError::invalid_option(option, "a spool holds at least one attempt"));
            }
        }
        if directory.as_os_str().is_empty() {
            return Err(ConfigError::invalid_option("spool_dir", "it is empty"));
        }
        directory::check(&directory).map_err(|error| {
            ConfigError::invalid_option("spool_dir", format!("{} cannot be used: {error}", directory.display()))
        })?;
        let max_attempts = max_attempts.unwrap_or(MAX_ATTEMPTS);
        Ok(Self { directory, max_attempts, max_bytes: max_bytes.unwrap_or(MAX_BYTES) })
    }

    /// Segments that processes which are gone have left. Slow: it reads files.
    pub(crate) fn orphans(&self) -> Vec<Segment> {
        directory::orphans(&self.directory)
    }
}

/// The attempts that one process has spooled and not loaded yet.
pub(crate) struct Spool {
    settings: Settings,
    /// The right to the files of this process.
    claim: Option<Arc<Claim>>,
    open: Option<Open>,
    /// Segments that are written, oldest first.
    closed: VecDeque<Segment>,
    next_number: u64,
    /// Attempts and bytes in files.
    attempts: u64,
    bytes: u64,
    /// Attempts and bytes for which the disk had no room.
    memory_attempts: u64,
    memory_bytes: u64,
    /// Attempts that are being read back.
    loading: u64,
    /// Whether the spool of earlier processes was looked for.
    looked: bool,
    /// Handlers of this process that run.
    started: Started,
}

impl Spool {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            claim: None,
            open: None,
            closed: VecDeque::new(),
            next_number: 0,
            attempts: 0,
            bytes: 0,
            memory_attempts: 0,
            memory_bytes: 0,
            loading: 0,
            looked: false,
            started: Started::default(),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// All attempts that wait here.
    pub(crate) fn attempts(&self) -> u64 {
        self.attempts + self.memory_attempts + self.loading
    }

    /// Whether everything that was ever spooled in this directory and has no living owner was taken in and sent.
    pub(crate) fn is_done(&self) -> bool {
        self.looked && self.attempts() == 0
    }

    /// Whether a batch is full, so that there is no reason to wait for more.
    pub(crate) fn has_full_segment(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Keeps an attempt. Answers how many attempts were lost for it: older ones that had to give way, or itself.
    pub(crate) fn keep(&mut self, attempt: Attempt, line: &Line) -> u64 {
        // A directory that was removed, or a file that broke, is left behind for a new one; once.
        if self.write(line).is_err() && self.write(line).is_err() {
            return self.keep_in_memory(attempt, line);
        }
        self.attempts += 1;
        self.bytes += line.len();
        self.make_room()
    }

    /// A handler starts: the line is what is told of it if this process ends before it does.
    pub(crate) fn begin(&mut self, id: Uuid, line: Line) {
        if let Ok(claim) = claim(&self.settings, &mut self.claim) {
            self.started.begin(id, line, &claim);
        }
    }

    /// What became of a handler is kept, or counted: its start is struck out.
    pub(crate) fn end(&mut self, id: Uuid) {
        self.started.end(id);
    }

    /// The oldest attempts, to be sent. Until [`loaded`](Self::loaded) they still count as waiting here.
    pub(crate) fn take(&mut self) -> Option<Segment> {
        let segment = self.closed.pop_front().or_else(|| self.open.take().map(Open::close))?;
        self.forget(&segment);
        self.loading = segment.attempts();
        Some(segment)
    }

    /// The attempts that were taken wait elsewhere now.
    pub(crate) fn loaded(&mut self) {
        self.loading = 0;
    }

    /// Takes over what other processes left. Answers how many attempts were lost because there was no room for them.
    pub(crate) fn adopt(&mut self, orphans: Vec<Segment>) -> u64 {
        self.looked = true;
        for segment in orphans.into_iter().rev() {
            self.attempts += segment.attempts();
            self.bytes += segment.bytes();
            // They are older than what this process recorded.
            self.closed.push_front(segment);
        }
        self.make_room()
    }

    /// Gives up what is in memory alone. Answers how many attempts those were.
    pub(crate) fn give_up_memory(&mut self) -> u64 {
        self.closed.retain(|segment| !segment.is_in_memory());
        self.memory_bytes = 0;
        std::mem::take(&mut self.memory_attempts)
    }

    /// Leaves no file of starts while no handler runs.
    pub(crate) fn tidy(&mut self) {
        if self.started.is_empty() {
            self.started.let_go();
        }
    }

    /// Lets go of the directory: the next attempt is kept under a new name.
    pub(crate) fn rest(&mut self) {
        if !self.started.is_empty() {
            return;
        }
        self.started.let_go();
        self.claim = None;
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        if self.open.as_ref().is_some_and(|open| self.is_full(open, line)) {
            self.closed.extend(self.open.take().map(Open::close));
        }
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(open(&self.settings, &mut self.claim, &mut self.next_number)?),
        };
        let written = open.append(line);
        if written.is_err() {
            self.closed.extend(self.open.take().and_then(Open::close_broken));
        }
        written
    }

    fn is_full(&self, open: &Open, line: &Line) -> bool {
        // A small spool has small segments: the oldest segment gives way as a whole.
        let most_attempts = (self.settings.max_attempts / 4).clamp(1, SEGMENT_ATTEMPTS);
        let most_bytes = (self.settings.max_bytes / 4).min(SEGMENT_BYTES);
        open.attempts() >= most_attempts || open.bytes() + line.len() > most_bytes
    }

    fn make_room(&mut self) -> u64 {
        let mut lost = 0;
        while self.attempts > self.settings.max_attempts || self.bytes > self.settings.max_bytes {
            let Some(oldest) = self.closed.iter().position(|segment| !segment.is_in_memory()) else { break };
            let Some(segment) = self.closed.remove(oldest) else { break };
            self.forget(&segment);
            lost += segment.attempts();
            segment.delete();
        }
        lost
    }

    fn keep_in_memory(&mut self, attempt: Attempt, line: &Line) -> u64 {
        if self.memory_attempts >= MEMORY_ATTEMPTS || self.memory_bytes + line.len() > MEMORY_BYTES {
            return 1;
        }
        self.memory_attempts += 1;
        self.memory_bytes += line.len();
        match self.closed.back_mut().filter(|last| last.is_in_memory() && last.attempts() < SEGMENT_ATTEMPTS) {
            Some(last) => last.push(attempt, line.len()),
            None => self.closed.push_back(Segment::in_memory(attempt, line.len())),
        }
        0
    }

    fn forget(&mut self, segment: &Segment) {
        let (attempts, bytes) = match segment.is_in_memory() {
            true => (&mut self.memory_attempts, &mut self.memory_bytes),
            false => (&mut self.attempts, &mut self.bytes),
        };
        *attempts = attempts.saturating_sub(segment.attempts());
        *bytes = bytes.saturating_sub(segment.bytes());
    }
}

/// Begins a new segment of this process.
fn open(settings: &Settings, claim: &mut Option<Arc<Claim>>, next_number: &mut u64) -> io::Result<Open> {
    let owner = self::claim(settings, claim)?;
    *next_number += 1;
    Open::create(owner, *next_number)
}

/// The right of this process to files of its own.
fn claim(settings: &Settings, claim: &mut Option<Arc<Claim>>) -> io::Result<Arc<Claim>> {
    Ok(match claim {
        Some(owner) if owner.is_there() => Arc::clone(owner),
        _ => Arc::clone(claim.insert(Arc::new(Claim::new(&settings.directory)?))),
    })
}

#[cfg(test)]
mod tests;
