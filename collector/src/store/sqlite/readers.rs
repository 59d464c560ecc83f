//! A few connections that only read, lent to one query at a time.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::error::Error;

/// Queries that run at a time; more wait.
const CONNECTIONS: usize = 4;

/// The connections that read.
pub(crate) struct Readers {
    path: PathBuf,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, permits: Semaphore::new(CONNECTIONS), idle: Mutex::new(Vec::new()) }
    }

    /// Takes a connection off the idle ones, or opens one.
    fn take(&self) -> Result<Connection, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| super::open::reader(&self.path), Ok)
    }

    /// Runs a query on a blocking thread, inside one read transaction so that its parts agree with each other.
    pub(crate) async fn query<T: Send + 'static>(
        self: &std::sync::Arc<Self>,
        query: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _permit = self.permits.acquire().await.map_err(|_| Error::StorageUnavailable)?;
        let readers = std::sync::Arc::clone(self);
        let work = tokio::task::spawn_blocking(move || {
            let connection = readers.take()?;
            let transaction = connection.unchecked_transaction()?;
            let answer = query(&transaction);
            drop(transaction);
            readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            answer
        });
        work.await.map_err(|_| Error::StorageUnavailable)?
    }
}
