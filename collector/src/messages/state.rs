//! What is known of a message, attempt by attempt, in whatever order they come in.

use surehook_core::Outcome;

/// What one attempt says of its message.
pub(crate) struct Seen {
    /// The request was not refused: what it says of itself may be believed.
    pub(crate) trusted: bool,
    /// What became of the attempt.
    pub(crate) outcome: Outcome,
    /// When the request came in.
    pub(crate) received_at: i64,
    /// The number of its endpoint and event type.
    pub(crate) series: i64,
    /// Its event type, where the series does not say it.
    pub(crate) event_type: Option<String>,
    /// The id of the thing the event is about.
    pub(crate) entity_id: Option<String>,
}

/// A message, without its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) series: i64,
    pub(crate) event_type: Option<String>,
    pub(crate) entity_id: Option<String>,
    pub(crate) first_seen: i64,
    pub(crate) last_seen: i64,
    pub(crate) attempts: i64,
    pub(crate) outcome: Outcome,
    /// `received_at` of the attempt that gave the outcome.
    pub(crate) decided_at: i64,
    /// At least one attempt was not refused.
    pub(crate) trusted: bool,
}

impl State {
    /// A message of one attempt.
    pub(crate) fn first(seen: Seen) -> Self {
        Self {
            series: seen.series,
            event_type: seen.event_type,
            entity_id: seen.entity_id,
            first_seen: seen.received_at,
            last_seen: seen.received_at,
            attempts: 1,
            outcome: seen.outcome,
            decided_at: seen.received_at,
            trusted: seen.trusted,
        }
    }

    /// Adds an attempt. A refused one, whose message id anyone may have written, changes nothing of a message that
    /// was seen with a right signature, but the number of attempts on its timeline.
    pub(crate) fn add(&mut self, seen: Seen) {
        let attempts = self.attempts.saturating_add(1);
        match (self.trusted, seen.trusted) {
            (true, false) => {}
            // The refused attempts before it said nothing that counts.
            (false, true) => *self = Self::first(seen),
            _ => self.merge(seen),
        }
        self.attempts = attempts;
    }

    fn merge(&mut self, seen: Seen) {
        self.first_seen = self.first_seen.min(seen.received_at);
        self.last_seen = self.last_seen.max(seen.received_at);
        let (old, new) = (weight(self.outcome), weight(seen.outcome));
        if new > old || (new == old && seen.received_at >= self.decided_at) {
            self.outcome = seen.outcome;
            self.decided_at = seen.received_at;
            self.series = seen.series;
            self.event_type = seen.event_type;
        }
        if seen.entity_id.is_some() {
            self.entity_id = seen.entity_id;
        }
    }
}

/// How much an attempt's outcome says of its message: the weightiest stands, of equals the last.
fn weight(outcome: Outcome) -> u8 {
    match outcome {
        // Done is done, whatever comes after.
        Outcome::Processed => 3,
        // The handler ran, or was told not to care.
        Outcome::Failed | Outcome::SilentDrop | Outcome::Ignored => 2,
        // Something else answered for it.
        Outcome::Duplicate | Outcome::InFlight | Outcome::Unavailable => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(outcome: Outcome, received_at: i64) -> Seen {
        let trusted = outcome != Outcome::Rejected;
        Seen { trusted, outcome, received_at, series: 1, event_type: None, entity_id: None }
    }

    fn after(outcomes: &[(Outcome, i64)]) -> State {
        let mut attempts = outcomes.iter().map(|(outcome, at)| seen(*outcome, *at));
        let mut state = State::first(attempts.next().unwrap());
        attempts.for_each(|seen| state.add(seen));
        state
    }

    #[test]
    fn a_processed_message_stays_processed() {
        let state =
            after(&[(Outcome::Failed, 1), (Outcome::Processed, 2), (Outcome::Duplicate, 3), (Outcome::Failed, 4)]);
        assert_eq!(state.outcome, Outcome::Processed);
        assert_eq!((state.first_seen, state.last_seen, state.attempts), (1, 4, 4));
    }

    #[test]
    fn the_last_decisive_outcome_stands_in_whatever_order_attempts_come_in() {
        let forward = after(&[(Outcome::Failed, 1), (Outcome::SilentDrop, 2), (Outcome::InFlight, 3)]);
        let backward = after(&[(Outcome::InFlight, 3), (Outcome::SilentDrop, 2), (Outcome::Failed, 1)]);
        assert_eq!(forward.outcome, Outcome::SilentDrop);
        assert_eq!(forward, backward);
    }

    #[test]
    fn a_forged_attempt_changes_nothing_but_the_count_of_attempts() {
        let real = after(&[(Outcome::Failed, 5)]);
        let mut forged = real.clone();
        forged.add(Seen {
            trusted: false,
            outcome: Outcome::Rejected,
            received_at: 9,
            series: 77,
            event_type: Some("user.deleted".into()),
            entity_id: Some("user_evil".into()),
        });
        assert_eq!(forged, State { attempts: 2, ..real });
    }

    #[test]
    fn a_real_attempt_takes_over_from_forged_ones() {
        let mut state = after(&[(Outcome::Rejected, 1), (Outcome::Rejected, 2)]);
        assert!(!state.trusted);
        state.add(Seen { series: 4, ..seen(Outcome::InFlight, 3) });
        let taken_over = (state.trusted, state.outcome, state.series, state.first_seen, state.attempts);
        assert_eq!(taken_over, (true, Outcome::InFlight, 4, 3, 3));
    }
}
