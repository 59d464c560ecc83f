//! Where a browser's call comes from: the names a request was made under, and the page that made it.

use http::{HeaderMap, Uri, header};

use crate::error::Error;

/// The `Host` of a request, e.g. `localhost:4600`.
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// The host is a name of this machine for itself. A page that made its own name resolve to 127.0.0.1 (DNS rebinding)
/// sends that name, and is refused.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = if let Some(address) = host.strip_prefix('[') {
        let Some((address, port)) = address.split_once(']') else { return false };
        if !(port.is_empty() || port.starts_with(':')) {
            return false;
        }
        address
    } else {
        host.split_once(':').map_or(host, |(name, _)| name)
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The dashboard's own calls carry this header. A page of another site can send it only after a browser has asked us whether it
/// may, and we never say so.
const OWN_CALL: &str = "x-surehook-dashboard";

/// Refuses a call that changes something when a page of another site made it.
///
/// The browser's own word counts most: behind a proxy (nginx by default) the host is not the one that the page was reached under, so
/// comparing it with the origin would refuse everybody. Browsers give their word on HTTPS and on this machine only; elsewhere the
/// dashboard's own header says it.
pub(crate) fn check_same_origin(headers: &HeaderMap) -> Result<(), Error> {
    match headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes) {
        Some(b"same-origin") => return Ok(()),
        Some(b"none") => {}
        Some(_) => return Err(Error::ForbiddenOrigin),
        None if headers.contains_key(OWN_CALL) => return Ok(()),
        None => {}
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let origin = origin.as_ref().and_then(Uri::authority).map(http::uri::Authority::as_str);
    if origin.is_some() && origin == host(headers) { Ok(()) } else { Err(Error::ForbiddenOrigin) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_loopback() {
        for host in ["localhost", "LOCALHOST:4600", "127.0.0.1:4600", "127.8.8.8", "[::1]", "[::1]:4600"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example:4600",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "[::1",
            "[::1]evil",
            "[::2]:4600",
            "0.0.0.0",
            "::1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn only_the_own_origin_may_change_things() {
        let check = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
                .collect::<HeaderMap>();
            check_same_origin(&headers).is_ok()
        };
        assert!(check(&[("host", "localhost:4600")]));
        assert!(check(&[("host", "localhost:4600"), ("origin", "http://localhost:4600")]));
        assert!(check(&[("host", "a.example"), ("origin", "https://a.example"), ("sec-fetch-site", "same-origin")]));
        assert!(!check(&[("host", "localhost:4600"), ("origin", "http://localhost:3000")]));
        assert!(check(&[
            ("host", "10.0.0.2:4600"),
            ("origin", "https://a.example"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(check(&[("host", "10.0.0.2:4600"), ("origin", "http://a.example"), ("x-surehook-dashboard", "1")]));
        assert!(!check(&[
            ("host", "10.0.0.2:4600"),
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("x-surehook-dashboard", "1"),
        ]));
        assert!(!check(&[("host", "localhost:4600"), ("origin", "http://evil.example"), ("sec-fetch-site", "none")]));
        assert!(!check(&[("host", "localhost:4600"), ("origin", "null")]));
        assert!(!check(&[("host", "localhost:4600"), ("sec-fetch-site", "cross-site")]));
        assert!(!check(&[("host", "localhost:4600"), ("sec-fetch-site", "same-site")]));
    }
}
