//! A directory that several processes spool into, and who owns which of its files.
//!
//! A process names its segments after itself and holds a lock on `<process>.lock`. The system lets go of the lock when
//! the process dies, however it dies; whoever gets it then owns the segments. Files of other users are left alone: who may
//! write into the directory must not be able to make a process tell what never happened.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use super::segment::Segment;

const LOCK: &str = "lock";
const SEGMENT: &str = "attempts";
const STARTED: &str = "started";
/// No segment is larger, in bytes: what a batch holds, and one attempt more.
const LARGEST_FILE: u64 = 1024 * 1024;
/// No file of starts is larger, in bytes: as many handlers as can run at once.
const LARGEST_STARTED: u64 = 64 * 1024 * 1024;
/// The length of a process's name: a UUID without dashes.
const NAME: usize = 32;

/// The right to the segments of one process, alive or not. It ends with the value.
pub(super) struct Claim {
    directory: PathBuf,
    owner: String,
    lock: File,
}

impl Claim {
    /// A claim for this process.
    pub(super) fn new(directory: &Path) -> io::Result<Self> {
        create(directory)?;
        // A version 7, so that the names of processes are in the order of their start.
        Self::of(directory, Uuid::now_v7().simple().to_string())
    }

    fn of(directory: &Path, owner: String) -> io::Result<Self> {
        let path = directory.join(format!("{owner}.{LOCK}"));
        let lock = private().write(true).create(true).truncate(false).open(&path)?;
        lock.try_lock()?;
        let claim = Self { directory: directory.to_owned(), owner, lock };
        // Removed by its last owner between the opening and the lock: the lock is on nothing.
        if claim.is_there() { Ok(claim) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Whether the directory, and the lock in it, are still there.
    pub(super) fn is_there(&self) -> bool {
        self.lock_path().exists()
    }

    /// Whether a file can be a segment of a process of this user.
    fn wrote(&self, path: &Path, largest: u64) -> io::Result<bool> {
        let file = std::fs::symlink_metadata(path)?;
        Ok(file.is_file() && file.len() <= largest && same_user(&file, &self.lock.metadata()?))
    }

    pub(super) fn segment(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{}-{number:08}.{SEGMENT}", self.owner))
    }

    pub(super) fn started(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{}-{number:08}.{STARTED}", self.owner))
    }

    fn lock_path(&self) -> PathBuf {
        self.directory.join(format!("{}.{LOCK}", self.owner))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.lock_path());
    }
}

/// Creates the directory where it is missing, and tries to write to it.
pub(super) fn check(directory: &Path) -> io::Result<()> {
    Claim::new(directory)?;
    if anyone_may_delete_in(&std::fs::metadata(directory)?) {
        return Err(io::Error::other("every user may delete files there; give it a directory of its own"));
    }
    Ok(())
}

#[cfg(unix)]
fn same_user(file: &Metadata, ours: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.uid() == ours.uid()
}

#[cfg(not(unix))]
fn same_user(_file: &Metadata, _ours: &Metadata) -> bool {
    true
}

/// Whether it is writable for all, and its files are not kept for those who made them.
#[cfg(unix)]
fn anyone_may_delete_in(directory: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    directory.permissions().mode() & 0o1002 == 0o0002
}

#[cfg(not(unix))]
fn anyone_may_delete_in(_directory: &Metadata) -> bool {
    false
}

/// Takes over the segments whose owners are gone, oldest owner first.
pub(super) fn orphans(directory: &Path) -> Vec<Segment> {
    let owners: BTreeSet<String> = names(directory).filter_map(|name| owner(&name).map(str::to_owned)).collect();
    let mut orphans = Vec::new();
    for owner in owners {
        // Locked: its owner lives, or another process has just taken it over.
        let Ok(claim) = Claim::of(directory, owner) else { continue };
        let claim = Arc::new(claim);
        let files = |kind: &str, largest: u64| {
            let own = |name: &String| is_numbered(name, kind) && self::owner(name) == Some(&claim.owner);
            let mut files: Vec<PathBuf> = names(directory)
                .filter(own)
                .map(|name| directory.join(name))
                .filter(|path| claim.wrote(path, largest).unwrap_or(false))
                .collect();
            files.sort();
            files
        };
        let left = files(SEGMENT, LARGEST_FILE).into_iter();
        orphans.extend(left.filter_map(|path| Segment::left_behind(path, Arc::clone(&claim)).ok()));
        // After the attempts that ended: one that did is then known before its start, should that not be struck out.
        let started = files(STARTED, LARGEST_STARTED).into_iter();
        orphans.extend(started.filter_map(|path| Segment::unfinished(path, Arc::clone(&claim)).ok().flatten()));
    }
    orphans
}

/// Options for a file that only its owner can read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn create(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn names(directory: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
}

/// The process that a file is named after; `None` for files of others.
fn owner(name: &str) -> Option<&str> {
    let (owner, rest) = name.split_at_checked(NAME)?;
    let ours = rest.strip_prefix('.').is_some_and(|kind| kind == LOCK)
        || is_numbered(name, SEGMENT)
        || is_numbered(name, STARTED);
    (ours && owner.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(owner)
}

fn is_numbered(name: &str, kind: &str) -> bool {
    let number = name.get(NAME..).and_then(|rest| rest.strip_prefix('-')?.strip_suffix(kind)?.strip_suffix('.'));
    number.is_some_and(|number| number.len() >= 8 && number.bytes().all(|byte| byte.is_ascii_digit()))
}
