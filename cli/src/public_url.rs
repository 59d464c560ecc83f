//! The public URL of an endpoint, which some providers sign.

use crate::saved::{SavedRequest, Target, header_values};

/// A URL as the provider knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    /// Without its query, in the words it was given.
    pub(crate) base: String,
    pub(crate) query: Option<String>,
}

impl PublicUrl {
    /// From an `http://` or `https://` URL. Nothing is normalized: the provider signs what it was told.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let target = Target::parse(text.as_bytes())?;
        if target.origin.is_none() {
            return Err("it must begin with http:// or https://".to_owned());
        }
        let text = text.split('#').next().unwrap_or_default();
        let (base, query) = match text.split_once('?') {
            Some((base, query)) => (base, Some(query.to_owned())),
            None => (text, None),
        };
        Ok(Self { base: base.to_owned(), query })
    }

    /// As far as a request tells: its own URL, or `https://` and its `Host`.
    pub(crate) fn of_request(request: &SavedRequest) -> Option<Self> {
        let origin = match &request.target.origin {
            Some(origin) => origin.clone(),
            None => format!("https://{}", std::str::from_utf8(header_values(&request.headers, "host").next()?).ok()?),
        };
        Self::parse(&format!("{origin}{}", request.target.path)).ok()
    }

    /// Without what may be a password in it.
    pub(crate) fn shown(&self) -> String {
        match self.base.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?.1))) {
            Some((scheme, rest)) => format!("{scheme}://{rest}"),
            None => self.base.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved::Header;

    #[test]
    fn a_url_is_parted_from_its_query_and_otherwise_kept() {
        for (text, base, query) in [
            ("https://a.example", "https://a.example", None),
            ("https://A.example:443/x%2F?b=c?d#e", "https://A.example:443/x%2F", Some("b=c?d")),
            ("http://a/?", "http://a/", Some("")),
        ] {
            let url = PublicUrl::parse(text).unwrap();
            assert_eq!((url.base.as_str(), url.query.as_deref()), (base, query), "{text}");
        }
        for text in ["", "/x", "a.example/x", "ftp://a/x", "https://a /x"] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
        assert_eq!(PublicUrl::parse("https://me:canary@a/x?canary").unwrap().shown(), "https://a/x");
    }

    #[test]
    fn a_request_tells_its_url_as_far_as_it_can() {
        let mut request = SavedRequest {
            method: "POST".into(),
            target: Target::parse(b"/x?y").unwrap(),
            headers: Vec::new(),
            body: Vec::new(),
            notes: Vec::new(),
        };
        assert_eq!(PublicUrl::of_request(&request), None);
        request.headers.push(Header::new(b"Host", b"app.example").unwrap());
        assert_eq!(PublicUrl::of_request(&request), PublicUrl::parse("https://app.example/x?y").ok());
        request.target = Target::parse(b"http://localhost:3000/x").unwrap();
        assert_eq!(PublicUrl::of_request(&request), PublicUrl::parse("http://localhost:3000/x").ok());
    }
}
