//! The SQLite database: one writer thread, a few readers.

mod append;
mod catalog;
mod group;
mod open;
mod readers;
mod writer;

pub(crate) use readers::Readers;
pub(crate) use writer::Writer;

use std::path::Path;

use crate::error::Error;

pub(crate) const FILE_NAME: &str = "surehook.db";

/// Opens the database in a directory, brings its format up to date, and starts the writer.
pub(crate) fn open(
    directory: &Path,
    queue: usize,
    events: crate::api::live::Feed,
    clock: crate::clock::Clock,
) -> Result<(Writer, Readers), Error> {
    let path = directory.join(FILE_NAME);
    let connection = open::writer(&path)?;
    let writer = Writer::start(connection, queue, events, clock)?;
    Ok((writer, Readers::new(path)))
}
