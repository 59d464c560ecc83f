//! For an application's tests: telemetry in memory, a clock that stands still, requests as a provider signs them.

use std::sync::{Mutex, PoisonError};

use napi::bindgen_prelude::{Buffer, BufferSlice};
use napi_derive::napi;
use surehook::core::{ConfigError, SignedRequest, Signer, Timestamp, Unsigned, generate_secret, scheme};
use surehook::{Client, ClientOptions, SystemClock};

use crate::convert::{self, Headers, Packed, Result, coded};

/// The captures that are on, the one that telemetry goes to last. They may end in any order: tests may run side by side.
static CAPTURES: Mutex<Vec<(surehook::Capture, Client)>> = Mutex::new(Vec::new());

/// Telemetry in memory, from its making until `stop`.
#[napi]
pub struct Capture {
    kept: surehook::Capture,
    taken: usize,
}

#[napi]
impl Capture {
    #[napi(catch_unwind, constructor)]
    pub fn new(runtime: String) -> Result<Self> {
        let kept = surehook::Capture::new();
        let options = ClientOptions {
            capture: Some(kept.clone()),
            language: Some("node".to_owned()),
            runtime: Some(runtime),
            ..ClientOptions::default()
        };
        let client = Client::new(options).map_err(coded)?;
        let mut captures = CAPTURES.lock().unwrap_or_else(PoisonError::into_inner);
        captures.push((kept.clone(), client.clone()));
        surehook::divert(Some(client));
        Ok(Self { kept, taken: 0 })
    }

    /// What was recorded since the last call, each attempt as JSON in the wire's form.
    #[napi(catch_unwind)]
    pub fn take(&mut self) -> Vec<String> {
        let attempts = self.kept.attempts();
        let new = attempts.iter().skip(self.taken).filter_map(|one| serde_json::to_string(one).ok()).collect();
        self.taken = attempts.len();
        new
    }

    /// Telemetry goes where it went before.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        let mut captures = CAPTURES.lock().unwrap_or_else(PoisonError::into_inner);
        captures.retain(|(kept, _)| *kept != self.kept);
        surehook::divert(captures.last().map(|(_, client)| client.clone()));
    }
}

/// Stops the clock at a time, or lets it run again.
#[napi(catch_unwind)]
pub fn freeze(at_ms: Option<f64>) {
    SystemClock::freeze(at_ms.map(|ms| Timestamp::from_unix_millis(ms as i64)));
}

#[napi(catch_unwind)]
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
    /// Without its question mark.
    pub query: String,
    /// What the provider adds: names and values in turn.
    pub headers: Vec<String>,
    pub body: Buffer,
}

/// A request as the provider sends it.
#[napi(catch_unwind)]
pub fn sign(options: SignOptions, body: BufferSlice<'_>) -> Result<Signed> {
    let provider = options.provider.unwrap_or_default();
    let own = convert::scheme(options.scheme.as_deref())?.map(std::sync::Arc::new);
    let scheme = own.or_else(|| scheme::find(&provider));
    let scheme = scheme.ok_or_else(|| coded(ConfigError::unknown_provider(&provider)))?;
    if scheme.signs_url() && options.url.is_none() {
        let fault = format!("{} signs the endpoint's public URL, so it has to be known", scheme.title);
        return Err(coded(ConfigError::invalid_option("url", fault)));
    }
    let packed = Packed::from(options.headers);
    let headers = Headers::unpack(&packed);
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
    let SignedRequest { query, headers, body } = signer.sign_request(&unsigned).map_err(coded)?;
    let headers = headers.into_iter().flat_map(|(name, value)| [name, value]).collect();
    Ok(Signed { query, headers, body: body.into() })
}
