//! Requests that exceed each limit of the transports.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::Message;

use super::support::{Client, Server, eventually};

const GRAPHQL: &str = "application/graphql-response+json";

#[tokio::test]
async fn body_bytes() {
    let server = Server::start_with(|options| options.limits.body_bytes = 1000, |_| {}).await;
    let body = |length: usize| format!(r#"{{"query":"{{ hello }}{}"}}"#, " ".repeat(length - 21));
    let headers = [("Content-Type", "application/json")];
    assert_eq!(server.request("POST", "/graphql", &headers, &body(1000)).await.status, 200);
    let answer = server.request("POST", "/graphql", &headers, &body(1001)).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "BODY_TOO_LARGE"));
    // A body of unknown length is also limited.
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 600, " ".repeat(600));
    stream.write_all(format!("{head}{chunk}{chunk}").as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn body_time() {
    let server = Server::start_with(|options| options.limits.body_time = Duration::from_millis(100), |_| {}).await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn batch() {
    let server = Server::start().await;
    let batch = |length: usize| json!(vec![json!({"query": "{ hello }"}); length]);
    assert_eq!(server.post(GRAPHQL, &batch(10)).await.json().as_array().map(Vec::len), Some(10));
    for length in [0, 11] {
        let answer = server.post(GRAPHQL, &batch(length)).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_BATCH"), "{length}");
    }
}

#[tokio::test]
async fn tokens() {
    let server = Server::start_with(|options| options.limits.tokens = 30, |_| {}).await;
    // Aliases of `__typename` add no complexity, but they add tokens.
    let aliases = |count: usize| json!({"query": format!("{{{}}}", " a: __typename".repeat(count))});
    assert_eq!(server.post(GRAPHQL, &aliases(9)).await.status, 200);
    let answer = server.post(GRAPHQL, &aliases(10)).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "TOO_MANY_TOKENS"));
    let mut client = Client::ready(&server).await;
    client.subscribe("1", &format!("{{{}}}", " a: __typename".repeat(10))).await;
    assert_eq!(client.receive().await["payload"][0]["extensions"]["code"], "TOO_MANY_TOKENS");
}

#[tokio::test]
async fn nesting() {
    let server = Server::start().await;
    let documents = |depth: usize| {
        [
            format!("{}value{}", "{ nested ".repeat(depth), "}".repeat(depth)),
            format!("{{ hello(name: {}{}) }}", "[".repeat(depth - 2), "]".repeat(depth - 2)),
            format!("{{ hello(name: {}1{}) }}", "{a:".repeat(depth - 2), "}".repeat(depth - 2)),
            format!("query($a: {}Int{}) {{ hello }}", "[".repeat(depth - 1), "]".repeat(depth - 1)),
        ]
    };
    for document in documents(100) {
        // Rejected by the parser or the validation, without a crash.
        assert_ne!(server.post(GRAPHQL, &json!({ "query": document })).await.code(), "TOO_DEEP", "{document}");
    }
    for document in documents(101).into_iter().chain(documents(2000)) {
        assert_eq!(server.post(GRAPHQL, &json!({ "query": document })).await.code(), "TOO_DEEP");
    }
    // Variables are JSON, whose parser has its own limit of nesting.
    let deep = format!(r#"{{"query":"{{hello}}","variables":{{"a":{}{}}}}}"#, "[".repeat(5000), "]".repeat(5000));
    let answer = server.request("POST", "/graphql", &[("Content-Type", "application/json")], &deep).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn operation_time() {
    let server = Server::start_with(|options| options.limits.operation_time = Duration::from_millis(100), |_| {}).await;
    assert_eq!(server.post(GRAPHQL, &json!({"query": "{ stuck }"})).await.code(), "TIMEOUT");
    // A mutation is answered within the limit too, but its execution continues.
    assert_eq!(server.post(GRAPHQL, &json!({"query": "mutation { bump(millis: 300) }"})).await.code(), "TIMEOUT");
    eventually("the mutation has run", || server.counters.mutations.load(Ordering::SeqCst) == 1).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "{ stuck }").await;
    let message = client.receive().await;
    assert_eq!((&message["type"], &message["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("TIMEOUT")));
}

#[tokio::test]
async fn message_bytes() {
    let server = Server::start_with(|options| options.limits.message_bytes = 1000, |_| {}).await;
    let ping = |length: usize| {
        let empty = json!({"type": "ping", "payload": {"x": ""}}).to_string().len();
        Message::text(json!({"type": "ping", "payload": {"x": "x".repeat(length - empty)}}).to_string())
    };
    let mut client = Client::ready(&server).await;
    client.send_raw(ping(1000)).await;
    assert_eq!(client.receive().await["type"], "pong");
    client.send_raw(ping(1001)).await;
    assert_eq!(client.closed().await, (1009, "Message too big".to_owned()));
}

#[tokio::test]
async fn operations_per_socket() {
    let server = Server::start_with(|options| options.limits.operations_per_socket = 2, |_| {}).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { silence }").await;
    client.subscribe("2", "subscription { silence }").await;
    client.subscribe("3", "subscription { silence }").await;
    let message = client.receive().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("3")));
    assert_eq!(message["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    // The socket stays open, and another operation can start when one has ended.
    client.send(json!({"id": "1", "type": "complete"})).await;
    client.subscribe("4", "{ hello }").await;
    assert_eq!(client.receive().await["payload"]["data"]["hello"], "Hello world");
}

#[tokio::test]
async fn sockets() {
    let server = Server::start_with(|options| options.limits.sockets = 1, |_| {}).await;
    let events = |server: &Server| {
        let address = server.address;
        async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            let head = "GET /graphql?query=subscription%7Bsilence%7D HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n";
            stream.write_all(head.as_bytes()).await.expect("sent");
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.expect("an answer");
            (stream, String::from_utf8_lossy(&answer).into_owned())
        }
    };
    let upgrade = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade, close"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let client = Client::ready(&server).await;
    let refused = server.request("GET", "/graphql", &upgrade, "").await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "TOO_MANY_SOCKETS"));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(events(&server).await.1, "HTTP/1.1 503");
    // Queries do not count as sockets.
    assert_eq!(server.post(GRAPHQL, &json!({"query": "{ hello }"})).await.status, 200);
    drop(client);
    let mut attempt = events(&server).await;
    for _ in 0..200 {
        if attempt.1.ends_with("200") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        attempt = events(&server).await;
    }
    assert_eq!(attempt.1, "HTTP/1.1 200");
    assert_eq!(server.request("GET", "/graphql", &upgrade, "").await.status, 503);
}
