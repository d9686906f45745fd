//! Queries and mutations over HTTP, on one connection per command.

use cynic::{GraphQlResponse, Operation};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{sync::Mutex, time::timeout};
use url::Host;

use crate::{
    connection::{connect, unreachable},
    context::{Environment, ServerOptions, Target},
    failure::{Failure, Kind, Result},
    words::worded,
};

/// A client of one server.
pub(crate) struct Client {
    pub(crate) target: Target,
    connection: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

/// An error of a GraphQL request. Errors in the input of a mutation are user errors instead.
#[derive(Debug, Deserialize)]
pub(crate) struct RequestError {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) extensions: Extensions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Extensions {
    #[serde(default)]
    pub(crate) code: String,
    request_id: Option<String>,
}

impl Client {
    pub(crate) fn new(options: &ServerOptions, environment: &Environment) -> Result<Self> {
        Ok(Self { target: options.target(environment)?, connection: Mutex::new(None) })
    }

    #[cfg(test)]
    pub(crate) fn of_url(url: &str) -> Self {
        use crate::context::REQUEST_TIMEOUT;
        Self {
            target: Target { url: url.parse().expect("tests use valid URLs"), token: None, request_timeout: REQUEST_TIMEOUT },
            connection: Mutex::new(None),
        }
    }

    /// Runs a query or mutation.
    pub(crate) async fn run<D: DeserializeOwned, V: Serialize>(&self, operation: Operation<D, V>) -> Result<D> {
        let body =
            serde_json::to_vec(&operation).map_err(|error| Failure::new(Kind::Failed, format!("the request cannot be serialized: {error}")))?;
        let (status, answer) = self.post(body).await?;
        let answer: GraphQlResponse<D, Extensions> = match serde_json::from_slice(&answer) {
            Ok(answer) => answer,
            Err(_) if status == StatusCode::UNAUTHORIZED => return Err(self.unauthenticated("")),
            Err(_) => return Err(self.not_toygres(status)),
        };
        if let Some(error) = answer.errors.unwrap_or_default().into_iter().next() {
            return Err(self.failure(RequestError { message: error.message, extensions: error.extensions.unwrap_or_default() }));
        }
        answer.data.ok_or_else(|| self.not_toygres(status))
    }

    /// The URL of the dashboard.
    pub(crate) fn page(&self) -> String {
        self.target.url.join(".").map_or_else(|_| self.target.url.to_string(), |url| url.to_string())
    }

    /// Whether the server listens on a loopback address.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        match self.target.url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// The failure for an error of a request.
    pub(crate) fn failure(&self, RequestError { message, extensions: Extensions { code, request_id } }: RequestError) -> Failure {
        match code.as_str() {
            "UNAUTHENTICATED" => self.unauthenticated(&message),
            "FORBIDDEN" => Failure::new(Kind::Denied, format!("{message}. Use a token with that role (TOYGRES_TOKEN, or a context).")),
            "UNAVAILABLE" => Failure::new(Kind::Unreachable, format!("the server is not ready: {message}")),
            "NOT_FOUND" => Failure::new(Kind::NotFound, message),
            "CONFLICT" => Failure::new(Kind::Conflict, message),
            "BAD_USER_INPUT" => Failure::usage(worded(&message)),
            "BAD_REQUEST" => Failure::new(
                Kind::Failed,
                format!("{message}\n(the server does not support this request; this client is version {})", env!("CARGO_PKG_VERSION")),
            ),
            _ => {
                let id = request_id.map(|id| format!(" (request {id})")).unwrap_or_default();
                Failure::new(Kind::Failed, format!("internal error of the server: {message}{id}"))
            }
        }
    }

    /// The failure when the server requires a token, or rejects the one that was sent.
    pub(crate) fn unauthenticated(&self, reason: &str) -> Failure {
        let origin = self.target.url.origin().ascii_serialization();
        let message = match self.target.token.is_some() {
            true => format!(
                "{origin} rejected the token{}: it is invalid, expired or revoked; set another in TOYGRES_TOKEN or in the context",
                in_parentheses(reason)
            ),
            false => format!(
                "{origin} requires a token: set TOYGRES_TOKEN, or add a context (`toygres context set NAME --url URL --token-file FILE`); \
                 `toygres token create --local` on the server's machine creates the first token"
            ),
        };
        Failure::new(Kind::Denied, message)
    }

    async fn post(&self, body: Vec<u8>) -> Result<(StatusCode, Bytes)> {
        let url = &self.target.url;
        let lost = |error: hyper::Error| {
            Failure::new(
                Kind::Unreachable,
                format!("the connection to {} was lost: {error}; the request may have been carried out", url.origin().ascii_serialization()),
            )
        };
        let mut connection = self.connection.lock().await;
        let sender = match &mut *connection {
            Some(sender) if !sender.is_closed() => sender,
            none => {
                let stream = TokioIo::new(connect(url, self.target.request_timeout).await?);
                let (sender, driver) = handshake(stream).await.map_err(|error| unreachable(url, &error.to_string()))?;
                // This task ends with the connection. Its errors are also returned to the request.
                tokio::spawn(driver);
                none.insert(sender)
            }
        };
        let mut request = Request::post(url.path()).header(header::HOST, host_header(url));
        request = request.header(header::CONTENT_TYPE, "application/json").header(header::ACCEPT, "application/graphql-response+json");
        if let Some(token) = &self.target.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| self.malformed_token())?;
        let limit = self.target.request_timeout;
        let answer = async {
            sender.ready().await?;
            sender.send_request(request).await
        };
        let response = timeout(limit, answer).await.map_err(|_| self.silent("has not begun to answer"))?.map_err(lost)?;
        let status = response.status();
        let body = timeout(limit, response.into_body().collect()).await.map_err(|_| self.silent("has not finished its answer"))?.map_err(lost)?;
        Ok((status, body.to_bytes()))
    }

    /// The failure when the server accepts connections but does not answer.
    fn silent(&self, what: &str) -> Failure {
        let Target { url, request_timeout, .. } = &self.target;
        Failure::new(
            Kind::Unreachable,
            format!(
                "{url} accepts connections but {what} within {}s; a change that was requested may have been carried out. Check that this is a \
                 Toygres server (--url, TOYGRES_URL or a context) and that it works, or give it more time with --request-timeout.",
                request_timeout.as_secs()
            ),
        )
    }

    /// The failure for a token that is no valid header value.
    pub(crate) fn malformed_token(&self) -> Failure {
        Failure::new(Kind::Denied, "the token contains invalid characters: copy it again")
    }

    fn not_toygres(&self, status: StatusCode) -> Failure {
        Failure::new(
            Kind::Unreachable,
            format!("{} answered {status} and is not a Toygres server: check --url, TOYGRES_URL or the context", self.target.url),
        )
    }
}

/// The value of the header `Host`.
pub(crate) fn host_header(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn in_parentheses(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}
