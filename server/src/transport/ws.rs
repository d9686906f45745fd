//! GraphQL over WebSocket: `graphql-transport-ws`, and the older `graphql-ws` of subscriptions-transport-ws.
//!
//! One task reads and writes a socket; each operation is a task of its own and hands its results over through one bounded
//! queue. A slot in it is given first come, first served, and a task asks for one slot at a time: so however fast one
//! operation is, every other one has its turn after at most a queue of results.

mod close;
mod connection;
mod dialect;
mod handshake;
mod operations;

use std::sync::Arc;

use async_graphql::{Executor, http::ALL_WEBSOCKET_PROTOCOLS};
use axum::{
    extract::{FromRequestParts, Request, WebSocketUpgrade},
    response::{IntoResponse, Response},
};

use super::{execute::Transport, refusal::Refusal};
use dialect::Dialect;

/// Enough for the usual message; a larger one makes the buffer grow while it is read.
const READ_BUFFER: usize = 2 * 1024;
/// Results are written together up to this size.
const WRITE_BUFFER: usize = 8 * 1024;

/// Turns a GET into a socket.
pub(super) async fn upgrade<E: Executor>(transport: Arc<Transport<E>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Some(permit) = transport.socket() else {
        return Refusal::too_many_sockets().into_response();
    };
    let upgrade = upgrade
        .protocols(ALL_WEBSOCKET_PROTOCOLS)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(transport.limits().message_bytes)
        .max_frame_size(transport.limits().message_bytes);
    // Of several subprotocols on the client's list, axum confirms the first that the server names, so that is the one to speak.
    // (`GraphQLProtocol` of async-graphql-axum 7.2.1 takes the first that the client names, which may be another.) A socket
    // without a subprotocol is opened all the same: clients see a close code, but not a status.
    let dialect = upgrade.selected_protocol().and_then(|name| Dialect::named(name.to_str().ok()?));
    upgrade.on_upgrade(move |socket| async move {
        connection::run(transport, socket, dialect, parts.headers).await;
        drop(permit);
    })
}
