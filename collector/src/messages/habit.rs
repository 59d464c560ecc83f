//! What nearly every processed message of a series does: the steps that are expected of the next one, learned from those
//! before it.
//!
//! It only raises a suspicion. It knows what is usual, not what is right, and never changes an outcome.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Messages that must have been counted before anything is expected.
const ENOUGH: u32 = 50;
/// The same for a step that came later than the others, such as one of a new release: fewer could be a batch of one kind.
const ENOUGH_FOR_A_LATE_ONE: u32 = 200;
/// A step is expected when so many of a hundred messages recorded it, since the first that did.
const NEARLY_ALL: u64 = 98;
/// Messages at which every count is halved. What was usual weighs less with each message that does without: a step that a
/// deploy removed is expected of 2 % of these at most, and of ever fewer.
const FORGET_AT: u32 = 1_000;
/// Steps of one series that are counted apart.
const MOST_STEPS: usize = 200;
/// The bytes of their names together. The row is written anew with each change, so it must stay small.
const MOST_BYTES: usize = 8 * 1024;

/// The counts of one series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Habit {
    /// Processed messages, from the first that recorded a step.
    seen: u32,
    /// What is known of each step.
    steps: BTreeMap<String, Count>,
}

/// The counts of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    /// Messages that recorded it.
    recorded: u32,
    /// Messages of the series before the first of them.
    before: u32,
}

impl Count {
    /// Messages since the first that recorded it.
    fn of(self, seen: u32) -> u32 {
        seen.saturating_sub(self.before)
    }

    fn is_expected(self, seen: u32) -> bool {
        let of = self.of(seen);
        let is_late = is_less_than_nearly_all(of, seen);
        let enough = if is_late { ENOUGH_FOR_A_LATE_ONE } else { ENOUGH };
        of >= enough && !is_less_than_nearly_all(self.recorded, of)
    }
}

fn is_less_than_nearly_all(part: u32, whole: u32) -> bool {
    u64::from(part) * 100 < u64::from(whole) * NEARLY_ALL
}

/// A step that a processed message lacks, and what makes that suspicious: so many of so many recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lacking {
    /// The step's name.
    pub(crate) step: String,
    /// Messages that recorded it.
    pub(crate) recorded: u32,
    /// Messages since the first that recorded it.
    pub(crate) of: u32,
}

impl Habit {
    /// The steps that were expected of a message which did these.
    pub(crate) fn lacking(&self, done: &BTreeSet<&str>) -> Vec<Lacking> {
        let expected = self.steps.iter().filter(|(_, count)| count.is_expected(self.seen));
        expected
            .filter(|(step, _)| !done.contains(step.as_str()))
            .map(|(step, count)| Lacking { step: step.clone(), recorded: count.recorded, of: count.of(self.seen) })
            .collect()
    }

    /// Counts a processed message. `false`: there was nothing to learn from it.
    pub(crate) fn learn(&mut self, done: &BTreeSet<&str>) -> bool {
        if self.seen == 0 && done.is_empty() {
            return false;
        }
        let before = self.seen;
        self.seen += 1;
        let mut made_room = false;
        for step in done {
            if let Some(count) = self.steps.get_mut(*step) {
                count.recorded += 1;
                continue;
            }
            if !made_room && !self.has_room(step) {
                self.make_room();
                made_room = true;
            }
            if self.has_room(step) {
                self.steps.insert((*step).to_owned(), Count { recorded: 1, before });
            }
        }
        if self.seen >= FORGET_AT {
            self.halve();
        }
        true
    }

    fn has_room(&self, step: &str) -> bool {
        let bytes: usize = self.steps.keys().map(String::len).sum();
        self.steps.len() < MOST_STEPS && bytes + step.len() <= MOST_BYTES
    }

    /// Drops what is far from usual: mostly names that are made up anew for each message.
    fn make_room(&mut self) {
        let seen = self.seen;
        self.steps.retain(|_, count| count.recorded > count.of(seen) / 2);
    }

    /// Rounds down, so that no step becomes expected by it.
    fn halve(&mut self) {
        self.seen /= 2;
        self.steps.retain(|_, count| {
            count.recorded /= 2;
            count.before /= 2;
            count.recorded > 0
        });
    }

    /// The text it is kept as.
    pub(crate) fn to_text(&self) -> String {
        // Numbers and text: nothing that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Habit::to_text`] wrote; `None` for anything else.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let habit: Self = serde_json::from_str(text).ok()?;
        let counted = |count: &Count| (1..=count.of(habit.seen)).contains(&count.recorded);
        (habit.seen < FORGET_AT && habit.steps.values().all(counted) && habit.steps.len() <= MOST_STEPS)
            .then_some(habit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn teach(habit: &mut Habit, times: u32, steps: &[&str]) {
        let done = steps.iter().copied().collect();
        (0..times).for_each(|_| {
            habit.learn(&done);
        });
    }

    fn lacking(habit: &Habit, steps: &[&str]) -> Vec<String> {
        habit.lacking(&steps.iter().copied().collect()).into_iter().map(|lacking| lacking.step).collect()
    }

    #[test]
    fn fifty_messages_make_a_habit_and_forty_nine_do_not() {
        let mut habit = Habit::default();
        teach(&mut habit, 49, &["create", "mail"]);
        assert_eq!(lacking(&habit, &["create"]), [""; 0]);
        teach(&mut habit, 1, &["create", "mail"]);
        assert_eq!(lacking(&habit, &["create"]), ["mail"]);
        assert_eq!(lacking(&habit, &["create", "mail", "more"]), [""; 0]);
        let told = habit.lacking(&BTreeSet::new());
        assert_eq!(told[0], Lacking { step: "create".into(), recorded: 50, of: 50 });
    }

    #[test]
    fn a_step_of_ninety_eight_in_a_hundred_is_expected_and_one_of_ninety_seven_is_not() {
        for (without, expected) in [(2, vec!["mail"]), (3, vec![])] {
            let mut habit = Habit::default();
            teach(&mut habit, 100 - without, &["create", "mail"]);
            teach(&mut habit, without, &["create"]);
            assert_eq!(lacking(&habit, &["create"]), expected);
        }
    }

    #[test]
    fn nothing_is_counted_before_the_first_step() {
        let mut habit = Habit::default();
        assert!(!habit.learn(&BTreeSet::new()));
        teach(&mut habit, 500, &[]);
        assert_eq!(habit, Habit::default());
        teach(&mut habit, 50, &["create"]);
        assert_eq!(lacking(&habit, &[]), ["create"]);
    }

    #[test]
    fn a_step_that_a_deploy_renamed_is_expected_of_twenty_messages_at_most() {
        for before in [50, 400, 999, 1_000, 5_000, 12_345] {
            let mut habit = Habit::default();
            teach(&mut habit, before, &["create", "send_mail"]);
            let mut flagged = 0;
            while !lacking(&habit, &["create", "send_email"]).is_empty() {
                teach(&mut habit, 1, &["create", "send_email"]);
                flagged += 1;
                assert!(flagged <= 21, "{before} messages before: still expected after {flagged}");
            }
            teach(&mut habit, 20 * FORGET_AT, &["create", "send_email"]);
            assert_eq!(lacking(&habit, &[]), ["create", "send_email"], "the new name is learned");
            assert!(!habit.steps.contains_key("send_mail"), "the old one is forgotten");
        }
    }

    #[test]
    fn a_step_of_a_new_release_is_learned_within_400_messages_and_a_batch_of_one_kind_teaches_none() {
        for before in [60, 700, 12_345] {
            let mut habit = Habit::default();
            teach(&mut habit, before, &["create"]);
            teach(&mut habit, 199, &["create", "index"]);
            assert_eq!(lacking(&habit, &["create"]), [""; 0], "{before} messages before: a batch so far");
            teach(&mut habit, 201, &["create", "index"]);
            assert_eq!(lacking(&habit, &["create"]), ["index"], "{before} messages before");
        }
    }

    #[test]
    fn names_made_up_for_each_message_take_no_room_from_usual_ones() {
        let mut habit = Habit::default();
        for number in 0..3_000 {
            let row = format!("row {number}");
            teach(&mut habit, 1, &["create", &row]);
            if number == 500 {
                teach(&mut habit, 1, &["create", "late"]);
            }
        }
        assert!(habit.steps.len() <= MOST_STEPS);
        assert_eq!(lacking(&habit, &[]), ["create"]);
    }

    #[test]
    fn names_that_took_all_room_make_room_for_usual_ones() {
        let names: Vec<String> = (0..MOST_STEPS).map(|number| format!("row {number}")).collect();
        let mut habit = Habit::default();
        teach(&mut habit, 1, &names.iter().map(String::as_str).collect::<Vec<_>>());
        teach(&mut habit, 60, &["create"]);
        assert_eq!(lacking(&habit, &[]), ["create"]);
    }

    #[test]
    fn anything_but_a_habit_is_read_as_none() {
        let mut habit = Habit::default();
        teach(&mut habit, 7, &["create", "\u{202e}\"\\"]);
        assert_eq!(Habit::from_text(&habit.to_text()), Some(habit));
        let one = Count { recorded: 1, before: 0 };
        let many: BTreeMap<String, Count> = (0..=MOST_STEPS).map(|number| (number.to_string(), one)).collect();
        for broken in [
            "",
            "{}",
            "null",
            "{\"seen\":-1,\"steps\":{}}",
            "{\"seen\":1,\"steps\":{\"a\":1}}",
            "{\"seen\":1,\"steps\":{\"a\":{\"recorded\":2,\"before\":0}}}",
            "{\"seen\":1,\"steps\":{\"a\":{\"recorded\":0,\"before\":0}}}",
            "{\"seen\":1,\"steps\":{\"a\":{\"recorded\":1,\"before\":4294967295}}}",
            "{\"seen\":4294967295,\"steps\":{}}",
            &serde_json::json!({ "seen": 1, "steps": many }).to_string(),
        ] {
            assert_eq!(Habit::from_text(broken), None, "{broken}");
        }
    }

    /// Messages of a few common steps, some rare ones, and names of any length.
    fn messages() -> impl Strategy<Value = Vec<BTreeSet<String>>> {
        let step = prop_oneof![
            8 => "[ab]",
            2 => "[a-z]{1,2}",
            1 => proptest::collection::vec(any::<char>(), 0..300).prop_map(String::from_iter),
        ];
        proptest::collection::vec(proptest::collection::btree_set(step, 0..5), 0..1_500)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn counts_stay_true_and_bounded_whatever_is_learned(messages in messages()) {
            let mut habit = Habit::default();
            // Without forgetting, for as long as nothing was forgotten.
            let (mut seen, mut with_a, mut before) = (0_u32, 0_u32, None);
            for message in &messages {
                let done: BTreeSet<&str> = message.iter().map(String::as_str).collect();
                if seen < FORGET_AT {
                    let of = seen - before.unwrap_or(seen);
                    let enough = if of * 100 < seen * 98 { 200 } else { 50 };
                    let expected = of >= enough && with_a * 100 >= of * 98;
                    let flagged = habit.lacking(&done).iter().any(|lacking| lacking.step == "a");
                    prop_assert_eq!(flagged, expected && !done.contains("a"));
                }
                for lacking in habit.lacking(&done) {
                    prop_assert!(!done.contains(lacking.step.as_str()));
                    prop_assert!(lacking.of >= ENOUGH && lacking.recorded <= lacking.of);
                }
                if habit.learn(&done) {
                    if done.contains("a") {
                        before.get_or_insert(seen);
                        with_a += 1;
                    }
                    seen += 1;
                }
                prop_assert!(habit.seen < FORGET_AT && habit.steps.len() <= MOST_STEPS);
                prop_assert!(habit.steps.keys().map(String::len).sum::<usize>() <= MOST_BYTES);
                let counted = |count: &Count| (1..=count.of(habit.seen)).contains(&count.recorded);
                prop_assert!(habit.steps.values().all(counted));
            }
            prop_assert_eq!(Habit::from_text(&habit.to_text()), Some(habit));
        }
    }
}
