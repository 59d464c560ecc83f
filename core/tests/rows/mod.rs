//! The rows of `tests/vectors/`, as every test of this crate reads them.
#![allow(dead_code, reason = "not every test reads every file")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use surehook_core::{ConfigError, Incoming, Timestamp, Verifier};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File<Row> {
    #[serde(rename = "description")]
    _description: String,
    #[serde(rename = "generator")]
    _generator: String,
    pub(crate) count: usize,
    pub(crate) flags: BTreeMap<String, String>,
    pub(crate) rows: Vec<Row>,
}

/// A request, and what checking it gives.
#[derive(Deserialize)]
pub(crate) struct VerifyRow<Expect> {
    pub(crate) id: String,
    #[serde(rename = "comment")]
    _comment: String,
    pub(crate) flags: Vec<String>,
    provider: String,
    secrets: Vec<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    url: Option<String>,
    headers: Vec<(String, Value)>,
    body: String,
    now: i64,
    options: Options,
    pub(crate) expect: Expect,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Bytes { base64: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    tolerance_seconds: Option<u64>,
    max_body_bytes: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretRow {
    pub(crate) id: String,
    #[serde(rename = "comment")]
    _comment: String,
    pub(crate) flags: Vec<String>,
    pub(crate) provider: String,
    pub(crate) secret: String,
    pub(crate) expect: String,
    pub(crate) says: Option<String>,
}

pub(crate) fn load<Row: DeserializeOwned>(name: &str) -> File<Row> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let file: File<Row> = serde_json::from_str(&text).unwrap();
    assert_eq!(file.rows.len(), file.count, "{name} was cut");
    file
}

impl<Expect> VerifyRow<Expect> {
    pub(crate) fn provider(&self) -> &str {
        &self.provider
    }

    /// The verifier of the row's endpoint.
    pub(crate) fn verifier(&self) -> Result<Verifier, ConfigError> {
        let mut verifier = Verifier::new(&self.provider, &self.secrets)?;
        if let Some(seconds) = self.options.tolerance_seconds {
            verifier = verifier.with_tolerance(Duration::from_secs(seconds))?;
        }
        if let Some(limit) = self.options.max_body_bytes {
            verifier = verifier.with_max_body_bytes(limit)?;
        }
        if let Some(url) = &self.url {
            verifier = verifier.with_url(url.split('?').next().unwrap())?;
        }
        verifier.complete()
    }

    /// Calls `with` with the row's request and the time of its check.
    pub(crate) fn with_request<T>(&self, with: impl FnOnce(&Incoming<'_>, Timestamp) -> T) -> T {
        let owned: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_bytes(), bytes(value))).collect();
        let headers: Vec<_> = owned.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let body = STANDARD.decode(&self.body).unwrap();
        let incoming = Incoming {
            method: self.method.as_deref().unwrap_or("POST"),
            path: self.url.as_deref().unwrap_or_default(),
            headers: &headers,
            body: &body,
        };
        with(&incoming, Timestamp::from_unix_seconds(self.now))
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Text(text) => text.as_bytes().to_vec(),
        Value::Bytes { base64 } => STANDARD.decode(base64).unwrap(),
    }
}
