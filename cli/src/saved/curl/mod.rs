//! A curl command, as a person typed it or a browser copied it.

mod data;
mod options;
mod words;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::format::{self, Format};
use super::header::Header;
use super::target::Target;
use super::{Files, SavedRequest, headers_of_file};
use data::{Data, Kind};
use options::{Effect, Given};

/// Reads the command. Files that it names are those of the folder where this program runs, as they were for curl.
pub(super) fn read(command: &[u8], files: Files<'_>) -> Result<SavedRequest, String> {
    if format::detect(command) != Ok(Format::Curl) {
        return Err("it is no curl command".to_owned());
    }
    let words = words::split(command)?.into_iter();
    let arguments = words.skip_while(|word| word == b"$").skip(1);
    let mut request = Curl::default();
    for option in options::parse(arguments)? {
        request.apply(option, files)?;
    }
    request.finish()
}

/// What the options have said so far.
#[derive(Default)]
struct Curl {
    url: Option<Vec<u8>>,
    method: Option<Vec<u8>>,
    headers: Vec<Header>,
    /// The default headers that an option took away: `-H 'Content-Type:'`.
    removed: Vec<String>,
    user: Option<Vec<u8>>,
    data: Data,
    is_json: bool,
    is_head: bool,
}

impl Curl {
    fn apply(&mut self, Given { effect, value }: Given, files: Files<'_>) -> Result<(), String> {
        match effect {
            Effect::Url if self.url.is_some() => {
                return Err("the command has more than one URL; an option without its dash is taken for one".into());
            }
            Effect::Url => self.url = Some(value),
            Effect::Method => self.method = Some(value),
            Effect::Header => self.header(&value, files)?,
            Effect::User => self.user = Some(value),
            Effect::Data(kind) => {
                self.is_json |= kind == Kind::Json;
                self.data.push(kind, &value, files)?;
            }
            Effect::Head => self.is_head = true,
            Effect::Nothing | Effect::NothingOf => {}
        }
        Ok(())
    }

    /// `Name: value`; `Name:` takes a default header away; `Name;` is an empty one; `@file` holds several.
    fn header(&mut self, line: &[u8], files: Files<'_>) -> Result<(), String> {
        if let Some(name) = line.strip_prefix(b"@") {
            let name = std::str::from_utf8(name).map_err(|_| "the name of a file with headers is not UTF-8")?;
            let headers = headers_of_file(&files(name)?).map_err(|fault| format!("{name}, {fault}"))?;
            self.headers.extend(headers);
            return Ok(());
        }
        let header = match line.strip_suffix(b";").filter(|name| !name.contains(&b':')) {
            Some(name) => Header::new(name, b""),
            None => Header::from_line(line),
        };
        let header = header.map_err(|fault| format!("header {}: {fault}", self.headers.len() + 1))?;
        match header.value.is_empty() && !line.ends_with(b";") {
            true => self.removed.push(header.name),
            false => self.headers.push(header),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<SavedRequest, String> {
        let target = target(&self.url.take().ok_or("the command has no URL")?)?;
        if let Some(user) = self.user.take() {
            self.default_header("authorization", &format!("Basic {}", STANDARD.encode(user)));
        }
        let notes = std::mem::take(&mut self.data.notes);
        let body = std::mem::take(&mut self.data).into_body();
        let default_type = match self.is_json {
            true => "application/json",
            false => "application/x-www-form-urlencoded",
        };
        if body.is_some() {
            self.default_header("content-type", default_type);
        }
        let method = match self.method {
            Some(method) => http::Method::from_bytes(&method)
                .map_err(|_| "the request's method holds what no method may hold")?
                .to_string(),
            None if self.is_head => "HEAD".to_owned(),
            None if body.is_some() => "POST".to_owned(),
            None => "GET".to_owned(),
        };
        Ok(SavedRequest { method, target, headers: self.headers, body: body.unwrap_or_default(), notes })
    }

    /// What curl sends unless it was told something else.
    fn default_header(&mut self, name: &str, value: &str) {
        let is_given = self.headers.iter().any(|header| header.name == name);
        if !is_given && !self.removed.iter().any(|removed| removed == name) {
            self.headers.push(Header { name: name.to_owned(), value: value.as_bytes().to_owned() });
        }
    }
}

/// A URL without a scheme is one of http.
fn target(url: &[u8]) -> Result<Target, String> {
    let url = match url.windows(3).any(|part| part == b"://") {
        true => url.to_owned(),
        false => [b"http://", url].concat(),
    };
    Target::parse(&url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(name: &str) -> Result<Vec<u8>, String> {
        match name {
            "body.json" => Ok(b"{\n}\n".to_vec()),
            "headers" => Ok(b"svix-id: msg_1\nx: y\n".to_vec()),
            "broken" => Ok(b"a: b\nc\n".to_vec()),
            _ => Err(format!("cannot read {name}")),
        }
    }

    fn one(command: &str) -> Result<SavedRequest, String> {
        read(command.as_bytes(), &files)
    }

    fn headers(request: &SavedRequest) -> Vec<String> {
        let line = |header: &Header| format!("{}: {}", header.name, String::from_utf8_lossy(&header.value));
        request.headers.iter().map(line).collect()
    }

    #[test]
    fn a_command_of_a_browser_is_read() {
        let request = one(
            "curl 'https://app.example/hook?a=1' \\\n  -X 'POST' \\\n  -H 'accept: */*' \\\n  -H $'x: it\\'s' \\\n  \
             --data-raw $'{\"a\":\"\\u0021\\n\"}' \\\n  --compressed --insecure ;"
                .trim_end_matches(" ;"),
        )
        .unwrap();
        assert_eq!((request.method.as_str(), request.target.path.as_str()), ("POST", "/hook?a=1"));
        assert_eq!(request.target.origin.as_deref(), Some("https://app.example"));
        assert_eq!(request.body, b"{\"a\":\"!\n\"}");
        assert_eq!(headers(&request), ["accept: */*", "x: it's", "content-type: application/x-www-form-urlencoded"]);
    }

    #[test]
    fn the_method_is_that_of_curl() {
        for (command, method) in [
            ("curl a.example", "GET"),
            ("curl -d '' a.example", "POST"),
            ("curl -d x -XPUT a.example", "PUT"),
            ("curl -I a.example", "HEAD"),
            ("curl --json 1 --request PATCH --url a.example:80/x", "PATCH"),
        ] {
            assert_eq!(one(command).unwrap().method, method, "{command}");
        }
        assert_eq!(one("$ /usr/bin/curl a.example").unwrap().target.origin.as_deref(), Some("http://a.example"));
    }

    #[test]
    fn headers_are_given_added_and_taken_away() {
        for (options, expected) in [
            ("-d x", &["content-type: application/x-www-form-urlencoded"][..]),
            ("-d x -H Content-Type:", &[]),
            ("-d x -H 'Content-Type: a/b'", &["content-type: a/b"]),
            ("--json 1", &["content-type: application/json"]),
            ("-u me:pw", &["authorization: Basic bWU6cHc="]),
            ("-u me:pw -H 'Authorization: x'", &["authorization: x"]),
            ("-H 'X-Empty;' -H 'a: b;'", &["x-empty: ", "a: b;"]),
            ("-H @headers -H 'a: b' -H 'a: c'", &["svix-id: msg_1", "x: y", "a: b", "a: c"]),
        ] {
            assert_eq!(headers(&one(&format!("curl a.example {options}")).unwrap()), expected, "{options}");
        }
    }

    #[test]
    fn a_file_of_data_is_read() {
        let request = one("curl -d @body.json a.example").unwrap();
        assert_eq!(request.body, b"{}");
        assert!(request.notes[0].contains("--data-binary"));
        assert_eq!(one("curl --data-binary @body.json a.example").unwrap().body, b"{\n}\n");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (command, named) in [
            ("", "no curl command"),
            ("wget x", "no curl command"),
            ("curl", "no URL"),
            ("curl -d x", "no URL"),
            ("curl a b", "more than one URL"),
            ("curl ftp://a/b", "the target"),
            ("curl 'http://a b'", "the target"),
            ("curl -H 'no colon' a", "header 1: a header is"),
            ("curl -H 'a: b' -H 'c d: e' a", "header 2: the header's name"),
            ("curl -H @none a", "cannot read none"),
            ("curl -H @broken a", "broken, line 2: "),
            ("curl -d @none a", "cannot read none"),
            ("curl -X 'A B' a", "method"),
            ("curl -F a=b a", "-F"),
            ("curl a | jq", "line 1: "),
            ("curl a \\\n -d \"$BODY\"", "line 2: a variable"),
        ] {
            let fault = one(command).unwrap_err();
            assert!(fault.contains(named), "{command}: {fault}");
        }
    }
}
