//! Receives a body, within a size and a time.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::error::Error;

/// Reads the whole body. A sender that trickles it is cut off after `patience`, whatever has arrived.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize, patience: Duration) -> Result<Bytes, Error> {
    let too_large = || Error::BatchTooLarge(format!("at most {limit} bytes may be sent"));
    if declared_length(headers).is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let whole = tokio::time::timeout(patience, Limited::new(body, limit).collect());
    match whole.await {
        Err(_) => Err(Error::RequestTimeout),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Error::BodyUnreadable),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
