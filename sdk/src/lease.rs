//! Keeps the leases of running handlers alive, from the I/O thread: a held interpreter lock or a blocked event loop does
//! not end a lease.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use surehook_core::dedup::{DedupKey, LEASE_RENEWAL, OwnerToken, Renewal, StoreError};

use crate::endpoint::Inner;
use crate::io;
use crate::notice::{self, Level};
use crate::process::PerProcess;
use crate::store::DedupStore;

/// How often is looked which leases are due. A renewal that failed is tried again this soon.
const TICK: Duration = Duration::from_secs(1);

static LEASES: LazyLock<PerProcess<Leases>> = LazyLock::new(|| PerProcess::new(Leases::default));

/// A lease that is renewed until this is dropped.
pub(crate) struct Lease(OwnerToken);

/// A claim that is to be renewed.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) store: DedupStore,
    pub(crate) key: DedupKey,
    pub(crate) owner: OwnerToken,
    pub(crate) endpoint: Arc<Inner>,
}

#[derive(Default)]
struct Leases(Mutex<State>);

#[derive(Default)]
struct State {
    held: HashMap<OwnerToken, (Held, Instant)>,
    ticking: bool,
}

/// Renews a claim that was just made every [`LEASE_RENEWAL`].
pub(crate) fn keep(held: Held) -> Lease {
    let lease = Lease(held.owner);
    let leases = LEASES.get();
    let mut state = leases.lock();
    state.held.insert(held.owner, (held, Instant::now() + LEASE_RENEWAL));
    if !state.ticking {
        // Where no thread can be had the lease lapses, and the next claim tries again.
        state.ticking = io::spawn(tick()).is_ok();
    }
    lease
}

impl Drop for Lease {
    fn drop(&mut self) {
        LEASES.get().lock().held.remove(&self.0);
    }
}

/// Renews what is due, as long as there is something to renew.
async fn tick() {
    loop {
        tokio::time::sleep(TICK).await;
        let leases = LEASES.get();
        {
            let mut state = leases.lock();
            if state.held.is_empty() {
                state.ticking = false;
                return;
            }
        }
        leases.renew_due(Instant::now());
    }
}

impl Leases {
    /// Each renewal by itself: a store that takes its time holds up no other.
    fn renew_due(&self, now: Instant) {
        for held in self.due(now) {
            tokio::spawn(async move {
                let renewal = held.store.renew_on_io(held.key, held.owner, held.endpoint.clock.now()).await;
                LEASES.get().settle(&held, renewal, now);
            });
        }
    }

    /// What is to be renewed; it is due again in time, should this renewal never end.
    fn due(&self, now: Instant) -> Vec<Held> {
        let mut state = self.lock();
        let due = state.held.values_mut().filter(|(_, at)| *at <= now);
        due.map(|(held, at)| {
            *at = now + LEASE_RENEWAL;
            held.clone()
        })
        .collect()
    }

    fn settle(&self, held: &Held, renewal: Result<Renewal, StoreError>, now: Instant) {
        let lost = match renewal {
            Ok(Renewal::Renewed { .. }) => return self.again_at(held.owner, now + LEASE_RENEWAL),
            Err(_) => return self.again_at(held.owner, now + TICK),
            Ok(Renewal::Exhausted) => "a handler runs for longer than 15 minutes; another attempt may run it again",
            Ok(Renewal::Fenced) => "a handler lost its message to another attempt; its answer will not be stored",
        };
        self.lock().held.remove(&held.owner);
        notice::give(Level::Warning, format!("{}: {lost}", held.endpoint.name));
    }

    fn again_at(&self, owner: OwnerToken, at: Instant) {
        if let Some((_, due)) = self.lock().held.get_mut(&owner) {
            *due = at;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
