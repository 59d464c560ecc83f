//! Where a request went.

use http::Uri;

/// The target of a request, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Scheme and host, e.g. `https://app.example`, where the request names them.
    pub(crate) origin: Option<String>,
    /// Path and query; a path that is not written is `/`.
    pub(crate) path: String,
}

impl Target {
    /// From a path, or from an `http://` or `https://` URL.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let fault = || "the target is neither a path nor an http:// or https:// URL".to_owned();
        let uri = Uri::try_from(text).map_err(|_| fault())?;
        let path = match uri.path_and_query().ok_or_else(fault)?.as_str() {
            path if path.starts_with('/') => path.to_owned(),
            query if query.starts_with('?') => format!("/{query}"),
            _ => return Err(fault()),
        };
        match (uri.scheme_str(), uri.authority()) {
            (None, None) => Ok(Self { origin: None, path }),
            (Some(scheme @ ("http" | "https")), Some(host)) => {
                Ok(Self { origin: Some(format!("{scheme}://{host}")), path })
            }
            _ => Err(fault()),
        }
    }

    /// The host and port it went to, as far as the request names them.
    pub(crate) fn host(&self) -> &str {
        let authority =
            self.origin.as_deref().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
        authority.and_then(|authority| authority.rsplit('@').next()).unwrap_or("localhost")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_keep_their_text() {
        for (text, origin, path) in [
            ("/", None, "/"),
            ("/a%2Fb?x=%20&y", None, "/a%2Fb?x=%20&y"),
            ("https://A.example:8443/a//b?c#fragment", Some("https://A.example:8443"), "/a//b?c"),
            ("http://localhost", Some("http://localhost"), "/"),
            ("http://localhost?a", Some("http://localhost"), "/?a"),
        ] {
            let target = Target::parse(text.as_bytes()).unwrap();
            assert_eq!((target.origin.as_deref(), target.path.as_str()), (origin, path), "{text}");
        }
    }

    #[test]
    fn the_host_is_without_a_password() {
        assert_eq!(Target::parse(b"https://me:pw@a.example:8443/x").unwrap().host(), "a.example:8443");
        assert_eq!(Target::parse(b"/x").unwrap().host(), "localhost");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "a.example",
            "a.example:443",
            "ftp://a/b",
            "//a/b c",
            "*",
            "/a b",
            "https://",
            "https:///x",
            "/\n",
            "x y",
        ] {
            assert!(Target::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
