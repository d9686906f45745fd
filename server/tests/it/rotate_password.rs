//! Rotations of passwords, through the API and the command line.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::{
    cli::commands::{command, run, succeed},
    support::{Home, Server, connect, psql, text},
};

const ROTATE: &str = "mutation($input: RotatePasswordInput!) { rotatePassword(input: $input) {
    instance { state health } operation { id kind status canCancel } userErrors { code field message } } }";

pub async fn rotate(server: &Server, input: Value) -> Value {
    server.query(ROTATE, json!({ "input": input })).await["rotatePassword"].clone()
}

/// Rotates a password, and returns the operation when it has finished.
pub async fn rotated(server: &Server, input: Value) -> Value {
    let accepted = rotate(server, input).await;
    assert_eq!(accepted["userErrors"], json!([]), "{accepted:#}");
    finished(server, &text(&accepted["operation"]["id"])).await
}

async fn finished(server: &Server, operation: &str) -> Value {
    let document = "subscription($id: ID!) { operation(id: $id) { status error { code message } steps { name status attempt findings } } }";
    let mut live = server.subscribe(document, json!({ "id": operation })).await;
    let mut last = Value::Null;
    while let Some(item) = live.next().await {
        last = item["data"]["operation"].clone();
    }
    last
}

async fn connection_string(server: &Server, id: &str) -> String {
    text(&server.instance(id).await["connectionString"])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_password_works_and_the_former_does_not() {
    let home = Home::new();
    let server = home.start_with(&[("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let id = server.create_ok("orders").await;
    let before = text(&server.until_healthy(&id).await["connectionString"]);
    let session = connect(&before).await;
    let mut live = server.subscribe("subscription($id: ID!) { instance(id: $id) { state health connectionString } }", json!({ "id": id })).await;

    let input = json!({ "id": id, "password": "ch@sen by hand", "idempotencyKey": "once" });
    let accepted = rotate(&server, input.clone()).await;
    assert_eq!((&accepted["userErrors"], &accepted["instance"]), (&json!([]), &json!({ "state": "RUNNING", "health": "HEALTHY" })), "{accepted:#}");
    let operation = text(&accepted["operation"]["id"]);
    let done = finished(&server, &operation).await;
    assert_eq!(done["status"], "SUCCEEDED", "{done:#}");
    let steps: Vec<_> = done["steps"].as_array().unwrap().iter().map(|step| (text(&step["name"]), step["attempt"].as_i64())).collect();
    let expected = ["GET_INSTANCE_STATUS", "SET_PASSWORD", "CONFIRM_PASSWORD", "UPDATE_METADATA"].map(|name| (name.to_owned(), Some(1)));
    assert_eq!(steps, expected);
    // A repeated key is the first answer; with another password it is a conflict.
    assert_eq!(text(&rotate(&server, input).await["operation"]["id"]), operation);
    let other = rotate(&server, json!({ "id": id, "password": "another password", "idempotencyKey": "once" })).await;
    assert_eq!(other["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH", "{other:#}");

    // Subscribers of the instance are told, and see no outage.
    let new = loop {
        let now = live.next().await.unwrap()["data"]["instance"].clone();
        assert_eq!((&now["state"], &now["health"]), (&json!("RUNNING"), &json!("HEALTHY")), "{now:#}");
        if now["connectionString"] != json!(before) {
            break text(&now["connectionString"]);
        }
    };
    assert!(new.contains(":ch%40sen%20by%20hand@"), "{new}");
    assert_eq!(psql(&new, "SELECT 1").await.as_deref(), Ok("1"));
    let refused = psql(&before, "SELECT 1").await.unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
    assert!(session.simple_query("SELECT 1").await.is_ok(), "an open session goes on");

    // Unless it is to be ended.
    let done = rotated(&server, json!({ "id": id, "terminateSessions": true })).await;
    assert_eq!(done["steps"][2]["findings"], json!(["sessions ended: 1"]), "{done:#}");
    assert!(session.simple_query("SELECT 1").await.is_err());
    let generated = connection_string(&server, &id).await;
    assert_eq!(psql(&generated, "SELECT 1").await.as_deref(), Ok("1"));

    // The command line, with the password on stdin and with a generated one.
    let mut rotation = command(&home, &server, &["instances", "rotate-password", "orders", "--password-stdin", "--wait"]);
    let mut rotation = rotation.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    rotation.stdin.take().unwrap().write_all(b"from-stdin-22\n").await.unwrap();
    assert!(rotation.wait().await.unwrap().success());
    assert!(connection_string(&server, &id).await.contains(":from-stdin-22@"));
    let shown = succeed(&home, &server, &["instances", "rotate-password", "orders", "--terminate-sessions", "--wait"]).await;
    assert!(shown.contains("orders") && shown.contains("running"), "{shown}");
    let url = succeed(&home, &server, &["instances", "get", "orders", "--connection-string"]).await;
    assert_eq!(psql(url.trim(), "SELECT 1").await.as_deref(), Ok("1"));

    for (input, code, field) in [
        (json!({ "id": id, "password": "short" }), "INVALID", "password"),
        (json!({ "id": id, "revision": "1" }), "REVISION_MISMATCH", "revision"),
        (json!({ "id": "00000000-0000-7000-8000-000000000000" }), "NOT_FOUND", "id"),
        (json!({ "id": id, "idempotencyKey": "" }), "INVALID", "idempotencyKey"),
    ] {
        let answer = rotate(&server, input).await;
        assert_eq!((&answer["operation"], &answer["userErrors"][0]["code"]), (&Value::Null, &json!(code)), "{answer:#}");
        assert_eq!(answer["userErrors"][0]["field"], json!([field]), "{answer:#}");
    }
    let unknown = run(&home, &server, &["instances", "rotate-password", "none"]).await;
    assert!(unknown.code != 0 && unknown.err.contains("there is no instance none"), "{unknown:?}");
    let history = server.query("query($id: ID!) { instance(id: $id) { healthSummary { uptime lastFailureAt } } }", json!({ "id": id })).await;
    assert_eq!(history["instance"]["healthSummary"], json!({ "uptime": 1.0, "lastFailureAt": null }), "no rotation was an outage");
    server.stop().await;
}

/// A client that reconnects with what `connectionString` says never fails for longer than the operation takes.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_reconnect_fail_for_less_than_the_operation() {
    let home = Home::new();
    let server = Arc::new(home.start().await);
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    let over = Arc::new(AtomicBool::new(false));
    let client = tokio::spawn({
        let (server, id, over) = (server.clone(), id.clone(), over.clone());
        async move {
            let (mut logins, mut failing, mut longest) = (0, None, Duration::ZERO);
            while !over.load(Ordering::Relaxed) {
                let started = Instant::now();
                let url = connection_string(&server, &id).await;
                match tokio_postgres::connect(&url, tokio_postgres::NoTls).await {
                    Ok((client, connection)) => {
                        tokio::spawn(connection);
                        assert!(client.simple_query("SELECT 1").await.is_ok());
                        logins += 1;
                        if let Some(since) = failing.take() {
                            longest = longest.max(Instant::now() - since);
                        }
                    }
                    Err(error) => {
                        assert!(error.to_string().contains("db error"), "{error:?}");
                        failing.get_or_insert(started);
                    }
                }
            }
            assert_eq!(failing, None, "it works in the end");
            (logins, longest)
        }
    });
    let mut shortest = Duration::MAX;
    for _ in 0..8 {
        let started = Instant::now();
        assert_eq!(rotated(&server, json!({ "id": id })).await["status"], "SUCCEEDED");
        shortest = shortest.min(started.elapsed());
    }
    over.store(true, Ordering::Relaxed);
    let (logins, longest) = client.await.unwrap();
    println!("{logins} logins, failing for at most {longest:?}; the shortest rotation took {shortest:?}");
    assert!(logins > 8 && longest <= shortest, "{logins} logins, failing for {longest:?}; a rotation took {shortest:?}");
    Arc::into_inner(server).expect("the client has ended").stop().await;
}

/// The server is killed at any instant of a rotation; afterwards it ends, and what the API says logs in.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_finishes_the_rotation() {
    let home = Home::new();
    let env = [("TOYGRES_ENGINE_LOCK_SECONDS", "5")];
    let mut server = home.start_with(&env).await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    for milliseconds in [0, 40, 80, 120, 200] {
        let accepted = rotate(&server, json!({ "id": id })).await;
        let operation = text(&accepted["operation"]["id"]);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        server.kill().await;
        server = home.start_with(&env).await;
        let done = finished(&server, &operation).await;
        assert_eq!(done["status"], "SUCCEEDED", "killed after {milliseconds} ms: {done:#}");
        server.until_healthy(&id).await;
        assert_eq!(psql(&connection_string(&server, &id).await, "SELECT 1").await.as_deref(), Ok("1"), "killed after {milliseconds} ms");
    }
    server.stop().await;
}
