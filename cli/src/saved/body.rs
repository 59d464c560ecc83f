//! Where the body of a raw request ends, in a file that an editor may have changed.

use super::chunked;
use super::header::{Header, values};

/// Begins a line that parts two requests of an `.http` file.
const SEPARATOR: &[u8] = b"###";

/// A body, and how much of the file it took.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// How many bytes of the file are behind it, what only frames it included.
    pub(super) length: usize,
    pub(super) notes: Vec<String>,
}

/// Takes the body from the start of `rest`, which begins after the empty line.
///
/// `Content-Length` decides the end where the file agrees with it: then the line end that an editor adds is not part of
/// the body. Where the two disagree, the file is believed and a note says so: a changed body is what is looked for.
pub(super) fn take(headers: &[Header], rest: &[u8]) -> Result<Body, String> {
    let length = content_length(headers)?;
    let chunked = values(headers, "transfer-encoding").any(|value| value.eq_ignore_ascii_case(b"chunked"));
    match length {
        Some(_) if chunked => Err("the request has both Content-Length and Transfer-Encoding".to_owned()),
        _ if chunked && chunked::begins(rest) => {
            let decoded = chunked::decode(rest)?;
            Ok(Body { bytes: decoded.body, length: decoded.length, notes: Vec::new() })
        }
        Some(length) if rest.len() >= length && blank_until_next(&rest[length..]) => Ok(measured(rest, length)),
        Some(length) => {
            let mut body = unmeasured(rest);
            body.notes.push(format!(
                "Content-Length says {length} bytes, and the file holds {}: the body is not as it was sent",
                body.bytes.len()
            ));
            Ok(body)
        }
        None => {
            let mut body = unmeasured(rest);
            if chunked {
                body.notes
                    .push("Transfer-Encoding says chunked, and the body is not in chunks: it is taken as it is".into());
            } else if body.bytes.ends_with(b"\n") {
                body.notes
                    .push("there is no Content-Length: the line end of the file counts as part of the body".into());
            }
            Ok(body)
        }
    }
}

fn content_length(headers: &[Header]) -> Result<Option<usize>, String> {
    let mut lengths = values(headers, "content-length");
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err("the request has Content-Length twice".to_owned()),
        (Some(text), None) => {
            let digits = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let length = digits.and_then(|digits| digits.parse().ok());
            length.map(Some).ok_or_else(|| "Content-Length is no number of bytes".to_owned())
        }
    }
}

/// A body of just that length; the line ends behind it belong to the file.
fn measured(rest: &[u8], length: usize) -> Body {
    let notes = match rest[length..].iter().take_while(|byte| byte.is_ascii_whitespace()).count() {
        0 => Vec::new(),
        1 => vec!["1 byte behind the body was left out, as Content-Length says".to_owned()],
        over => vec![format!("{over} bytes behind the body were left out, as Content-Length says")],
    };
    Body { bytes: rest[..length].to_owned(), length, notes }
}

/// A body up to the next separator, less the line ends before it, or up to the end of the file.
fn unmeasured(rest: &[u8]) -> Body {
    let lines = rest.split_inclusive(|byte| *byte == b'\n');
    let length = lines.take_while(|line| !line.starts_with(SEPARATOR)).map(<[u8]>::len).sum();
    let bytes = match length == rest.len() {
        true => rest,
        false => {
            let kept =
                rest[..length].iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
            &rest[..kept]
        }
    };
    Body { bytes: bytes.to_owned(), length, notes: Vec::new() }
}

fn blank_until_next(rest: &[u8]) -> bool {
    let content = rest.trim_ascii_start();
    content.is_empty() || (content.starts_with(SEPARATOR) && rest[..rest.len() - content.len()].ends_with(b"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(headers: &[&str], rest: &str) -> Result<(String, usize, String), String> {
        let headers: Vec<Header> = headers.iter().map(|line| Header::from_line(line.as_bytes()).unwrap()).collect();
        let body = take(&headers, rest.as_bytes())?;
        Ok((String::from_utf8(body.bytes).unwrap(), body.length, body.notes.join("; ")))
    }

    #[test]
    fn content_length_tells_an_editors_line_end_from_the_body() {
        for (rest, note) in [
            ("{\"a\":1}", ""),
            ("{\"a\":1}\n", "1 byte behind the body was left out, as Content-Length says"),
            ("{\"a\":1}\r\n\r\n", "4 bytes behind the body were left out, as Content-Length says"),
        ] {
            assert_eq!(taken(&["content-length: 7"], rest).unwrap(), ("{\"a\":1}".into(), 7, note.into()));
        }
        assert_eq!(taken(&["content-length: 8"], "{\"a\":1}\n").unwrap(), ("{\"a\":1}\n".into(), 8, String::new()));
        assert_eq!(taken(&["content-length: 5"], "a\n###").unwrap().0, "a\n###");
        assert_eq!(taken(&["content-length: 1"], "a\n### next\nGET /").unwrap().0, "a");
    }

    #[test]
    fn a_body_of_another_length_is_kept_whole_and_noted() {
        for (rest, found) in [("{\"a\": 1}", 8), ("{\"a\"", 4), ("", 0)] {
            let (body, _, note) = taken(&["content-length: 7"], rest).unwrap();
            assert_eq!(body, rest);
            assert!(note.contains("says 7 bytes") && note.contains(&format!("holds {found}")), "{note}");
        }
    }

    #[test]
    fn without_a_length_the_file_decides() {
        assert_eq!(taken(&[], "a\nb").unwrap(), ("a\nb".into(), 3, String::new()));
        let (body, _, note) = taken(&[], "a\n").unwrap();
        assert_eq!(body, "a\n");
        assert!(note.contains("no Content-Length"), "{note}");
        assert_eq!(taken(&[], "a\r\n\r\n### next\nb").unwrap(), ("a".into(), 5, String::new()));
        assert_eq!(taken(&[], "### next").unwrap(), (String::new(), 0, String::new()));
    }

    #[test]
    fn chunks_are_joined_where_there_are_chunks() {
        assert_eq!(
            taken(&["transfer-encoding: Chunked"], "3\r\nabc\r\n0\r\n\r\n").unwrap(),
            ("abc".into(), 13, String::new())
        );
        let (body, _, note) = taken(&["transfer-encoding: chunked"], "{}").unwrap();
        assert_eq!(body, "{}");
        assert!(note.contains("not in chunks"), "{note}");
        assert!(taken(&["transfer-encoding: chunked"], "3\r\nab").unwrap_err().contains("chunk 1"));
    }

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        for headers in [
            ["content-length: 1", "content-length: 1"].as_slice(),
            &["content-length: one"],
            &["content-length: -1"],
            &["content-length: +1"],
            &["content-length:"],
            &["content-length: 99999999999999999999999"],
            &["content-length: 1", "transfer-encoding: chunked"],
        ] {
            assert!(taken(headers, "a").is_err(), "{headers:?}");
        }
        let (_, _, note) = taken(&["content-length: 9999999999"], "a").unwrap();
        assert!(note.contains("9999999999"));
    }
}
