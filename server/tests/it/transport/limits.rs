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

#[tokio::test(flavor = "multi_thread")]
async fn expanded_size() {
    let server = Server::start_with(|options| options.limits.expanded_size = 100, |_| {}).await;
    // Each fragment spreads the next one twice: 2^n fields in a document of n lines.
    let doubling = |levels: usize| {
        let fragments: String = (0..levels).map(|n| format!(" fragment F{n} on Query {{ ...F{0} ...F{0} }}", n + 1)).collect();
        json!({"query": format!("{{ ...F0 }}{fragments} fragment F{levels} on Query {{ hello }}")})
    };
    let started = std::time::Instant::now();
    for levels in [10, 24, 60] {
        let answer = server.post(GRAPHQL, &doubling(levels)).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "TOO_LARGE"), "{levels} levels");
        assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains("at most 100"), "{levels} levels");
    }
    // The executor would take years.
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(server.post(GRAPHQL, &doubling(2)).await.code(), "", "40 fields and spreads");
    let unused = json!({"query": format!("{{ hello }} fragment F on Query {{ {} }}", "a: hello ".repeat(100))});
    assert_eq!(server.post(GRAPHQL, &unused).await.code(), "TOO_LARGE", "validation walks a fragment that is not spread, too");
    let cycle = json!({"query": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"});
    let answer = server.post(GRAPHQL, &cycle).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"));
    let mut client = Client::ready(&server).await;
    client.subscribe("1", doubling(24)["query"].as_str().unwrap()).await;
    assert_eq!(client.receive().await["payload"][0]["extensions"]["code"], "TOO_LARGE");
}

/// What makes validation expensive although the document is short, each of another kind.
#[tokio::test(flavor = "multi_thread")]
async fn what_costs_too_much_is_refused_before_it_is_validated() {
    let server = Server::start().await;
    let many = |times: usize, part: &dyn Fn(usize) -> String| (0..times).map(part).collect::<String>();
    let operations = |times: usize| format!("{} fragment F on Query {{ hello }}", many(times, &|n| format!(" query Q{n} {{ ...F }}")));
    let queries = [
        ("many operations", operations(101)),
        (
            "undefined variables of several operations",
            format!(
                "{} fragment F on Query {{ hello(name: [{}]) }}",
                many(20, &|n| format!(" query Q{n} {{ ...F }}")),
                many(2000, &|n| format!(" $v{n}"))
            ),
        ),
        (
            "conflicts in nested inline fragments",
            format!("{{ {}{}{} }}", "... {".repeat(30), many(1000, &|n| format!(" a: hello(name: {n})")), "}".repeat(30)),
        ),
        ("unknown fields", format!("{{ {} }}", many(1000, &|n| format!(" {:x<64}", format!("unknown{n}"))))),
        ("arguments of one field", format!("{{ hello({}) }}", many(2000, &|n| format!(" a{n}: 1")))),
        ("searches for variables", format!("query({}) {{ hello(name: [{}]) }}", many(1000, &|n| format!(" $v{n}: Int")), " $v999".repeat(2000))),
        ("typenames", format!("{{ nested {{{} }} }}", many(21, &|n| format!(" a{n}: __typename")))),
        ("introspection", format!("{{ __schema {{ types {{{} }} }} }}", many(501, &|n| format!(" a{n}: name")))),
        ("long names", format!("{{ {} }}", "x".repeat(65))),
    ];
    for (what, query) in &queries {
        let answer = server.post(GRAPHQL, &json!({ "query": query, "operationName": "Q0" })).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "TOO_LARGE"), "{what}");
    }
    // A value counts each time that it is used.
    let uses = format!("query Q0($v: String) {{{} }}", many(100, &|n| format!(" a{n}: hello(name: $v)")));
    let variables = json!({ "v": vec![1; 1000] });
    assert_eq!(server.post(GRAPHQL, &json!({ "query": uses, "variables": variables })).await.code(), "TOO_LARGE");
    assert_eq!(server.post(GRAPHQL, &json!({ "query": operations(20), "operationName": "Q0" })).await.code(), "");
    let client = include_str!("../../../src/transport/introspection/client.graphql");
    let answer = server.post(GRAPHQL, &json!({ "query": client })).await;
    assert!(answer.json()["data"]["__schema"]["types"].is_array(), "{:?}", answer.json());
    assert_eq!(answer.code(), "");
}

/// The executor panics when it checks such a default value.
#[tokio::test]
async fn lists_of_unknown_types() {
    let server = Server::start().await;
    for ty in ["[Nothing]", "[[Nothing!]!]!"] {
        let answer = server.post(GRAPHQL, &json!({ "query": format!("query($v: {ty} = [1]) {{ hello(name: $v) }}") })).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{ty}");
        assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains("Unknown type"), "{ty}");
    }
    let known = server.post(GRAPHQL, &json!({ "query": "query($v: [String] = [\"x\"]) { hello }" })).await;
    assert!(known.json()["errors"][0]["message"].as_str().unwrap().contains("not used"));
}

/// A caller's large documents wait for each other, and not those of others for them.
#[tokio::test(flavor = "multi_thread")]
async fn large_documents_of_one_caller_at_once() {
    let server = Server::start_with(|options| options.limits.large_documents = 1, |_| {}).await;
    let large = json!({ "query": format!("{{ hello #{}\n }}", "x".repeat(10_000)) });
    let long = json!({ "query": format!("{{ {} }}", (0..2400).map(|n| format!(" f{n}: hello")).collect::<String>()) });
    let mut refused = false;
    for _ in 0..50 {
        let (first, second) = tokio::join!(server.post(GRAPHQL, &long), server.post(GRAPHQL, &long));
        let answers = [first, second];
        assert!(answers.iter().any(|answer| answer.status == 200), "one has its turn");
        if let Some(answer) = answers.iter().find(|answer| answer.status != 200) {
            assert_eq!((answer.status, answer.code().as_str()), (429, "RATE_LIMITED"));
            assert!(answer.header("retry-after").is_some());
            refused = true;
            break;
        }
    }
    assert!(refused, "two at once are too many");
    assert_eq!(server.post(GRAPHQL, &large).await.status, 200, "one after the other are not");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_documents_are_answered_like_small_ones() {
    let server = Server::start().await;
    let many: String = (0..1500).map(|n| format!(" f{n}: hello")).collect();
    let answer = server.post(GRAPHQL, &json!({"query": format!("{{{many} }}")})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"]["f1499"], "Hello world");
    let answer = server.post(GRAPHQL, &json!({"query": format!("mutation {{ bump #{}\n }}", "x".repeat(10_000))})).await;
    assert_eq!((answer.status, server.counters.mutations.load(Ordering::SeqCst)), (200, 1));
    let spreads = format!("subscription S {{ silence }} query Q {{{many} }}");
    let mut client = Client::ready(&server).await;
    client.send(json!({"id": "1", "type": "subscribe", "payload": {"query": spreads, "operationName": "Q"}})).await;
    assert_eq!(client.receive().await["payload"]["data"]["f7"], "Hello world");
}

#[tokio::test]
async fn response_bytes() {
    let server = Server::start_with(|options| options.limits.response_bytes = 1000, |_| {}).await;
    let named = |length: usize| json!({"query": format!("{{ hello(name: \"{}\") }}", "x".repeat(length))});
    assert_eq!(server.post(GRAPHQL, &named(500)).await.code(), "");
    assert_eq!(server.post(GRAPHQL, &named(1000)).await.code(), "RESPONSE_TOO_LARGE");
    let mut client = Client::ready(&server).await;
    client.subscribe("1", named(1000)["query"].as_str().unwrap()).await;
    assert_eq!(client.receive().await["payload"][0]["extensions"]["code"], "RESPONSE_TOO_LARGE");
}

#[tokio::test]
async fn sockets_that_are_not_authenticated_take_no_place_of_others() {
    let limits = |options: &mut toygres_server::transport::TransportOptions| {
        options.limits.pending_sockets = 2;
        options.limits.sockets = 1;
    };
    let server = Server::start_with(limits, |_| {}).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(Client::open(&server, "graphql-transport-ws").await);
    }
    for displaced in &mut silent[..2] {
        assert_eq!(displaced.closed().await, (1013, "Too many sockets are open".to_owned()));
    }
    let client = Client::ready(&server).await;
    // The only place is taken now, which an authenticated caller is told.
    let last = silent.last_mut().unwrap();
    last.send(json!({"type": "connection_init"})).await;
    assert_eq!(last.closed().await.0, 1013);
    drop(client);
}

/// In a storm of reconnections, one that is being authenticated is not closed for those that come after it.
#[tokio::test]
async fn a_socket_whose_init_has_arrived_is_not_displaced() {
    let server = Server::start_with(|options| options.limits.pending_sockets = 1, |_| {}).await;
    let mut first = Client::open(&server, "graphql-transport-ws").await;
    first.send(json!({"type": "connection_init", "payload": {"authorization": "slow"}})).await;
    eventually("it is being authenticated", || server.counters.authenticating.load(Ordering::SeqCst) == 1).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(Client::open(&server, "graphql-transport-ws").await);
    }
    assert_eq!(others[0].closed().await.0, 1013);
    server.counters.let_in.notify_one();
    assert_eq!(first.receive().await, json!({"type": "connection_ack"}));
}

#[tokio::test]
async fn init_bytes() {
    let server = Server::start_with(|options| options.limits.init_bytes = 2000, |_| {}).await;
    let init = |length: usize| json!({"type": "connection_init", "payload": {"x": "x".repeat(length)}});
    let mut client = Client::open(&server, "graphql-transport-ws").await;
    client.send(init(1000)).await;
    assert_eq!(client.receive().await, json!({"type": "connection_ack"}));
    // Once it is authenticated, only the limit of messages holds.
    client.subscribe("1", &format!("{{ hello(name: \"{}\") }}", "x".repeat(5000))).await;
    assert_eq!(client.receive().await["type"], "next");

    let mut client = Client::open(&server, "graphql-transport-ws").await;
    client.send(init(5000)).await;
    assert!(!matches!(client.next().await, Some(Message::Text(_))), "it is not acknowledged");
}

#[tokio::test]
async fn connections() {
    let server = Server::start_with(|_| {}, |options| options.connections = 3).await;
    let connect = async || TcpStream::connect(server.address).await.expect("a connection");
    let held = [connect().await, connect().await, connect().await];
    let is_refused = async || {
        let mut answer = Vec::new();
        let mut stream = connect().await;
        let _ = stream.write_all(b"GET /graphql?query=%7Bhello%7D HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        let _ = stream.read_to_end(&mut answer).await;
        answer.is_empty()
    };
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !is_refused().await {
        assert!(tokio::time::Instant::now() < deadline, "a fourth connection is closed");
    }
    drop(held);
    while is_refused().await {
        assert!(tokio::time::Instant::now() < deadline, "there is room again");
    }
}
