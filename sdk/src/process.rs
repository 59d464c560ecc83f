//! What belongs to one process alone: threads, sockets, open files, locks that a thread may hold.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// A value of which every process has its own: after a fork the child gets a fresh one.
///
/// ```
/// use std::sync::Mutex;
///
/// let queue = surehook::PerProcess::new(|| Mutex::new(Vec::new()));
/// queue.get().lock().unwrap().push("this process's own");
/// assert_eq!(queue.get().lock().unwrap().len(), 1);
/// ```
pub struct PerProcess<T> {
    current: ArcSwap<Owned<T>>,
    fresh: Box<dyn Fn() -> T + Send + Sync>,
}

/// A value and the process that it belongs to.
pub struct Owned<T> {
    pid: u32,
    value: T,
}

impl<T> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> PerProcess<T> {
    /// `fresh` makes the value of each process, when it is first asked for there.
    pub fn new(fresh: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let current = ArcSwap::from_pointee(Owned { pid: std::process::id(), value: fresh() });
        Self { current, fresh: Box::new(fresh) }
    }

    /// The value of this very process.
    pub fn get(&self) -> Arc<Owned<T>> {
        let current = self.current.load_full();
        if current.pid == std::process::id() {
            return current;
        }
        let fresh = Arc::new(Owned { pid: std::process::id(), value: (self.fresh)() });
        let before = self.current.compare_and_swap(&current, fresh);
        if Arc::ptr_eq(&before, &current) {
            // Its locks, threads and sockets are the parent's: they are neither used nor dropped here.
            std::mem::forget(current);
        }
        self.current.load_full()
    }
}
