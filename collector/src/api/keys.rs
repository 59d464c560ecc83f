//! `POST /api/keys` and `DELETE /api/keys/{id}`.

use axum::Json;
use axum::extract::{Path, Request, State};
use http::StatusCode;
use serde::Deserialize;

use super::read_json;
use crate::auth::keys::{self, Created};
use crate::error::Error;
use crate::state::Shared;

#[derive(Deserialize)]
struct NewKey {
    name: String,
}

pub(super) async fn create(
    State(shared): State<Shared>,
    request: Request,
) -> Result<(StatusCode, Json<Created>), Error> {
    let NewKey { name } = read_json(&shared, request).await?;
    keys::check_name(&name)?;
    let key = keys::new_key()?;
    let created = blocking(shared, move |shared| shared.insert_key(&name, &key)).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

pub(super) async fn revoke(State(shared): State<Shared>, Path(id): Path<String>) -> Result<StatusCode, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let found = blocking(shared, move |shared| shared.revoke_key(id)).await?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(Error::NotFound) }
}

async fn blocking<T: Send + 'static>(
    shared: Shared,
    work: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(move || work(&shared)).await.map_err(|_| Error::StorageUnavailable)?
}
