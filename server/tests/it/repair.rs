//! Repairs on request, through the API and the command line.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    cli::commands::succeed,
    support::{Home, Server, psql, text},
};

const REPAIR: &str = "mutation($input: RepairInstanceInput!) { repairInstance(input: $input) {
    instance { state } operation { id kind status canCancel } userErrors { code field message } } }";
const STARTED: &str = "SELECT pg_postmaster_start_time()";

async fn repair(server: &Server, input: Value) -> Value {
    server.query(REPAIR, json!({ "input": input })).await["repairInstance"].clone()
}

/// Repairs an instance, and returns the operation when it has finished.
async fn repaired(server: &Server, id: &str) -> Value {
    let accepted = repair(server, json!({ "id": id })).await;
    assert_eq!(accepted["userErrors"], json!([]), "{accepted:#}");
    finished(server, &text(&accepted["operation"]["id"])).await
}

async fn finished(server: &Server, operation: &str) -> Value {
    let document = "subscription($id: ID!) { operation(id: $id) { status error { code message } steps { name status findings } } }";
    let mut live = server.subscribe(document, json!({ "id": operation })).await;
    let mut last = Value::Null;
    while let Some(item) = live.next().await {
        last = item["data"]["operation"].clone();
    }
    last
}

/// The findings of the first step, which is `REPAIR_POSTGRES`.
fn findings(operation: &Value) -> Value {
    assert_eq!((&operation["status"], &operation["steps"][0]["name"]), (&json!("SUCCEEDED"), &json!("REPAIR_POSTGRES")), "{operation:#}");
    operation["steps"][0]["findings"].clone()
}

fn files(home: &Home, id: &str) -> PathBuf {
    home.path().join("data/instances").join(id)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_were_deleted_and_edited_are_put_back() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    let started = psql(&url, STARTED).await.unwrap();
    let files = files(&home, &id);
    let contents = || ["postgresql.conf", "pg_hba.conf"].map(|name| fs::read_to_string(files.join(name)).ok());
    let before = contents();

    fs::remove_file(files.join("postgresql.conf")).unwrap();
    fs::write(files.join("pg_hba.conf"), "host all all 0.0.0.0/0 trust\n").unwrap();
    let input = json!({ "id": id, "idempotencyKey": "once" });
    let accepted = repair(&server, input.clone()).await;
    assert_eq!((&accepted["userErrors"], &accepted["instance"]["state"]), (&json!([]), &json!("UPDATING")), "{accepted:#}");
    let operation = text(&accepted["operation"]["id"]);
    assert_eq!(operation, format!("repair-{id}-2"));
    let done = finished(&server, &operation).await;
    assert_eq!(findings(&done), json!(["the file postgresql.conf was deleted", "the file pg_hba.conf was edited"]));
    assert_eq!(contents(), before);
    assert_eq!(text(&repair(&server, input).await["operation"]["id"]), operation, "the same key is the same operation");

    let query = "query($id: ID!) { instance(id: $id) { events(first: 200) { nodes { type operation { id } reason { code message } } } } }";
    let events = server.query(query, json!({ "id": id })).await["instance"]["events"]["nodes"].clone();
    let said: Vec<_> = events.as_array().unwrap().iter().filter(|event| event["type"] == "INSTANCE_REPAIRED").collect();
    let message = "Put back: the file postgresql.conf was deleted; the file pg_hba.conf was edited";
    assert_eq!(
        json!(said),
        json!([{ "type": "INSTANCE_REPAIRED", "operation": { "id": operation }, "reason": { "code": "DRIFTED", "message": message } }])
    );

    server.until_healthy(&id).await;
    assert_eq!(psql(&url, STARTED).await.unwrap(), started, "the server was not restarted");
    assert_eq!(findings(&repaired(&server, &id).await), json!(["nothing differs from what was deployed"]));
    fs::remove_file(files.join("pg_hba.conf")).unwrap();
    let shown = succeed(&home, &server, &["instances", "repair", "orders", "--wait"]).await;
    assert!(shown.contains("orders") && shown.contains("running"), "{shown}");
    assert_eq!(contents(), before);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_needs_the_data() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    fs::remove_dir_all(files(&home, &id).join("data")).unwrap();
    let failed = repaired(&server, &id).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("FAILED"), &json!("DATA_LOST")), "{failed:#}");
    let message = text(&failed["error"]["message"]);
    assert!(message.contains("Restore a backup into a new instance, or delete this one"), "{message}");
    server.until(&id, "without its data", |now| now["health"] == "UNHEALTHY" && now["reason"]["code"] == "DATA_LOST").await;

    let restart = "mutation($id: ID!) { restartInstance(input: { id: $id }) { operation { id } } }";
    let restart = server.query(restart, json!({ "id": id })).await;
    let failed = finished(&server, &text(&restart["restartInstance"]["operation"]["id"])).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("FAILED"), &json!("DATA_LOST")), "{failed:#}");
    assert!(!files(&home, &id).join("data/PG_VERSION").exists(), "no empty database takes its place");
    server.delete(&id).await;
    server.until_deleted(&id).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_repair_refuses() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("orders").await;
    let early = repair(&server, json!({ "id": id })).await;
    assert_eq!(early["userErrors"][0]["code"], "CONFLICT", "{early:#}");
    server.until_healthy(&id).await;
    for (input, code, field) in [
        (json!({ "id": id, "revision": "1" }), "REVISION_MISMATCH", "revision"),
        (json!({ "id": "00000000-0000-7000-8000-000000000000" }), "NOT_FOUND", "id"),
        (json!({ "id": id, "idempotencyKey": "" }), "INVALID", "idempotencyKey"),
    ] {
        let answer = repair(&server, input).await;
        assert_eq!((&answer["operation"], &answer["userErrors"][0]["code"]), (&Value::Null, &json!(code)), "{answer:#}");
        assert_eq!(answer["userErrors"][0]["field"], json!([field]), "{answer:#}");
    }
    server.stop().await;
}
