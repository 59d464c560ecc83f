//! Requests as people save them: raw HTTP, an entry of a HAR, a curl command, or a body beside its headers.
//!
//! A reader gives the bytes of the body as they were sent, or refuses with a sentence that names the place.

mod body;
mod chunked;
mod curl;
mod format;
mod har;
mod header;
mod http;
mod plain;
mod target;

pub(crate) use format::Format;
pub(crate) use header::{Header, values as header_values};
pub(crate) use plain::headers_of_file;
pub(crate) use target::Target;

/// A request as it was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedRequest {
    pub(crate) method: String,
    pub(crate) target: Target,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Vec<u8>,
    /// What a person should know of how it was read.
    pub(crate) notes: Vec<String>,
}

/// Gives the bytes of a file that a curl command names; the error says why there are none.
pub(crate) type Files<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

/// Reads a saved request; its format is told by its content where none is given.
///
/// `entry` chooses one of several requests, counted from 1.
///
/// # Errors
/// One sentence with the place, for what is not a request, or is several and none was chosen.
pub(crate) fn read(
    saved: &[u8],
    format: Option<Format>,
    entry: Option<usize>,
    files: Files<'_>,
) -> Result<SavedRequest, String> {
    let saved = saved.strip_prefix(b"\xef\xbb\xbf").unwrap_or(saved);
    match format.map_or_else(|| format::detect(saved), Ok)? {
        Format::Http => http::read(saved, entry),
        Format::Har => har::read(saved, entry),
        Format::Curl => curl::read(saved, files).and_then(|request| choose(vec![request], entry, label)),
    }
}

/// Takes the chosen one, or the only one.
fn choose<T>(mut requests: Vec<T>, entry: Option<usize>, label: fn(&T) -> String) -> Result<T, String> {
    const MOST_LISTED: usize = 20;
    let count = requests.len();
    let index = match entry {
        _ if count == 0 => return Err("it holds no request".to_owned()),
        None if count == 1 => 0,
        None => {
            let mut listed: Vec<String> = requests.iter().take(MOST_LISTED).map(label).collect();
            listed.iter_mut().enumerate().for_each(|(index, label)| label.insert_str(0, &format!("{} ", index + 1)));
            let more = if count > MOST_LISTED { ", …" } else { "" };
            return Err(format!("it holds {count} requests; choose one with --entry: {}{more}", listed.join(", ")));
        }
        Some(entry) if (1..=count).contains(&entry) => entry - 1,
        Some(entry) => return Err(format!("it has no entry {entry}: it holds {count}")),
    };
    Ok(requests.swap_remove(index))
}

/// As a list of requests shows one: without its query, which may hold a token.
fn label(request: &SavedRequest) -> String {
    let path = request.target.path.split('?').next().unwrap_or_default();
    format!("{} {}", request.method, path.escape_debug())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn no_files(name: &str) -> Result<Vec<u8>, String> {
        Err(format!("cannot read {name}"))
    }

    fn read_any(saved: &[u8]) -> Result<SavedRequest, String> {
        read(saved, None, None, &no_files)
    }

    #[test]
    fn the_same_request_is_the_same_in_every_format() {
        let http = "POST https://a.example/hook?q=1 HTTP/1.1\nContent-Type: application/json\nX-A: b\n\n{\"a\":1}";
        let har = r#"{"log":{"entries":[{"request":{"method":"POST","url":"https://a.example/hook?q=1","headers":
            [{"name":"Content-Type","value":"application/json"},{"name":"X-A","value":"b"}],
            "postData":{"mimeType":"application/json","text":"{\"a\":1}"}}}]}}"#;
        let curl =
            "curl 'https://a.example/hook?q=1' -H 'Content-Type: application/json' -H 'X-A: b' --data-raw '{\"a\":1}'";
        let from_http = read_any(http.as_bytes()).unwrap();
        assert_eq!(from_http.body, b"{\"a\":1}");
        assert_eq!(from_http.target.path, "/hook?q=1");
        assert_eq!(read_any(har.as_bytes()).unwrap(), from_http);
        assert_eq!(read_any(curl.as_bytes()).unwrap(), from_http);
        let with_bom = [b"\xef\xbb\xbf", har.as_bytes()].concat();
        assert_eq!(read_any(&with_bom).unwrap(), from_http);
    }

    #[test]
    fn the_given_format_is_obeyed() {
        let curl = b"curl https://a.example/ -d x";
        assert!(read(curl, Some(Format::Curl), Some(1), &no_files).is_ok());
        assert!(read(curl, Some(Format::Http), None, &no_files).unwrap_err().starts_with("line 1: "));
        assert!(read(curl, Some(Format::Har), None, &no_files).unwrap_err().contains("line 1"));
        assert!(read(curl, None, Some(2), &no_files).unwrap_err().contains("no entry 2"));
    }

    proptest! {
        #[test]
        fn rubbish_is_refused_and_never_panics(
            start in prop::sample::select(vec![
                "", "POST / HTTP/1.1\r\n", "POST / HTTP/1.1\ntransfer-encoding: chunked\n\n", "curl ", "curl http://a -d ",
                "{\"log\":{\"entries\":[", "{\"request\":", "### x\nPOST /a\ncontent-length: 3\n\n", "$ curl $'",
            ]),
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let saved = [start.as_bytes(), &rest].concat();
            for format in [None, Some(Format::Http), Some(Format::Har), Some(Format::Curl)] {
                if let Err(fault) = read(&saved, format, None, &no_files) {
                    prop_assert!(!fault.is_empty() && !fault.chars().any(char::is_control), "{fault:?}");
                }
            }
        }

        #[test]
        fn near_requests_never_panic(saved in "((POST|curl|GET|###|#|//|@) ?|[/ :a-z'\"\\\\$\\r\\n{}-]|[0-9]\\r\\n|-d |-H |--data-urlencode )*") {
            for format in [None, Some(Format::Http), Some(Format::Har), Some(Format::Curl)] {
                let _ = read(saved.as_bytes(), format, Some(1), &no_files);
            }
        }
    }
}
