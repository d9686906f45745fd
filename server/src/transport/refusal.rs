//! Responses to requests that do not reach the executor.

use async_graphql::{ErrorExtensionValues, Response as GraphqlResponse, ServerError};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Denied, accept::Media, encode};

/// The code of the error when a caller asks for too much at once.
pub(super) const RATE_LIMITED: &str = "RATE_LIMITED";

/// A response to a request that is not executed: a status, and one GraphQL error.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) body: Box<GraphqlResponse>,
    header: Option<(header::HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, body: Box::new(error(code, message)), header: None }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// Adds the `Allow` header with the supported methods.
    pub(super) fn allow(mut self, methods: &'static str) -> Self {
        self.header = Some((header::ALLOW, HeaderValue::from_static(methods)));
        self
    }

    /// The limit of open sockets and event streams is reached.
    pub(super) fn too_many_sockets() -> Self {
        let mut this =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "TOO_MANY_SOCKETS", "The server has as many sockets open as it may. Try again later.");
        this.header = Some((header::RETRY_AFTER, HeaderValue::from_static("5")));
        this
    }

    /// The HTTP response to a request whose result is [`RATE_LIMITED`].
    pub(super) fn rate_limited(response: GraphqlResponse) -> Self {
        let header = Some((header::RETRY_AFTER, HeaderValue::from_static("1")));
        Self { status: StatusCode::TOO_MANY_REQUESTS, body: Box::new(response), header }
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = encode::body(self.status, Media::Json, encode::json(&self.body));
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthenticated(message) => {
                let mut this = Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message);
                this.header = Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
                this
            }
            Denied::TooMany(message) => {
                let mut this = Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_ATTEMPTS", message);
                this.header = Some((header::RETRY_AFTER, HeaderValue::from_static("5")));
                this
            }
            Denied::Unavailable(message) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Self::into_response(self)
    }
}

/// A response with one error that has a code.
pub(super) fn error(code: &str, message: impl Into<String>) -> GraphqlResponse {
    let mut error = ServerError::new(message, None);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    error.extensions = Some(extensions);
    GraphqlResponse::from_errors(vec![error])
}

/// Whether the response is the error [`RATE_LIMITED`].
pub(super) fn is_rate_limited(response: &GraphqlResponse) -> bool {
    let code = |error: &ServerError| error.extensions.as_ref().is_some_and(|extensions| extensions.get("code") == Some(&RATE_LIMITED.into()));
    response.errors.iter().any(code)
}
