//! GraphQL over WebSocket: `graphql-transport-ws`, and the older `graphql-ws` of subscriptions-transport-ws.
//!
//! One task reads and writes a socket; each operation is a separate task that sends its results through one bounded queue. The
//! queue is fair (first come, first served) and a task requests one slot at a time, so even with a very fast operation every other
//! one is served after at most one queue of results.

mod close;
mod connection;
mod dialect;
mod handshake;
mod operations;
mod pending;

use std::sync::Arc;

use async_graphql::{Executor, http::ALL_WEBSOCKET_PROTOCOLS};
use axum::{
    extract::{FromRequestParts, Request, WebSocketUpgrade},
    response::{IntoResponse, Response},
};

use super::{
    execute::Transport,
    refusal::Refusal,
    serve::{ReadLimit, peer_address},
};
use dialect::Dialect;
pub(super) use pending::PendingSockets;

/// Enough for a typical message; the buffer grows while a larger one is read.
const READ_BUFFER: usize = 2 * 1024;
/// Results are written together up to this size.
const WRITE_BUFFER: usize = 8 * 1024;

/// Upgrades a GET request to a WebSocket.
pub(super) async fn upgrade<E: Executor>(transport: Arc<Transport<E>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    // The place itself is taken when the caller is authenticated.
    if transport.has_no_socket() {
        return Refusal::too_many_sockets().into_response();
    }
    let address = peer_address(&parts.extensions);
    let read_limit = parts.extensions.get::<ReadLimit>().cloned().unwrap_or_default();
    let pending = transport.pending_sockets.add(address);
    read_limit.set(transport.limits().init_bytes);
    let upgrade = upgrade
        .protocols(ALL_WEBSOCKET_PROTOCOLS)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(transport.limits().message_bytes)
        .max_frame_size(transport.limits().message_bytes);
    // If the client offers several subprotocols, axum confirms the first one in the server's order, so that one is used.
    // (`GraphQLProtocol` of async-graphql-axum 7.2.1 uses the first one in the client's order, which may be another.) A socket
    // without a subprotocol is opened and then closed, because clients can read a close code but not the status of a failed
    // upgrade.
    let dialect = upgrade.selected_protocol().and_then(|name| Dialect::named(name.to_str().ok()?));
    upgrade.on_upgrade(move |socket| async move {
        connection::run(transport, socket, dialect, (parts.headers, address), (pending, read_limit)).await;
    })
}
