//! Scalars of a JSON body, read by their paths without building a tree.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use crate::form::{self, Members};
use crate::request::Incoming;
use crate::scheme::{Forms, Path, Scheme, Segment};

/// Reads the scalars at these paths of a body, or the members of a form by their last names, where the scheme's fields may come as one.
pub(crate) fn read_request(scheme: &Scheme, incoming: &Incoming<'_>, paths: &[&Path]) -> SmallVec<[Option<String>; 2]> {
    let fields = scheme.forms == Some(Forms::Fields) && !paths.is_empty();
    let members = if fields { form::members(incoming) } else { None };
    members.map_or_else(|| read(incoming.body, paths), |members| of_members(&members, paths))
}

/// The members of a form that are named like the ends of these paths.
pub(crate) fn of_members(members: &Members<'_>, paths: &[&Path]) -> SmallVec<[Option<String>; 2]> {
    let member = |path: &&Path| path.last_names().find_map(|name| form::only(members, name)).map(str::to_owned);
    paths.iter().map(member).collect()
}

/// Reads the scalars at these paths, each as text; a member that comes twice counts as its last, as in `JSON.parse`.
///
/// `None` where there is no scalar, and everywhere when the body is not JSON. A path through `[only]` finds nothing in an
/// array of several.
pub(crate) fn read(body: &[u8], paths: &[&Path]) -> SmallVec<[Option<String>; 2]> {
    let wanted: Wanted<'_> = paths.iter().flat_map(|path| path.alternatives()).enumerate().collect();
    let mut found: SmallVec<[Option<String>; 2]> = SmallVec::from_elem(None, wanted.len());
    if paths.is_empty() {
        return found;
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let whole = Pick { wanted, found: &mut found }.deserialize(&mut json).and_then(|()| json.end());
    if whole.is_err() {
        found.fill(None);
    }
    if found.len() == paths.len() {
        return found;
    }
    let mut each = found.into_iter();
    let first = |path: &&Path| each.by_ref().take(path.alternatives().count()).fold(None, Option::or);
    paths.iter().map(first).collect()
}

/// The paths still to be walked from here, each with its place in `found`.
type Wanted<'p> = SmallVec<[(usize, &'p [Segment]); 2]>;

struct Pick<'p, 'f> {
    wanted: Wanted<'p>,
    found: &'f mut [Option<String>],
}

impl<'p> Pick<'p, '_> {
    /// Takes a scalar for every path that ends here.
    fn take(self, value: &str) {
        for (place, rest) in &self.wanted {
            if rest.is_empty() {
                self.found[*place] = Some(value.to_owned());
            }
        }
    }

    /// The paths that go on below a step.
    fn below(&self, leads: impl Fn(&Segment) -> bool) -> Wanted<'p> {
        let onward = |(place, path): &(usize, &'p [Segment])| {
            path.split_first().filter(|(head, _)| leads(head)).map(|(_, rest)| (*place, rest))
        };
        self.wanted.iter().filter_map(onward).collect()
    }
}

impl<'de> DeserializeSeed<'de> for Pick<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<MemberName<'de>>()? {
            let below = self.below(|segment| segment.is_member(&key.0));
            if below.is_empty() {
                map.next_value::<IgnoredAny>()?;
            } else {
                // A member that comes again replaces what was found below its namesake.
                below.iter().for_each(|(place, _)| self.found[*place] = None);
                map.next_value_seed(Pick { wanted: below, found: &mut *self.found })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let first = self.below(Segment::is_first);
        let alone = self.below(|segment| *segment == Segment::Only);
        if seq.next_element_seed(Pick { wanted: first, found: &mut *self.found })?.is_none() {
            return Ok(());
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            alone.iter().for_each(|(place, _)| self.found[*place] = None);
        }
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.take(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.take(&value.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.take(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.take(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// An object's key, borrowed from the body where it holds no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct MemberName<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn one(body: &str, path: &str) -> Option<String> {
        read(body.as_bytes(), &[&path.parse().unwrap()]).remove(0)
    }

    #[test]
    fn the_first_of_an_array_and_the_only_one_are_not_the_same() {
        assert_eq!(one(r#"{"a":[{"b":1},{"b":2}]}"#, "a.0.b").as_deref(), Some("1"));
        assert_eq!(one(r#"{"a":[{"b":1}]}"#, "a.[only].b").as_deref(), Some("1"));
        assert_eq!(one(r#"{"a":[{"b":1},{"b":2}]}"#, "a.[only].b"), None);
        assert_eq!(one(r#"{"a":[{"b":1},null]}"#, "a.[only].b"), None);
        assert_eq!(one(r#"{"a":[]}"#, "a.[only].b"), None);
        assert_eq!(one(r#"{"a":[1]}"#, "a.b"), None);
    }

    #[test]
    fn of_several_paths_the_first_that_leads_somewhere_counts() {
        let body = r#"{"a":{"b":null},"c":{"d":2},"e":3}"#;
        assert_eq!(one(body, "a.b|c.d|e").as_deref(), Some("2"));
        assert_eq!(one(body, "x|e|c.d").as_deref(), Some("3"));
        assert_eq!(one(body, "x|y"), None);
        let both: [Path; 3] = ["x|e".parse().unwrap(), "c.d".parse().unwrap(), "a|z".parse().unwrap()];
        let found = read(body.as_bytes(), &both.iter().collect::<Vec<_>>());
        assert_eq!(found.into_vec(), [Some("3".to_owned()), Some("2".to_owned()), None]);
    }

    #[test]
    fn the_last_of_repeated_members_counts_even_where_it_has_no_scalar() {
        assert_eq!(one(r#"{"a":{"b":1},"a":{}}"#, "a.b"), None);
        assert_eq!(one(r#"{"a":1,"a":{}}"#, "a"), None);
    }

    #[test]
    fn a_body_that_breaks_off_has_no_field() {
        assert_eq!(one(r#"{"a":1"#, "a"), None);
        assert_eq!(one(r#"{"a":1} x"#, "a"), None);
        assert_eq!(one(&"[".repeat(1_000_000), "0"), None);
        assert_eq!(one(&"{\"data\":".repeat(100_000), "data.id"), None);
    }
}
