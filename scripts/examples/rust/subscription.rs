//! Subscriptions over WebSocket (graphql-transport-ws) that outlive lost connections and restarts of the server.

use std::time::Duration;

use cynic::{GraphQlResponse, StreamingOperation};
use futures::{SinkExt as _, StreamExt as _};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

use crate::Result;

const PAUSE: Duration = Duration::from_millis(500);
/// A server that is silent for longer has been lost: it sends pings more often.
const SILENCE: Duration = Duration::from_secs(60);

/// A server, and the token for it.
#[derive(Clone)]
pub struct Server {
    pub url: String,
    pub token: Option<String>,
}

/// How a connection ended.
enum Ended {
    /// The server or `next` has ended the subscription.
    Complete,
    /// The connection was lost, or the server is about to stop.
    Lost,
}

impl Server {
    /// Passes each item to `next` until that returns true, or the server has no more. Subscribes again whenever the connection is lost:
    /// `request` is then asked again, so that it can have the cursor of then. Errors of the request itself end it.
    pub async fn subscribe<D: DeserializeOwned, V: Serialize>(
        &self,
        request: impl Fn() -> StreamingOperation<D, V>,
        mut next: impl FnMut(D) -> bool,
    ) -> Result<()> {
        loop {
            match self.connection(&request(), &mut next).await? {
                Ended::Complete => return Ok(()),
                Ended::Lost => {
                    eprintln!("the connection is lost; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn connection<D: DeserializeOwned, V: Serialize>(
        &self,
        request: &StreamingOperation<D, V>,
        next: &mut impl FnMut(D) -> bool,
    ) -> Result<Ended> {
        let mut handshake = format!("{}/graphql", self.url.replacen("http", "ws", 1)).into_client_request()?;
        handshake.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        let Ok((mut socket, _)) = connect_async(handshake).await else { return Ok(Ended::Lost) };
        let authorization = self.token.as_ref().map(|token| json!({ "Authorization": format!("Bearer {token}") }));
        let init = json!({ "type": "connection_init", "payload": authorization.unwrap_or(json!({})) });
        if socket.send(Message::text(init.to_string())).await.is_err() {
            return Ok(Ended::Lost);
        }
        while let Ok(Some(Ok(message))) = tokio::time::timeout(SILENCE, socket.next()).await {
            let text = match message {
                Message::Text(text) => text,
                // 44xx: the request or the token is wrong. Everything else can be tried again.
                Message::Close(Some(frame)) if (4400..4500).contains(&u16::from(frame.code)) => return Err(frame.reason.to_string().into()),
                Message::Close(_) => return Ok(Ended::Lost),
                _ => continue,
            };
            let mut message: Value = serde_json::from_str(&text)?;
            let answer = match message["type"].as_str().unwrap_or_default() {
                "connection_ack" => json!({ "id": "1", "type": "subscribe", "payload": request }),
                "ping" => json!({ "type": "pong" }),
                "next" => {
                    let result: GraphQlResponse<D, Value> = serde_json::from_value(message["payload"].take())?;
                    if let Some(error) = result.errors.unwrap_or_default().into_iter().next() {
                        return refused(&error.message, &error.extensions.unwrap_or_default());
                    }
                    if result.data.is_some_and(&mut *next) {
                        return Ok(Ended::Complete);
                    }
                    continue;
                }
                "error" => return refused(message["payload"][0]["message"].as_str().unwrap_or_default(), &message["payload"][0]["extensions"]),
                "complete" => return Ok(Ended::Complete),
                _ => continue,
            };
            if socket.send(Message::text(answer.to_string())).await.is_err() {
                break;
            }
        }
        Ok(Ended::Lost)
    }
}

/// `MUST_REFETCH`, a cursor that is too old, also ends up here: begin without a cursor then.
fn refused(message: &str, extensions: &Value) -> Result<Ended> {
    match extensions["code"].as_str() {
        Some("UNAVAILABLE" | "INTERNAL" | "SLOW_CONSUMER") => Ok(Ended::Lost),
        _ => Err(message.to_owned().into()),
    }
}
