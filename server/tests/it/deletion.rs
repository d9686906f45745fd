//! The deletion of an instance whose backups are kept: everything that it has committed is archived first, whatever happens meanwhile.

use serde_json::{Value, json};
use toygres_k8s_fake::program;

use crate::{
    backups::{ON, finish, poll, until, until_protected},
    cli::commands::{json as json_of, run, succeed},
    kubernetes::Platform,
    restore::restore,
    s3_server::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY},
    support::{Home, Server, connect, psql, text},
};

const DELETE: &str = "mutation($input: DeleteInstanceInput!) { deleteInstance(input: $input) {
    operation { id canCancel } userErrors { code field message } } }";
const OPERATION: &str = "query($id: ID!) { operation(id: $id) { status canCancel steps { name status findings error { code message } } } }";

async fn delete(server: &Server, input: Value) -> Value {
    server.query(DELETE, json!({ "input": input })).await["deleteInstance"].clone()
}

async fn deleted(server: &Server, input: Value) -> String {
    let answer = delete(server, input).await;
    assert_eq!(answer["userErrors"], json!([]), "{answer:#}");
    text(&answer["operation"]["id"])
}

async fn step(server: &Server, operation: &str, name: &str) -> Value {
    let now = server.query(OPERATION, json!({ "id": operation })).await["operation"].clone();
    now["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).expect("it is planned").clone()
}

/// Commits rows until the server is gone; returns the last one whose commit was confirmed.
async fn write(url: String) -> i64 {
    let client = connect(&url).await;
    let mut last = 0;
    while let Ok(row) = client.query_one("INSERT INTO rows SELECT coalesce(max(n), 0) + 1 FROM rows RETURNING n", &[]).await {
        last = row.get(0);
    }
    last
}

/// An instance that is protected, and to which somebody writes as fast as it goes.
async fn written(server: &Server, name: &str) -> (String, String) {
    let id = server.create_ok(name).await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows (n bigint PRIMARY KEY)").await.unwrap();
    until_protected(server, &id).await;
    (id, url)
}

/// Restores a deleted instance; returns the number of its rows.
async fn restored(server: &Server, id: &str, name: &str) -> i64 {
    let answer = restore(server, json!({ "sourceId": id, "name": name })).await;
    assert_eq!(answer["userErrors"], json!([]), "{answer:#}");
    finish(server, &text(&answer["operation"]["id"]), "SUCCEEDED").await;
    let url = text(&server.until_healthy(&text(&answer["instance"]["id"])).await["connectionString"]);
    let (count, last) = (psql(&url, "SELECT count(*) FROM rows").await.unwrap(), psql(&url, "SELECT coalesce(max(n), 0) FROM rows").await.unwrap());
    assert_eq!(count, last, "none is missing in between");
    count.parse().unwrap()
}

async fn incomplete(server: &Server, id: &str) -> Value {
    let query = "query($id: ID!) { instance(id: $id) { recovery { incomplete { code message } } } }";
    server.query(query, json!({ "id": id })).await["instance"]["recovery"]["incomplete"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_before_a_deletion_can_be_restored() {
    let home = Home::new();
    let mut server = home.start_with(&[ON]).await;
    let (id, url) = written(&server, "orders").await;
    let writer = tokio::spawn(write(url.clone()));
    poll("rows are written", async || (psql(&url, "SELECT count(*) FROM rows").await.unwrap() != "0").then_some(())).await;
    let operation = deleted(&server, json!({ "id": id })).await;
    finish(&server, &operation, "SUCCEEDED").await;
    let rows = writer.await.unwrap();
    assert!(rows > 0);
    assert_eq!(step(&server, &operation, "CLOSE_ARCHIVE").await["status"], "SUCCEEDED");
    assert_eq!(step(&server, &operation, "TAKE_BACKUP").await["status"], "SKIPPED");
    assert!(restored(&server, &id, "orders-copy").await >= rows, "{rows} rows were committed");
    assert_eq!(incomplete(&server, &id).await, Value::Null);

    // The control plane is killed while the server is being stopped: whether the end was archived is not known then.
    let (id, url) = written(&server, "killed").await;
    let writer = tokio::spawn(write(url.clone()));
    poll("rows are written", async || (psql(&url, "SELECT count(*) FROM rows").await.unwrap() != "0").then_some(())).await;
    let operation = deleted(&server, json!({ "id": id })).await;
    poll("the archive is being closed", async || (step(&server, &operation, "CLOSE_ARCHIVE").await["status"] != "PENDING").then_some(())).await;
    server.crash().await;
    server = home.start_with(&[ON]).await;
    finish(&server, &operation, "SUCCEEDED").await;
    let rows = writer.await.unwrap();
    assert!(restored(&server, &id, "killed-copy").await >= rows, "{rows} rows were committed");
    assert_eq!(incomplete(&server, &id).await, Value::Null);

    // What was committed just before a suspension was not archived while the server ran.
    let (id, url) = written(&server, "suspended").await;
    psql(&url, "INSERT INTO rows SELECT generate_series(1, 1000)").await.unwrap();
    let suspend = "mutation($id: ID!) { suspendInstance(input: { id: $id }) { operation { id } } }";
    let suspension = server.query(suspend, json!({ "id": id })).await["suspendInstance"]["operation"]["id"].clone();
    finish(&server, &text(&suspension), "SUCCEEDED").await;
    let operation = deleted(&server, json!({ "id": id })).await;
    finish(&server, &operation, "SUCCEEDED").await;
    assert_eq!(restored(&server, &id, "suspended-copy").await, 1000);
    assert_eq!(incomplete(&server, &id).await, Value::Null);
    server.crash().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_holds_up_a_deletion_for_a_limited_time() {
    let home = Home::new();
    let server = home.start_with(&[ON, ("TOYGRES_BACKUP_CLOSE_SECONDS", "10")]).await;
    let id = server.create_ok("new").await;
    let refused = delete(&server, json!({ "id": id, "finalBackup": true, "backupRetentionDays": 0 })).await;
    assert_eq!((&refused["userErrors"][0]["code"], &refused["userErrors"][0]["field"]), (&json!("CONFLICT"), &json!(["finalBackup"])), "{refused:#}");
    let (id, url) = written(&server, "orders").await;
    let (archive, away) = (home.path().join("data-backups").join(&id), home.path().join("away"));
    std::fs::rename(&archive, &away).unwrap();
    std::fs::write(&archive, "not a directory").unwrap();
    psql(&url, "INSERT INTO rows SELECT generate_series(1, 1000)").await.unwrap();
    until(&server, &id, "failing", |now| now["backupPolicy"]["protection"] == "FAILING").await;

    // A final backup is waited for; the deletion can be cancelled, or go on without it.
    let operation = deleted(&server, json!({ "id": id, "finalBackup": true })).await;
    poll("it says what it waits for", async || {
        let error = step(&server, &operation, "TAKE_BACKUP").await["error"].clone();
        (error["code"] == "STORE_UNAVAILABLE" && text(&error["message"]).contains("finalBackup: false")).then_some(())
    })
    .await;
    assert_eq!(server.query(OPERATION, json!({ "id": operation })).await["operation"]["canCancel"], true);
    assert_eq!(psql(&url, "SELECT count(*) FROM rows").await.as_deref(), Ok("1000"), "nothing is stopped before");
    assert_eq!(deleted(&server, json!({ "id": id })).await, operation, "which says nothing of a backup, and changes nothing");
    // Who wants more to be kept is not told that it is.
    for (field, value) in [("keepVolumes", json!(true)), ("backupRetentionDays", json!(30))] {
        let refused = delete(&server, json!({ "id": id, field: value, "finalBackup": false })).await["userErrors"].clone();
        assert_eq!((&refused[0]["code"], &refused[0]["field"]), (&json!("CONFLICT"), &json!([field])), "{refused:#}");
        assert!(text(&refused[0]["message"]).starts_with(&operation), "{refused:#}");
    }
    assert_eq!(step(&server, &operation, "TAKE_BACKUP").await["status"], "RUNNING", "what is refused waives no backup");
    assert_eq!(deleted(&server, json!({ "id": id, "finalBackup": false })).await, operation);
    poll("the archive is to be closed", async || {
        (step(&server, &operation, "CLOSE_ARCHIVE").await["error"]["code"] == "STORE_UNAVAILABLE").then_some(())
    })
    .await;
    finish(&server, &operation, "SUCCEEDED").await;
    let finding = text(&step(&server, &operation, "CLOSE_ARCHIVE").await["findings"][0]);
    assert!(finding.contains("may not be in the archive"), "{finding}");
    assert_eq!(incomplete(&server, &id).await["code"], "STORE_UNAVAILABLE");

    std::fs::remove_file(&archive).unwrap();
    std::fs::rename(&away, &archive).unwrap();
    assert_eq!(restored(&server, &id, "orders-copy").await, 0, "what was archived before");

    // One that asks for a final backup has it, also by the command line.
    let (id, url) = written(&server, "last").await;
    psql(&url, "INSERT INTO rows SELECT generate_series(1, 1000)").await.unwrap();
    let output = run(&home, &server, &["instances", "delete", "last", "--final-backup", "--yes", "--wait", "-o", "json"]).await;
    let answer: Value = serde_json::from_str(&output.out).unwrap();
    let hint = format!("restore it with: toygres instances restore {id} NAME");
    assert!(output.err.contains("Its backups are kept until ") && output.err.contains(&hint), "{}", output.err);
    let unknown = run(&home, &server, &["instances", "restore", "last", "other"]).await;
    assert!(unknown.code == 4 && unknown.err.contains(&id) && unknown.err.contains("`toygres instances restore ID NAME`"), "{unknown:?}");
    let unknown = run(&home, &server, &["backups", "list", "last"]).await;
    assert!(unknown.code == 4 && unknown.err.contains(&id), "{unknown:?}");
    let listed = succeed(&home, &server, &["instances", "list", "--state", "deleted"]).await;
    assert!(listed.lines().any(|line| line.contains("last") && line.contains(&id)), "{listed}");
    assert_eq!(answer["operation"]["status"], "SUCCEEDED", "{answer:#}");
    let listed = json_of(&home, &server, &["backups", "list", &id]).await;
    let newest = &listed["backups"][0];
    assert_eq!((&newest["status"], &newest["trigger"]), (&json!("AVAILABLE"), &json!("REQUEST")), "{listed:#}");
    assert_eq!(restored(&server, &id, "last-copy").await, 1000);
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_before_a_deletion_on_kubernetes_can_be_restored() {
    let platform = Platform::new().await;
    let s3 = S3Server::start().await;
    platform.cluster.set_image(program(env!("CARGO_BIN_EXE_toygres").into()));
    let store = format!("s3://{BUCKET}?endpoint={}", s3.endpoint());
    let login = [("TOYGRES_BACKUP_S3_ACCESS_KEY_ID", ACCESS_KEY), ("TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY", SECRET_KEY)];
    let store = [ON, ("TOYGRES_BACKUP_STORE", store.as_str()), ("TOYGRES_RESTORE_IMAGE", "toygres:test")];
    let server = platform.start_with(&[&store[..], &login].concat()).await;
    let (id, url) = written(&server, "orders").await;
    let writer = tokio::spawn(write(url.clone()));
    poll("rows are written", async || (psql(&url, "SELECT count(*) FROM rows").await.unwrap() != "0").then_some(())).await;
    let operation = deleted(&server, json!({ "id": id, "finalBackup": true })).await;
    finish(&server, &operation, "SUCCEEDED").await;
    let rows = writer.await.unwrap();
    assert_eq!(platform.cluster.object_names(), std::collections::BTreeSet::new(), "nothing leaks in the cluster");
    for name in ["TAKE_BACKUP", "CLOSE_ARCHIVE"] {
        assert_eq!(step(&server, &operation, name).await["status"], "SUCCEEDED", "{name}");
    }
    assert!(restored(&server, &id, "orders-copy").await >= rows, "{rows} rows were committed");
    assert_eq!(incomplete(&server, &id).await, Value::Null);
    server.stop().await;
}
