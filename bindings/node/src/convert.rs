//! What several of the exported functions convert.

use std::collections::HashMap;
use std::time::Duration;

use napi::Either;
use napi_derive::napi;
use smallvec::SmallVec;
use surehook::core::HeaderPairs;
use surehook::{AttributeValue, Scheme};

/// A result whose error has one of Surehook's codes.
pub(crate) type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// An error as it crosses to JavaScript. What was found about a secret goes along as its cause.
pub(crate) fn coded(error: surehook::Error) -> napi::Error<&'static str> {
    let mut crossing = napi::Error::new(error.code(), error.to_string());
    if let surehook::Error::SecretInvalid { finding: Some(finding), .. } = error {
        crossing.set_cause(napi::Error::from_reason(finding.as_str()));
    }
    crossing
}

/// A scheme of the user's own, as JSON.
pub(crate) fn scheme(json: Option<&str>) -> Result<Option<Scheme>> {
    json.map(|json| Scheme::from_json(json).map_err(coded)).transpose()
}

/// The method and the path with its query, as `POST /hooks?tenant=1`: one text is handed over faster than two.
pub(crate) fn request_line(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}

/// Header pairs on the stack, for all but unusual requests.
pub(crate) struct Headers<'a>(SmallVec<[(&'a [u8], &'a [u8]); 24]>);

/// Names and values in turn, one a line, as the bytes that they were on the wire.
pub(crate) struct Packed(Vec<u8>);

impl From<String> for Packed {
    /// `node:http` shows each byte as one character. A text with any other character never was on a wire: it is taken as UTF-8.
    fn from(packed: String) -> Self {
        if packed.is_ascii() {
            return Self(packed.into_bytes());
        }
        let mut bytes = Vec::with_capacity(packed.len());
        for (place, line) in packed.split('\n').enumerate() {
            if place > 0 {
                bytes.push(b'\n');
            }
            match line.chars().map(u8::try_from).collect::<std::result::Result<Vec<u8>, _>>() {
                Ok(octets) => bytes.extend(octets),
                Err(_) => bytes.extend(line.bytes()),
            }
        }
        Self(bytes)
    }
}

impl<'a> Headers<'a> {
    /// Reads names and values in turn.
    pub(crate) fn unpack(packed: &'a Packed) -> Self {
        let mut lines = packed.0.split(|byte| *byte == b'\n');
        let pairs = std::iter::from_fn(|| Some((lines.next()?, lines.next()?)));
        Self(pairs.collect())
    }

    pub(crate) fn pairs(&self) -> HeaderPairs<'_> {
        &self.0
    }
}

/// Why a request was refused.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Rejection {
    pub code: String,
    pub message: String,
    pub diagnosis: Option<Diagnosis>,
    pub docs: String,
}

/// Its cause, where one was found.
#[napi(object, object_from_js = false)]
pub struct Diagnosis {
    pub finding: String,
    pub certainty: String,
    pub evidence: String,
    pub fix: String,
}

impl From<&surehook::Diagnosis> for Diagnosis {
    fn from(diagnosis: &surehook::Diagnosis) -> Self {
        Self {
            finding: diagnosis.finding.as_str().to_owned(),
            certainty: diagnosis.certainty.as_str().to_owned(),
            evidence: diagnosis.evidence.clone(),
            fix: diagnosis.fix.clone(),
        }
    }
}

impl From<surehook::Rejection> for Rejection {
    fn from(rejection: surehook::Rejection) -> Self {
        Self {
            code: rejection.code().as_str().to_owned(),
            message: rejection.message().to_owned(),
            diagnosis: rejection.diagnosis().map(Diagnosis::from),
            docs: rejection.docs(),
        }
    }
}

/// A number of seconds; one that is no time at all becomes zero, which every range refuses.
pub(crate) fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or_default()
}

/// A number of bytes; the same for one that is not a whole number.
pub(crate) fn bytes(number: f64) -> usize {
    usize::try_from(whole(number)).ok().filter(|bytes| *bytes <= u32::MAX as usize).unwrap_or(0)
}

/// A whole number; zero for one that is none.
pub(crate) fn whole(number: f64) -> u64 {
    const SAFE: f64 = 9_007_199_254_740_991.0;
    if number.fract() == 0.0 && (0.0..=SAFE).contains(&number) { number as u64 } else { 0 }
}

/// Values that explain a failure, as the JSON of an object.
pub(crate) fn metadata(json: Option<&str>) -> serde_json::Map<String, serde_json::Value> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// What a trace is told: names, and texts or numbers.
pub(crate) type Attributes = HashMap<&'static str, Either<String, f64>>;

pub(crate) fn attributes(attributes: Vec<surehook::Attribute>) -> Attributes {
    let value = |value| match value {
        AttributeValue::Text(text) => Either::A(text),
        AttributeValue::Number(number) => Either::B(number as f64),
    };
    attributes.into_iter().map(|(name, told)| (name, value(told))).collect()
}
