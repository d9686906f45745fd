//! Requests to stores, over the HTTP client and the TLS that the rest of the control plane uses.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::{
    ClientOptions,
    client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService},
};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long nothing may arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain = options.get_config_value(&object_store::ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let client = reqwest::Client::builder()
            .https_only(!plain)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|source| object_store::Error::Generic { store: "HTTP", source: Box::new(source) })?;
        Ok(HttpClient::new(Client(client)))
    }
}

#[derive(Debug)]
struct Client(reqwest::Client);

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let url = parts.uri.to_string();
        let request = self.0.request(parts.method, url).headers(parts.headers).body(body);
        let response: http::Response<reqwest::Body> = request.send().await.map_err(failed)?.into();
        let (parts, body) = response.into_parts();
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body.map_err(failed))))
    }
}

/// The kind decides whether the request is repeated.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_decode() {
        HttpErrorKind::Decode
    } else if is_interrupted(&error) {
        // Every request may be repeated, although the store may have done what it was asked to: what is created is compared with what is
        // there. (`Interrupted` is repeated for some requests only.)
        HttpErrorKind::Request
    } else {
        HttpErrorKind::Unknown
    };
    // The URL may have a signature in it.
    HttpError::new(kind, error.without_url())
}

/// Whether the connection was lost. Stores close those that are idle, also while a request is on its way.
fn is_interrupted(error: &dyn Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    std::iter::successors(error.source(), |&error| error.source()).any(|error| {
        let lost = |error: &hyper::Error| error.is_closed() || error.is_incomplete_message() || error.is_body_write_aborted();
        error.downcast_ref().is_some_and(lost)
            || error
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| matches!(error.kind(), ConnectionAborted | ConnectionReset | BrokenPipe | UnexpectedEof))
    })
}
