//! Raw HTTP requests, and the `.http` files of REST clients: several requests, comments, absolute URLs.

use super::format::is_aside;
use super::header::Header;
use super::target::Target;
use super::{SavedRequest, body, choose, label};

/// Reads every request of the file and takes the chosen one.
pub(super) fn read(text: &[u8], entry: Option<usize>) -> Result<SavedRequest, String> {
    let mut file = File { text, at: 0 };
    let mut requests = Vec::new();
    while file.skip_to_request() {
        requests.push(request(&mut file)?);
    }
    choose(requests, entry, label)
}

/// A place in the file.
struct File<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> File<'a> {
    /// The next line without its end, which may be LF or CRLF.
    fn line(&mut self) -> Option<&'a [u8]> {
        let line = self.text[self.at..].split_inclusive(|byte| *byte == b'\n').next()?;
        self.at += line.len();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Goes over comments, separators and empty lines; false at the end of the file.
    fn skip_to_request(&mut self) -> bool {
        loop {
            let start = self.at;
            match self.line() {
                None => return false,
                Some(line) if line.trim_ascii().is_empty() || is_aside(line) => {}
                Some(_) => {
                    self.at = start;
                    return true;
                }
            }
        }
    }

    /// A fault of the line that was read last.
    fn fault(&self, what: &str) -> String {
        let before = &self.text[..self.at.saturating_sub(1)];
        format!("line {}: {what}", 1 + before.iter().filter(|byte| **byte == b'\n').count())
    }
}

fn request(file: &mut File<'_>) -> Result<SavedRequest, String> {
    let line = file.line().unwrap_or_default();
    let (method, target) = request_line(line).map_err(|fault| file.fault(&fault))?;
    let mut headers = Vec::new();
    loop {
        match file.line() {
            Some(b"") => break,
            Some(line) => headers.push(header(line).map_err(|fault| file.fault(&fault))?),
            None => return Err(file.fault("the headers have no end: an empty line must follow them")),
        }
    }
    let body = body::take(&headers, &file.text[file.at..]).map_err(|fault| file.fault(&fault))?;
    file.at += body.length;
    Ok(SavedRequest { method, target, headers, body: body.bytes, notes: body.notes })
}

/// `METHOD TARGET`, and the version that REST clients leave out.
fn request_line(line: &[u8]) -> Result<(String, Target), String> {
    refuse_variables(line)?;
    let parts: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty()).collect();
    let (method, target) = match parts[..] {
        [method, target] => (method, target),
        [method, target, version] if version.starts_with(b"HTTP/") => (method, target),
        _ => return Err("a request begins with `METHOD TARGET HTTP/1.1`".to_owned()),
    };
    let method = http::Method::from_bytes(method).map_err(|_| "the request's method holds what no method may hold")?;
    Ok((method.to_string(), Target::parse(target)?))
}

fn header(line: &[u8]) -> Result<Header, String> {
    refuse_variables(line)?;
    match line.first() {
        Some(b' ' | b'\t') => Err("a header must not go on in a second line".to_owned()),
        _ => Header::from_line(line),
    }
}

/// Only the REST client knows what its variables stand for.
fn refuse_variables(line: &[u8]) -> Result<(), String> {
    let open = line.windows(2).position(|pair| pair == b"{{");
    match open.is_some_and(|open| line[open..].windows(2).any(|pair| pair == b"}}")) {
        true => Err("a variable in {{…}} cannot be filled in; write its value".to_owned()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> SavedRequest {
        read(text.as_bytes(), None).unwrap()
    }

    #[test]
    fn a_raw_request_is_read_with_either_line_end() {
        let lines = ["POST /hook?a=1 HTTP/1.1", "Host: a.example", "svix-id:msg_1", "", "{\"a\":\r\n1}"];
        for end in ["\r\n", "\n"] {
            let found = one(&lines.join(end));
            assert_eq!((found.method.as_str(), found.target.path.as_str()), ("POST", "/hook?a=1"));
            assert_eq!(found.target.origin, None);
            assert_eq!(found.headers[1], Header { name: "svix-id".into(), value: b"msg_1".to_vec() });
            assert_eq!(found.body, b"{\"a\":\r\n1}");
            assert!(found.notes.is_empty());
        }
        assert_eq!(one("POST / HTTP/2\n\n\n\n{}").body, b"\n\n{}", "a body may begin with empty lines");
    }

    #[test]
    fn a_body_is_bytes() {
        let body = [0, 0xff, 0xfe, b'\r', b'\n', b'#'];
        let found = read(&[b"POST / HTTP/1.1\r\n\r\n", body.as_slice()].concat(), None).unwrap();
        assert_eq!(found.body, body);
    }

    #[test]
    fn an_http_file_holds_several_requests() {
        let text = "@host = a\n\n### first\n# a comment\n// another\nPOST https://a.example/one\nx: 1\n\nbody one\n\n\
                    ### second\nPOST /two HTTP/1.1\nContent-Length: 12\n\nbody\n### two\n\n###\nGET /three\n\n";
        let bodies: Vec<Vec<u8>> = (1..=3).map(|entry| read(text.as_bytes(), Some(entry)).unwrap().body).collect();
        assert_eq!(bodies, [b"body one".as_slice(), b"body\n### two", b""]);
        let fault = read(text.as_bytes(), None).unwrap_err();
        assert!(
            fault.contains("holds 3 requests") && fault.contains("--entry: 1 POST /one, 2 POST /two, 3 GET /three")
        );
        assert!(read(text.as_bytes(), Some(0)).is_err());
        assert!(read(text.as_bytes(), Some(4)).unwrap_err().contains("no entry 4"));
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        for (text, named) in [
            ("", "no request"),
            ("# only\n", "no request"),
            ("POST\n\n", "line 1: a request begins with"),
            ("POST /a b HTTP/1.1\n\n", "line 1: a request begins with"),
            ("POST /a HTTQ/1.1\n\n", "line 1: a request begins with"),
            ("P\u{e9}ST /a\n\n", "line 1: the request's method"),
            ("POST a.example/x\n\n", "line 1: the target"),
            ("POST {{host}}/x\n\n", "line 1: a variable"),
            ("POST /x\na: b\nno colon\n\n", "line 3: a header is"),
            ("POST /x\r\na: b\r\n folded\r\n\r\n", "line 3: a header must not"),
            ("POST /x\na : b\n\n", "line 2: the header's name"),
            ("POST /x\na: \x01\n\n", "line 2: the value of a"),
            ("POST /x\nsvix-signature: v1,{{mac}}\n\n", "line 2: a variable"),
            ("POST /x\na: b\n", "line 2: the headers have no end"),
            ("POST /x\na: b", "line 2: the headers have no end"),
            ("POST /x", "line 1: the headers have no end"),
            ("\n\nPOST /x\ncontent-length: x\n\n{}", "line 5: Content-Length is no number"),
            ("POST /x\ncontent-length: 2\n\n{}\n### next\nfoo\n", "line 6: a request begins with"),
        ] {
            let fault = read(text.as_bytes(), None).unwrap_err();
            assert!(fault.contains(named), "{text:?}: {fault}");
        }
    }
}
