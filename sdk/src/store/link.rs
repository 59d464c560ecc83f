//! One connection that many calls share, and that is made again when it is lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::fault::{Fault, Reach};

/// A connection that takes longer is given up. It is longer than a call's budget: a slow handshake must end some time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection on which a question waited so long for nothing is dead. It is most of a call's budget: a call that spent its
/// time on connecting says nothing of the connection it got at last.
const DEAD_AFTER: Duration = Duration::from_millis(200);

type Outcome<C> = Option<Result<Numbered<C>, Fault>>;

/// Holds a connection of type `C`, a handle that can be cloned.
pub(crate) struct Link<C>(Arc<Mutex<State<C>>>);

struct State<C> {
    /// How many connections were made so far.
    made: u64,
    stage: Stage<C>,
}

enum Stage<C> {
    Down,
    Connecting(watch::Receiver<Outcome<C>>),
    Up(Numbered<C>),
}

/// A connection and which one of its link it is.
#[derive(Clone)]
struct Numbered<C> {
    number: u64,
    connection: C,
}

/// A connection while a call uses it. Dropped before [`Lent::answered`], after a long wait, it was given up: then the link
/// forgets the connection, unless it has another one by now.
pub(crate) struct Lent<'l, C: Clone + Send + Sync + 'static> {
    link: &'l Link<C>,
    lent: Numbered<C>,
    since: Instant,
    answered: bool,
}

impl<C> Default for Link<C> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { made: 0, stage: Stage::Down })))
    }
}

impl<C: Clone + Send + Sync + 'static> Link<C> {
    /// The connection; where there is none, what the one attempt to make it comes to, which all callers share.
    pub(crate) async fn get<F>(&self, connect: impl FnOnce() -> F) -> Result<Lent<'_, C>, Fault>
    where
        F: Future<Output = Result<C, Fault>> + Send + 'static,
    {
        let mut attempt = {
            let mut state = lock(&self.0);
            match &state.stage {
                Stage::Up(connection) => return Ok(self.lend(connection.clone())),
                Stage::Connecting(attempt) => attempt.clone(),
                Stage::Down => {
                    state.made += 1;
                    let attempt = self.attempt(state.made, connect());
                    state.stage = Stage::Connecting(attempt.clone());
                    attempt
                }
            }
        };
        let outcome = attempt.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
        let outcome = outcome.ok().flatten();
        outcome.unwrap_or_else(|| Err(unreachable("the attempt to connect was given up"))).map(|made| self.lend(made))
    }

    fn lend(&self, lent: Numbered<C>) -> Lent<'_, C> {
        Lent { link: self, lent, since: Instant::now(), answered: false }
    }

    /// Forgets a connection, so that the next call makes another; a later one than this stays.
    fn discard(&self, number: u64) {
        let mut state = lock(&self.0);
        if matches!(&state.stage, Stage::Up(up) if up.number == number) {
            state.stage = Stage::Down;
        }
    }

    /// Connects beside the call that asked for it: the call may give up first.
    fn attempt<F>(&self, number: u64, connect: F) -> watch::Receiver<Outcome<C>>
    where
        F: Future<Output = Result<C, Fault>> + Send + 'static,
    {
        let (sender, receiver) = watch::channel(None);
        let state = Arc::clone(&self.0);
        tokio::spawn(async move {
            let connected = tokio::time::timeout(CONNECT_TIMEOUT, connect).await;
            let connected = connected.unwrap_or_else(|_| Err(unreachable("no connection within 2 s")));
            let outcome = connected.map(|connection| Numbered { number, connection });
            lock(&state).stage = match &outcome {
                Ok(made) => Stage::Up(made.clone()),
                Err(_) => Stage::Down,
            };
            sender.send_replace(Some(outcome));
        });
        receiver
    }
}

impl<C: Clone + Send + Sync + 'static> Lent<'_, C> {
    pub(crate) fn connection(&self) -> C {
        self.lent.connection.clone()
    }

    /// The call was answered. `usable`: whether the connection can be asked again.
    pub(crate) fn answered(mut self, usable: bool) {
        self.answered = true;
        if !usable {
            self.link.discard(self.lent.number);
        }
    }
}

impl<C: Clone + Send + Sync + 'static> Drop for Lent<'_, C> {
    fn drop(&mut self) {
        if !self.answered && self.since.elapsed() >= DEAD_AFTER {
            self.link.discard(self.lent.number);
        }
    }
}

fn unreachable(reason: &str) -> Fault {
    Fault::new(Reach::Unsent, reason)
}

fn lock<C>(state: &Mutex<State<C>>) -> MutexGuard<'_, State<C>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes numbers in place of connections.
    struct Maker {
        link: Link<u32>,
        next: std::sync::atomic::AtomicU32,
    }

    impl Maker {
        async fn get(&self) -> Lent<'_, u32> {
            let next = || self.next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let lent = self.link.get(|| std::future::ready(Ok(next()))).await;
            lent.unwrap_or_else(|fault| panic!("{}", fault.error))
        }
    }

    fn maker() -> Maker {
        Maker { link: Link::default(), next: std::sync::atomic::AtomicU32::new(1) }
    }

    fn long_ago(lent: &mut Lent<'_, u32>) {
        lent.since = Instant::now().checked_sub(DEAD_AFTER).unwrap();
    }

    #[tokio::test]
    async fn a_call_that_was_given_up_discards_the_connection_it_waited_on_and_no_later_one() {
        let maker = maker();
        let (mut first, mut second) = (maker.get().await, maker.get().await);
        long_ago(&mut first);
        long_ago(&mut second);
        drop(first);
        assert_eq!(maker.get().await.connection(), 2, "the dead connection is not lent again");
        drop(second);
        assert_eq!(maker.get().await.connection(), 2, "an old time-out leaves the new connection alone");
    }

    #[tokio::test]
    async fn a_call_without_time_left_says_nothing_of_a_new_connection() {
        let maker = maker();
        drop(maker.get().await);
        assert_eq!(maker.get().await.connection(), 1);
    }

    #[tokio::test]
    async fn an_answer_that_ends_a_connection_ends_that_one_only() {
        let maker = maker();
        let (first, second) = (maker.get().await, maker.get().await);
        first.answered(false);
        assert_eq!(maker.get().await.connection(), 2);
        second.answered(false);
        assert_eq!(maker.get().await.connection(), 2);
        maker.get().await.answered(true);
        assert_eq!(maker.get().await.connection(), 2);
    }
}
