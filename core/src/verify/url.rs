//! The public URL of an endpoint, as a provider may have signed it.
//!
//! Scheme, host and port come from the configuration alone: what a request says of them (`Host`, `Forwarded`) is its sender's, and not
//! signed before it is checked. Only the query, and what a `{name}` of the path stands for, is the request's.

use smallvec::{SmallVec, smallvec};

use crate::error::ConfigError;
use crate::request::Incoming;
use crate::scheme::{Scheme, UrlRule};

/// So many are tried at most: each costs a MAC for each secret.
const MOST: usize = 4;

/// The public URLs of an endpoint, in every form that may be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicUrls(SmallVec<[String; 1]>);

impl PublicUrls {
    /// None is known yet.
    pub(super) fn none() -> Self {
        Self(SmallVec::new())
    }

    pub(super) fn new<S: AsRef<str>>(urls: &[S], scheme: &Scheme) -> Result<Self, ConfigError> {
        let mut variants = SmallVec::new();
        for url in urls {
            let url = url.as_ref();
            if let Some(fault) = fault(url) {
                return Err(ConfigError::invalid_option("url", fault));
            }
            let other = scheme.url.as_ref().filter(|rule| rule.either_port).and_then(|_| with_other_port(url));
            for variant in std::iter::once(url.to_owned()).chain(other) {
                if !variants.contains(&variant) {
                    variants.push(variant);
                }
            }
        }
        if variants.len() > MOST {
            let each = if scheme.url.as_ref().is_some_and(|rule| rule.either_port) {
                ", and each counts twice here: with and without its port"
            } else {
                ""
            };
            return Err(ConfigError::invalid_option("url", format!("at most {MOST} public URLs are tried{each}")));
        }
        Ok(Self(variants))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The URLs that the request may have been sent to, as they are signed; the first one is always of the same configured URL. Where
    /// none is configured, nothing but an empty one is signed.
    pub(super) fn of(&self, incoming: &Incoming<'_>, rule: Option<&UrlRule>) -> SmallVec<[String; 1]> {
        if self.is_empty() {
            return smallvec![String::new()];
        }
        let decoded = rule.map_or("", |rule| rule.decoded.as_str());
        let of_request = |url: &String| {
            let mut url = filled(url, incoming.path);
            if let Some(query) = incoming.query() {
                url.push('?');
                url.push_str(query);
            }
            if decoded.is_empty() { url } else { decode(&url, decoded) }
        };
        self.0.iter().map(of_request).collect()
    }
}

/// Why a text is no public URL.
fn fault(url: &str) -> Option<&'static str> {
    const WRONG: &str =
        "it must be the endpoint's public URL without a query, e.g. https://example.com/webhooks/twilio";
    let Some(rest) = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme)) else {
        return Some(WRONG);
    };
    if rest.is_empty()
        || rest.starts_with('/')
        || url.contains(['?', '#'])
        || url.chars().any(|character| character.is_control() || character == ' ')
    {
        return Some(WRONG);
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let braces = |text: &str| text.contains(['{', '}']);
    if braces(authority) || path.split('/').any(|segment| braces(segment) && !is_parameter(segment)) {
        return Some("a {name} stands for one whole segment of its path, e.g. https://example.com/voice/{tenant}");
    }
    None
}

fn is_parameter(segment: &str) -> bool {
    let inner = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|name| !name.is_empty() && !name.contains(['{', '}']))
}

/// A `{name}` stands for one segment of a path. The URL with each replaced by the segment of the request's path that stands there, counted from its end: a proxy may
/// have taken a prefix away.
fn filled(url: &str, path: &str) -> String {
    if !url.contains('{') {
        return url.to_owned();
    }
    let path = path.split('?').next().unwrap_or_default();
    let mut given = path.rsplit('/');
    let mut segments: SmallVec<[&str; 8]> = SmallVec::new();
    for segment in url.rsplit('/') {
        let own = given.next();
        segments.push(if is_parameter(segment) { own.unwrap_or_default() } else { segment });
    }
    segments.reverse();
    segments.join("/")
}

/// The same URL with its port where it has none, and without it where it has one.
fn with_other_port(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = authority.rfind('@').map_or(("", authority), |at| authority.split_at(at + 1));
    // The colons of an IPv6 address stand within brackets.
    let colon = host.rfind(':').filter(|colon| !host[*colon..].contains(']'));
    let other = match colon {
        Some(colon) => host[..colon].to_owned(),
        None => format!("{host}:{}", if scheme == "https" { 443 } else { 80 }),
    };
    Some(format!("{scheme}://{user}{other}{path}"))
}

/// Decodes the escapes of these characters, once, and leaves all others as they came.
fn decode(url: &str, decoded: &str) -> String {
    let mut out = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let escaped = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(char::from);
        match escaped.filter(|character| character.is_ascii() && decoded.contains(*character)) {
            Some(character) => {
                out.push(character);
                rest = &rest[at + 3..];
            }
            None => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(provider: &str, urls: &[&str]) -> Result<PublicUrls, ConfigError> {
        PublicUrls::new(urls, &crate::scheme::find(provider).unwrap())
    }

    fn of(urls: &PublicUrls, path: &str) -> Vec<String> {
        let incoming = Incoming { path, ..Incoming::post(&[], b"") };
        urls.of(&incoming, None).into_vec()
    }

    #[test]
    fn twilio_is_tried_with_and_without_the_port() {
        for (url, other) in [
            ("https://a.example/x", "https://a.example:443/x"),
            ("http://a.example", "http://a.example:80"),
            ("https://a.example:443/x", "https://a.example/x"),
            ("https://a.example:8443/x:y", "https://a.example/x:y"),
            ("https://user:pass@a.example/x", "https://user:pass@a.example:443/x"),
            ("https://[::1]/x", "https://[::1]:443/x"),
            ("https://[::1]:8443/x", "https://[::1]/x"),
        ] {
            assert_eq!(of(&urls("twilio", &[url]).unwrap(), "/"), [url, other]);
            assert_eq!(of(&urls("square", &[url]).unwrap(), "/"), [url]);
        }
    }

    #[test]
    fn four_are_tried_and_no_more() {
        let several = ["https://a.example/", "https://b.example/", "https://c.example/", "https://d.example/"];
        assert_eq!(of(&urls("square", &several).unwrap(), "/?a=1").len(), 4);
        assert_eq!(of(&urls("twilio", &several[..2]).unwrap(), "/").len(), 4);
        let same = ["https://a.example/", "https://a.example:443/"];
        assert_eq!(of(&urls("twilio", &same).unwrap(), "/").len(), 2);
        assert!(urls("twilio", &several[..3]).unwrap_err().to_string().contains("counts twice"));
        let five = [&several[..], &["https://e.example/"]].concat();
        assert!(urls("square", &five).unwrap_err().to_string().contains("at most 4"));
    }

    #[test]
    fn parameters_of_the_path_are_those_of_the_request() {
        let tenant = urls("square", &["https://a.example/api/{tenant}/voice"]).unwrap();
        assert_eq!(of(&tenant, "/api/acme/voice?x=1"), ["https://a.example/api/acme/voice?x=1"]);
        assert_eq!(of(&tenant, "/acme%20inc/voice"), ["https://a.example/api/acme%20inc/voice"]);
        assert_eq!(of(&tenant, "/voice"), ["https://a.example/api//voice"]);
        let last = urls("square", &["https://a.example/{a}/{b}"]).unwrap();
        assert_eq!(of(&last, "/x/y"), ["https://a.example/x/y"]);
        assert_eq!(of(&last, "x"), ["https://a.example//x"]);
    }

    #[test]
    fn a_parameter_never_reaches_the_host() {
        for url in [
            "https://{host}/x",
            "https://a.example/x{y}",
            "https://a.example/{}",
            "https://a.example/{a}{b}",
            "https://a{/}",
        ] {
            assert!(urls("square", &[url]).unwrap_err().to_string().contains("whole segment"), "{url}");
        }
        for url in [
            "ftp://a.example/",
            "https://",
            "https:///x",
            "https://a.example/?x",
            "https://a.example/#x",
            "https://a b/",
        ] {
            assert!(urls("square", &[url]).is_err(), "{url}");
        }
    }

    #[test]
    fn the_escapes_that_hubspot_lists_are_decoded_once() {
        let hubspot = crate::scheme::find("hubspot").unwrap();
        let decoded = &hubspot.url.as_ref().unwrap().decoded;
        assert_eq!(decode("https://a/?u=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B", decoded), "https://a/?u=:/?@!$'()*,;");
        assert_eq!(decode("https://a/?u=%3a%2f", decoded), "https://a/?u=:/");
        assert_eq!(decode("https://a/?u=%20%26%3D%253A%zz%4", decoded), "https://a/?u=%20%26%3D%253A%zz%4");
        assert_eq!(decode("https://a/?u=é%é", decoded), "https://a/?u=é%é");
    }
}
