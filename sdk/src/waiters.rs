//! Seats for the requests that wait for another attempt's answer (`onInFlight: "wait"`).

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use surehook_core::dedup::DedupKey;

use crate::process::PerProcess;

/// So many requests of one message may wait in a process; the others are answered 409.
const SEATS: usize = 32;

static TAKEN: LazyLock<PerProcess<Mutex<HashMap<DedupKey, usize>>>> = LazyLock::new(|| PerProcess::new(Mutex::default));

/// One seat; dropping it makes it free.
pub(crate) struct Seat(DedupKey);

/// A seat among those that wait for this message, if one is free.
pub(crate) fn take_seat(key: DedupKey) -> Option<Seat> {
    let taken = TAKEN.get();
    let mut taken = lock(&taken);
    let count = taken.entry(key).or_default();
    if *count >= SEATS {
        return None;
    }
    *count += 1;
    Some(Seat(key))
}

impl Drop for Seat {
    fn drop(&mut self) {
        let taken = TAKEN.get();
        let mut taken = lock(&taken);
        let Some(count) = taken.get_mut(&self.0) else { return };
        *count -= 1;
        if *count == 0 {
            taken.remove(&self.0);
        }
    }
}

fn lock(taken: &Mutex<HashMap<DedupKey, usize>>) -> MutexGuard<'_, HashMap<DedupKey, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}
