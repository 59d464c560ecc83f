//! The body of a request by curl, put together from its `--data` options as curl 7.88 does.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::input::MOST_BYTES;
use crate::saved::Files;

/// Which of the `--data` options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `--data`: a file loses its line ends.
    Ascii,
    /// `--data-binary`: a file stays as it is.
    Binary,
    /// `--data-raw`: an `@` is text.
    Raw,
    /// `--data-urlencode`.
    UrlEncoded,
    /// `--json`: joined without `&`.
    Json,
}

/// What curl leaves as it is: the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The body so far.
#[derive(Default)]
pub(super) struct Data {
    body: Option<Vec<u8>>,
    pub(super) notes: Vec<String>,
}

impl Data {
    /// Adds what one option says.
    pub(super) fn push(&mut self, kind: Kind, value: &[u8], files: Files<'_>) -> Result<(), String> {
        let piece = match (kind, value) {
            (Kind::UrlEncoded, _) => url_encoded(value, files)?,
            (Kind::Ascii, [b'@', name @ ..]) => self.without_line_ends(name, files)?,
            (Kind::Binary | Kind::Json, [b'@', name @ ..]) => file(name, files)?,
            _ => value.to_owned(),
        };
        match &mut self.body {
            Some(body) => {
                if kind != Kind::Json {
                    body.push(b'&');
                }
                body.extend_from_slice(&piece);
            }
            None => self.body = Some(piece),
        }
        match self.body.as_ref().is_some_and(|body| body.len() > MOST_BYTES) {
            true => Err(format!("the body is larger than {} MiB", MOST_BYTES >> 20)),
            false => Ok(()),
        }
    }

    /// The body, where an option gave one.
    pub(super) fn into_body(self) -> Option<Vec<u8>> {
        self.body
    }

    fn without_line_ends(&mut self, name: &[u8], files: Files<'_>) -> Result<Vec<u8>, String> {
        let mut content = file(name, files)?;
        let before = content.len();
        content.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
        if content.len() < before {
            self.notes
                .push("curl takes the line ends out of a file given to --data; --data-binary keeps them".to_owned());
        }
        Ok(content)
    }
}

/// `content`, `=content`, `name=content`, `@file` and `name@file`.
fn url_encoded(value: &[u8], files: Files<'_>) -> Result<Vec<u8>, String> {
    let mark = |wanted| value.iter().position(|byte| *byte == wanted);
    let (name, content) = match mark(b'=').or_else(|| mark(b'@')) {
        Some(at) if value[at] == b'=' => (&value[..at], value[at + 1..].to_owned()),
        Some(at) => (&value[..at], file(&value[at + 1..], files)?),
        None => (&value[..0], value.to_owned()),
    };
    // After the encoding: an encoded plus sign is %2B.
    let encoded = percent_encode(&content, ENCODED).to_string().replace("%20", "+");
    let joint: &[u8] = if name.is_empty() { b"" } else { b"=" };
    Ok([name, joint, encoded.as_bytes()].concat())
}

fn file(name: &[u8], files: Files<'_>) -> Result<Vec<u8>, String> {
    match std::str::from_utf8(name) {
        Ok("-") => Err("`@-` is the standard input of the curl command; save what it was to a file".to_owned()),
        Ok(name) => files(name),
        Err(_) => Err("the name of a file with data is not UTF-8".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(name: &str) -> Result<Vec<u8>, String> {
        match name {
            "f" => Ok("a\r\nb\nc\0d é&=\n".into()),
            "big" => Ok(vec![b'x'; MOST_BYTES / 2]),
            _ => Err(format!("cannot read {name}")),
        }
    }

    fn body(options: &[(Kind, &str)]) -> Result<Vec<u8>, String> {
        let mut data = Data::default();
        options.iter().try_for_each(|(kind, value)| data.push(*kind, value.as_bytes(), &files))?;
        Ok(data.into_body().unwrap_or_default())
    }

    /// Each was sent by curl 7.88.1 and read from the socket.
    #[test]
    fn bodies_are_those_that_curl_sends() {
        use Kind::{Ascii, Binary, Json, Raw, UrlEncoded};
        for (options, expected) in [
            (&[(Ascii, "x\ny\r\n")][..], "x\ny\r\n"),
            (&[(Ascii, "@f")], "abcd é&="),
            (&[(Binary, "@f")], "a\r\nb\nc\0d é&=\n"),
            (&[(Raw, "@f")], "@f"),
            (&[(Json, "@f")], "a\r\nb\nc\0d é&=\n"),
            (&[(UrlEncoded, "@f")], "a%0D%0Ab%0Ac%00d+%C3%A9%26%3D%0A"),
            (&[(UrlEncoded, "n@f")], "n=a%0D%0Ab%0Ac%00d+%C3%A9%26%3D%0A"),
            (&[(UrlEncoded, "a b~c/é?")], "a+b~c%2F%C3%A9%3F"),
            (&[(UrlEncoded, "=a=b@c")], "a%3Db%40c"),
            (&[(UrlEncoded, "n=a b")], "n=a+b"),
            (&[(UrlEncoded, "a+b")], "a%2Bb"),
            (&[(Ascii, "a"), (Ascii, "b"), (Raw, "c")], "a&b&c"),
            (&[(Json, "{\"a\":"), (Json, "1}")], "{\"a\":1}"),
            (&[(Ascii, "a"), (Json, "b"), (Ascii, "c")], "ab&c"),
            (&[(Ascii, ""), (Ascii, "b")], "&b"),
            (&[(Ascii, "b"), (UrlEncoded, "")], "b&"),
        ] {
            assert_eq!(body(options).unwrap(), expected.as_bytes(), "{options:?}");
        }
    }

    #[test]
    fn files_that_cannot_be_had_and_too_much_are_refused() {
        assert_eq!(body(&[(Kind::Binary, "@none")]).unwrap_err(), "cannot read none");
        assert!(body(&[(Kind::UrlEncoded, "n@-")]).unwrap_err().contains("`@-`"));
        assert!(body(&[(Kind::Binary, "@big"), (Kind::Binary, "@big")]).unwrap_err().contains("25 MiB"));
    }

    #[test]
    fn lost_line_ends_are_noted() {
        let mut data = Data::default();
        data.push(Kind::Ascii, b"@f", &files).unwrap();
        assert!(data.notes[0].contains("--data-binary"));
    }
}
