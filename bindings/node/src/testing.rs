//! For an application's tests: telemetry in memory, a clock that stands still, requests as a provider signs them.

use std::sync::{Mutex, PoisonError};

use napi::bindgen_prelude::{Buffer, BufferSlice};
use napi_derive::napi;
use surehook::core::{ConfigError, Signer, Timestamp, Unsigned, generate_secret, scheme};
use surehook::{Client, ClientOptions, SystemClock};

use crate::convert::{self, Headers, Result, coded};

/// The clients that captures took the place of, the first one below. While there is one, `init` changes what is put back.
static REPLACED: Mutex<Vec<Option<Client>>> = Mutex::new(Vec::new());

/// Keeps a client for the end of the captures; false where there is none.
pub(crate) fn keep_for_later(client: &Client) -> bool {
    let mut replaced = REPLACED.lock().unwrap_or_else(PoisonError::into_inner);
    let first = replaced.first_mut();
    first.map(|earlier| *earlier = Some(client.clone())).is_some()
}

/// Whether attempts are kept in memory now.
pub(crate) fn is_capturing() -> bool {
    !REPLACED.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
}

/// Telemetry in memory, from its making until `stop`.
#[napi]
pub struct Capture {
    kept: surehook::Capture,
    taken: u32,
    is_on: bool,
}

#[napi]
impl Capture {
    #[napi(constructor)]
    pub fn new(runtime: String) -> Result<Self> {
        let kept = surehook::Capture::new();
        let client = Client::new(ClientOptions {
            capture: Some(kept.clone()),
            language: Some("node".to_owned()),
            runtime: Some(runtime),
            ..ClientOptions::default()
        });
        let earlier = surehook::replace(Some(client.map_err(coded)?));
        REPLACED.lock().unwrap_or_else(PoisonError::into_inner).push(earlier);
        Ok(Self { kept, taken: 0, is_on: true })
    }

    /// What was recorded since the last call, each attempt as JSON in the wire's form.
    #[napi]
    pub fn take(&mut self) -> Vec<String> {
        let attempts = self.kept.attempts();
        let new = attempts.iter().skip(self.taken as usize).filter_map(|one| serde_json::to_string(one).ok()).collect();
        self.taken = attempts.len() as u32;
        new
    }

    /// Puts back what was there before.
    #[napi]
    pub fn stop(&mut self) {
        if !std::mem::take(&mut self.is_on) {
            return;
        }
        let earlier = REPLACED.lock().unwrap_or_else(PoisonError::into_inner).pop();
        surehook::replace(earlier.flatten());
    }
}

/// Stops the clock at a time, or lets it run again.
#[napi]
pub fn freeze(at_ms: Option<f64>) {
    SystemClock::freeze(at_ms.map(|ms| Timestamp::from_unix_millis(ms as i64)));
}

#[napi]
pub fn fresh_secret(provider: String, random: BufferSlice<'_>) -> Result<String> {
    let scheme = scheme::find(&provider).ok_or_else(|| coded(ConfigError::unknown_provider(&provider)))?;
    let mut bytes = [0; 24];
    bytes.iter_mut().zip(random.iter()).for_each(|(byte, random)| *byte = *random);
    generate_secret(&scheme, &bytes).map_err(coded)
}

#[napi(object)]
pub struct SignOptions {
    /// One of the two is set.
    pub provider: Option<String>,
    /// A scheme of the user's own, as the JSON of a row of the table.
    pub scheme: Option<String>,
    pub secret: String,
    pub method: String,
    /// The public URL, without its query.
    pub url: Option<String>,
    /// Without its question mark.
    pub query: String,
    /// The headers it has already: names and values in turn, one a line.
    pub headers: String,
    pub message_id: String,
    /// Now by default.
    pub timestamp_ms: Option<f64>,
}

#[napi(object, object_from_js = false)]
pub struct Signed {
    /// What the provider adds: names and values in turn.
    pub headers: Vec<String>,
    pub body: Buffer,
}

/// A request as the provider sends it.
#[napi]
pub fn sign(options: SignOptions, body: BufferSlice<'_>) -> Result<Signed> {
    let provider = options.provider.unwrap_or_default();
    let own = convert::scheme(options.scheme.as_deref())?.map(std::sync::Arc::new);
    let scheme = own.or_else(|| scheme::find(&provider));
    let scheme = scheme.ok_or_else(|| coded(ConfigError::unknown_provider(&provider)))?;
    if scheme.signs_url() && options.url.is_none() {
        let fault = format!("{} signs the endpoint's public URL, so it has to be known", scheme.title);
        return Err(coded(ConfigError::invalid_option("url", fault)));
    }
    let headers = Headers::unpack(&options.headers);
    let now = || surehook::Clock::now(&SystemClock);
    let unsigned = Unsigned {
        method: &options.method,
        query: &options.query,
        headers: headers.pairs(),
        message_id: &options.message_id,
        timestamp: options.timestamp_ms.map_or_else(now, |ms| Timestamp::from_unix_millis(ms as i64)),
        body: &body,
    };
    let signer = Signer::new(scheme, &options.secret).map_err(coded)?;
    let signer = signer.with_url(options.url.as_deref().unwrap_or_default());
    let (headers, body) = signer.sign_request(&unsigned).map_err(coded)?;
    let headers = headers.into_iter().flat_map(|(name, value)| [name, value]).collect();
    Ok(Signed { headers, body: body.into() })
}
