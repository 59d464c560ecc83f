//! What several of the exported functions convert.

use std::time::Duration;

use napi_derive::napi;
use smallvec::SmallVec;
use surehook::core::HeaderPairs;

/// A result whose error has one of Surehook's codes.
pub(crate) type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// An error as it crosses to JavaScript.
pub(crate) fn coded(error: surehook::Error) -> napi::Error<&'static str> {
    napi::Error::new(error.code(), error.to_string())
}

/// Header pairs on the stack, for all but unusual requests.
pub(crate) struct Headers<'a>(SmallVec<[(&'a [u8], &'a [u8]); 24]>);

impl<'a> Headers<'a> {
    /// Reads names and values in turn, one a line.
    pub(crate) fn unpack(packed: &'a str) -> Self {
        let mut lines = packed.split('\n').map(str::as_bytes);
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
    pub diagnosis: Option<String>,
    pub docs: String,
}

impl From<surehook::Rejection> for Rejection {
    fn from(rejection: surehook::Rejection) -> Self {
        Self {
            code: rejection.code().as_str().to_owned(),
            message: rejection.message().to_owned(),
            diagnosis: None,
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
    let whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    if whole { number as usize } else { 0 }
}
