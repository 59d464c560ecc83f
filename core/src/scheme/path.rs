//! Where a value is in a JSON body.

use serde::{Deserialize, Deserializer};

/// A dotted path: members by name, `0` for the first element of an array, `[only]` for the one element of an array that
/// must have exactly one.
///
/// ```
/// use surehook_core::scheme::Path;
///
/// let path: Path = "data.id".parse().unwrap();
/// assert_eq!(path.to_string(), "data.id");
/// assert!("data..id".parse::<Path>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path(Vec<Segment>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A member of an object; `0` of an array is its first element.
    Member(String),
    /// The one element of an array of one.
    Only,
}

/// The array element that a path can name.
const FIRST: &str = "0";
const ONLY: &str = "[only]";

impl Path {
    /// The steps, from the top.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }
}

impl Segment {
    /// Whether this step leads to the member of that name.
    pub(crate) fn is_member(&self, name: &str) -> bool {
        matches!(self, Self::Member(own) if own == name)
    }

    /// Whether this step leads to the first element of an array.
    pub(crate) fn is_first(&self) -> bool {
        matches!(self, Self::Only) || self.is_member(FIRST)
    }
}

impl std::str::FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let segment = |part: &str| match part {
            "" => Err(format!("{text:?} is no dotted path, e.g. data.type")),
            ONLY => Ok(Segment::Only),
            name => Ok(Segment::Member(name.to_owned())),
        };
        text.split('.').map(segment).collect::<Result<_, _>>().map(Self)
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, segment) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(".")?;
            }
            f.write_str(match segment {
                Segment::Member(name) => name,
                Segment::Only => ONLY,
            })?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_it_was_read() {
        for text in ["a", "a.b.0", "items.[only].id"] {
            assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
        }
    }
}
