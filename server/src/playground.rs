//! The playground's static files, built from `web-playground/` and carried in the binary.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../web-playground/dist/"]
struct Files;

/// Scripts and styles of our own only; GraphiQL's editor sets styles inline and starts workers.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; \
     connect-src 'self'; img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub async fn index() -> Response {
    file("index.html", "no-cache")
}

/// A page of the playground for requests that accept HTML; otherwise 404.
pub async fn page(headers: HeaderMap) -> Response {
    match headers.get(header::ACCEPT).is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html"))) {
        true => index().await,
        false => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

/// One of its assets. Their names carry a hash of their content, so they never change.
pub async fn asset(Path(path): Path<String>) -> Response {
    file(&format!("assets/{path}"), "public, max-age=31536000, immutable")
}

/// The icon.
pub async fn icon() -> Response {
    file("favicon.svg", "public, max-age=86400")
}

fn file(path: &str, cache_control: &str) -> Response {
    let Some(file) = Files::get(path) else {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, file.metadata.mimetype().to_owned()),
        (header::CACHE_CONTROL, cache_control.to_owned()),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (headers, Body::from(file.data.into_owned())).into_response()
}
