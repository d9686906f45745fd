//! The rules of the protocol `graphql-transport-ws`, one by one.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::support::{Client, Server, eventually};

const CURRENT: &str = "graphql-transport-ws";

#[tokio::test]
async fn the_subprotocol_is_chosen() {
    let server = Server::start().await;
    for (offered, chosen) in [
        ("graphql-transport-ws", "graphql-transport-ws"),
        ("graphql-ws", "graphql-ws"),
        ("graphql-ws, graphql-transport-ws", "graphql-transport-ws"),
        ("something, graphql-ws", "graphql-ws"),
    ] {
        assert_eq!(Client::open(&server, offered).await.protocol.as_deref(), Some(chosen), "{offered}");
    }
}

#[tokio::test]
async fn without_a_known_subprotocol_the_code_is_4406() {
    let server = Server::start().await;
    let mut client = Client::open(&server, "").await;
    assert_eq!(client.closed().await, (4406, "Subprotocol not acceptable".to_owned()));
}

#[tokio::test]
async fn initialisation_is_acknowledged() {
    let server = Server::start().await;
    for payload in [None, Some(json!(null)), Some(json!({})), Some(json!({"authorization": "Ada"}))] {
        let mut client = Client::open(&server, CURRENT).await;
        let mut message = json!({"type": "connection_init"});
        if let Some(payload) = payload {
            message["payload"] = payload;
        }
        client.send(message).await;
        assert_eq!(client.receive().await, json!({"type": "connection_ack"}));
    }
}

#[tokio::test]
async fn initialisation_has_a_deadline_of_4408() {
    let server = Server::start_with(|options| options.limits.init_timeout = Duration::from_millis(100), |_| {}).await;
    let mut client = Client::open(&server, CURRENT).await;
    assert_eq!(client.closed().await, (4408, "Connection initialisation timeout".to_owned()));
    // The time-out also applies while authentication is in progress, and other messages do not extend it.
    let mut client = Client::open(&server, CURRENT).await;
    client.send(json!({"type": "ping"})).await;
    client.send(json!({"type": "connection_init", "payload": {"authorization": "stuck"}})).await;
    assert_eq!(client.closed().await.0, 4408);
}

#[tokio::test]
async fn a_second_initialisation_is_4429() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.send(json!({"type": "connection_init"})).await;
    assert_eq!(client.closed().await, (4429, "Too many initialisation requests".to_owned()));
    let mut client = Client::open(&server, CURRENT).await;
    client.send(json!({"type": "connection_init"})).await;
    client.send(json!({"type": "connection_init"})).await;
    assert_eq!(client.closed().await.0, 4429);
}

#[tokio::test]
async fn subscribing_before_the_acknowledgement_is_4401() {
    let server = Server::start().await;
    let mut client = Client::open(&server, CURRENT).await;
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.closed().await, (4401, "Unauthorized".to_owned()));
}

#[tokio::test]
async fn a_denied_caller_is_4403_and_the_reason_fits() {
    let server = Server::start().await;
    for (token, code, reason) in
        [("wrong", 4403, "The token is not known.".to_owned()), ("long", 4403, "\u{20ac}".repeat(41)), ("later", 1013, "Try again later.".to_owned())]
    {
        let mut client = Client::open(&server, CURRENT).await;
        client.send(json!({"type": "connection_init", "payload": {"authorization": token}})).await;
        assert_eq!(client.closed().await, (code, reason), "{token}");
    }
}

#[tokio::test]
async fn the_headers_of_the_upgrade_are_credentials_too() {
    let server = Server::start().await;
    let mut client = Client::open_with(&server, CURRENT, &[("authorization", "Grace")]).await;
    client.send(json!({"type": "connection_init"})).await;
    client.receive().await;
    client.subscribe("1", "{ user }").await;
    assert_eq!(client.receive().await["payload"], json!({"data": {"user": "Grace"}}));
}

#[tokio::test]
async fn the_end_of_a_session_is_4403() {
    let server = Server::start().await;
    let mut client = Client::open(&server, CURRENT).await;
    client.send(json!({"type": "connection_init", "payload": {"authorization": "ending"}})).await;
    client.receive().await;
    client.subscribe("1", "subscription { silence }").await;
    server.wait_for_open(1).await;
    server.revoke.cancel();
    assert_eq!(client.closed().await, (4403, "Forbidden".to_owned()));
    server.wait_for_open(0).await;
}

#[tokio::test]
async fn an_id_in_use_is_4409() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("one", "subscription { silence }").await;
    client.subscribe("one", "subscription { silence }").await;
    assert_eq!(client.closed().await, (4409, "Subscriber for one already exists".to_owned()));
    let mut client = Client::ready(&server).await;
    let long = "x".repeat(500);
    client.subscribe(&long, "subscription { silence }").await;
    client.subscribe(&long, "subscription { silence }").await;
    let (code, reason) = client.closed().await;
    assert_eq!((code, reason.len()), (4409, 123));
}

#[tokio::test]
async fn an_id_is_free_again_after_its_end() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    for _ in 0..3 {
        client.subscribe("1", "{ hello }").await;
        assert_eq!(client.receive().await["type"], "next");
        assert_eq!(client.receive().await["type"], "complete");
        client.subscribe("1", "{ nothing }").await;
        assert_eq!(client.receive().await["type"], "error");
    }
    // After the client's own `complete`, nothing of the older operation arrives under the id.
    for round in 0..5 {
        client.subscribe("2", "subscription { flood }").await;
        assert_eq!(client.receive().await["id"], "2");
        client.send(json!({"id": "2", "type": "complete"})).await;
        client.subscribe("2", "subscription { count(to: 1) }").await;
        let mut message = client.receive().await;
        // Results that were written before the server read the `complete` may still arrive.
        while message["payload"]["data"].get("flood").is_some() {
            message = client.receive().await;
        }
        assert_eq!(message, json!({"id": "2", "type": "next", "payload": {"data": {"count": 0}}}), "{round}");
        assert_eq!(client.receive().await, json!({"id": "2", "type": "complete"}));
    }
}

#[tokio::test]
async fn single_results_are_next_and_complete() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client
        .send(json!({"id": "a", "type": "subscribe", "payload": {
            "query": "query A($n: String) { hello(name: $n) } mutation B { bump }",
            "operationName": "A", "variables": {"n": "Ada"}, "extensions": {"x": 1}}}))
        .await;
    assert_eq!(client.receive().await, json!({"id": "a", "type": "next", "payload": {"data": {"hello": "Hello Ada"}}}));
    assert_eq!(client.receive().await, json!({"id": "a", "type": "complete"}));
    client
        .send(json!({"id": "b", "type": "subscribe", "payload": {
            "query": "mutation B { bump }", "operationName": null, "variables": null, "extensions": null}}))
        .await;
    assert_eq!(client.receive().await, json!({"id": "b", "type": "next", "payload": {"data": {"bump": 1}}}));
    assert_eq!(client.receive().await, json!({"id": "b", "type": "complete"}));
    // A field error is a result.
    client.subscribe("c", "{ fails }").await;
    let message = client.receive().await;
    assert_eq!((&message["type"], message["payload"].get("data")), (&json!("next"), Some(&Value::Null)));
    assert_eq!(client.receive().await, json!({"id": "c", "type": "complete"}));
}

#[tokio::test]
async fn streams_are_many_next_and_complete() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("s", "subscription { count(to: 100) }").await;
    for number in 0..100 {
        assert_eq!(client.receive().await, json!({"id": "s", "type": "next", "payload": {"data": {"count": number}}}));
    }
    assert_eq!(client.receive().await, json!({"id": "s", "type": "complete"}));
    client.expect_silence().await;
}

#[tokio::test]
async fn what_fails_before_the_first_result_is_error_without_complete() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    for (index, query) in [
        "{",
        "{ nothing }",
        "query A { hello } query B { hello }",
        "subscription { nothing }",
        "subscription { count }",
        "subscription { count(to: \"x\") }",
        "subscription { broken }",
        "subscription { count(to: 1) silence }",
        "subscription { ...F } fragment F on Subscriptions { count(to: 1) silence }",
        "query($a: Int!) { hello }",
    ]
    .into_iter()
    .enumerate()
    {
        let id = index.to_string();
        client.subscribe(&id, query).await;
        let message = client.receive().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{query}: {message}");
        assert!(message["payload"][0]["message"].is_string(), "{query}: {message}");
        assert!(message["payload"][0]["extensions"]["requestId"].is_string(), "{query}: {message}");
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn what_fails_later_is_next_with_errors() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { items { number } }").await;
    assert_eq!(client.receive().await["payload"], json!({"data": {"items": {"number": 0}}}));
    let message = client.receive().await;
    assert_eq!(message["type"], "next");
    assert_eq!(message["payload"]["errors"][0]["message"], "One is not allowed.");
    assert_eq!(client.receive().await["payload"], json!({"data": {"items": {"number": 2}}}));
    assert_eq!(client.receive().await["type"], "complete");
    // Also if it is the first item: the stream continues.
    client.subscribe("2", "subscription { badStart { number } }").await;
    assert_eq!(client.receive().await["payload"]["errors"][0]["message"], "One is not allowed.");
    assert_eq!(client.receive().await["payload"], json!({"data": {"badStart": {"number": 2}}}));
    client.expect_silence().await;
}

#[tokio::test]
async fn a_panic_ends_one_operation() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { panicsLater }").await;
    assert_eq!(client.receive().await["payload"], json!({"data": {"panicsLater": 0}}));
    assert_eq!(client.receive().await["payload"]["errors"][0]["extensions"]["code"], "INTERNAL");
    assert_eq!(client.receive().await["type"], "complete");
    client.expect_silence().await;
}

#[tokio::test]
async fn the_client_completes() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { ticks(millis: 1) }").await;
    assert_eq!(client.receive().await["type"], "next");
    client.send(json!({"id": "1", "type": "complete"})).await;
    server.wait_for_open(0).await;
    // The server sends no `complete`, and completing an unknown operation is harmless.
    client.send(json!({"id": "1", "type": "complete"})).await;
    client.send(json!({"id": "unknown", "type": "complete"})).await;
    client.send(json!({"type": "ping"})).await;
    loop {
        let message = client.receive().await;
        assert_ne!(message["type"], "complete");
        if message["type"] == "pong" {
            break;
        }
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn the_end_of_the_socket_ends_its_operations() {
    let server = Server::start().await;
    for politely in [true, false] {
        let mut client = Client::ready(&server).await;
        for id in 0..10 {
            client.subscribe(&id.to_string(), "subscription { silence }").await;
        }
        server.wait_for_open(10).await;
        if politely {
            client.socket.close(None).await.expect("closed");
        } else {
            drop(client);
        }
        server.wait_for_open(0).await;
    }
}

#[tokio::test]
async fn the_client_closes_and_the_close_is_answered() {
    let server = Server::start().await;
    for mut client in [Client::ready(&server).await, Client::open(&server, CURRENT).await] {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "Normal closure".into() };
        client.send_raw(Message::Close(Some(frame))).await;
        assert_eq!(client.closed().await.0, 1000);
    }
}

#[tokio::test]
async fn pings_are_answered_with_their_payload() {
    let server = Server::start().await;
    // Also before the initialisation.
    let mut client = Client::open(&server, CURRENT).await;
    client.send(json!({"type": "ping"})).await;
    assert_eq!(client.receive().await, json!({"type": "pong"}));
    client.send(json!({"type": "pong"})).await;
    client.send(json!({"type": "connection_init"})).await;
    assert_eq!(client.receive().await["type"], "connection_ack");
    client.send(json!({"type": "ping", "payload": {"a": [1, {"b": null}]}})).await;
    assert_eq!(client.receive().await, json!({"type": "pong", "payload": {"a": [1, {"b": null}]}}));
    client.send(json!({"type": "pong", "payload": {"unasked": true}})).await;
    client.send_raw(Message::Ping("frame".into())).await;
    assert_eq!(client.next().await, Some(Message::Pong("frame".into())));
    client.expect_silence().await;
}

#[tokio::test]
async fn the_server_pings_and_gives_up_on_silence() {
    let server = Server::start_with(|options| options.limits.ping_interval = Duration::from_millis(150), |_| {}).await;
    let mut client = Client::ready(&server).await;
    for _ in 0..4 {
        assert_eq!(client.receive().await, json!({"type": "ping"}));
        client.send(json!({"type": "pong", "payload": {"from": "client"}})).await;
    }
    assert_eq!(client.receive().await, json!({"type": "ping"}));
    assert_eq!(client.closed().await, (1013, "The last ping was not answered".to_owned()));
}

#[tokio::test]
async fn invalid_messages_are_4400_with_a_reason() {
    let server = Server::start().await;
    for text in [
        "",
        "nonsense",
        "3",
        "null",
        "[]",
        "{}",
        r#"{"type":3}"#,
        r#"{"type":null}"#,
        r#"{"type":"nothing"}"#,
        r#"{"type":"start","id":"1","payload":{"query":"{ hello }"}}"#,
        r#"{"type":"next","id":"1","payload":{}}"#,
        r#"{"type":"connection_ack"}"#,
        r#"{"type":"ping","payload":"x"}"#,
        r#"{"type":"pong","payload":[]}"#,
        r#"{"type":"complete"}"#,
        r#"{"type":"complete","id":3}"#,
        r#"{"type":"complete","id":""}"#,
        r#"{"type":"subscribe","payload":{"query":"{ hello }"}}"#,
        r#"{"type":"subscribe","id":"","payload":{"query":"{ hello }"}}"#,
        r#"{"type":"subscribe","id":1,"payload":{"query":"{ hello }"}}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"subscribe","id":"1","payload":null}"#,
        r#"{"type":"subscribe","id":"1","payload":["{ hello }"]}"#,
        r#"{"type":"subscribe","id":"1","payload":{}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":3}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{ hello }","variables":"x"}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{ hello }","operationName":1}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{ hello }","extensions":1}}"#,
    ] {
        let mut client = Client::ready(&server).await;
        client.send_raw(Message::text(text)).await;
        let (code, reason) = client.closed().await;
        assert_eq!(code, 4400, "{text}");
        assert!(!reason.is_empty() && reason.len() <= 123, "{text}: {reason}");
    }
    for text in ["{}", r#"{"type":"connection_init","payload":"x"}"#, r#"{"type":"connection_init","payload":[]}"#] {
        let mut client = Client::open(&server, CURRENT).await;
        client.send_raw(Message::text(text)).await;
        assert_eq!(client.closed().await.0, 4400, "{text}");
    }
    let mut client = Client::ready(&server).await;
    client.send_raw(Message::binary(br#"{"type":"ping"}"#.as_slice())).await;
    assert_eq!(client.closed().await.0, 4400);
}

#[tokio::test]
async fn ids_are_escaped() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    let id = "\"}\n\u{1F600}\\";
    client.subscribe(id, "{ hello }").await;
    assert_eq!(client.receive().await["id"], id);
    assert_eq!(client.receive().await, json!({"id": id, "type": "complete"}));
}

#[tokio::test]
async fn a_drain_answers_what_has_one_result_and_closes_with_1012() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "subscription { silence }").await;
    client.subscribe("2", "mutation { bump(millis: 300) }").await;
    server.wait_for_open(1).await;
    client.expect_silence().await;
    let mut new = Client::open(&server, CURRENT).await;
    server.shutdown.cancel();
    assert_eq!(new.closed().await, (1012, "Service restart".to_owned()));
    assert_eq!(client.receive().await["payload"], json!({"data": {"bump": 1}}));
    assert_eq!(client.receive().await, json!({"id": "2", "type": "complete"}));
    assert_eq!(client.closed().await, (1012, "Service restart".to_owned()));
    server.wait_for_open(0).await;
}

#[tokio::test]
async fn a_mutation_outlives_its_socket() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("1", "mutation { bump(millis: 300) }").await;
    client.expect_silence().await;
    drop(client);
    eventually("the mutation has run", || server.counters.mutations.load(Ordering::SeqCst) == 1).await;
}
