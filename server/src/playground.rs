//! The playground's static files, built from `web-playground/` and carried in the binary. The build compresses them; those that are large
//! are in the binary in no other form.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use flate2::read::GzDecoder;
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

/// How much of a file is decompressed at a time.
const CHUNK_BYTES: usize = 16 * 1024;

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
    let accepted = request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoded = ENCODINGS
        .iter()
        .filter(|(encoding, _)| accepts(accepted, encoding))
        .find_map(|(encoding, extension)| Some((*encoding, embedded(&format!("{path}{extension}"))?)));
    let mut response = match encoded {
        Some((encoding, bytes)) => ([(header::CONTENT_ENCODING, HeaderValue::from_static(encoding))], bytes).into_response(),
        None => match (embedded(path), embedded(&format!("{path}.gz"))) {
            (Some(bytes), _) => bytes.into_response(),
            (None, Some(gzip)) => decompressed(gzip),
            (None, None) => return (StatusCode::NOT_FOUND, "not found\n").into_response(),
        },
    };
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind.as_ref().parse().unwrap_or(HeaderValue::from_static("application/octet-stream")));
    for (name, value) in [
        (header::CACHE_CONTROL, cache_control),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::VARY, "Accept-Encoding"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A file as the build has left it.
fn embedded(path: &str) -> Option<Bytes> {
    Some(match Files::get(path)?.data {
        // All requests share these bytes. A slow reader holds no copy.
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        // A debug build reads the file.
        Cow::Owned(bytes) => Bytes::from(bytes),
    })
}

/// The content of a file for a client that accepts no compression. A slow reader holds one chunk of it.
fn decompressed(gzip: Bytes) -> Response {
    // The last four bytes are the length of the content (RFC 1952, section 2.3.1).
    let length = gzip.last_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    let decoder = GzDecoder::new(io::Cursor::new(gzip));
    let chunks = futures::stream::try_unfold(decoder, async |mut decoder| {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        decoder.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
        Ok::<_, io::Error>((!chunk.is_empty()).then_some((chunk, decoder)))
    });
    ([(header::CONTENT_LENGTH, HeaderValue::from(length))], Body::from_stream(chunks)).into_response()
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
