//! Everything that can go wrong, each with its stable code and the HTTP status it is answered with.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// Why a collector could not be opened, or why a request was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot be used.
    #[error("the configuration cannot be used: {0}")]
    InvalidConfig(String),
    /// Another process has opened the data directory.
    #[error("another collector is using this data directory")]
    DataDirInUse,
    /// The database was written by a later version of the collector.
    #[error("the database has format {found}, this collector knows up to {known}; use a newer collector")]
    DatabaseTooNew {
        /// The format's number in the file.
        found: u32,
        /// The last number known to this collector.
        known: u32,
    },
    /// A file or a socket could not be used.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The database refused.
    #[error("the storage failed: {0}")]
    Storage(#[from] rusqlite::Error),
    /// The storage has more to do than it can take, or it was closed.
    #[error("the storage cannot take more now; try again")]
    StorageUnavailable,
    /// No random bytes could be had.
    #[error("the system gave no random bytes")]
    NoRandomness,

    /// No `Authorization: Bearer` header.
    #[error("send the API key as `Authorization: Bearer shk_…`")]
    MissingApiKey,
    /// The key is not one of this collector's.
    #[error("this API key is not known here")]
    InvalidApiKey,
    /// The key was revoked.
    #[error("this API key was revoked")]
    KeyRevoked,
    /// The `Content-Encoding` is not one that can be read.
    #[error("the content encoding must be gzip, zstd or identity")]
    UnsupportedEncoding,
    /// The body or the number of attempts is over the limit.
    #[error("the batch is too large: {0}")]
    BatchTooLarge(String),
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    RequestTimeout,
    /// The connection broke while the body was read.
    #[error("the body could not be read")]
    BodyUnreadable,
    /// The gzip stream is truncated or damaged.
    #[error("the body is not a whole gzip stream")]
    InvalidGzip,
    /// The zstd stream is truncated or damaged.
    #[error("the body is not a whole zstd stream")]
    InvalidZstd,
    /// The body is not JSON.
    #[error("the body is not JSON: {0}")]
    InvalidJson(String),
    /// The body is JSON, and not a batch.
    #[error("the body is not a batch: {0}")]
    InvalidBatch(String),
    /// The batch has a format that is not known here.
    #[error("batches of schema {0} are not known here; this collector reads schema 1")]
    UnsupportedSchema(String),

    /// The dashboard was asked for without a session.
    #[error("log in first")]
    LoginRequired,
    /// The login token is wrong.
    #[error("this is not the dashboard token")]
    InvalidToken,
    /// The collector was called under a name it does not serve its dashboard under.
    #[error("the dashboard is served under localhost only")]
    ForbiddenHost,
    /// The call came from a page of another site.
    #[error("calls from other sites are refused")]
    ForbiddenOrigin,
    /// A query parameter or a body member cannot be used.
    #[error("{0}")]
    InvalidRequest(String),
    /// Nothing here.
    #[error("there is nothing under this address")]
    NotFound,
    /// The address is there, the method is not.
    #[error("this method is not served here")]
    MethodNotAllowed,
}

impl Error {
    /// The stable code, e.g. `invalid_api_key`.
    pub fn code(&self) -> &'static str {
        self.row().1
    }

    fn row(&self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidConfig(_) => (StatusCode::INTERNAL_SERVER_ERROR, "invalid_config"),
            Self::DataDirInUse => (StatusCode::INTERNAL_SERVER_ERROR, "data_dir_in_use"),
            Self::DatabaseTooNew { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "database_too_new"),
            Self::Io(_) => (StatusCode::INTERNAL_SERVER_ERROR, "io"),
            Self::Storage(_) | Self::StorageUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable"),
            Self::NoRandomness => (StatusCode::INTERNAL_SERVER_ERROR, "no_randomness"),
            Self::MissingApiKey => (StatusCode::UNAUTHORIZED, "missing_api_key"),
            Self::InvalidApiKey => (StatusCode::UNAUTHORIZED, "invalid_api_key"),
            Self::KeyRevoked => (StatusCode::FORBIDDEN, "key_revoked"),
            Self::UnsupportedEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding"),
            Self::BatchTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "batch_too_large"),
            Self::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            Self::BodyUnreadable => (StatusCode::BAD_REQUEST, "body_unreadable"),
            Self::InvalidGzip => (StatusCode::BAD_REQUEST, "invalid_gzip"),
            Self::InvalidZstd => (StatusCode::BAD_REQUEST, "invalid_zstd"),
            Self::InvalidJson(_) => (StatusCode::BAD_REQUEST, "invalid_json"),
            Self::InvalidBatch(_) => (StatusCode::BAD_REQUEST, "invalid_batch"),
            Self::UnsupportedSchema(_) => (StatusCode::UNPROCESSABLE_ENTITY, "unsupported_schema"),
            Self::LoginRequired => (StatusCode::UNAUTHORIZED, "login_required"),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, "invalid_token"),
            Self::ForbiddenHost => (StatusCode::FORBIDDEN, "forbidden_host"),
            Self::ForbiddenOrigin => (StatusCode::FORBIDDEN, "forbidden_origin"),
            Self::InvalidRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        }
    }

    /// What the caller is told. Faults inside the collector are logged, not told.
    fn public_message(&self) -> String {
        match self {
            Self::Io(_) => "the collector failed".to_owned(),
            Self::Storage(_) => Self::StorageUnavailable.to_string(),
            other => other.to_string(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = self.row();
        if status.is_server_error() {
            tracing::warn!(code, error = %self, "a request failed");
        }
        let body = Json(json!({ "error": { "code": code, "message": self.public_message() } }));
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        // What is left of an unread body is not worth receiving.
        if matches!(self, Self::RequestTimeout | Self::BatchTooLarge(_)) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
