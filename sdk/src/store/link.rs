//! One connection that many calls share, and that is made again when it is lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use surehook_core::dedup::StoreError;
use tokio::sync::watch;

/// A connection that takes longer is given up. It is longer than a call's budget: a slow handshake must end some time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

type Outcome<C> = Option<Result<C, StoreError>>;

/// Holds a connection of type `C`, a handle that can be cloned.
pub(crate) struct Link<C>(Arc<Mutex<State<C>>>);

enum State<C> {
    Down,
    Connecting(watch::Receiver<Outcome<C>>),
    Up(C),
}

impl<C> Default for Link<C> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State::Down)))
    }
}

impl<C: Clone + Send + Sync + 'static> Link<C> {
    /// The connection; where there is none, what the one attempt to make it comes to, which all callers share.
    pub(crate) async fn get<F>(&self, connect: impl FnOnce() -> F) -> Result<C, StoreError>
    where
        F: Future<Output = Result<C, StoreError>> + Send + 'static,
    {
        let mut attempt = {
            let mut state = lock(&self.0);
            match &*state {
                State::Up(connection) => return Ok(connection.clone()),
                State::Connecting(attempt) => attempt.clone(),
                State::Down => {
                    let attempt = self.attempt(connect());
                    *state = State::Connecting(attempt.clone());
                    attempt
                }
            }
        };
        let outcome = attempt.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
        outcome.ok().flatten().unwrap_or_else(|| Err(unreachable("the attempt to connect was given up")))
    }

    /// Forgets the connection, so that the next call makes another.
    pub(crate) fn discard(&self) {
        let mut state = lock(&self.0);
        if matches!(*state, State::Up(_)) {
            *state = State::Down;
        }
    }

    /// Connects beside the call that asked for it: the call may give up first.
    fn attempt<F>(&self, connect: F) -> watch::Receiver<Outcome<C>>
    where
        F: Future<Output = Result<C, StoreError>> + Send + 'static,
    {
        let (sender, receiver) = watch::channel(None);
        let state = Arc::clone(&self.0);
        tokio::spawn(async move {
            let connected = tokio::time::timeout(CONNECT_TIMEOUT, connect).await;
            let outcome = connected.unwrap_or_else(|_| Err(unreachable("no connection within 2 s")));
            *lock(&state) = match &outcome {
                Ok(connection) => State::Up(connection.clone()),
                Err(_) => State::Down,
            };
            sender.send_replace(Some(outcome));
        });
        receiver
    }
}

fn unreachable(reason: &str) -> StoreError {
    StoreError { reason: reason.to_owned() }
}

fn lock<C>(state: &Mutex<State<C>>) -> MutexGuard<'_, State<C>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
