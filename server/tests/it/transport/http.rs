//! GraphQL over HTTP, in addition to the audits in `clients`.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::json;

use super::support::{Server, eventually, path};

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";

#[tokio::test]
async fn get_honours_the_operation_name_and_variables() {
    let server = Server::start().await;
    let document = "query A($n: String) { hello(name: $n) } query B { user }";
    let a = [("query", document), ("operationName", "A"), ("variables", r#"{"n":"Ada"}"#)];
    let answer = server.get(GRAPHQL, &a).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"data": {"hello": "Hello Ada"}})));
    let answer = server.get(GRAPHQL, &[("query", document), ("operationName", "B")]).await;
    assert_eq!(answer.json(), json!({"data": {"user": "nobody"}}));
    for name in [None, Some(("operationName", "C"))] {
        let parameters: Vec<_> = [("query", document)].into_iter().chain(name).collect();
        let answer = server.get(GRAPHQL, &parameters).await;
        assert_eq!((answer.status, answer.json().get("data")), (400, None), "{name:?}");
        let answer = server.get(JSON, &parameters).await;
        assert_eq!((answer.status, answer.json().get("data")), (200, None), "{name:?}");
    }
}

#[tokio::test]
async fn a_mutation_by_get_is_refused_and_does_nothing() {
    let server = Server::start().await;
    let documents = [vec![("query", "mutation { bump }")], vec![("query", "query A { hello } mutation B { bump }"), ("operationName", "B")]];
    for accept in [JSON, GRAPHQL, "*/*", "text/event-stream"] {
        for parameters in &documents {
            let answer = server.get(accept, parameters).await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{accept}");
            assert_eq!(answer.code(), "METHOD_NOT_ALLOWED");
        }
    }
    let answer = server.get(JSON, &[("query", "query A { hello } mutation B { bump }"), ("operationName", "A")]).await;
    assert_eq!(answer.json(), json!({"data": {"hello": "Hello world"}}));
    assert_eq!(server.counters.mutations.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn only_json_bodies_are_read() {
    let server = Server::start().await;
    let body = json!({"query": "mutation { bump }"}).to_string();
    for (content_type, status) in [
        ("text/plain", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/graphql", 415),
        ("application/jsonp", 415),
        ("text/plain; application/json", 415),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=iso-8859-1", 415),
        ("application/json", 200),
        ("Application/JSON;charset=\"UTF-8\"", 200),
    ] {
        let answer = server.request("POST", "/graphql", &[("Content-Type", content_type)], &body).await;
        assert_eq!(answer.status, status, "{content_type}");
    }
    let answer = server.request("POST", "/graphql", &[], &body).await;
    assert_eq!((answer.status, answer.code().as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"));
    let compressed = [("Content-Type", JSON), ("Content-Encoding", "gzip")];
    assert_eq!(server.request("POST", "/graphql", &compressed, &body).await.status, 415);
    assert_eq!(server.counters.mutations.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_answer_has_an_acceptable_type_or_is_406() {
    let server = Server::start().await;
    let body = json!({"query": "{ hello }"});
    for (accept, content_type) in [
        ("*/*", "application/json; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        (GRAPHQL, "application/graphql-response+json; charset=utf-8"),
        ("application/json;q=0.5, application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
    ] {
        let answer = server.post(accept, &body).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{accept}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    for accept in ["text/html", "application/json;charset=latin1", "application/json;q=0"] {
        let answer = server.post(accept, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (406, "NOT_ACCEPTABLE"), "{accept}");
    }
}

#[tokio::test]
async fn the_status_says_whether_the_document_was_executed() {
    let server = Server::start().await;
    for (document, graphql, data) in [
        ("{ hello }", 200, Some(json!({"hello": "Hello world"}))),
        // A field error without data is still an execution.
        ("{ fails }", 200, Some(json!(null))),
        ("{ nested { fails value } }", 200, Some(json!({"nested": {"fails": null, "value": 1}}))),
        ("{ nothing }", 400, None),
        ("{", 400, None),
        ("query($a: Int!) { hello }", 400, None),
    ] {
        for (accept, status) in [(GRAPHQL, graphql), (JSON, 200)] {
            let answer = server.post(accept, &json!({ "query": document })).await;
            assert_eq!(answer.status, status, "{document} {accept}");
            assert_eq!(answer.json().get("data"), data.as_ref(), "{document}");
        }
    }
}

#[tokio::test]
async fn malformed_requests_are_400_whatever_is_accepted() {
    let server = Server::start().await;
    for body in ["{", "3", "\"{ hello }\"", "{}", r#"{"query":3}"#, r#"{"query":"{hello}","variables":"x"}"#, "\u{1}"] {
        for accept in [JSON, GRAPHQL, "text/event-stream"] {
            let headers = [("Content-Type", JSON), ("Accept", accept)];
            let answer = server.request("POST", "/graphql", &headers, body).await;
            assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{body} {accept}");
        }
    }
    for query in ["/graphql", "/graphql?query=%7Bhello%7D&variables=3"] {
        assert_eq!(server.request("GET", query, &[], "").await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn other_methods_are_named() {
    let server = Server::start().await;
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = server.request(method, "/graphql", &[], "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, POST, OPTIONS")), "{method}");
    }
    let answer = server.request("OPTIONS", "/graphql", &[], "").await;
    assert_eq!((answer.status, answer.header("allow")), (204, Some("GET, POST, OPTIONS")));
}

#[tokio::test]
async fn a_batch_is_answered_in_order() {
    let server = Server::start().await;
    let batch = json!([
        {"query": "{ hello }"}, {"query": "{ nothing }"}, {"query": "subscription { count(to: 1) }"}, {"query": "{ user }"},
    ]);
    let answer = server.post(GRAPHQL, &batch).await;
    assert_eq!(answer.status, 200);
    let all = answer.json();
    assert_eq!(all[0], json!({"data": {"hello": "Hello world"}}));
    assert!(all[1].get("data").is_none() && all[1]["errors"][0]["message"].is_string());
    assert_eq!(all[2]["errors"][0]["extensions"]["code"], "SUBSCRIPTION_NEEDS_STREAM");
    assert_eq!(all[3], json!({"data": {"user": "nobody"}}));
    let mutations = json!([
        {"query": "mutation { bump(millis: 50) }"}, {"query": "mutation { bump }"}, {"query": "mutation { bump(millis: 5) }"},
    ]);
    let answer = server.post(JSON, &mutations).await;
    assert_eq!(answer.json(), json!([{"data": {"bump": 1}}, {"data": {"bump": 2}}, {"data": {"bump": 3}}]));
}

#[tokio::test]
async fn fields_have_the_order_of_the_selection() {
    let server = Server::start().await;
    let answer = server.post(JSON, &json!({"query": "{ late { fails value } ...F user } fragment F on Query { b: late { value } a: hello }"})).await;
    let data = r#""data":{"late":{"fails":null,"value":1},"b":{"value":1},"a":"Hello world","user":"nobody"}"#;
    assert!(answer.body.contains(data), "{}", answer.body);
}

#[tokio::test]
async fn a_subscription_needs_a_stream() {
    let server = Server::start().await;
    for accept in [JSON, GRAPHQL, "*/*"] {
        let answer = server.post(accept, &json!({"query": "subscription { count(to: 1) }"})).await;
        assert_eq!((answer.status, answer.code().as_str()), (406, "SUBSCRIPTION_NEEDS_STREAM"), "{accept}");
    }
}

#[tokio::test]
async fn callers_are_let_in_or_told_why_not() {
    let server = Server::start().await;
    let body = json!({"query": "{ user }"}).to_string();
    for (token, status, code) in [("Ada", 200, ""), ("wrong", 401, "UNAUTHENTICATED"), ("later", 503, "UNAVAILABLE")] {
        let headers = [("Content-Type", JSON), ("Authorization", token)];
        let answer = server.request("POST", "/graphql", &headers, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{token}");
        assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"));
        let get = server.request("GET", &path(&[("query", "{ user }")]), &[("Authorization", token)], "").await;
        assert_eq!(get.status, status, "{token}");
    }
}

#[tokio::test]
async fn errors_and_answers_carry_the_request_id() {
    let server = Server::start().await;
    let answer = server.post(JSON, &json!({"query": "{ requestId }"})).await;
    assert_eq!(answer.json()["data"]["requestId"].as_str(), answer.header("x-request-id"));
    for body in [json!({"query": "{ fails }"}), json!({"query": "{"}), json!({}), json!([])] {
        let answer = server.post(JSON, &body).await;
        let id = answer.header("x-request-id").expect("a request id").to_owned();
        assert_eq!(answer.json()["errors"][0]["extensions"]["requestId"], json!(id), "{body}");
    }
}

#[tokio::test]
async fn a_panic_ends_one_operation() {
    let server = Server::start().await;
    let answer = server.post(GRAPHQL, &json!([{"query": "{ panics }"}, {"query": "{ hello }"}])).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()[0]["errors"][0]["extensions"]["code"], "INTERNAL");
    assert_eq!(answer.json()[1], json!({"data": {"hello": "Hello world"}}));
    assert!(!answer.body.contains("on purpose"));
}

#[tokio::test]
async fn a_mutation_outlives_its_caller() {
    let server = Server::start().await;
    let body = json!({"query": "mutation { bump(millis: 300) }"});
    let impatient = server.post(JSON, &body);
    assert!(tokio::time::timeout(Duration::from_millis(100), impatient).await.is_err());
    eventually("the mutation has run", || server.counters.mutations.load(Ordering::SeqCst) == 1).await;
}
