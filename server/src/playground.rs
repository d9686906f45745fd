//! The playground's static files, built from `web-playground/` and carried in the binary.

use std::borrow::Cow;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;

use crate::base_path::BasePath;

#[derive(RustEmbed)]
#[folder = "../web-playground/dist/"]
struct Files;

/// Scripts and styles of our own only; GraphiQL's editor sets styles inline and starts workers.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; \
     connect-src 'self'; img-src 'self' data:; font-src 'self' data:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/// The encodings of a file that the build has written beside it, the preferred one first, with their extensions.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// What the page is relative to, as the build leaves it.
const BASE: &str = "<base href=\"/\"";

/// The routes of the playground. Any path of no other route is a page of it, which has a router of its own.
pub fn router(base_path: BasePath) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/favicon.svg", get(icon))
        .route("/assets/{*path}", get(asset))
        .fallback(get(page))
        .with_state(base_path)
}

/// The page.
async fn index(State(base_path): State<BasePath>, headers: HeaderMap) -> Response {
    let page = file(&headers, "index.html", "no-cache");
    match Files::get("index.html") {
        Some(html) if !base_path.as_str().is_empty() => below(base_path.as_str(), page, &html.data),
        _ => page,
    }
}

/// A page of the playground for requests that accept HTML; otherwise 404.
async fn page(base_path: State<BasePath>, headers: HeaderMap) -> Response {
    match headers.get(header::ACCEPT).is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html"))) {
        true => index(base_path, headers).await,
        false => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

/// `response` with the page relative to `base_path`. It is small, so it is not compressed.
fn below(base_path: &str, mut response: Response, html: &[u8]) -> Response {
    let html = String::from_utf8_lossy(html).replacen(BASE, &format!("<base href=\"{base_path}/\""), 1);
    response.headers_mut().remove(header::CONTENT_ENCODING);
    response.headers_mut().insert(header::CONTENT_LENGTH, html.len().into());
    *response.body_mut() = html.into();
    response
}

/// One of its assets. Their names carry a hash of their content, so they never change.
async fn asset(headers: HeaderMap, Path(path): Path<String>) -> Response {
    file(&headers, &format!("assets/{path}"), "public, max-age=31536000, immutable")
}

/// The notices of the packages in the page, compressed by gzip; nothing without a page.
pub fn notices() -> Option<Cow<'static, [u8]>> {
    Files::get("third-party.txt.gz").map(|file| file.data)
}

/// The icon.
async fn icon(headers: HeaderMap) -> Response {
    file(&headers, "favicon.svg", "public, max-age=86400")
}

fn file(request: &HeaderMap, path: &str, cache_control: &'static str) -> Response {
    let Some(file) = Files::get(path) else {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    let accepted = request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoded = ENCODINGS
        .iter()
        .filter(|(encoding, _)| accepts(accepted, encoding))
        .find_map(|(encoding, extension)| Some((*encoding, Files::get(&format!("{path}{extension}"))?.data)));
    let (encoding, data) = encoded.map_or((None, file.data), |(encoding, data)| (Some(encoding), data));
    let headers = [
        (header::CONTENT_TYPE, file.metadata.mimetype().parse().unwrap_or(HeaderValue::from_static("application/octet-stream"))),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache_control)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::VARY, HeaderValue::from_static("Accept-Encoding")),
    ];
    let body = match data {
        // All requests share these bytes. A slow reader holds no copy.
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        // A debug build reads the file.
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let mut response = (headers, body).into_response();
    if let Some(encoding) = encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Whether an `Accept-Encoding` header names an encoding, and not with a weight of 0.
fn accepts(header: &str, encoding: &str) -> bool {
    header.split(',').any(|item| {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(encoding) && weight.is_none_or(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_accepted_by_name_and_weight() {
        assert!(accepts("gzip, deflate, br", "br") && accepts("GZIP;q=0.5", "gzip") && accepts("br; q=1.0", "br"));
        assert!(!accepts("", "br") && !accepts("gzip;q=0, br;q=0.0", "gzip") && !accepts("brotli", "br"));
    }
}
