//! Closing sockets.

use std::{borrow::Cow, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::StreamExt;
use tungstenite::error::{CapacityError, Error};

use crate::transport::Denied;

/// The maximum length of a close frame's reason in bytes.
const REASON: usize = 123;
/// How long to wait for the close frame of the peer.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The server closes the socket with this code and reason.
    Close(u16, Cow<'static, str>),
    /// The peer closed the socket.
    ByPeer,
    /// The connection is lost.
    Gone,
}

impl CloseReason {
    pub(super) const NORMAL: Self = Self::fixed(1000, "Normal closure");
    /// Clients reconnect after this code.
    pub(super) const RESTART: Self = Self::fixed(1012, "Service restart");
    /// Clients reconnect after this code, too.
    pub(super) const SILENT: Self = Self::fixed(1013, "The last ping was not answered");
    /// And after this one: see [`crate::transport::Limits::sockets`] and [`crate::transport::Limits::pending_sockets`].
    pub(super) const TOO_MANY: Self = Self::fixed(1013, "Too many sockets are open");
    pub(super) const TOO_BIG: Self = Self::fixed(1009, "Message too big");
    pub(super) const UNAUTHORIZED: Self = Self::fixed(4401, "Unauthorized");
    pub(super) const FORBIDDEN: Self = Self::fixed(4403, "Forbidden");
    pub(super) const SUBPROTOCOL: Self = Self::fixed(4406, "Subprotocol not acceptable");
    pub(super) const INIT_TIMEOUT: Self = Self::fixed(4408, "Connection initialisation timeout");
    pub(super) const TOO_MANY_INITS: Self = Self::fixed(4429, "Too many initialisation requests");

    pub(super) fn invalid(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Close(4400, why.into())
    }

    pub(super) fn already_exists(id: &str) -> Self {
        Self::Close(4409, format!("Subscriber for {id} already exists").into())
    }

    pub(super) fn denied(denied: Denied) -> Self {
        match denied {
            Denied::Unauthenticated(message) => Self::Close(4403, message.into()),
            Denied::TooMany(message) | Denied::Unavailable(message) => Self::Close(1013, message.into()),
        }
    }

    /// The reason for an error while reading.
    pub(super) fn of(error: &axum::Error) -> Self {
        match std::error::Error::source(error).and_then(|source| source.downcast_ref::<Error>()) {
            Some(Error::Capacity(CapacityError::MessageTooLong { .. })) => Self::TOO_BIG,
            Some(Error::Utf8(_)) => Self::fixed(1007, "Not UTF-8"),
            _ => Self::Gone,
        }
    }

    const fn fixed(code: u16, reason: &'static str) -> Self {
        Self::Close(code, Cow::Borrowed(reason))
    }
}

/// Closes a socket: sends the close frame and reads until the peer's close frame. Closing a socket with unread bytes would reset
/// the connection, and the close frame could be lost. Reading also sends the reply to a close frame of the peer.
pub(super) async fn close(socket: &mut WebSocket, reason: CloseReason) {
    let handshake = async {
        match reason {
            CloseReason::Close(code, text) => {
                let frame = CloseFrame { code, reason: shorten(&text).into() };
                if socket.send(Message::Close(Some(frame))).await.is_err() {
                    return;
                }
            }
            CloseReason::ByPeer => {}
            CloseReason::Gone => return,
        }
        while let Some(Ok(_)) = socket.next().await {}
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, handshake).await;
}

/// Truncates a reason to the maximum length.
fn shorten(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(REASON)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit_into_a_close_frame() {
        assert_eq!(shorten("short"), "short");
        assert_eq!(shorten(&"x".repeat(300)).len(), 123);
        assert_eq!(shorten(&"\u{20ac}".repeat(100)), "\u{20ac}".repeat(41));
        assert_eq!(shorten(&format!("x{}", "\u{20ac}".repeat(100))).len(), 121);
    }
}
