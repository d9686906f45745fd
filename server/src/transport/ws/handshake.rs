//! The beginning of a socket, up to the acknowledgement.

use async_graphql::Executor;
use axum::{
    extract::ws::{Message, WebSocket},
    http::HeaderMap,
};
use futures::StreamExt;

use super::{
    close::Ending,
    dialect::{ClientMessage, Dialect},
};
use crate::transport::{Credentials, Session, execute::Transport};

/// Waits for `connection_init`, lets the caller in and acknowledges it.
pub(super) async fn shake_hands<E: Executor>(
    transport: &Transport<E>,
    socket: &mut WebSocket,
    dialect: Dialect,
    headers: &HeaderMap,
) -> Result<Session, Ending> {
    tokio::select! {
        biased;
        () = transport.options.shutdown.cancelled() => Err(Ending::RESTART),
        outcome = tokio::time::timeout(transport.limits().init_timeout, greet(transport, socket, dialect, headers)) => {
            outcome.unwrap_or(Err(Ending::INIT_TIMEOUT))
        }
    }
}

async fn greet<E: Executor>(transport: &Transport<E>, socket: &mut WebSocket, dialect: Dialect, headers: &HeaderMap) -> Result<Session, Ending> {
    loop {
        let text = match socket.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => return Err(Ending::invalid("Messages must be texts")),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) => return Err(Ending::ByPeer),
            None => return Err(Ending::Gone),
            Some(Err(error)) => return Err(Ending::of(&error)),
        };
        match dialect.read(&text).map_err(Ending::invalid)? {
            ClientMessage::Init(payload) => {
                let credentials = Credentials { headers, init: Some(&payload) };
                return match transport.options.authenticate.authenticate(credentials).await {
                    Ok(session) => say(socket, Dialect::ack()).await.map(|()| session),
                    Err(denied) => {
                        if let Some(text) = dialect.denied(&denied.to_string()) {
                            say(socket, text).await?;
                        }
                        Err(Ending::denied(denied))
                    }
                };
            }
            ClientMessage::Ping(payload) => say(socket, Dialect::pong(payload)).await?,
            ClientMessage::Subscribe { .. } => return Err(Ending::UNAUTHORIZED),
            ClientMessage::Terminate => return Err(Ending::NORMAL),
            // A client may complete what it never began.
            ClientMessage::Pong | ClientMessage::Complete { .. } => {}
        }
    }
}

async fn say(socket: &mut WebSocket, text: String) -> Result<(), Ending> {
    socket.send(Message::Text(text.into())).await.map_err(|_| Ending::Gone)
}
