//! Bodies that are HTML forms.
//!
//! The content type is a header, and nobody signs it. So a body that begins like JSON is never a form: a text within a signed JSON body
//! could otherwise be read as members of one.

use std::borrow::Cow;

use crate::request::Incoming;
use crate::scheme::Scheme;

/// The names and values of a form, in their order.
pub(crate) type Members<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The member in which GitHub, Slack and those that copied them send JSON; it is then the only one.
const JSON_MEMBER: &str = "payload";
/// More parts are no form of a provider.
const MAX_PARTS: usize = 1_000;

/// The members of the body, where it is a form.
pub(crate) fn members<'a>(incoming: &Incoming<'a>) -> Option<Members<'a>> {
    if matches!(incoming.body.trim_ascii_start().first(), None | Some(b'{' | b'[' | b'"')) {
        return None;
    }
    if incoming.is_form() {
        return Some(form_urlencoded::parse(incoming.body).collect());
    }
    boundary(incoming).and_then(|boundary| parts(incoming.body, boundary))
}

/// What the form of a request holds, as JSON; `None` where the body is no form, or the provider sends none.
///
/// A form with nothing but a `payload` that holds JSON is that JSON; any other is an object of its members, with a list for a name
/// that comes several times.
///
/// ```
/// use surehook_core::{Incoming, form, scheme};
///
/// let github = scheme::find("github").unwrap();
/// let headers: [(&[u8], &[u8]); 1] = [(b"content-type", b"application/x-www-form-urlencoded")];
/// let held = |body: &[u8]| form::held(&github, &Incoming::post(&headers, body));
/// assert_eq!(held(b"Digits=1&To=%2B1").as_deref(), Some(r#"{"Digits":"1","To":"+1"}"#));
/// assert_eq!(held(b"payload=%7B%22ref%22%3A1%7D").as_deref(), Some(r#"{"ref":1}"#));
/// assert_eq!(held(br#"{"ref":"x&y=1"}"#), None);
/// ```
pub fn held(scheme: &Scheme, incoming: &Incoming<'_>) -> Option<String> {
    scheme.forms.and_then(|_| members(incoming)).map(as_json)
}

/// The members as JSON.
pub(crate) fn as_json(members: Members<'_>) -> String {
    if let [(name, value)] = members.as_slice()
        && name == JSON_MEMBER
        && serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok()
    {
        return value.to_string();
    }
    let mut object = serde_json::Map::new();
    for (name, value) in members {
        let value = serde_json::Value::from(value.into_owned());
        match object.get_mut(&*name) {
            None => drop(object.insert(name.into_owned(), value)),
            Some(serde_json::Value::Array(values)) => values.push(value),
            Some(first) => *first = serde_json::Value::Array(vec![first.take(), value]),
        }
    }
    serde_json::Value::Object(object).to_string()
}

/// The value of the one member of that name.
pub(crate) fn only<'m>(members: &'m Members<'_>, name: &str) -> Option<&'m str> {
    let mut values = members.iter().filter(|(own, _)| own == name).map(|(_, value)| &**value);
    values.next().filter(|_| values.next().is_none())
}

/// The boundary of a `multipart/form-data` body.
fn boundary<'a>(incoming: &Incoming<'a>) -> Option<&'a str> {
    let kind = std::str::from_utf8(incoming.header("content-type")?).ok()?;
    let mut parameters = kind.split(';').map(str::trim);
    if !parameters.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    (!boundary.is_empty() && boundary.len() <= 70).then_some(boundary)
}

/// The parts that are no files; `None` for a body that is not of this form.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Members<'a>> {
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..])?;
    let mut members = Members::new();
    for _ in 0..MAX_PARTS {
        if rest.starts_with(b"--") {
            return Some(members);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, delimiter.as_bytes())?;
        let head = find(rest, b"\r\n\r\n").filter(|head| *head <= end)?;
        if let Some(name) = name(&rest[..head]) {
            let value = rest.get(head + 4..end).unwrap_or_default();
            members.push((name, String::from_utf8_lossy(value)));
        }
        rest = &rest[end + delimiter.len()..];
    }
    None
}

/// The name of a part that is no file.
fn name(head: &[u8]) -> Option<Cow<'_, str>> {
    let head = std::str::from_utf8(head).ok()?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let mut parameters = disposition.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    let mut named = None;
    parameters.try_for_each(|(own, value)| match own {
        "name" => {
            named = Some(Cow::Borrowed(value.trim_matches('"')));
            Some(())
        }
        "filename" | "filename*" => None,
        _ => Some(()),
    })?;
    named
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URLENCODED: &[u8] = b"application/x-www-form-urlencoded";

    fn told(kind: &[u8], body: &[u8]) -> Option<String> {
        let headers: [(&[u8], &[u8]); 1] = [(b"content-type", kind)];
        members(&Incoming::post(&headers, body)).map(as_json)
    }

    #[test]
    fn a_form_is_told_as_json() {
        assert_eq!(told(URLENCODED, b"a=1&b=x+y%2B&a=2&a=3").unwrap(), r#"{"a":["1","2","3"],"b":"x y+"}"#);
        assert_eq!(told(URLENCODED, b"payload=%7B%22a%22%3A1%7D").unwrap(), r#"{"a":1}"#);
        assert_eq!(told(URLENCODED, b"payload=%7B%22a%22%3A1%7D&b=2").unwrap(), r#"{"b":"2","payload":"{\"a\":1}"}"#);
        assert_eq!(told(URLENCODED, b"payload=text").unwrap(), r#"{"payload":"text"}"#);
        assert_eq!(told(b"application/json", b"a=1"), None);
        assert_eq!(told(b"text/plain", b"hello"), None);
        assert_eq!(told(URLENCODED, b""), None);
    }

    #[test]
    fn a_json_body_is_never_read_as_a_form() {
        let body = br#"{"title":"x&payload=%7B%22forged%22%3A1%7D"}"#;
        for kind in [URLENCODED, b"multipart/form-data; boundary=x"] {
            assert_eq!(told(kind, body), None);
        }
    }

    #[test]
    fn the_parts_of_a_multipart_body_are_members_but_for_files() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"g\"\r\nContent-Type: text/plain\r\n\r\nfile\r\n--x\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\r\n--x--\r\n";
        assert_eq!(told(b"multipart/form-data; boundary=\"x\"", body).unwrap(), r#"{"a":"1","b":""}"#);
        for broken in [&body[..40], &body[2..], b"--x", b"--x\r\n", b"--x\r\n\r\n"] {
            assert_eq!(told(b"multipart/form-data; boundary=x", broken), None);
        }
        assert_eq!(told(b"multipart/form-data", body), None);
    }
}
