//! `POST /v1/batches`: from a request to rows on the disk, every byte of it mistrusted.

pub(crate) mod body;
mod decode;
mod encoding;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::state::Shared;
use crate::store::{Stored, Submission};
use encoding::Encoding;

/// What the sender is told.
#[derive(Serialize)]
struct Answer {
    accepted: usize,
    duplicates: usize,
    rejected: Vec<decode::Refused>,
}

/// Takes a batch, and answers once it is on the disk.
pub(crate) async fn batches(State(shared): State<Shared>, request: Request) -> Result<Response, Error> {
    let (head, body) = request.into_parts();
    let key = shared.keys.authorize(&head.headers)?;
    let encoding = Encoding::of(&head.headers)?;
    let limits = &shared.config.limits;
    let body = body::read(&head.headers, body, limits.compressed_bytes, limits.receive_timeout).await?;

    let (wait, rejected) = submit(&shared, key, encoding, body).await?;
    let Stored { accepted, duplicates } = wait.await.map_err(|_| Error::StorageUnavailable)??;
    Ok((StatusCode::ACCEPTED, Json(Answer { accepted, duplicates, rejected })).into_response())
}

type Wait = oneshot::Receiver<Result<Stored, Error>>;

/// Decodes a body and hands it to the writer.
async fn submit(
    shared: &Shared,
    key: i64,
    encoding: Encoding,
    body: bytes::Bytes,
) -> Result<(Wait, Vec<decode::Refused>), Error> {
    let limits = shared.config.limits.clone();
    let permit = shared.decoding.clone().acquire_owned().await.map_err(|_| Error::StorageUnavailable)?;
    // A body of 8 MiB takes tens of milliseconds: not on a thread that other requests wait for.
    let work = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let text = encoding.decode(&body, limits.decompressed_bytes)?;
        decode::batch(&text, limits.attempts_per_batch)
    });
    let decoded = work.await.map_err(|_| Error::StorageUnavailable)??;
    let (stored, wait) = oneshot::channel();
    shared.writer.submit(Submission {
        key: Some(key),
        instance: decoded.instance,
        sent_at: decoded.sent_at,
        dropped: decoded.dropped,
        refused: decoded.refused,
        attempts: decoded.attempts,
        stored,
    })?;
    Ok((wait, decoded.rejected))
}
