//! The SQLite database: one writer thread, a few readers.

mod append;
mod cases;
mod catalog;
mod deferred;
mod group;
mod habits;
mod health;
mod message;
mod open;
mod readers;
mod refused;
mod writer;

pub(crate) use cases::acknowledge;
pub(crate) use catalog::OTHER;
pub(crate) use health::Fault;
pub(crate) use readers::Readers;
pub(crate) use writer::{Sweeps, Writer};

use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::export::Meters;

pub(crate) const FILE_NAME: &str = "surehook.db";

/// Opens the database in a directory, brings its format up to date, and starts the writer.
pub(crate) fn open(
    directory: &Path,
    queue: usize,
    events: crate::api::live::Feed,
    meters: Arc<Meters>,
    clock: crate::clock::Clock,
    sweeps: Sweeps,
) -> Result<(Writer, Readers), Error> {
    let path = directory.join(FILE_NAME);
    let connection = open::writer(&path)?;
    let place = health::Place::of(&path);
    let writer = Writer::start(connection, place, queue, events, meters, clock, sweeps)?;
    Ok((writer, Readers::new(path)))
}
