//! Handlers that have started: what would be told of each if its process ended before it did.
//!
//! A line for each start, which is the attempt as a line of a segment, and one that strikes it out at its end: `-` and the
//! attempt's id. While the process lives nothing of it leaves. Whoever takes over what a dead process left sends what is not
//! struck out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use surehook_core::telemetry::attempt::Attempt;
use uuid::Uuid;

use super::directory::{self, Claim};
use super::segment::{Line, attempt};

/// A file that is longer is written anew, without what is struck out, in bytes.
const LONG: u64 = 256 * 1024;
/// Begins a line that strikes out another.
const STRUCK: u8 = b'-';

/// The starts of one process that are not struck out, and the file that holds them.
#[derive(Default)]
pub(super) struct Started {
    open: BTreeMap<Uuid, Line>,
    file: Option<Log>,
    next_number: u64,
}

struct Log {
    file: File,
    path: PathBuf,
    bytes: u64,
    claim: Arc<Claim>,
}

impl Started {
    /// Whether no handler runs.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// A handler starts. What cannot be written is not told if the process is killed.
    pub(super) fn begin(&mut self, id: Uuid, line: Line, claim: &Arc<Claim>) {
        let written = self.append(&line.0, claim);
        self.open.insert(id, line);
        if written.is_err() {
            self.let_go();
        }
    }

    /// A handler has ended, and what became of it is kept.
    pub(super) fn end(&mut self, id: Uuid) {
        if self.open.remove(&id).is_none() {
            return;
        }
        let Some(log) = &mut self.file else { return };
        let struck = match self.open.is_empty() {
            // Nothing is left to be struck out.
            true => log.file.set_len(0).map(|()| log.bytes = 0),
            false => log.append(format!("-{}\n", id.simple()).as_bytes()),
        };
        if struck.is_err() {
            self.let_go();
        }
    }

    /// Removes the file: no handler runs.
    pub(super) fn let_go(&mut self) {
        if let Some(log) = self.file.take() {
            let _ = std::fs::remove_file(log.path);
        }
    }

    fn append(&mut self, line: &[u8], claim: &Arc<Claim>) -> io::Result<()> {
        let is_usable = self.file.as_ref().is_some_and(|log| log.bytes < LONG && log.claim.is_there());
        if !is_usable {
            self.renew(claim)?;
        }
        self.file.as_mut().map_or(Ok(()), |log| log.append(line))
    }

    /// Goes on in a new file, with what is not struck out.
    fn renew(&mut self, claim: &Arc<Claim>) -> io::Result<()> {
        self.next_number += 1;
        let path = claim.started(self.next_number);
        let file = directory::private().append(true).create_new(true).open(&path)?;
        let mut log = Log { file, path, bytes: 0, claim: Arc::clone(claim) };
        for line in self.open.values() {
            log.append(&line.0)?;
        }
        self.let_go();
        self.file = Some(log);
        Ok(())
    }
}

impl Log {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }
}

/// The attempts in a file that are not struck out, in the order of their start.
pub(super) fn unfinished(path: &Path) -> io::Result<Vec<Attempt>> {
    let text = std::fs::read(path)?;
    let mut open: Vec<Attempt> = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(&[STRUCK]).map(|id| id.trim_ascii_end()) {
            Some(id) => {
                let id = std::str::from_utf8(id).ok().and_then(|id| Uuid::try_parse(id).ok());
                open.retain(|attempt| Some(attempt.id) != id);
            }
            None => open.extend(attempt(line)),
        }
    }
    Ok(open)
}
