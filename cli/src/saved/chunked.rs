//! The chunked transfer coding (RFC 9112, section 7.1).

use httparse::{Status, parse_chunk_size};

/// A body put together again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) body: Vec<u8>,
    /// How many bytes the chunks and what frames them take.
    pub(super) length: usize,
}

/// Whether the bytes begin as a chunk does. A body that was put together before it was saved does not.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_hexdigit) && matches!(parse_chunk_size(bytes), Ok(Status::Complete(_)))
}

/// Joins the chunks, up to the end of the trailers. The error names the chunk.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let mut body = Vec::new();
    let mut at = 0;
    for number in 1.. {
        let fault = |what: &str| format!("chunk {number} of the body {what}");
        let rest = &bytes[at..];
        let (head, size) = match parse_chunk_size(rest) {
            Ok(Status::Complete(sized)) if begins(rest) => sized,
            _ => return Err(fault("does not begin with its size and a CRLF")),
        };
        at += head;
        if size == 0 {
            break;
        }
        let end = usize::try_from(size).ok().and_then(|size| at.checked_add(size)).filter(|end| *end <= bytes.len());
        let end = end.ok_or_else(|| fault("is cut off"))?;
        body.extend_from_slice(&bytes[at..end]);
        if !bytes[end..].starts_with(b"\r\n") {
            return Err(fault("is longer or shorter than its size, or has no CRLF after it"));
        }
        at = end + 2;
    }
    Ok(Decoded { body, length: at + trailers(&bytes[at..])? })
}

/// The length of the trailers with the empty line that ends them.
fn trailers(bytes: &[u8]) -> Result<usize, String> {
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if line == b"\r\n" {
            return Ok(at);
        }
    }
    Err("the chunks of the body have no end: an empty line must follow the last".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_extensions_and_trailers_left_out() {
        let bytes = b"5\r\nhello\r\nA;name=value\r\n, wor\r\nld!\r\n0\r\nx-trailer: 1\r\n\r\nleft";
        let decoded = decode(bytes).unwrap();
        assert_eq!(decoded.body, b"hello, wor\r\nld!");
        assert_eq!(&bytes[decoded.length..], b"left");
        assert_eq!(decode(b"0\r\n\r\n").unwrap().body, b"");
    }

    #[test]
    fn broken_chunks_are_refused_with_their_number() {
        for (bytes, named) in [
            ("", "chunk 1"),
            ("\r\n", "chunk 1"),
            ("5\nhello", "chunk 1"),
            ("5\r\nhell", "chunk 1 of the body is cut off"),
            ("5\r\nhello!\r\n", "chunk 1 of the body is longer"),
            ("5\r\nhello\n0\r\n\r\n", "chunk 1 of the body is longer"),
            ("1\r\na\r\n\r\n", "chunk 2"),
            ("1\r\na\r\n-1\r\n", "chunk 2"),
            ("ffffffffffffffff\r\na", "cut off"),
            ("10000000000000000\r\na", "chunk 1"),
            ("0\r\n", "no end"),
            ("0\r\nx: y\r\n", "no end"),
        ] {
            let fault = decode(bytes.as_bytes()).unwrap_err();
            assert!(fault.contains(named), "{bytes:?}: {fault}");
        }
    }

    #[test]
    fn a_joined_body_does_not_begin_as_a_chunk() {
        assert!(begins(b"1f\r\n") && begins(b"0;a\r\n"));
        for body in ["", "{\"a\":1}", "abc", "a=b\r\n", "\r\n", "12\n"] {
            assert!(!begins(body.as_bytes()), "{body}");
        }
    }
}
