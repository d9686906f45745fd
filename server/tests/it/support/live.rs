//! Subscriptions over a WebSocket.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use super::TIMEOUT;

/// Subscribes at a server that may be unavailable.
pub async fn subscribe_to(address: &str, query: &str, variables: Value) -> Result<Live, tungstenite::Error> {
    subscribe_as(address, None, query, variables).await
}

/// Subscribes with a token.
pub async fn subscribe_as(address: &str, token: Option<&str>, query: &str, variables: Value) -> Result<Live, tungstenite::Error> {
    let mut request = format!("ws://{address}/graphql").into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    let payload = token.map_or(json!({}), |token| json!({ "Authorization": format!("Bearer {token}") }));
    socket.send(Message::text(json!({ "type": "connection_init", "payload": payload }).to_string())).await?;
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": query, "variables": variables } });
    socket.send(Message::text(subscribe.to_string())).await?;
    Ok(Live { socket })
}

/// One subscription over a WebSocket.
pub struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Live {
    /// The next result; `None` if the subscription has completed. Errors before the first result are returned as a result.
    pub async fn next(&mut self) -> Option<Value> {
        tokio::time::timeout(TIMEOUT, self.try_next()).await.expect("something comes in time").expect("the socket stands")
    }

    /// Waits until the server closes the socket. Returns the close code.
    pub async fn close_code(&mut self) -> u16 {
        let closed = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                    Some(Ok(_)) => {}
                    other => panic!("no close frame but {other:?}"),
                }
            }
        };
        tokio::time::timeout(TIMEOUT, closed).await.expect("the socket is closed in time")
    }

    /// The next result without a time limit, on a socket that may be lost.
    pub async fn try_next(&mut self) -> Result<Option<Value>, tungstenite::Error> {
        loop {
            let Some(message) = self.socket.next().await else { return Ok(None) };
            let Message::Text(text) = message? else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            match message["type"].as_str() {
                Some("next") => return Ok(Some(message["payload"].clone())),
                Some("error") => return Ok(Some(json!({ "errors": message["payload"] }))),
                Some("complete") => return Ok(None),
                Some("ping") => self.socket.send(Message::text(r#"{"type":"pong"}"#)).await?,
                _ => {}
            }
        }
    }
}
