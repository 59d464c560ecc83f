//! Whether what is sent now can be kept: asked of the disk and of the thread that writes, not assumed.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};
use surehook_core::Timestamp;

use crate::error::Error;

/// About what a batch takes in the database, and a few of them in the log.
const ROOM_IN_DATABASE: i64 = 64 * 1024;
const ROOM_ON_DISK: usize = 1024 * 1024;
/// A file of SQLite begins so; then come the size of a page at 16 and their number at 28.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Why nothing can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the database file is gone, or another one is in its place")]
    Gone,
    #[error("the database file is damaged or was cut short")]
    Damaged,
    #[error("the disk is full, or what may be written to it")]
    Full,
    #[error("the database cannot be written to")]
    Unwritable,
    #[error("batches could not be stored a moment ago")]
    Refusing,
    #[error("the thread that writes does not answer")]
    Silent,
    #[error("the thread that writes has ended")]
    Ended,
}

/// The file that a connection was opened on.
pub(super) struct Place {
    path: std::path::PathBuf,
    identity: Option<(u64, u64)>,
    /// The file only grows: one that was longer was cut. Then it stays damaged, though it may grow again over the gap.
    longest: u64,
    damaged: bool,
}

impl Place {
    pub(super) fn of(path: &Path) -> Self {
        let identity = std::fs::metadata(path).ok().and_then(|found| identity(&found));
        let mut place = Self { path: path.to_owned(), identity, longest: 0, damaged: false };
        place.damaged = place.check_length().is_err();
        place
    }

    /// What an open connection does not notice: that its file was removed, replaced or cut. A few microseconds.
    pub(super) fn check(&mut self) -> Result<(), Fault> {
        let found = std::fs::metadata(&self.path).map_err(|_| Fault::Gone)?;
        if identity(&found) != self.identity {
            return Err(Fault::Gone);
        }
        self.damaged |= found.len() < self.longest;
        self.longest = self.longest.max(found.len());
        if self.damaged { Err(Fault::Damaged) } else { Ok(()) }
    }

    /// The file is as long as it says, once its log was written to it.
    fn check_length(&self) -> Result<(), Fault> {
        let mut header = [0; 100];
        let mut file = File::open(&self.path).map_err(|_| Fault::Gone)?;
        file.read_exact(&mut header).map_err(|_| Fault::Damaged)?;
        let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
            1 => 65_536,
            size => size,
        };
        let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
        let length = file.metadata().map_err(|_| Fault::Gone)?.len();
        if header.starts_with(MAGIC) && length >= page * pages { Ok(()) } else { Err(Fault::Damaged) }
    }

    /// There is room beside the database for what its log will need.
    fn check_room(&self) -> Result<(), Fault> {
        let probe = self.path.with_file_name("health.tmp");
        let written = File::create(&probe).and_then(|mut file| file.write_all(&vec![1; ROOM_ON_DISK]));
        // What is left of it is written over the next time.
        drop(std::fs::remove_file(&probe));
        written.map_err(|_| Fault::Full)
    }
}

/// Writes to the database as a batch does.
pub(super) fn check(connection: &mut Connection, place: &mut Place, now: Timestamp) -> Result<(), Fault> {
    place.check()?;
    place.check_room()?;
    write(connection, now).map_err(|error| fault_of(&error))
}

fn write(connection: &mut Connection, now: Timestamp) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "INSERT OR REPLACE INTO health (id, checked_at, room) VALUES (1, ?, zeroblob(?))";
    transaction.execute(sql, params![now.unix_micros(), ROOM_IN_DATABASE])?;
    transaction.execute("UPDATE health SET room = x''", [])?;
    transaction.commit()?;
    Ok(())
}

fn fault_of(error: &Error) -> Fault {
    use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
    match error {
        Error::Storage(error) => match error.sqlite_error_code() {
            Some(DiskFull) => Fault::Full,
            Some(DatabaseCorrupt | NotADatabase) => Fault::Damaged,
            _ => Fault::Unwritable,
        },
        _ => Fault::Unwritable,
    }
}

#[cfg(unix)]
fn identity(found: &std::fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> Option<(u64, u64)> {
    None
}
