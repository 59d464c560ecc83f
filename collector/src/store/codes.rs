//! The numbers under which outcomes are kept in the database. A number is never given to another outcome.

use surehook_core::Outcome;

/// Every outcome, at the place of its number. Also the order of the count columns of a rollup.
pub(crate) const OUTCOMES: [Outcome; 9] = [
    Outcome::Processed,
    Outcome::SilentDrop,
    Outcome::Failed,
    Outcome::Rejected,
    Outcome::InFlight,
    Outcome::Unavailable,
    Outcome::Duplicate,
    Outcome::Ignored,
    Outcome::Deferred,
];

/// The number of an outcome.
pub(crate) fn number(outcome: Outcome) -> u8 {
    // An outcome without a number cannot come in: the test below fails first.
    (0..).zip(OUTCOMES).find(|(_, known)| *known == outcome).map_or(2, |(number, _)| number)
}

/// The outcome with a number.
pub(crate) fn outcome(number: u8) -> Outcome {
    OUTCOMES.get(usize::from(number)).copied().unwrap_or(Outcome::Failed)
}

/// The outcome with a name, e.g. `silent_drop`.
pub(crate) fn outcome_named(name: &str) -> Option<Outcome> {
    use serde::Deserialize as _;
    use serde::de::IntoDeserializer as _;
    let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    Outcome::deserialize(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_of_the_contract_has_its_own_number() {
        let codes: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/contract/codes.json")).expect("the catalogue is JSON");
        let names = codes["outcomes"].as_array().expect("a list");
        assert_eq!(names.len(), OUTCOMES.len());
        for name in names {
            let known = outcome_named(name.as_str().expect("a name")).expect("known to the core");
            assert_eq!(outcome(number(known)), known);
        }
    }
}
