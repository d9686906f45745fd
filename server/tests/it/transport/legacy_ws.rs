//! The rules of the older subprotocol `graphql-ws`, one by one.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::support::{Client, Server};

async fn ready(server: &Server) -> Client {
    let mut client = Client::open(server, "graphql-ws").await;
    assert_eq!(client.protocol.as_deref(), Some("graphql-ws"));
    client.send(json!({"type": "connection_init", "payload": {}})).await;
    assert_eq!(client.receive().await, json!({"type": "connection_ack"}));
    client
}

#[tokio::test]
async fn data_and_complete() {
    let server = Server::start().await;
    let mut client = ready(&server).await;
    client.send(json!({"id": "1", "type": "start", "payload": {"query": "subscription { count(to: 2) }"}})).await;
    assert_eq!(client.receive().await, json!({"id": "1", "type": "data", "payload": {"data": {"count": 0}}}));
    assert_eq!(client.receive().await, json!({"id": "1", "type": "data", "payload": {"data": {"count": 1}}}));
    assert_eq!(client.receive().await, json!({"id": "1", "type": "complete"}));
}

#[tokio::test]
async fn an_error_is_one_object() {
    let server = Server::start().await;
    let mut client = ready(&server).await;
    client.send(json!({"id": "1", "type": "start", "payload": {"query": "{ nothing }"}})).await;
    let message = client.receive().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("1")));
    assert!(message["payload"]["message"].is_string());
}

#[tokio::test]
async fn stop_and_terminate() {
    let server = Server::start().await;
    let mut client = ready(&server).await;
    client.send(json!({"id": "1", "type": "start", "payload": {"query": "subscription { silence }"}})).await;
    server.wait_for_open(1).await;
    client.send(json!({"id": "1", "type": "stop"})).await;
    server.wait_for_open(0).await;
    client.send(json!({"type": "connection_terminate"})).await;
    assert_eq!(client.closed().await.0, 1000);
}

#[tokio::test]
async fn a_newer_operation_takes_the_place_of_the_older() {
    let server = Server::start().await;
    let mut client = ready(&server).await;
    client.send(json!({"id": "1", "type": "start", "payload": {"query": "subscription { silence }"}})).await;
    server.wait_for_open(1).await;
    client.send(json!({"id": "1", "type": "start", "payload": {"query": "{ hello }"}})).await;
    assert_eq!(client.receive().await["payload"], json!({"data": {"hello": "Hello world"}}));
    server.wait_for_open(0).await;
}

#[tokio::test]
async fn a_denied_caller_hears_why() {
    let server = Server::start().await;
    let mut client = Client::open(&server, "graphql-ws").await;
    client.send(json!({"type": "connection_init", "payload": {"authorization": "wrong"}})).await;
    let expected = json!({"type": "connection_error", "payload": {"message": "The token is not known."}});
    assert_eq!(client.receive().await, expected);
    assert_eq!(client.closed().await.0, 4403);
}

#[tokio::test]
async fn messages_of_the_current_protocol_are_invalid() {
    let server = Server::start().await;
    for kind in ["ping", "pong", "subscribe", "complete"] {
        let mut client = ready(&server).await;
        client.send(json!({"id": "1", "type": kind, "payload": {"query": "{ hello }"}})).await;
        assert_eq!(client.closed().await.0, 4400, "{kind}");
    }
}

#[tokio::test]
async fn a_quiet_socket_is_kept_alive() {
    let server = Server::start_with(|options| options.limits.ping_interval = Duration::from_millis(50), |_| {}).await;
    let mut client = ready(&server).await;
    // The client sends no messages, but its library answers ping frames.
    for _ in 0..5 {
        assert_eq!(client.next().await, Some(Message::text(r#"{"type":"ka"}"#)));
        assert!(matches!(client.next().await, Some(Message::Ping(_))));
    }
    client.send(json!({"id": "1", "type": "start", "payload": {"query": "{ hello }"}})).await;
    while client.receive().await["type"] == "ka" {}
}
