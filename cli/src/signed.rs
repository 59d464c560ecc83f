//! A signed request, and the forms that `surehook sign` prints it in.

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use shlex::bytes::try_quote;

use crate::saved::{Header, Target};

/// How a signed request is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// One header a line, as `surehook verify --headers` reads them
    Headers,
    /// A command that sends the request
    Curl,
    /// The whole request, as `surehook verify` reads it
    Http,
    /// One JSON object
    Json,
}

/// A request with the headers that sign it.
pub(crate) struct SignedRequest {
    pub(crate) method: String,
    /// Where it is sent.
    pub(crate) to: Option<String>,
    /// What it asks for there, or at the public URL.
    pub(crate) target: Target,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Vec<u8>,
    /// The file that the body is in; `None`: it came by standard input.
    pub(crate) body_file: Option<String>,
}

impl SignedRequest {
    /// The request in this form, with its last line end. The error says why it cannot be.
    pub(crate) fn render(&self, form: Form) -> Result<Vec<u8>, String> {
        match form {
            Form::Headers => Ok(self.header_lines(b"\n")),
            Form::Curl => self.curl(),
            Form::Http => Ok(self.http()),
            Form::Json => Ok(self.json()),
        }
    }

    fn header_lines(&self, end: &[u8]) -> Vec<u8> {
        self.headers.iter().flat_map(|header| [header.line().as_slice(), end].concat()).collect()
    }

    fn curl(&self) -> Result<Vec<u8>, String> {
        let url = self.to.as_deref().ok_or("a curl command needs to know where the request goes: pass --to")?;
        let mut command = [b"curl ".as_slice(), &quoted(url.as_bytes())?].concat();
        let mut argument = |option: &str, value: &[u8]| -> Result<(), String> {
            command.extend_from_slice(format!(" \\\n  {option} ").as_bytes());
            command.extend_from_slice(&quoted(value)?);
            Ok(())
        };
        if self.method != "POST" {
            argument("-X", self.method.as_bytes())?;
        }
        for header in &self.headers {
            argument("-H", &header.line())?;
        }
        match &self.body_file {
            Some(file) => argument("--data-binary", format!("@{file}").as_bytes())?,
            None => argument("--data-raw", self.inline_body()?)?,
        }
        command.push(b'\n');
        Ok(command)
    }

    /// The body as an argument. Linux takes none over 128 KiB, and quotes may double it.
    fn inline_body(&self) -> Result<&[u8], String> {
        const MOST_BYTES: usize = 64 * 1024;
        match self.body.len() > MOST_BYTES {
            true => Err("the body is too large for a command line: pass it as a file".to_owned()),
            false => Ok(&self.body),
        }
    }

    fn http(&self) -> Vec<u8> {
        let start = format!("{} {} HTTP/1.1\r\nhost: {}\r\n", self.method, self.target.path, self.target.host());
        let end = format!("content-length: {}\r\n\r\n", self.body.len());
        [start.as_bytes(), &self.header_lines(b"\r\n"), end.as_bytes(), &self.body].concat()
    }

    fn json(&self) -> Vec<u8> {
        let headers: Map<String, Value> =
            self.headers.iter().map(|header| (header.name.clone(), header.value_text().into())).collect();
        let object = json!({ "method": self.method, "url": self.to, "headers": headers });
        format!("{object}\n").into_bytes()
    }
}

fn quoted(word: &[u8]) -> Result<Vec<u8>, String> {
    match try_quote(word) {
        Ok(quoted) => Ok(quoted.into_owned()),
        Err(_) => Err("a command line cannot hold a NUL: pass the body as a file".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> SignedRequest {
        SignedRequest {
            method: "POST".into(),
            to: Some("http://me:pw@localhost:3000/hook?a=1".into()),
            target: Target::parse(b"http://me:pw@localhost:3000/hook?a=1").unwrap(),
            headers: vec![Header::new(b"x-signature", b"it's 1").unwrap()],
            body: b"{\"a\":\"$b\"}".to_vec(),
            body_file: None,
        }
    }

    fn rendered(request: &SignedRequest, form: Form) -> String {
        String::from_utf8(request.render(form).unwrap()).unwrap()
    }

    #[test]
    fn each_form_is_what_its_reader_takes() {
        let request = request();
        assert_eq!(rendered(&request, Form::Headers), "x-signature: it's 1\n");
        assert_eq!(
            rendered(&request, Form::Http),
            "POST /hook?a=1 HTTP/1.1\r\nhost: localhost:3000\r\nx-signature: it's 1\r\ncontent-length: 10\r\n\r\n{\"a\":\"$b\"}"
        );
        assert_eq!(
            rendered(&request, Form::Json),
            "{\"headers\":{\"x-signature\":\"it's 1\"},\"method\":\"POST\",\"url\":\"http://me:pw@localhost:3000/hook?a=1\"}\n"
        );
        assert_eq!(
            rendered(&SignedRequest { method: "PUT".into(), body_file: Some("a b".into()), ..request }, Form::Curl),
            "curl 'http://me:pw@localhost:3000/hook?a=1' \\\n  -X PUT \\\n  -H \"x-signature: it's 1\" \\\n  --data-binary '@a b'\n"
        );
    }

    #[test]
    fn what_a_command_line_cannot_hold_is_refused() {
        for (body, to, named) in [
            (b"a\0b".to_vec(), request().to, "NUL"),
            (vec![b'a'; 70_000], request().to, "too large"),
            (Vec::new(), None, "--to"),
        ] {
            let fault = SignedRequest { body, to, ..request() }.render(Form::Curl).unwrap_err();
            assert!(fault.contains(named), "{fault}");
        }
    }
}
