//! Requests in each of the forms that people save them in.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// A request as it was received.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// The forms, by the file that `save` makes of them.
pub(crate) const FORMS: [&str; 4] = ["request.http", "request.har", "request.curl", "body"];

impl Received {
    /// Saves it, and gives the arguments with which `surehook verify`, run in that folder, reads it.
    pub(crate) fn save(&self, dir: &Path, form: &str) -> Vec<String> {
        let write = |name: &str, content: &[u8]| fs::write(dir.join(name), content).expect("a file");
        match form {
            "request.http" => write(form, &self.http()),
            "request.har" => write(form, &self.har()),
            "request.curl" => {
                write("data", &self.body);
                write(form, &self.curl());
            }
            _ => {
                write("headers", &self.header_lines("\n"));
                write("body", &self.body);
                return ["--body", "body", "--headers", "headers", "--method", &self.method].map(str::to_owned).into();
            }
        }
        vec![form.to_owned()]
    }

    fn header_lines(&self, end: &str) -> Vec<u8> {
        let line = |(name, value): &(String, Vec<u8>)| [name.as_bytes(), b": ", value, end.as_bytes()].concat();
        self.headers.iter().flat_map(line).collect()
    }

    fn http(&self) -> Vec<u8> {
        let path = self.url.splitn(4, '/').nth(3).unwrap_or_default();
        let start = format!("{} /{path} HTTP/1.1\r\n", self.method);
        let has_length = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = (!has_length).then(|| format!("content-length: {}\r\n", self.body.len()));
        let end = length.unwrap_or_default() + "\r\n";
        [start.as_bytes(), &self.header_lines("\r\n"), end.as_bytes(), &self.body].concat()
    }

    fn har(&self) -> Vec<u8> {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": String::from_utf8_lossy(value) }))
            .collect();
        let post_data = json!({ "mimeType": "", "text": STANDARD.encode(&self.body), "encoding": "base64" });
        let request = json!({ "method": self.method, "url": self.url, "headers": headers, "postData": post_data });
        json!({ "log": { "entries": [{ "request": request }] } }).to_string().into_bytes()
    }

    fn curl(&self) -> Vec<u8> {
        let mut command = format!("curl -X {} '{}' \\\n -H Content-Type:", self.method, self.url).into_bytes();
        for (name, value) in &self.headers {
            let joint: &[u8] = if value.is_empty() { b";" } else { b": " };
            let value = String::from_utf8_lossy(value).replace('\'', r"'\''");
            command.extend([b" \\\n -H '", name.as_bytes(), joint, value.as_bytes(), b"'"].concat());
        }
        command.extend(b" \\\n --data-binary @data\n");
        command
    }
}
