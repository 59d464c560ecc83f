//! The dashboard's files: built by the room `dashboard/`, carried inside the binary.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use rust_embed::RustEmbed;

use crate::error::Error;

/// The built dashboard. A release carries it; a debug build reads it from the checkout.
#[derive(RustEmbed)]
#[folder = "../dashboard/dist"]
#[allow_missing = true]
struct Files;

/// Served when the dashboard was not built.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Surehook</title>\
    <h1>The dashboard is not built</h1><p>Run <code>make dashboard</code>, then build the collector again.</p></html>";

const INDEX: &str = "index.html";

/// Types of the files that Vite makes.
const TYPES: [(&str, &str); 10] = [
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
    ("json", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("txt", "text/plain; charset=utf-8"),
];

/// Serves a file, or the page for every address that the dashboard's own router knows.
pub(crate) async fn serve(request: Request) -> Result<Response, Error> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Error::NotFound);
    }
    let path = request.uri().path().trim_start_matches('/');
    if ["api", "v1"].iter().any(|root| path == *root || path.starts_with(&format!("{root}/"))) {
        return Err(Error::NotFound);
    }
    if let Some(file) = Files::get(path) {
        return Ok(answer(path, file.data.into_owned()));
    }
    // A file that is missing is missing: a page in its place would be run as a script.
    if path.starts_with("assets/") {
        return Err(Error::NotFound);
    }
    let page = Files::get(INDEX).map_or_else(|| NOT_BUILT.as_bytes().to_vec(), |file| file.data.into_owned());
    Ok(answer(INDEX, page))
}

fn answer(path: &str, file: Vec<u8>) -> Response {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    let kind = TYPES.iter().find(|(known, _)| *known == extension).map_or("application/octet-stream", |(_, kind)| kind);
    // Vite puts a hash of the content into the names of assets.
    let caching = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = (StatusCode::OK, file).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}
