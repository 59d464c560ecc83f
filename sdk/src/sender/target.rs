//! Where batches go: one HTTP POST, and what its answer means.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, Url};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use surehook_core::ConfigError;

use crate::tls;

/// A collector that does not answer within this time has failed.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A collector that does not accept a connection within this time has failed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// No collector's answer is longer; the rest is not read.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// A collector's address, the key for it, and whom to believe that it is the collector.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    url: Url,
    authorization: HeaderValue,
    /// Certificates of authorities that are trusted beside those of the system.
    authorities: Vec<CertificateDer<'static>>,
}

/// What came back for a batch.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Target {
    /// Reads the address and the key.
    pub(crate) fn new(address: &str, key: &str) -> Result<Self, ConfigError> {
        let wrong_address = |fault: &str| ConfigError::invalid_option("endpoint", fault);
        let mut url = Url::parse(address)
            .map_err(|_| wrong_address("it must be an http:// or https:// URL, e.g. http://127.0.0.1:4600"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong_address("it must be an http:// or https:// URL with a host"));
        }
        url.path_segments_mut()
            .map_err(|()| wrong_address("it must be an http:// or https:// URL"))?
            .pop_if_empty()
            .extend(["v1", "batches"]);
        let mut authorization = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| ConfigError::invalid_option("api_key", "it holds characters that no key has"))?;
        authorization.set_sensitive(true);
        Ok(Self { url, authorization, authorities: Vec::new() })
    }

    /// Also trusts the authorities of a PEM file.
    pub(crate) fn with_authorities(mut self, file: &Path) -> Result<Self, ConfigError> {
        self.authorities = authorities(file).map_err(|fault| ConfigError::invalid_option("ca_file", fault))?;
        Ok(self)
    }

    /// The address, for people: without user name, password and query.
    pub(crate) fn address(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The HTTP client for this collector: one connection, kept open.
    pub(crate) fn connect(&self) -> reqwest::Result<Client> {
        tls::install_provider();
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let authorities: Vec<Certificate> =
            self.authorities.iter().map(|authority| Certificate::from_der(authority)).collect::<Result<_, _>>()?;
        Client::builder()
            .tls_certs_merge(authorities)
            .default_headers(headers)
            .user_agent(concat!("surehook/", env!("CARGO_PKG_VERSION")))
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(1)
            .redirect(reqwest::redirect::Policy::none())
            .build()
    }

    /// Posts an encoded batch once.
    pub(crate) async fn post(&self, client: &Client, gzipped: Vec<u8>) -> reqwest::Result<Reply> {
        let response = client.post(self.url.clone()).body(gzipped).send().await?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = read(response).await?;
        Ok(Reply { status, retry_after, body })
    }
}

/// The certificates of a PEM file, or what is wrong with it.
fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(file).map_err(|error| format!("it cannot be read: {error}"))?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "it is not a PEM file".to_owned())?;
    let (usable, unusable) = RootCertStore::empty().add_parsable_certificates(certificates.iter().cloned());
    match (usable, unusable) {
        (0, _) => Err("it holds no certificate of an authority, in PEM form".to_owned()),
        (_, 0) => Ok(certificates),
        _ => Err(format!("{unusable} of its certificates cannot be read")),
    }
}

/// Compresses a batch for the way.
pub(crate) fn compress(json: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(json.len() / 4), Compression::fast());
    encoder.write_all(json)?;
    encoder.finish()
}

async fn read(mut response: Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_added_to_any_base() {
        for (base, url) in [
            ("http://127.0.0.1:4600", "http://127.0.0.1:4600/v1/batches"),
            ("https://hooks.example/", "https://hooks.example/v1/batches"),
            ("https://example/surehook/", "https://example/surehook/v1/batches"),
        ] {
            assert_eq!(Target::new(base, "shk_1").unwrap().url.as_str(), url);
        }
    }

    #[test]
    fn a_file_without_authorities_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (name, text) in [("missing", None), ("empty", Some("")), ("key", Some("a key")), ("broken", Some(broken))] {
            let file = directory.path().join(name);
            text.map_or(Ok(()), |text| std::fs::write(&file, text)).unwrap();
            let target = Target::new("https://collector.example", "shk_1").unwrap();
            assert_eq!(target.with_authorities(&file).err().unwrap().code(), "invalid_option", "{name}");
        }
    }

    #[test]
    fn addresses_and_keys_that_cannot_work_are_refused() {
        for base in ["", "collector:4600", "ftp://x", "/v1", "unix:/x"] {
            assert_eq!(Target::new(base, "shk_1").err().unwrap().code(), "invalid_option", "{base}");
        }
        let wrong_key = Target::new("http://x", "shk_1\r\nx-y: 1").err().unwrap();
        assert!(!wrong_key.to_string().contains("shk_1"));
    }
}
