//! The handling of connections, independent of the protocol.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::support::{Client, Server, TIMEOUT, path};

#[tokio::test]
async fn header_names_are_in_title_case() {
    let server = Server::start().await;
    let upgrade = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
    ];
    let mut head = String::from("GET /graphql HTTP/1.1\r\nHost: x\r\n");
    for (name, value) in upgrade {
        head += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.write_all(format!("{head}\r\n").as_bytes()).await.expect("sent");
    let mut bytes = [0; 1024];
    let length = timeout(TIMEOUT, stream.read(&mut bytes)).await.expect("in time").expect("an answer");
    let answer = String::from_utf8_lossy(&bytes[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.contains("\r\nSec-Websocket-Protocol: graphql-transport-ws\r\n"), "{answer}");
}

#[tokio::test]
async fn a_drain_waits_for_answers_and_sockets_but_not_for_ever() {
    let mut server = Server::start().await;
    let body = json!({"query": "mutation { bump(millis: 400) }"});
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { silence }").await;
    server.wait_for_open(1).await;
    let (answer, (), closed) = tokio::join!(
        server.post("application/json", &body),
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            server.shutdown.cancel();
        },
        client.closed()
    );
    assert_eq!(answer.json(), json!({"data": {"bump": 1}}));
    assert_eq!(closed.0, 1012);
    let served = timeout(TIMEOUT, &mut server.served).await.expect("served in time").expect("no panic");
    assert!(served.is_ok());
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");

    let mut server = Server::start_with(|_| {}, |options| options.drain = Duration::from_millis(200)).await;
    let _stuck = {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        let head = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path(&[("query", "{ stuck }")]));
        stream.write_all(head.as_bytes()).await.expect("sent");
        stream
    };
    assert_eq!(server.post("application/json", &json!({"query": "{ hello }"})).await.status, 200);
    server.shutdown.cancel();
    let served = timeout(TIMEOUT, &mut server.served).await.expect("served in time").expect("no panic");
    assert!(served.is_ok());
}

#[tokio::test]
async fn a_head_that_does_not_come_is_cut_off() {
    let server = Server::start_with(|_| {}, |options| options.head_timeout = Duration::from_millis(100)).await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.write_all(b"GET /graphql HT").await.expect("sent");
    let mut rest = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut rest)).await.expect("cut off in time").expect("the end");
}

#[tokio::test]
async fn a_stream_that_is_not_read_is_cut_off() {
    let server = Server::start_with(
        |_| {},
        |options| {
            options.write_timeout = Duration::from_millis(300);
            options.send_buffer = 8 * 1024;
        },
    )
    .await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let query = path(&[("query", "subscription { flood(bytes: 10000) }")]);
    let head = format!("GET {query} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    server.wait_for_open(1).await;
    server.wait_for_open(0).await;
}
