//! `GET /api/live`: attempts as they are stored, as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::stream::{StreamExt as _, unfold};
use serde::Serialize;
use serde_json::json;
use surehook_core::{Outcome, Timestamp};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use uuid::Uuid;

use crate::state::Shared;
use crate::store::Fresh;

/// The shortest time between two events of one stream: four a second are as live as a person can read.
const PACE: Duration = Duration::from_millis(250);
/// The most attempts in one event; of more, the latest.
const MOST: usize = 500;
/// Commits that a slow reader may be behind before it misses some.
const BEHIND: usize = 256;
/// How often a silent stream says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// An attempt as it is told.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Event {
    id: Uuid,
    message: i64,
    endpoint: String,
    event_type: Option<String>,
    outcome: Outcome,
    received_at: Timestamp,
    duration_us: u64,
    status: Option<u16>,
    /// The deferred attempt whose work this is the rest of.
    continues: Option<Uuid>,
    suspected_silent_drop: bool,
}

impl Event {
    /// What is told of an attempt of a message.
    pub(crate) fn new(message: i64, fresh: &Fresh<'_>) -> Self {
        let attempt = fresh.attempt;
        Self {
            id: attempt.id,
            message,
            endpoint: attempt.endpoint.clone(),
            event_type: fresh.event_type().map(str::to_owned),
            outcome: fresh.outcome(),
            received_at: fresh.at,
            duration_us: attempt.duration_us,
            status: attempt.answered(),
            continues: attempt.continues,
            suspected_silent_drop: fresh.suspected,
        }
    }
}

/// What the writer tells the streams.
#[derive(Clone)]
pub(crate) struct Feed(broadcast::Sender<Arc<[Event]>>);

impl Feed {
    /// A feed that nobody reads yet.
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }

    /// Somebody reads.
    pub(crate) fn is_watched(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Tells what one commit stored.
    pub(crate) fn publish(&self, events: Vec<Event>) {
        if !events.is_empty() {
            // Refused when the last reader has just left.
            let _ = self.0.send(events.into());
        }
    }
}

/// Proxies that hold answers back (nginx by default) are asked not to.
const UNBUFFERED: [(&str, &str); 1] = [("x-accel-buffering", "no")];

pub(super) async fn stream(State(shared): State<Shared>) -> impl IntoResponse {
    let reader = Reader {
        commits: shared.feed.0.subscribe(),
        closing: shared.closing.subscribe(),
        ready: VecDeque::from([sse::Event::default().comment("connected")]),
        not_before: Instant::now(),
    };
    let events = unfold(reader, Reader::next).map(Ok::<_, Infallible>);
    (UNBUFFERED, Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

struct Reader {
    commits: broadcast::Receiver<Arc<[Event]>>,
    closing: watch::Receiver<bool>,
    ready: VecDeque<sse::Event>,
    not_before: Instant,
}

/// Attempts that wait to be told.
#[derive(Default)]
struct Waiting {
    attempts: VecDeque<Event>,
    missed: bool,
}

impl Waiting {
    fn take(&mut self, received: Result<Arc<[Event]>, broadcast::error::RecvError>) {
        match received {
            Ok(commit) => self.attempts.extend(commit.iter().cloned()),
            Err(_) => self.missed = true,
        }
        while self.attempts.len() > MOST {
            self.attempts.pop_front();
            self.missed = true;
        }
    }
}

impl Reader {
    async fn next(mut self) -> Option<(sse::Event, Self)> {
        if self.ready.is_empty() {
            self.wait().await?;
        }
        let event = self.ready.pop_front()?;
        Some((event, self))
    }

    /// Waits for a commit, then for the pace, and gathers what comes in meanwhile. `None`: the collector closes.
    async fn wait(&mut self) -> Option<()> {
        let mut waiting = Waiting::default();
        loop {
            let due = !waiting.attempts.is_empty() || waiting.missed;
            tokio::select! {
                biased;
                _ = self.closing.wait_for(|closing| *closing) => return None,
                () = tokio::time::sleep_until(self.not_before), if due => break,
                received = self.commits.recv() => match received {
                    Err(broadcast::error::RecvError::Closed) => return None,
                    received => waiting.take(received),
                },
            }
        }
        self.not_before = Instant::now() + PACE;
        if waiting.missed {
            self.ready.push_back(sse::Event::default().event("lag").data("{}"));
        }
        if !waiting.attempts.is_empty() {
            let data = json!({ "attempts": waiting.attempts }).to_string();
            self.ready.push_back(sse::Event::default().event("attempts").data(data));
        }
        Some(())
    }
}
