//! HTTP archives (HAR 1.2) of browsers and proxies: a whole one, one entry, or only its request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::header::{Header, values};
use super::target::Target;
use super::{SavedRequest, choose};

#[derive(Deserialize)]
struct Document {
    log: Option<Log>,
    request: Option<Request>,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    headers: Vec<NameValue>,
    post_data: Option<PostData>,
    /// −1 where the writer did not know it.
    body_size: Option<i64>,
}

#[derive(Deserialize)]
struct NameValue {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct PostData {
    text: Option<String>,
    /// Not in the standard for requests, and written by several tools: `base64`.
    encoding: Option<String>,
    #[serde(default)]
    params: Vec<Param>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Param {
    name: String,
    value: Option<String>,
    file_name: Option<String>,
}

/// Reads the chosen entry.
pub(super) fn read(text: &[u8], entry: Option<usize>) -> Result<SavedRequest, String> {
    let document: Document = serde_json::from_slice(text).map_err(|error| format!("it is no HAR: {}", safe(&error)))?;
    let requests = match document {
        Document { log: Some(log), .. } => log.entries.into_iter().map(|entry| entry.request).collect(),
        Document { request: Some(request), .. } => vec![request],
        _ => {
            return Err(
                "it is JSON, and no HAR: there is neither log.entries nor request; pass a body alone with --body"
                    .into(),
            );
        }
    };
    request(choose(requests, entry, label)?)
}

/// What is wrong and where, without the values that serde_json repeats: one of them may be a credential.
fn safe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match error.is_data() && text.starts_with("invalid ") {
        true => format!("a value has another type at line {} column {}", error.line(), error.column()),
        false => text,
    }
}

fn label(request: &Request) -> String {
    let url = request.url.split(['?', '#']).next().unwrap_or_default();
    format!("{} {}", request.method.escape_debug(), url.escape_debug())
}

fn request(request: Request) -> Result<SavedRequest, String> {
    let method = http::Method::from_bytes(request.method.as_bytes())
        .map_err(|_| "the request's method holds what no method may hold")?
        .to_string();
    let target = Target::parse(request.url.as_bytes()).map_err(|fault| format!("the request's url: {fault}"))?;
    let headers = (1..)
        .zip(&request.headers)
        // HTTP/2 carries method and path in such headers.
        .filter(|(_, header)| !header.name.starts_with(':'))
        .map(|(number, NameValue { name, value })| {
            Header::new(name.as_bytes(), value.as_bytes()).map_err(|fault| format!("header {number}: {fault}"))
        })
        .collect::<Result<Vec<Header>, String>>()?;
    let (body, mut notes) = request.post_data.map_or_else(|| Ok(Default::default()), body)?;
    notes.extend(other_length(&headers, request.body_size, body.len()));
    Ok(SavedRequest { method, target, headers, body, notes })
}

/// The body, and what to know of it.
fn body(post_data: PostData) -> Result<(Vec<u8>, Vec<String>), String> {
    match (post_data.text, post_data.encoding.as_deref()) {
        (Some(text), None | Some("")) if !text.is_empty() || post_data.params.is_empty() => {
            Ok((text.into_bytes(), Vec::new()))
        }
        (Some(text), Some(encoding)) if encoding.eq_ignore_ascii_case("base64") => {
            let bytes = STANDARD.decode(text).map_err(|error| format!("postData.text is no base64: {error}"))?;
            Ok((bytes, Vec::new()))
        }
        (_, Some(encoding)) if !encoding.is_empty() => {
            Err("postData.encoding is not `base64`, the only one that is known".to_owned())
        }
        _ if post_data.params.iter().any(|param| param.file_name.is_some()) => {
            Err("the bytes of a form with files are not in a HAR".to_owned())
        }
        _ if post_data.params.is_empty() => Ok(Default::default()),
        _ => Ok((
            form(&post_data.params),
            vec![
                "the body was put together from postData.params: its bytes may not be those that were sent".to_owned(),
            ],
        )),
    }
}

fn form(params: &[Param]) -> Vec<u8> {
    let pairs = params.iter().map(|param| (param.name.as_str(), param.value.as_deref().unwrap_or_default()));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
}

/// A HAR keeps bodies as text: what was not UTF-8 has been changed, and so has its length.
fn other_length(headers: &[Header], body_size: Option<i64>, found: usize) -> Option<String> {
    let by_header =
        values(headers, "content-length").next().and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
    let said: usize = by_header.or(body_size.and_then(|size| size.try_into().ok()).filter(|size| *size > 0))?;
    (said != found)
        .then(|| format!("the request had a body of {said} bytes, and the HAR holds {found}: it is not as it was sent"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entry(more: Value) -> Value {
        let mut request = json!({
            "method": "POST", "url": "https://a.example/hook?q", "httpVersion": "h2",
            "headers": [{"name": ":method", "value": "POST"}, {"name": "Svix-Id", "value": "msg_1"}],
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "startedDateTime": "2026-01-01T00:00:00Z", "request": request, "response": {"status": 200} })
    }

    fn one(more: Value) -> Result<SavedRequest, String> {
        read(entry(more).to_string().as_bytes(), None)
    }

    fn body_of(post_data: Value) -> Result<(Vec<u8>, String), String> {
        one(json!({ "postData": post_data })).map(|request| (request.body, request.notes.join("; ")))
    }

    #[test]
    fn a_har_an_entry_and_a_request_are_read() {
        let first = entry(json!({ "url": "https://a.example/1?token=canary" }));
        let second = entry(json!({ "postData": {"mimeType": "a/b", "text": "{\"a\":\"\\u00e9\"}"} }));
        let har = json!({ "log": { "version": "1.2", "entries": [first, second] } }).to_string();
        let found = read(har.as_bytes(), Some(2)).unwrap();
        assert_eq!(found.body, b"{\"a\":\"\\u00e9\"}");
        assert_eq!(found.target, Target::parse(b"https://a.example/hook?q").unwrap());
        assert_eq!(found.headers, [Header { name: "svix-id".into(), value: b"msg_1".to_vec() }]);
        assert_eq!(read(second.to_string().as_bytes(), None).unwrap(), found);
        let fault = read(har.as_bytes(), None).unwrap_err();
        assert!(fault.contains("--entry: 1 POST https://a.example/1, 2 POST https://a.example/hook"), "{fault}");
        assert!(!fault.contains("canary"));
    }

    #[test]
    fn bodies_are_had_from_text_base64_and_params() {
        assert_eq!(body_of(json!({ "text": "a\r\nb" })).unwrap(), (b"a\r\nb".to_vec(), String::new()));
        assert_eq!(body_of(json!({ "text": "/wA=", "encoding": "base64" })).unwrap().0, [0xff, 0]);
        assert_eq!(body_of(json!({})).unwrap().0, b"");
        assert_eq!(one(json!({})).unwrap().body, b"");
        let params = json!([{"name": "a b", "value": "é&"}, {"name": "c"}]);
        let (body, note) = body_of(json!({ "text": "", "params": params })).unwrap();
        assert_eq!(body, b"a+b=%C3%A9%26&c=");
        assert!(note.contains("postData.params"));
        assert_eq!(body_of(json!({ "text": "x=1", "params": params })).unwrap().0, b"x=1");
    }

    #[test]
    fn a_body_of_another_length_is_noted() {
        let note = |more| one(more).unwrap().notes.join("; ");
        let text = json!({ "text": "a\u{fffd}" });
        assert!(note(json!({ "postData": text, "bodySize": 2 })).contains("body of 2 bytes, and the HAR holds 4"));
        let headers = json!([{"name": "content-length", "value": "3"}]);
        assert!(note(json!({ "postData": text, "headers": headers, "bodySize": 4 })).contains("body of 3 bytes"));
        for size in [-1, 0, 4] {
            assert_eq!(note(json!({ "postData": text, "bodySize": size })), "");
        }
    }

    #[test]
    fn what_is_no_har_is_refused_with_the_place() {
        for (text, named) in [
            ("{", "line 1 column 1"),
            ("{}", "neither log.entries nor request"),
            ("{\"type\":\"user.created\"}", "--body"),
            ("[]", "no HAR"),
            ("{\"log\":{}}", "missing field `entries` at line 1 column 9"),
            ("{\"log\":{\"entries\":[]}}", "no request"),
            ("{\"log\":{\"entries\":[{\"request\":{\"method\":\"POST\"}}]}}", "missing field `url`"),
            ("{\"log\":{\"entries\":\"canary\"}}", "a value has another type at line 1 column 26"),
            ("{\"log\":{\"entries\":[]}} x", "line 1 column 24"),
        ] {
            let fault = read(text.as_bytes(), None).unwrap_err();
            assert!(fault.contains(named) && !fault.contains("canary"), "{text}: {fault}");
        }
        for (more, named) in [
            (json!({ "method": "PO ST" }), "method"),
            (json!({ "url": "a.example" }), "the request's url"),
            (json!({ "headers": [{"name": ":a", "value": ""}, {"name": "b c", "value": ""}] }), "header 2: "),
            (json!({ "headers": [{"name": "b", "value": "x\ny"}] }), "header 1: the value of b"),
            (json!({ "postData": {"text": "x", "encoding": "rot13"} }), "postData.encoding"),
            (json!({ "postData": {"text": "*", "encoding": "base64"} }), "no base64"),
            (json!({ "postData": {"params": [{"name": "a", "fileName": "b"}]} }), "form with files"),
        ] {
            let fault = one(more.clone()).unwrap_err();
            assert!(fault.contains(named), "{more}: {fault}");
        }
    }
}
