//! Where a value is in a JSON body.

use serde::{Deserialize, Deserializer};

/// A dotted path: members by name, `0` for the first element of an array, `[only]` for the one element of an array that
/// must have exactly one. Several, parted by `|`, are tried in their order: `data.id|issue.id`.
///
/// ```
/// use surehook_core::scheme::Path;
///
/// let path: Path = "data.id".parse().unwrap();
/// assert_eq!(path.to_string(), "data.id");
/// assert!("data..id".parse::<Path>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    segments: Vec<Segment>,
    /// Where else to look.
    others: Vec<Vec<Segment>>,
}

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
    /// The steps, from the top; of several paths those of the first.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The steps of each path, in the order they are tried.
    pub fn alternatives(&self) -> impl Iterator<Item = &[Segment]> {
        std::iter::once(self.segments()).chain(self.others.iter().map(Vec::as_slice))
    }

    /// The name that a form gives to what stands at the end of each path.
    pub(crate) fn last_names(&self) -> impl Iterator<Item = &str> {
        self.alternatives().filter_map(|segments| match segments.last()? {
            Segment::Member(name) => Some(name.as_str()),
            Segment::Only => None,
        })
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
        let mut paths = text.split('|').map(|path| path.split('.').map(segment).collect::<Result<Vec<_>, _>>());
        let segments = paths.next().ok_or("a path must not be empty")??;
        Ok(Self { segments, others: paths.collect::<Result<_, _>>()? })
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, segments) in self.alternatives().enumerate() {
            if place > 0 {
                f.write_str("|")?;
            }
            for (place, segment) in segments.iter().enumerate() {
                if place > 0 {
                    f.write_str(".")?;
                }
                f.write_str(match segment {
                    Segment::Member(name) => name,
                    Segment::Only => ONLY,
                })?;
            }
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
        for text in ["a", "a.b.0", "items.[only].id", "a.b|c|[only].d"] {
            assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
        }
        for text in ["", "a|", "|a", "a||b", "a.|b"] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }
}
