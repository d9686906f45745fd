//! GraphQL over HTTP, WebSocket and Server-Sent Events, all at `/graphql`.
//!
//! The transports know nothing of Toygres: they are generic over an [`Executor`], so their tests run against a small schema.
//! What they promise is what the specifications say, to the letter:
//!
//! | | specification | here |
//! |---|---|---|
//! | `POST`, `GET` | GraphQL over HTTP | `http`, `accept`, `params` |
//! | upgrade | `graphql-transport-ws`, and the older `graphql-ws` | `ws` |
//! | `Accept: text/event-stream` | graphql-sse, distinct connections | `sse` |
//!
//! Bodies are read and executed responses are written by async-graphql-axum; its handlers are not used, because they fail audits
//! of both specifications.
//!
//! Cross-site requests cannot change anything: a mutation needs `POST` with `application/json`, which a browser sends to
//! another origin only after asking with `OPTIONS`.

mod accept;
mod authenticate;
mod connections;
mod cpu_bound;
mod document;
mod encode;
mod execute;
mod expansion;
mod field_order;
mod field_types;
mod http;
mod introspection;
mod lexical;
mod nulls;
mod numbers;
mod options;
mod params;
mod proxies;
mod refusal;
mod root_field;
mod serve;
mod sharing;
mod sse;
mod tls;
mod ws;

use std::sync::Arc;

use async_graphql::Executor;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};

pub use authenticate::{Authenticate, Credentials, Denied, Open, Session};
pub use execute::{RequestId, ResumeCursor};
pub use field_types::FieldTypes;
pub use options::{Limits, OnResponse, TransportOptions};
pub use proxies::Proxies;
pub use serve::{ServeOptions, serve};
pub use sharing::Sharing;
pub use tls::Certificate;

pub(crate) use connections::counted_address;

use execute::Transport;

/// The methods of `/graphql`, as the `Allow` header lists them.
const ALLOW: &str = "GET, POST, OPTIONS";

/// Serves `executor` at `/graphql`.
pub fn router<E: Executor>(executor: E, options: TransportOptions) -> Router {
    Router::new().route("/graphql", any(endpoint::<E>)).with_state(Arc::new(Transport::new(executor, options)))
}

async fn endpoint<E: Executor>(State(transport): State<Arc<Transport<E>>>, request: Request) -> Response {
    match *request.method() {
        Method::GET if wants_upgrade(request.headers()) => ws::upgrade(transport, request).await,
        Method::GET | Method::POST => http::answer(transport, request).await,
        Method::OPTIONS => (StatusCode::NO_CONTENT, [(header::ALLOW, ALLOW)]).into_response(),
        _ => refusal::Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "GraphQL is served by GET and POST.")
            .allow(ALLOW)
            .into_response(),
    }
}

fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}
