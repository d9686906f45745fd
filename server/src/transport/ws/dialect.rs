//! The messages of both subprotocols (pure).

use std::str::FromStr;

use async_graphql::{Request, ServerError, http::WebSocketProtocols};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::transport::{
    encode::{Payload, to_json},
    params,
    sharing::Outgoing,
};

/// A subprotocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `graphql-transport-ws`, the protocol of npm `graphql-ws`.
    Current,
    /// `graphql-ws`, the older protocol of npm `subscriptions-transport-ws`.
    Older,
}

/// A message of the client.
#[derive(Debug)]
pub(super) enum ClientMessage {
    Init(Map<String, Value>),
    Subscribe { id: String, request: Box<Request> },
    Complete { id: String },
    Ping(Option<Map<String, Value>>),
    Pong,
    Terminate,
}

impl Dialect {
    /// Its name in `Sec-WebSocket-Protocol`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Current => "graphql-transport-ws",
            Self::Older => "graphql-ws",
        }
    }

    /// The subprotocol of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match WebSocketProtocols::from_str(name).ok()? {
            WebSocketProtocols::GraphQLWS => Some(Self::Current),
            WebSocketProtocols::SubscriptionsTransportWS => Some(Self::Older),
        }
    }

    /// Reads a message; the error is the reason of the close frame.
    pub(super) fn read(self, text: &str) -> Result<ClientMessage, String> {
        let Ok(mut message) = serde_json::from_str::<Map<String, Value>>(text) else {
            return Err("A message must be a JSON object".to_owned());
        };
        let kind = match message.remove("type") {
            Some(Value::String(kind)) => kind,
            Some(_) => return Err("The type of a message must be a string".to_owned()),
            None => return Err("A message needs a type".to_owned()),
        };
        match (self, kind.as_str()) {
            (_, "connection_init") => Ok(ClientMessage::Init(optional(&mut message)?.unwrap_or_default())),
            (Self::Current, "subscribe") | (Self::Older, "start") => {
                let id = identifier(&mut message)?;
                let payload = message.remove("payload").unwrap_or_default();
                if !payload.is_object() {
                    return Err(format!("The payload of {kind} must be an object"));
                }
                let request = params::from_payload(payload).map_err(|error| format!("Invalid {kind}: {error}"))?;
                Ok(ClientMessage::Subscribe { id, request: Box::new(request) })
            }
            (Self::Current, "complete") | (Self::Older, "stop") => Ok(ClientMessage::Complete { id: identifier(&mut message)? }),
            (Self::Current, "ping") => Ok(ClientMessage::Ping(optional(&mut message)?)),
            (Self::Current, "pong") => optional(&mut message).map(|_| ClientMessage::Pong),
            (Self::Older, "connection_terminate") => Ok(ClientMessage::Terminate),
            _ => Err(format!("{} has no message of type {kind:?}", self.name())),
        }
    }

    pub(super) fn ack() -> String {
        to_json(&ServerMessage { kind: "connection_ack", id: None, payload: None::<()> })
    }

    /// The message that keeps an idle connection alive.
    pub(super) fn ping(self) -> String {
        let kind = match self {
            Self::Current => "ping",
            Self::Older => "ka",
        };
        to_json(&ServerMessage { kind, id: None, payload: None::<()> })
    }

    /// The reply to a ping, with the payload of the ping.
    pub(super) fn pong(payload: Option<Map<String, Value>>) -> String {
        to_json(&ServerMessage { kind: "pong", id: None, payload })
    }

    /// The message before the socket is closed because authentication failed; the current protocol has a close code instead.
    pub(super) fn denied(self, message: &str) -> Option<String> {
        let payload = serde_json::json!({ "message": message });
        (self == Self::Older).then(|| to_json(&ServerMessage { kind: "connection_error", id: None, payload: Some(payload) }))
    }

    pub(super) fn next(self, id: &str, result: &Outgoing) -> String {
        let kind = match self {
            Self::Current => "next",
            Self::Older => "data",
        };
        match result {
            Outgoing::Own(response) => to_json(&ServerMessage { kind, id: Some(id), payload: Some(Payload::from(response)) }),
            shared @ Outgoing::Shared(..) => format!(r#"{{"type":"{kind}","id":{},"payload":{}}}"#, to_json(&id), shared.json()),
        }
    }

    /// The message for an operation that failed before its first result.
    pub(super) fn error(self, id: &str, errors: &[ServerError]) -> String {
        match self {
            Self::Current => to_json(&ServerMessage { kind: "error", id: Some(id), payload: Some(errors) }),
            // The payload of the older protocol is a single error.
            Self::Older => to_json(&ServerMessage { kind: "error", id: Some(id), payload: errors.first() }),
        }
    }

    pub(super) fn complete(id: &str) -> String {
        to_json(&ServerMessage { kind: "complete", id: Some(id), payload: None::<()> })
    }
}

#[derive(Serialize)]
struct ServerMessage<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<T>,
}

fn identifier(message: &mut Map<String, Value>) -> Result<String, String> {
    match message.remove("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(id),
        _ => Err("The id of a message must be a string that is not empty".to_owned()),
    }
}

fn optional(message: &mut Map<String, Value>) -> Result<Option<Map<String, Value>>, String> {
    match message.remove("payload") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(payload)) => Ok(Some(payload)),
        Some(_) => Err("The payload of a message must be an object".to_owned()),
    }
}
