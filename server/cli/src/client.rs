//! Requests over HTTP: one connection per command.

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
use tokio::sync::Mutex;

use super::{
    connection::{connect, unreachable},
    context::{Environment, ServerOptions, Target},
    failure::{Failure, Kind, Result},
};

/// A client of one server.
pub(super) struct Client {
    pub(super) target: Target,
    connection: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

/// An error of the whole request, as against a mistake in the input of a mutation.
#[derive(Debug, Deserialize)]
pub(super) struct Fault {
    pub(super) message: String,
    #[serde(default)]
    pub(super) extensions: Extensions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extensions {
    #[serde(default)]
    pub(super) code: String,
    request_id: Option<String>,
}

impl Client {
    pub(super) fn new(options: &ServerOptions, environment: &Environment) -> Result<Self> {
        Ok(Self { target: options.target(environment)?, connection: Mutex::new(None) })
    }

    /// Runs a query or mutation.
    pub(super) async fn run<D: DeserializeOwned, V: Serialize>(&self, operation: Operation<D, V>) -> Result<D> {
        let body = serde_json::to_vec(&operation).map_err(|error| Failure::new(Kind::Failed, format!("the request cannot be written: {error}")))?;
        let (status, answer) = self.post(body).await?;
        let answer: GraphQlResponse<D, Extensions> = match serde_json::from_slice(&answer) {
            Ok(answer) => answer,
            Err(_) if status == StatusCode::UNAUTHORIZED => return Err(self.unauthenticated("")),
            Err(_) => return Err(self.not_toygres(status)),
        };
        if let Some(error) = answer.errors.unwrap_or_default().into_iter().next() {
            return Err(self.fault(Fault { message: error.message, extensions: error.extensions.unwrap_or_default() }));
        }
        answer.data.ok_or_else(|| self.not_toygres(status))
    }

    /// What a fault means for the caller.
    pub(super) fn fault(&self, Fault { message, extensions: Extensions { code, request_id } }: Fault) -> Failure {
        match code.as_str() {
            "UNAUTHENTICATED" => self.unauthenticated(&message),
            "FORBIDDEN" => Failure::new(Kind::Refused, format!("{message}. Use a token with that role (TOYGRES_TOKEN, or a context).")),
            "UNAVAILABLE" => Failure::new(Kind::Unreachable, format!("the server is not ready: {message}")),
            "NOT_FOUND" => Failure::new(Kind::NotFound, message),
            "CONFLICT" => Failure::new(Kind::Conflict, message),
            "BAD_USER_INPUT" => Failure::usage(message),
            "BAD_REQUEST" => Failure::new(
                Kind::Failed,
                format!(
                    "{message}\n(the server does not understand this client: is it older or newer? `toygres --version` is {})",
                    env!("CARGO_PKG_VERSION")
                ),
            ),
            _ => {
                let id = request_id.map(|id| format!(" (request {id})")).unwrap_or_default();
                Failure::new(Kind::Failed, format!("the server failed: {message}{id}"))
            }
        }
    }

    /// What to say when the server wants a token, or a better one.
    pub(super) fn unauthenticated(&self, why: &str) -> Failure {
        let origin = self.target.url.origin().ascii_serialization();
        let message = match self.target.token.is_some() {
            true => format!(
                "{origin} refused the token{}: it is wrong, expired or revoked; set TOYGRES_TOKEN to another, or change the context's",
                of(why)
            ),
            false => format!(
                "{origin} asks for a token: set TOYGRES_TOKEN, or keep one in a context (`toygres context set NAME --url URL --token-file FILE`); \
                 the first one is made on the server's machine by `toygres token create --local`"
            ),
        };
        Failure::new(Kind::Refused, message)
    }

    async fn post(&self, body: Vec<u8>) -> Result<(StatusCode, Bytes)> {
        let url = &self.target.url;
        let lost = |error: hyper::Error| {
            Failure::new(
                Kind::Unreachable,
                format!("{} broke off: {error}; whether it did what was asked is not known", url.origin().ascii_serialization()),
            )
        };
        let mut connection = self.connection.lock().await;
        let sender = match &mut *connection {
            Some(sender) if !sender.is_closed() => sender,
            none => {
                let stream = TokioIo::new(connect(url).await?);
                let (sender, driver) = handshake(stream).await.map_err(|error| unreachable(url, &error.to_string()))?;
                // It ends with the connection; its errors reach whoever waits for an answer.
                tokio::spawn(driver);
                none.insert(sender)
            }
        };
        let mut request = Request::post(url.path()).header(header::HOST, authority(url));
        request = request.header(header::CONTENT_TYPE, "application/json").header(header::ACCEPT, "application/graphql-response+json");
        if let Some(token) = &self.target.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| self.unsendable())?;
        sender.ready().await.map_err(lost)?;
        let response = sender.send_request(request).await.map_err(lost)?;
        let status = response.status();
        Ok((status, response.into_body().collect().await.map_err(lost)?.to_bytes()))
    }

    /// A token with a character that no header can carry was copied wrongly.
    pub(super) fn unsendable(&self) -> Failure {
        Failure::new(Kind::Refused, "the token holds characters that no token has: copy it again")
    }

    fn not_toygres(&self, status: StatusCode) -> Failure {
        Failure::new(
            Kind::Unreachable,
            format!("{} answered {status} and is no Toygres server: correct --url, TOYGRES_URL or the context", self.target.url),
        )
    }
}

/// Host and port, as they are written in the header `Host`.
pub(super) fn authority(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn of(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({why})") }
}
