//! The handshake of a socket, up to the acknowledgement.

use std::net::IpAddr;

use async_graphql::Executor;
use axum::{
    extract::ws::{Message, WebSocket},
    http::HeaderMap,
};
use futures::StreamExt;

use super::{
    close::CloseReason,
    dialect::{ClientMessage, Dialect},
    pending::PendingSocket,
};
use crate::transport::{
    Credentials, Session,
    execute::{Socket, Transport},
};

/// Waits for `connection_init`, authenticates the caller and acknowledges it.
pub(super) async fn handshake<E: Executor>(
    transport: &Transport<E>,
    socket: &mut WebSocket,
    dialect: Dialect,
    caller: (&HeaderMap, Option<IpAddr>),
    pending: &PendingSocket,
) -> Result<(Session, Socket), CloseReason> {
    tokio::select! {
        biased;
        () = transport.options.shutdown.cancelled() => Err(CloseReason::RESTART),
        () = pending.displaced() => Err(CloseReason::TOO_MANY),
        outcome = tokio::time::timeout(transport.limits().init_timeout, initialise(transport, socket, dialect, caller, pending)) => {
            outcome.unwrap_or(Err(CloseReason::INIT_TIMEOUT))
        }
    }
}

async fn initialise<E: Executor>(
    transport: &Transport<E>,
    socket: &mut WebSocket,
    dialect: Dialect,
    (headers, address): (&HeaderMap, Option<IpAddr>),
    pending: &PendingSocket,
) -> Result<(Session, Socket), CloseReason> {
    loop {
        let text = match socket.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => return Err(CloseReason::invalid("Messages must be texts")),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) => return Err(CloseReason::ByPeer),
            None => return Err(CloseReason::Gone),
            Some(Err(error)) => return Err(CloseReason::of(&error)),
        };
        match dialect.read(&text).map_err(CloseReason::invalid)? {
            ClientMessage::Init(payload) => {
                pending.leave();
                let credentials = Credentials { headers, init: Some(&payload), address };
                return match transport.authenticate(credentials).await {
                    Ok(session) => {
                        let permit = transport.socket().ok_or(CloseReason::TOO_MANY)?;
                        send(socket, Dialect::ack()).await.map(|()| (session, permit))
                    }
                    Err(denied) => {
                        if let Some(text) = dialect.denied(&denied.to_string()) {
                            send(socket, text).await?;
                        }
                        Err(CloseReason::denied(denied))
                    }
                };
            }
            ClientMessage::Ping(payload) => send(socket, Dialect::pong(payload)).await?,
            ClientMessage::Subscribe { .. } => return Err(CloseReason::UNAUTHORIZED),
            ClientMessage::Terminate => return Err(CloseReason::NORMAL),
            // `complete` for an unknown operation is allowed.
            ClientMessage::Pong | ClientMessage::Complete { .. } => {}
        }
    }
}

async fn send(socket: &mut WebSocket, text: String) -> Result<(), CloseReason> {
    socket.send(Message::Text(text.into())).await.map_err(|_| CloseReason::Gone)
}
