//! Where a provider puts what it signs and what it says of a message.

use serde::Deserialize;

use super::path::Path;

/// The three headers of the Standard Webhooks family that belong together. Names in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderFamily {
    /// Carries the message id.
    pub id: String,
    /// Carries the time of signing.
    pub timestamp: String,
    /// Carries the list of signatures.
    pub signature: String,
}

/// Where the signature is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SignatureMembers")]
pub enum SignaturePlace {
    /// In a list of `version,base64` entries, beside the id and the timestamp; a request uses exactly one family.
    Families(Vec<HeaderFamily>),
    /// The value of a header, behind a prefix such as `sha256=`, which may be empty.
    Header {
        /// The header's name, in lower case.
        name: String,
        /// What stands before the value.
        prefix: String,
    },
    /// In a header that is a list of `key=value`.
    Pairs {
        /// The header's name, in lower case.
        name: String,
        /// What parts the pairs.
        separator: char,
        /// The key whose values are signatures.
        key: String,
    },
    /// In several headers with numbered names: `NAME1`, `NAME2`, …
    Numbered {
        /// The names without their numbers, in lower case.
        name: String,
        /// The highest number.
        most: usize,
    },
    /// In the JSON body.
    Body(Path),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureMembers {
    families: Option<Vec<HeaderFamily>>,
    header: Option<String>,
    prefix: Option<String>,
    pairs: Option<PairsMembers>,
    numbered_header: Option<String>,
    most: Option<usize>,
    body: Option<Path>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairsMembers {
    separator: char,
    key: String,
}

impl TryFrom<SignatureMembers> for SignaturePlace {
    type Error = String;

    fn try_from(members: SignatureMembers) -> Result<Self, String> {
        let SignatureMembers { families, header, prefix, pairs, numbered_header, most, body } = members;
        match (families, header, numbered_header, body) {
            (Some(families), None, None, None) if !families.is_empty() => Ok(Self::Families(families)),
            (None, Some(name), None, None) => Ok(match pairs {
                Some(PairsMembers { separator, key }) => Self::Pairs { name, separator, key },
                None => Self::Header { name, prefix: prefix.unwrap_or_default() },
            }),
            (None, None, Some(name), None) => Ok(Self::Numbered { name, most: most.unwrap_or(1) }),
            (None, None, None, Some(path)) => Ok(Self::Body(path)),
            _ => Err("the signature needs exactly one of families, header, numbered_header, body".to_owned()),
        }
    }
}

/// The time of signing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TimestampMembers")]
pub struct TimestampRule {
    /// Where it is.
    pub place: TimestampPlace,
    /// How it is written.
    pub unit: TimeUnit,
    /// By how many seconds it may be off unless set otherwise; `None`: its age is not checked unless a tolerance is set.
    pub tolerance_seconds: Option<u64>,
}

/// Where the time of signing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimestampPlace {
    /// In the family's header.
    Family,
    /// In a header of its own.
    Header(String),
    /// Under this key of the signature header's pairs.
    Pair(String),
    /// In the JSON body.
    Body(Path),
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Unix seconds.
    Seconds,
    /// Unix milliseconds.
    Milliseconds,
    /// RFC 3339, e.g. `2026-11-25T03:26:52Z`.
    Rfc3339,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimestampMembers {
    header: Option<String>,
    pair: Option<String>,
    body: Option<Path>,
    #[serde(default = "seconds")]
    unit: TimeUnit,
    #[serde(default = "default_tolerance")]
    tolerance_seconds: Option<u64>,
}

fn seconds() -> TimeUnit {
    TimeUnit::Seconds
}

fn default_tolerance() -> Option<u64> {
    Some(crate::verify::DEFAULT_TOLERANCE.as_secs())
}

impl TryFrom<TimestampMembers> for TimestampRule {
    type Error = String;

    fn try_from(members: TimestampMembers) -> Result<Self, String> {
        let TimestampMembers { header, pair, body, unit, tolerance_seconds } = members;
        let place = match (header, pair, body) {
            (None, None, None) => TimestampPlace::Family,
            (Some(name), None, None) => TimestampPlace::Header(name),
            (None, Some(key), None) => TimestampPlace::Pair(key),
            (None, None, Some(path)) => TimestampPlace::Body(path),
            _ => return Err("the timestamp is in one place: header, pair or body".to_owned()),
        };
        Ok(Self { place, unit, tolerance_seconds })
    }
}

/// Where a message says something of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In a header.
    Header(String),
    /// In the JSON body; several values are joined.
    Body(Vec<Path>),
}
