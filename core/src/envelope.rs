//! The event type and the entity's id, read from the JSON body without building a tree.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use crate::text::cut;

/// Longer values are cut: they label figures, they are not kept.
const MAX_VALUE_BYTES: usize = 256;

/// Where to look in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeFields {
    event_type: Vec<String>,
    entity_id: Vec<String>,
}

impl EnvelopeFields {
    /// Both as dotted paths of object members, e.g. `type` and `data.id`.
    pub fn new(event_type: &str, entity_id: &str) -> Self {
        let path = |text: &str| text.split('.').map(str::to_owned).collect();
        Self { event_type: path(event_type), entity_id: path(entity_id) }
    }
}

/// What a body says of itself. Both are absent where the body is not JSON or says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// E.g. `user.created`.
    pub event_type: Option<String>,
    /// E.g. `user_29w83sxmDNGwOuEthce5gg56FcC`.
    pub entity_id: Option<String>,
}

/// Reads the event type and the entity's id; a member that comes twice counts as its last, as in `JSON.parse`.
///
/// ```
/// use surehook_core::envelope::{EnvelopeFields, read};
///
/// let fields = EnvelopeFields::new("type", "data.id");
/// let found = read(br#"{"data":{"id":"user_1","n":[1,2]},"type":"user.created"}"#, &fields);
/// assert_eq!(found.event_type.as_deref(), Some("user.created"));
/// assert_eq!(found.entity_id.as_deref(), Some("user_1"));
/// assert_eq!(read(b"no JSON", &fields), Default::default());
/// ```
pub fn read(body: &[u8], fields: &EnvelopeFields) -> Envelope {
    let mut found = [None, None];
    let wanted = SmallVec::from_slice(&[(0, &fields.event_type[..]), (1, &fields.entity_id[..])]);
    let mut json = serde_json::Deserializer::from_slice(body);
    let whole = Pick { wanted, found: &mut found }.deserialize(&mut json).and_then(|()| json.end());
    match (whole, found) {
        (Ok(()), [event_type, entity_id]) => Envelope { event_type, entity_id },
        (Err(_), _) => Envelope::default(),
    }
}

/// The paths still to be walked from here, each with its place in `found`.
type Wanted<'p> = SmallVec<[(usize, &'p [String]); 2]>;

struct Pick<'p, 'f> {
    wanted: Wanted<'p>,
    found: &'f mut [Option<String>; 2],
}

impl Pick<'_, '_> {
    /// Takes a scalar for every path that ends here.
    fn take(self, value: &str) {
        let value = cut(value, MAX_VALUE_BYTES);
        for (place, rest) in &self.wanted {
            if rest.is_empty() {
                self.found[*place] = Some(value.to_owned());
            }
        }
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
            let below: Wanted<'_> = self
                .wanted
                .iter()
                .filter_map(|(place, path)| {
                    path.split_first().filter(|(head, _)| **head == *key.0).map(|(_, rest)| (*place, rest))
                })
                .collect();
            if below.is_empty() {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Pick { wanted: below, found: &mut *self.found })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
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

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
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

    fn event_type(body: &str) -> Option<String> {
        read(body.as_bytes(), &EnvelopeFields::new("type", "data.id")).event_type
    }

    #[test]
    fn bodies_that_are_not_an_event_have_no_type() {
        for body in ["", "null", "[]", "3", "\"type\"", "{", "{\"type\":{}}", "{\"type\":null}", "{\"type\":\"a\"} x"] {
            assert_eq!(event_type(body), None, "{body}");
        }
        assert_eq!(read(b"{\"type\":\"\xff\"}", &EnvelopeFields::new("type", "data.id")), Envelope::default());
    }

    #[test]
    fn a_repeated_member_counts_as_its_last() {
        assert_eq!(event_type(r#"{"type":"a","type":"b"}"#).as_deref(), Some("b"));
    }

    #[test]
    fn escapes_numbers_and_deep_paths_are_read() {
        let fields = EnvelopeFields::new("event.kind", "data.id");
        let found = read(br#"{"event":{"k\u0069nd":"x\ny"},"data":{"id":42}}"#, &fields);
        assert_eq!(found.event_type.as_deref(), Some("x\ny"));
        assert_eq!(found.entity_id.as_deref(), Some("42"));
    }

    #[test]
    fn nesting_without_end_is_no_event() {
        assert_eq!(event_type(&"[".repeat(1_000_000)), None);
        assert_eq!(event_type(&"{\"data\":".repeat(100_000)), None);
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let body = format!(r#"{{"type":"{}"}}"#, "é".repeat(500));
        assert_eq!(event_type(&body).unwrap().len(), 256);
    }
}
