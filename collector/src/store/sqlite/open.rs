//! Connections, their settings, and the format of the file.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::error::Error;

/// The steps that bring a file from format N to N + 1, in order.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_deferred_and_learned.sql"),
    include_str!("migrations/0003_refused.sql"),
    include_str!("migrations/0004_other_and_health.sql"),
    include_str!("migrations/0005_cases.sql"),
];

/// Opens the connection that writes, and migrates the file.
pub(super) fn writer(path: &Path) -> Result<Connection, Error> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL syncs the log at each commit: what was acknowledged survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // The writer resolves every reference itself a moment before it writes the row.
    connection.pragma_update(None, "foreign_keys", false)?;
    // Checkpoint at 16 MiB of log, and do not let the file keep a burst's size.
    connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.set_prepared_statement_cache_capacity(64);
    migrate(&mut connection)?;
    // What a process that was killed left in the log belongs to the file, and to its length.
    connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)")?;
    Ok(connection)
}

/// Opens a connection that can only read.
pub(super) fn reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "cache_size", -8_192)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let known = MIGRATIONS.len() as u32;
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(Error::DatabaseTooNew { found, known });
    }
    for (step, sql) in (found + 1..).zip(MIGRATIONS.iter().skip(found as usize)) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", step)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_later_format_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("later.db");
        let connection = writer(&path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        assert_eq!(writer(&path).unwrap_err().code(), "database_too_new");
    }

    #[test]
    fn opening_twice_migrates_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("again.db");
        drop(writer(&path).unwrap());
        let connection = writer(&path).unwrap();
        let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version as usize, MIGRATIONS.len());
    }

    #[test]
    fn a_reader_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("read.db");
        drop(writer(&path).unwrap());
        let connection = reader(&path).unwrap();
        assert!(connection.execute("DELETE FROM attempts", []).is_err());
    }
}
