//! One header, held to the grammar of HTTP. What a header says is never repeated in an error: it may be a credential.

use http::{HeaderName, HeaderValue};

/// A header whose name and value HTTP allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// In lower case.
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
}

impl Header {
    /// Checks both; white space around the value is not part of it.
    pub(crate) fn new(name: &[u8], value: &[u8]) -> Result<Self, String> {
        let name =
            HeaderName::from_bytes(name).map_err(|_| "the header's name holds what no name may hold".to_owned())?;
        let value = value.trim_ascii();
        HeaderValue::from_bytes(value).map_err(|_| format!("the value of {name} holds a control character"))?;
        Ok(Self { name: name.as_str().to_owned(), value: value.to_owned() })
    }

    /// `name: value`.
    pub(crate) fn line(&self) -> Vec<u8> {
        [self.name.as_bytes(), b": ", &self.value].concat()
    }

    /// The value for JSON, which holds only text.
    pub(crate) fn value_text(&self) -> String {
        String::from_utf8_lossy(&self.value).into_owned()
    }

    /// From `Name: value`.
    pub(crate) fn from_line(line: &[u8]) -> Result<Self, String> {
        match line.iter().position(|byte| *byte == b':') {
            Some(colon) => Self::new(&line[..colon], &line[colon + 1..]),
            None => Err("a header is `Name: value`, and there is no colon".to_owned()),
        }
    }
}

/// The values of every header with that name, which must be in lower case.
pub(crate) fn values<'a>(headers: &'a [Header], name: &str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |header| header.name == name).map(|header| header.value.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_header() {
        for (line, name, value) in
            [("Svix-Id: msg_1", "svix-id", "msg_1"), ("x:", "x", ""), ("x:\t a:b \t", "x", "a:b"), ("x: é", "x", "é")]
        {
            let header = Header::from_line(line.as_bytes()).unwrap();
            assert_eq!((header.name.as_str(), header.value.as_slice()), (name, value.as_bytes()), "{line}");
        }
    }

    #[test]
    fn what_http_forbids_is_refused_and_not_repeated() {
        for line in
            ["canary", ": canary", " x: canary", "x : canary", "x\0: canary", "é: canary", "x: can\0ary", "x: a\x7f"]
        {
            let fault = Header::from_line(line.as_bytes()).unwrap_err();
            assert!(!fault.contains("can"), "{fault}");
        }
    }
}
