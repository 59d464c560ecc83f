//! Names that a later version may add to: read, one that is not known here is `other`, and never an error.

use serde::de::value::{Error, StrDeserializer};
use serde::de::{Deserialize, Deserializer, IntoDeserializer as _};

use crate::diagnose::{Certainty, Finding};
use crate::error::ReasonCode;
use crate::outcome::Outcome;
use crate::telemetry::attempt::{DedupResult, DropReason, VerificationResult};

/// A set of names, and what stands for those that are not in it.
pub(crate) trait OpenNames: for<'de> Deserialize<'de> {
    const OTHER: Self;

    fn named(name: &str) -> Self {
        let name: StrDeserializer<'_, Error> = name.into_deserializer();
        Self::deserialize(name).unwrap_or(Self::OTHER)
    }
}

macro_rules! open_names {
    ($($names:ident)*) => { $(impl OpenNames for $names { const OTHER: Self = Self::Other; })* };
}

open_names! { Certainty DedupResult DropReason Finding Outcome ReasonCode VerificationResult }

/// For `#[serde(deserialize_with)]`.
pub(crate) fn read<'de, D: Deserializer<'de>, T: OpenNames>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer).map(|name| T::named(&name))
}

/// The same where there may be none.
pub(crate) fn read_option<'de, D: Deserializer<'de>, T: OpenNames>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(|name| T::named(&name)))
}
