//! A WebSocket client without GraphQL.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use super::{Server, TIMEOUT};

pub(in crate::transport) struct Client {
    pub(in crate::transport) socket: WebSocketStream<TcpStream>,
    pub(in crate::transport) protocol: Option<String>,
}

impl Client {
    pub(in crate::transport) async fn open(server: &Server, protocol: &str) -> Self {
        Self::open_with(server, protocol, &[]).await
    }

    pub(in crate::transport) async fn open_with(server: &Server, protocol: &str, headers: &[(&'static str, &str)]) -> Self {
        let stream = TcpStream::connect(server.address).await.expect("a connection");
        let mut request = server.url("ws").into_client_request().expect("a request");
        if !protocol.is_empty() {
            let value = HeaderValue::from_str(protocol).expect("a header");
            request.headers_mut().insert("sec-websocket-protocol", value);
        }
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).expect("a header"));
        }
        // The library rejects a response without a subprotocol if one was requested, but that case is tested.
        match client_async(request, stream).await {
            Ok((socket, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol").and_then(|value| value.to_str().ok());
                let protocol = protocol.map(ToOwned::to_owned);
                Self { socket, protocol }
            }
            Err(error) => panic!("the upgrade failed: {error}"),
        }
    }

    /// A client whose connection is acknowledged.
    pub(in crate::transport) async fn ready(server: &Server) -> Self {
        let mut client = Self::open(server, "graphql-transport-ws").await;
        client.send(json!({"type": "connection_init"})).await;
        assert_eq!(client.receive().await, json!({"type": "connection_ack"}));
        client
    }

    pub(in crate::transport) async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub(in crate::transport) async fn send_raw(&mut self, message: Message) {
        timeout(TIMEOUT, self.socket.send(message)).await.expect("sent in time").expect("sent");
    }

    pub(in crate::transport) async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({"id": id, "type": "subscribe", "payload": {"query": query}})).await;
    }

    /// The next message of any kind.
    pub(in crate::transport) async fn next(&mut self) -> Option<Message> {
        timeout(TIMEOUT, self.socket.next()).await.expect("a message in time")?.ok()
    }

    /// The next message of the subprotocol.
    pub(in crate::transport) async fn receive(&mut self) -> Value {
        loop {
            match self.next().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).expect("JSON"),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("expected a message, got {other:?}"),
            }
        }
    }

    /// The close code and reason. Messages before them are ignored.
    pub(in crate::transport) async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Some(Message::Close(Some(frame))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Message::Text(_) | Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("expected a close frame, got {other:?}"),
            }
        }
    }

    /// Checks that only pings arrive before the reply to a ping, to verify that no other message is sent.
    pub(in crate::transport) async fn expect_silence(&mut self) {
        self.send(json!({"type": "ping", "payload": {"silence": true}})).await;
        assert_eq!(self.receive().await, json!({"type": "pong", "payload": {"silence": true}}));
    }
}
