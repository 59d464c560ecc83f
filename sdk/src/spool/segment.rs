//! A segment: some attempts in one file, a line each, or in memory where the disk took none.
//!
//! A line is the CRC-32 of the attempt's JSON in eight hexadecimal digits, a space, the JSON and a newline. A line that
//! was cut or changed is recognised and passed over.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Crc;
use surehook_core::telemetry::attempt::Attempt;

use super::directory::{self, Claim};
use super::started;

/// The largest attempt that a batch can carry, as JSON, in bytes.
const LARGEST: usize = 256 * 1024;

/// An attempt as a line of a segment.
pub(crate) struct Line(pub(super) Vec<u8>);

impl Line {
    /// `None`: it cannot be said in JSON, or is larger than a batch may be.
    pub(crate) fn of(attempt: &Attempt) -> Option<Self> {
        let json = serde_json::to_vec(attempt).ok().filter(|json| json.len() <= LARGEST)?;
        let mut line = format!("{:08x} ", checksum(&json)).into_bytes();
        line.extend_from_slice(&json);
        line.push(b'\n');
        Some(Self(line))
    }

    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

/// A segment that is being written.
pub(super) struct Open {
    file: File,
    segment: Segment,
}

impl Open {
    /// A new, empty file that only its owner can read.
    pub(super) fn create(claim: Arc<Claim>, number: u64) -> io::Result<Self> {
        let path = claim.segment(number);
        let file = directory::private().append(true).create_new(true).open(&path)?;
        Ok(Self { file, segment: Segment { place: Place::File { path, _claim: claim }, attempts: 0, bytes: 0 } })
    }

    pub(super) fn append(&mut self, line: &Line) -> io::Result<()> {
        self.file.write_all(&line.0)?;
        self.segment.attempts += 1;
        self.segment.bytes += line.len();
        Ok(())
    }

    pub(super) fn attempts(&self) -> u64 {
        self.segment.attempts
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segment.bytes
    }

    pub(super) fn close(self) -> Segment {
        self.segment
    }

    /// What was written before a write failed, without the part of a line it may have left.
    pub(super) fn close_broken(self) -> Option<Segment> {
        // Where that fails too, the part is passed over when the segment is read.
        let _ = self.file.set_len(self.segment.bytes);
        if self.segment.attempts > 0 {
            return Some(self.segment);
        }
        self.segment.delete();
        None
    }
}

/// Some attempts that wait.
pub(crate) struct Segment {
    place: Place,
    attempts: u64,
    bytes: u64,
}

enum Place {
    /// The claim keeps other processes away for as long as the segment is there.
    File {
        path: PathBuf,
        _claim: Arc<Claim>,
    },
    /// Starts that nobody will strike out.
    Started {
        path: PathBuf,
        _claim: Arc<Claim>,
    },
    Memory(Vec<Attempt>),
}

/// What was found in a segment.
pub(crate) struct Contents {
    /// The attempts, oldest first.
    pub(crate) attempts: Vec<Attempt>,
    /// How many more were kept and cannot be read.
    pub(crate) unreadable: u64,
}

impl Segment {
    pub(super) fn in_memory(attempt: Attempt, bytes: u64) -> Self {
        Self { place: Place::Memory(vec![attempt]), attempts: 1, bytes }
    }

    /// A file that another process has left. A last line without an end was never kept.
    pub(super) fn left_behind(path: PathBuf, claim: Arc<Claim>) -> io::Result<Self> {
        let text = std::fs::read(&path)?;
        let attempts = text.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(Self { place: Place::File { path, _claim: claim }, attempts, bytes: text.len() as u64 })
    }

    /// What a process that is gone had started and not ended; `None` where that is nothing.
    pub(super) fn unfinished(path: PathBuf, claim: Arc<Claim>) -> io::Result<Option<Self>> {
        let attempts = started::unfinished(&path)?.len() as u64;
        let bytes = std::fs::metadata(&path)?.len();
        if attempts == 0 {
            std::fs::remove_file(path)?;
            return Ok(None);
        }
        Ok(Some(Self { place: Place::Started { path, _claim: claim }, attempts, bytes }))
    }

    /// Adds to a segment in memory.
    pub(super) fn push(&mut self, attempt: Attempt, bytes: u64) {
        if let Place::Memory(attempts) = &mut self.place {
            attempts.push(attempt);
            self.attempts += 1;
            self.bytes += bytes;
        }
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self.place, Place::Memory(_))
    }

    pub(crate) fn attempts(&self) -> u64 {
        self.attempts
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads the attempts back.
    pub(crate) fn read(&mut self) -> Contents {
        let attempts = match &mut self.place {
            Place::Memory(attempts) => std::mem::take(attempts),
            Place::File { path, .. } => read(path),
            Place::Started { path, .. } => started::unfinished(path).unwrap_or_default(),
        };
        let unreadable = self.attempts.saturating_sub(attempts.len() as u64);
        Contents { attempts, unreadable }
    }

    pub(crate) fn delete(self) {
        if let Place::File { path, .. } | Place::Started { path, .. } = &self.place {
            // What cannot be deleted is sent again by a later process, and stored once.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn read(path: &Path) -> Vec<Attempt> {
    let text = std::fs::read(path).unwrap_or_default();
    text.split_inclusive(|byte| *byte == b'\n').filter_map(attempt).collect()
}

/// The attempt in a line, if the line is whole.
pub(super) fn attempt(line: &[u8]) -> Option<Attempt> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, json) = line.split_at_checked(8)?;
    let json = json.strip_prefix(b" ")?;
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    (sum == checksum(json)).then(|| serde_json::from_slice(json).ok())?
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
