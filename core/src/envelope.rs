//! What a message says of itself: its event type and the entity it is about.

use crate::request::{HeaderPairs, Incoming};
use crate::scheme::{Forms, Path, Place, Scheme};
use crate::text::cut;
use crate::{fields, form};

/// Longer values are cut: they label figures, they are not kept.
const MAX_VALUE_BYTES: usize = 256;

/// Where to look.
///
/// ```
/// use surehook_core::envelope::EnvelopeFields;
/// use surehook_core::scheme;
///
/// let fields = EnvelopeFields::of(&scheme::find("clerk").unwrap());
/// let found = fields.read(&[], br#"{"data":{"id":"user_1","n":[1,2]},"type":"user.created"}"#);
/// assert_eq!(found.event_type.as_deref(), Some("user.created"));
/// assert_eq!(found.entity_id.as_deref(), Some("user_1"));
/// assert_eq!(fields.read(&[], b"no JSON"), Default::default());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeFields {
    event_type: Option<Place>,
    event_action: Option<Path>,
    entity_id: Option<Path>,
    forms: Option<Forms>,
}

/// What a message says of itself. Both are absent where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// E.g. `user.created`.
    pub event_type: Option<String>,
    /// E.g. `user_29w83sxmDNGwOuEthce5gg56FcC`.
    pub entity_id: Option<String>,
    /// What the form holds, as JSON (see [`form::held`]); `None` where the body is no form.
    pub form: Option<String>,
}

impl EnvelopeFields {
    /// The places of a provider's messages.
    pub fn of(scheme: &Scheme) -> Self {
        Self {
            event_type: scheme.event_type.clone(),
            event_action: scheme.event_action.clone(),
            entity_id: scheme.entity_id.clone(),
            forms: scheme.forms,
        }
    }

    /// The same with the event type elsewhere in the JSON body.
    pub fn with_event_type(self, path: Path) -> Self {
        Self { event_type: Some(Place::Body(vec![path])), event_action: None, ..self }
    }

    /// Reads a message. Several values of an event type are joined by a dot, absent ones left out; an action without its type is
    /// none.
    pub fn read(&self, headers: HeaderPairs<'_>, body: &[u8]) -> Envelope {
        let (head, types): (Option<String>, &[Path]) = match &self.event_type {
            Some(Place::Body(paths)) => (None, paths),
            Some(Place::Header(name)) => match header(headers, name) {
                Some(head) => (Some(head), self.event_action.as_slice()),
                None => (None, &[]),
            },
            None => (None, &[]),
        };
        let paths: smallvec::SmallVec<[&Path; 4]> = types.iter().chain(&self.entity_id).collect();
        let incoming = Incoming::post(headers, body);
        let members = self.forms.and_then(|_| form::members(&incoming));
        let by_name = members.as_ref().filter(|_| self.forms == Some(Forms::Fields));
        let of_form = by_name.map(|members| fields::of_members(members, &paths));
        let form = members.map(form::as_json);
        let document = form.as_ref().map_or(body, |form| form.as_bytes());
        let mut values = of_form.unwrap_or_else(|| fields::read(document, &paths));
        let entity_id = self.entity_id.is_some().then(|| values.pop().flatten()).flatten();
        let named = head.into_iter().chain(values.into_iter().flatten());
        let event_type = named.reduce(|whole, part| format!("{whole}.{part}"));
        Envelope { event_type: event_type.map(label), entity_id: entity_id.map(label), form }
    }
}

fn label(value: String) -> String {
    if value.len() <= MAX_VALUE_BYTES { value } else { cut(&value, MAX_VALUE_BYTES).to_owned() }
}

fn header(headers: HeaderPairs<'_>, name: &str) -> Option<String> {
    let (_, value) = headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()))?;
    std::str::from_utf8(value).ok().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme;

    fn fields(event_type: &str) -> EnvelopeFields {
        EnvelopeFields::of(&scheme::find("clerk").unwrap()).with_event_type(event_type.parse().unwrap())
    }

    fn event_type(body: &str) -> Option<String> {
        fields("type").read(&[], body.as_bytes()).event_type
    }

    #[test]
    fn bodies_that_are_not_an_event_have_no_type() {
        for body in ["", "null", "[]", "3", "\"type\"", "{", "{\"type\":{}}", "{\"type\":null}", "{\"type\":\"a\"} x"] {
            assert_eq!(event_type(body), None, "{body}");
        }
        assert_eq!(fields("type").read(&[], b"{\"type\":\"\xff\"}"), Envelope::default());
    }

    #[test]
    fn a_repeated_member_counts_as_its_last() {
        assert_eq!(event_type(r#"{"type":"a","type":"b"}"#).as_deref(), Some("b"));
    }

    #[test]
    fn escapes_numbers_and_deep_paths_are_read() {
        let found = fields("event.kind").read(&[], br#"{"event":{"k\u0069nd":"x\ny"},"data":{"id":42}}"#);
        assert_eq!(found.event_type.as_deref(), Some("x\ny"));
        assert_eq!(found.entity_id.as_deref(), Some("42"));
    }

    #[test]
    fn an_event_type_in_a_header_is_read_from_there() {
        let fields = EnvelopeFields::of(&scheme::find("github").unwrap());
        let headers: [(&[u8], &[u8]); 1] = [(b"X-GitHub-Event", b"push")];
        assert_eq!(fields.read(&headers, b"{}").event_type.as_deref(), Some("push"));
        assert_eq!(fields.read(&[], b"{}").event_type, None);
    }

    #[test]
    fn the_action_of_the_body_follows_the_type_of_the_header() {
        let fields = EnvelopeFields::of(&scheme::find("github").unwrap());
        let headers: [(&[u8], &[u8]); 1] = [(b"X-GitHub-Event", b"pull_request")];
        let read = |headers, body: &[u8]| fields.read(headers, body).event_type;
        assert_eq!(read(&headers, br#"{"action":"closed"}"#).as_deref(), Some("pull_request.closed"));
        assert_eq!(read(&headers, br#"{"action":null}"#).as_deref(), Some("pull_request"));
        assert_eq!(read(&[], br#"{"action":"closed"}"#), None);
    }

    #[test]
    fn a_form_says_of_itself_what_it_holds() {
        let headers: [(&[u8], &[u8]); 1] = [(b"content-type", b"application/x-www-form-urlencoded")];
        let read = |provider: &str, body: &str| {
            EnvelopeFields::of(&scheme::find(provider).unwrap()).read(&headers, body.as_bytes())
        };
        let command = read("slack", "command=%2Fdeploy&user_id=U1&text=a+b");
        assert_eq!((command.event_type.as_deref(), command.entity_id.as_deref()), (Some("/deploy"), Some("U1")));
        assert_eq!(command.form.as_deref(), Some(r#"{"command":"/deploy","text":"a b","user_id":"U1"}"#));
        let pressed =
            read("slack", "payload=%7B%22type%22%3A%22block_actions%22%2C%22user%22%3A%7B%22id%22%3A%22U2%22%7D%7D");
        assert_eq!((pressed.event_type.as_deref(), pressed.entity_id.as_deref()), (Some("block_actions"), Some("U2")));
        assert_eq!(pressed.form.as_deref(), Some(r#"{"type":"block_actions","user":{"id":"U2"}}"#));
        assert_eq!(read("github", "payload=%7B%22ref%22%3A1%7D").form.as_deref(), Some(r#"{"ref":1}"#));
        assert_eq!(read("mailgun", "event=delivered&token=t").event_type.as_deref(), Some("delivered"));
        assert_eq!(read("github", r#"{"a":"x&payload=%7B%7D"}"#).form, None);
        assert_eq!(read("clerk", "a=1").form, None);
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let body = format!(r#"{{"type":"{}"}}"#, "é".repeat(500));
        assert_eq!(event_type(&body).unwrap().len(), 256);
    }
}
