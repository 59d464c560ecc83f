//! What is known of a message, attempt by attempt, in whatever order they come in.
//!
//! A continuation, which says what became of deferred work, is part of this, but no delivery: it does not raise the number of
//! attempts.

use surehook_core::Outcome;

/// What one attempt says of its message.
pub(crate) struct Seen {
    /// The request was not refused: what it says of itself may be believed.
    pub(crate) trusted: bool,
    /// What became of the attempt.
    pub(crate) outcome: Outcome,
    /// It is no delivery, but the rest of one whose work was deferred.
    pub(crate) continuation: bool,
    /// It was processed, but lacks steps that are usual.
    pub(crate) suspected: bool,
    /// When the request came in.
    pub(crate) received_at: i64,
    /// The deadline that was taken for missed, and was not: this says so.
    pub(crate) not_missed: Option<i64>,
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
    /// The attempt that gave the outcome is a suspected silent drop.
    pub(crate) suspected: bool,
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
            attempts: i64::from(!seen.continuation),
            outcome: seen.outcome,
            decided_at: seen.received_at,
            trusted: seen.trusted,
            suspected: seen.suspected,
        }
    }

    /// Adds an attempt. A refused one, whose message id anyone may have written, changes nothing of a message that
    /// was seen with a right signature, but the number of attempts on its timeline.
    pub(crate) fn add(&mut self, seen: Seen) {
        let attempts = self.attempts.saturating_add(i64::from(!seen.continuation));
        match (self.trusted, seen.trusted) {
            (true, false) => {}
            // The refused attempts before it said nothing that counts.
            (false, true) => *self = Self::first(seen),
            _ => self.merge(seen),
        }
        self.attempts = attempts;
    }

    fn merge(&mut self, seen: Seen) {
        if self.outcome == Outcome::SilentDrop && seen.not_missed == Some(self.decided_at) {
            self.outcome = Outcome::Deferred;
        }
        self.first_seen = self.first_seen.min(seen.received_at);
        self.last_seen = self.last_seen.max(seen.received_at);
        let (old, new) = (weight(self.outcome), weight(seen.outcome));
        if new > old || (new == old && seen.received_at >= self.decided_at) {
            self.outcome = seen.outcome;
            self.decided_at = seen.received_at;
            self.suspected = seen.suspected;
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
        Outcome::Processed => 4,
        // The handler ran, or was told not to care.
        Outcome::Failed | Outcome::SilentDrop | Outcome::Ignored => 3,
        // How the work ends is not known yet: whatever tells it counts for more.
        Outcome::Deferred => 2,
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
        Seen {
            trusted,
            outcome,
            continuation: false,
            suspected: false,
            received_at,
            not_missed: None,
            series: 1,
            event_type: None,
            entity_id: None,
        }
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
            series: 77,
            event_type: Some("user.deleted".into()),
            entity_id: Some("user_evil".into()),
            ..seen(Outcome::Rejected, 9)
        });
        assert_eq!(forged, State { attempts: 2, ..real });
    }

    fn rest(outcome: Outcome, received_at: i64) -> Seen {
        Seen { continuation: true, ..seen(outcome, received_at) }
    }

    #[test]
    fn a_deferred_message_is_what_became_of_its_work_in_whatever_order_it_is_told() {
        for outcome in [Outcome::Processed, Outcome::Failed, Outcome::SilentDrop] {
            let mut forward = State::first(seen(Outcome::Deferred, 1));
            forward.add(rest(outcome, 9));
            let mut backward = State::first(rest(outcome, 9));
            assert_eq!(backward.attempts, 0);
            backward.add(seen(Outcome::Deferred, 1));
            assert_eq!((forward.outcome, forward.attempts, forward.decided_at), (outcome, 1, 9));
            assert_eq!(forward, backward);
        }
    }

    #[test]
    fn a_late_processed_wins_over_the_missed_deadline_and_the_reverse_never() {
        let mut late = State::first(seen(Outcome::Deferred, 1));
        late.add(rest(Outcome::SilentDrop, 5));
        late.add(rest(Outcome::Processed, 3));
        assert_eq!(late.outcome, Outcome::Processed);
        late.add(rest(Outcome::SilentDrop, 9));
        assert_eq!(late.outcome, Outcome::Processed);
    }

    #[test]
    fn deferred_says_more_than_what_did_not_reach_the_handler() {
        for outcome in [Outcome::Duplicate, Outcome::InFlight, Outcome::Unavailable] {
            assert_eq!(after(&[(Outcome::Deferred, 1), (outcome, 2)]).outcome, Outcome::Deferred);
            assert_eq!(after(&[(outcome, 1), (Outcome::Deferred, 2)]).outcome, Outcome::Deferred);
        }
    }

    #[test]
    fn a_message_is_suspected_as_the_attempt_that_decided_it_is() {
        let mut state = State::first(Seen { suspected: true, ..seen(Outcome::Processed, 1) });
        state.add(seen(Outcome::Duplicate, 2));
        assert!(state.suspected);
        state.add(seen(Outcome::Processed, 3));
        assert!(!state.suspected);
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
