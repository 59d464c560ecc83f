//! The numbers under which outcomes are kept in the database. A number is never given to another outcome.

use surehook_core::Outcome;

/// Every outcome, at the place of its number. Also the order of the count columns of a rollup.
pub(crate) const OUTCOMES: [Outcome; 10] = [
    Outcome::Processed,
    Outcome::SilentDrop,
    Outcome::Failed,
    Outcome::Rejected,
    Outcome::InFlight,
    Outcome::Unavailable,
    Outcome::Duplicate,
    Outcome::Ignored,
    Outcome::Deferred,
    Outcome::Other,
];

/// The number of an outcome that this version does not know.
const OTHER: u8 = 9;

/// The number of an outcome.
pub(crate) fn number(outcome: Outcome) -> u8 {
    (0..).zip(OUTCOMES).find(|(_, known)| *known == outcome).map_or(OTHER, |(number, _)| number)
}

/// The outcome with a number.
pub(crate) fn outcome(number: u8) -> Outcome {
    OUTCOMES.get(usize::from(number)).copied().unwrap_or(Outcome::Other)
}

/// The outcome with a name, e.g. `silent_drop`.
pub(crate) fn outcome_named(name: &str) -> Option<Outcome> {
    OUTCOMES.into_iter().find(|outcome| outcome.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_of_the_contract_has_its_own_number() {
        let codes: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/contract/codes.json")).expect("the catalogue is JSON");
        let names = codes["outcomes"].as_array().expect("a list");
        assert_eq!(names.len() + 1, OUTCOMES.len(), "they, and those of a later version");
        assert_eq!(number(Outcome::Other), OTHER);
        for name in names {
            let known = outcome_named(name.as_str().expect("a name")).expect("known to the core");
            assert_eq!(outcome(number(known)), known);
        }
    }
}
