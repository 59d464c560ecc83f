//! A few connections that only read, lent to one query at a time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::Semaphore;

use crate::error::Error;

/// Queries that run at a time; more wait. So many connections are open at most.
const CONNECTIONS: usize = 4;
/// A query that takes longer is ended.
const DEADLINE: Duration = Duration::from_secs(10);

/// The connections that read.
pub(crate) struct Readers {
    path: PathBuf,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, permits: Arc::new(Semaphore::new(CONNECTIONS)), idle: Mutex::new(Vec::new()) }
    }

    /// Takes a connection off the idle ones, or opens one.
    fn take(&self) -> Result<Connection, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| super::open::reader(&self.path), Ok)
    }

    /// Runs a query on a blocking thread, inside one read transaction so that its parts agree with each other.
    ///
    /// The thread cannot be dropped: when nobody waits any more, or for too long, the query is interrupted, and until it has ended
    /// it keeps its place among those that run.
    pub(crate) async fn query<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Error::StorageUnavailable)?;
        let (readers, wanted) = (Arc::clone(self), Wanted::default());
        let run = wanted.run();
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let connection = readers.take()?;
            let answer = run.query(&connection, query);
            // One that cannot even end its transaction is not lent again.
            if connection.is_autocommit() {
                readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
            answer
        });
        let answer = tokio::time::timeout(DEADLINE, work).await.map_err(|_| Error::StorageUnavailable)?;
        drop(wanted);
        answer.map_err(|_| Error::StorageUnavailable)?
    }
}

/// Somebody waits for a query. Dropped, it interrupts the query.
#[derive(Default)]
struct Wanted(Arc<Mutex<Run>>);

#[derive(Default)]
enum Run {
    /// It has not begun.
    #[default]
    Waits,
    Runs(InterruptHandle),
    /// It has ended, or is not to begin.
    Over,
}

impl Wanted {
    fn run(&self) -> Handle {
        Handle(Arc::clone(&self.0))
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        if let Run::Runs(query) = std::mem::replace(&mut *lock(&self.0), Run::Over) {
            query.interrupt();
        }
    }
}

struct Handle(Arc<Mutex<Run>>);

impl Handle {
    fn query<T>(
        &self,
        connection: &Connection,
        query: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        {
            let mut run = lock(&self.0);
            if matches!(*run, Run::Over) {
                return Err(Error::StorageUnavailable);
            }
            *run = Run::Runs(connection.get_interrupt_handle());
        }
        let answer =
            connection.unchecked_transaction().map_err(Error::from).and_then(|transaction| query(&transaction));
        // From here on nothing interrupts the connection, which is somebody else's next.
        *lock(&self.0) = Run::Over;
        answer
    }
}

fn lock(run: &Mutex<Run>) -> MutexGuard<'_, Run> {
    run.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    fn readers(directory: &tempfile::TempDir) -> Arc<Readers> {
        let path = directory.path().join("read.db");
        drop(super::super::open::writer(&path).unwrap());
        Arc::new(Readers::new(path))
    }

    fn endless(connection: &Connection) -> Result<i64, Error> {
        Ok(connection.query_row(ENDLESS, [], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn queries_that_nobody_waits_for_end_and_leave_no_connection_open() {
        let directory = tempfile::tempdir().unwrap();
        let readers = readers(&directory);
        for _ in 0..60 {
            let began = tokio::time::timeout(Duration::from_millis(10), readers.query(endless)).await;
            assert!(began.is_err(), "it does not end by itself");
        }
        let answer = readers.query(|connection| Ok(connection.query_row("SELECT 1", [], |row| row.get::<_, i64>(0))?));
        assert_eq!(tokio::time::timeout(Duration::from_secs(5), answer).await.unwrap().unwrap(), 1);
        assert!(readers.idle.lock().unwrap().len() <= CONNECTIONS);
    }

    #[tokio::test]
    async fn no_more_queries_run_than_there_are_places_whoever_still_waits() {
        let directory = tempfile::tempdir().unwrap();
        let readers = readers(&directory);
        let (running, most) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        for _ in 0..30 {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            let query = readers.query(move |_| {
                let now = {
                    let mut running = running.lock().unwrap();
                    *running += 1;
                    *running
                };
                let mut most = most.lock().unwrap();
                *most = now.max(*most);
                drop(most);
                // Work that cannot be interrupted.
                std::thread::sleep(Duration::from_millis(20));
                *running.lock().unwrap() -= 1;
                Ok(())
            });
            drop(tokio::time::timeout(Duration::from_millis(2), query).await);
        }
        readers.query(|_| Ok(())).await.unwrap();
        assert!(*most.lock().unwrap() <= CONNECTIONS);
    }
}
