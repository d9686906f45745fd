//! Event streams, line by line.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::support::{Answer, Server, TIMEOUT, path};

const EVENTS: &str = "text/event-stream";

fn frames(answer: &Answer) -> Vec<&str> {
    answer.body.split_inclusive("\n\n").collect()
}

#[tokio::test]
async fn post_and_get_stream_next_and_complete() {
    let server = Server::start().await;
    let query = "subscription($to: Int!) { count(to: $to) }";
    let post = server.post(EVENTS, &json!({"query": query, "variables": {"to": 2}})).await;
    let get = server.get(EVENTS, &[("query", query), ("variables", r#"{"to":2}"#)]).await;
    for answer in [post, get] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-cache, no-transform"));
        assert_eq!(
            frames(&answer),
            [
                ":\n\n",
                "event: next\ndata: {\"data\":{\"count\":0}}\n\n",
                "event: next\ndata: {\"data\":{\"count\":1}}\n\n",
                "event: complete\ndata:\n\n",
            ]
        );
    }
}

#[tokio::test]
async fn the_field_of_a_subscription_may_be_in_a_fragment() {
    let server = Server::start().await;
    for query in [
        "subscription { ...F } fragment F on Subscriptions { count(to: 1) }",
        "subscription S { ... on Subscriptions { ...F } } fragment F on Subscriptions { count(to: 1) }",
        "subscription { ...F } fragment F on Subscriptions { count: events { ...G } } fragment G on Event { text }",
    ] {
        let answer = server.post(EVENTS, &json!({ "query": query })).await;
        assert!(frames(&answer)[1].starts_with("event: next\ndata: {\"data\":{\"count\":"), "{query}: {}", answer.body);
    }
    for query in [
        "subscription { ...F } fragment F on Subscriptions { count(to: 1) silence }",
        "subscription { ...F } fragment F on Query { count(to: 1) }",
        "subscription { ...F } fragment F on Subscriptions { nothing }",
    ] {
        let answer = server.post(EVENTS, &json!({ "query": query })).await;
        assert!(answer.body.contains("\"errors\"") && !answer.body.contains("\"data\":{"), "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_query_is_one_next_and_complete() {
    let server = Server::start().await;
    for query in ["{ hello }", "mutation { bump }"] {
        let answer = server.post(EVENTS, &json!({ "query": query })).await;
        let frames = frames(&answer);
        assert_eq!(frames.len(), 3, "{frames:?}");
        assert!(frames[1].starts_with("event: next\ndata: {\"data\":"), "{frames:?}");
        assert_eq!(frames[2], "event: complete\ndata:\n\n");
    }
}

#[tokio::test]
async fn what_cannot_run_is_next_with_errors() {
    let server = Server::start().await;
    for query in ["{", "{ nothing }", "subscription { nothing }", "subscription { broken }"] {
        let answer = server.post(EVENTS, &json!({ "query": query })).await;
        assert_eq!(answer.status, 200, "{query}");
        let frames = frames(&answer);
        let data = frames[1].strip_prefix("event: next\ndata: ").expect("an event");
        let data: Value = serde_json::from_str(data).expect("JSON");
        assert!(data["errors"][0]["extensions"]["requestId"].is_string(), "{query}: {data}");
        assert_eq!(frames[2], "event: complete\ndata:\n\n");
    }
}

#[tokio::test]
async fn a_subscription_streams_if_events_are_acceptable_at_all() {
    let server = Server::start().await;
    let all = "application/graphql-response+json, application/json, text/event-stream";
    let answer = server.post(all, &json!({"query": "subscription { count(to: 1) }"})).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let answer = server.post(all, &json!({"query": "{ hello }"})).await;
    assert_eq!(answer.header("content-type"), Some("application/graphql-response+json; charset=utf-8"));
}

#[tokio::test]
async fn events_have_the_cursor_as_id_and_resume_after_it() {
    let server = Server::start().await;
    let query = "subscription { events { cursor text } }";
    let answer = server.get(EVENTS, &[("query", query)]).await;
    let event = "event: next\nid: 1\ndata: {\"data\":{\"events\":{\"cursor\":\"1\",\"text\":\"event\\n1\"}}}\n\n";
    assert_eq!(frames(&answer)[1], event);
    let headers = [("Accept", EVENTS), ("Last-Event-ID", "3")];
    let answer = server.request("GET", &path(&[("query", query)]), &headers, "").await;
    assert!(frames(&answer)[1].starts_with("event: next\nid: 4\n"), "{answer:?}");
    // Without the field there is no id.
    let answer = server.get(EVENTS, &[("query", "subscription { events { text } }")]).await;
    assert!(!answer.body.contains("id:"), "{answer:?}");
}

#[tokio::test]
async fn a_quiet_stream_is_kept_open_by_comments() {
    let server = Server::start_with(|options| options.limits.ping_interval = Duration::from_millis(50), |_| {}).await;
    let mut stream = open(&server, "nobody").await;
    let comments = async {
        let mut text = String::new();
        while text.matches(":\n\n").count() < 4 {
            text += &read(&mut stream).await.expect("more");
        }
    };
    timeout(TIMEOUT, comments).await.expect("comments in time");
}

#[tokio::test]
async fn leaving_ends_the_subscription() {
    let server = Server::start().await;
    let stream = open(&server, "nobody").await;
    server.wait_for_open(1).await;
    drop(stream);
    server.wait_for_open(0).await;
}

#[tokio::test]
async fn the_end_of_the_session_is_an_error_and_complete() {
    let server = Server::start().await;
    let mut stream = open(&server, "ending").await;
    server.wait_for_open(1).await;
    server.revoke.cancel();
    let text = rest(&mut stream).await;
    assert!(text.contains("UNAUTHENTICATED") && text.contains("event: complete\ndata:\n\n"), "{text}");
    server.wait_for_open(0).await;
}

#[tokio::test]
async fn a_drain_ends_the_stream_without_complete() {
    let server = Server::start().await;
    let mut stream = open(&server, "nobody").await;
    server.wait_for_open(1).await;
    server.shutdown.cancel();
    let text = rest(&mut stream).await;
    assert!(!text.contains("complete"), "{text}");
}

async fn open(server: &Server, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let path = path(&[("query", "subscription { silence }")]);
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {EVENTS}\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = [0; 4096];
    let length = timeout(TIMEOUT, stream.read(&mut bytes)).await.expect("in time").ok()?;
    (length > 0).then(|| String::from_utf8_lossy(&bytes[..length]).into_owned())
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while let Some(more) = read(stream).await {
        text += &more;
    }
    text
}
