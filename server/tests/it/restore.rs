//! Restoring an instance: to a time, a position, a backup and the end of what was archived, from an instance that runs and one that is
//! deleted.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    backups::{ON, finish, poll, time, until, until_protected, until_recoverable},
    cli::commands::json as json_of,
    support::{Home, Server, psql, text},
};

const RESTORE: &str = "mutation($input: RestoreInstanceInput!) { restoreInstance(input: $input) {
    instance { id name state postgresVersion storageGb memoryMb username database labels { key value } parameters { name value } }
    operation { id kind } userErrors { code field message } } }";

pub async fn restore(server: &Server, input: Value) -> Value {
    server.query(RESTORE, json!({ "input": input })).await["restoreInstance"].clone()
}

/// Restores, and returns the id and the URL of the new instance.
async fn restored(server: &Server, input: Value) -> (String, String) {
    let answer = restore(server, input).await;
    assert_eq!((&answer["userErrors"], &answer["operation"]["kind"]), (&json!([]), &json!("RESTORE")), "{answer:#}");
    finish(server, &text(&answer["operation"]["id"]), "SUCCEEDED").await;
    let id = text(&answer["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    (id, url)
}

pub async fn rows(url: &str) -> String {
    psql(url, "SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(n::text, ',' ORDER BY n)), '') FROM rows").await.unwrap()
}

async fn lsn(url: &str) -> String {
    psql(url, "SELECT pg_current_wal_flush_lsn()").await.unwrap()
}

fn at(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_point_that_was_archived_can_be_restored() {
    let home = Home::new();
    let mut server = home.start_with(&[ON]).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await.unwrap();
    let user =
        "mutation($id: ID!) { createDatabaseUser(input: { instanceId: $id, name: \"reader\", access: READ_ONLY, password: \"of-the-source\" }) {
        operation { id } userErrors { message } } }";
    let user = server.query(user, json!({ "id": id })).await["createDatabaseUser"].clone();
    finish(&server, &text(&user["operation"]["id"]), "SUCCEEDED").await;
    assert!(psql(&with_user(&url, "reader", "of-the-source"), "SELECT 1").await.is_ok());
    until_protected(&server, &id).await;
    let first = json_of(&home, &server, &["backups", "list", "orders"]).await["backups"][0].clone();

    // Between two commits, by time and by position, and the mistake.
    psql(&url, "INSERT INTO rows VALUES (1001)").await.unwrap();
    let (before, position) = (rows(&url).await, lsn(&url).await);
    let moment = time(&url).await;
    psql(&url, "INSERT INTO rows VALUES (1002)").await.unwrap();
    let last = rows(&url).await;
    psql(&url, "DROP TABLE rows").await.unwrap();
    until_recoverable(&server, &id, &url).await;
    let (by_time, time_url) =
        restored(&server, json!({ "sourceId": id, "name": "by-time", "target": { "time": at(moment) }, "memoryMb": 256 })).await;
    assert_eq!(rows(&time_url).await, before);
    let (_, lsn_url) = restored(&server, json!({ "sourceId": id, "name": "by-lsn", "target": { "lsn": position } })).await;
    assert_eq!(rows(&lsn_url).await, before);
    assert_ne!(before, last);

    // The copy is an instance of its own: passwords of the source do not work in it, it is archived by itself, and says what it was made of.
    assert!(psql(&replaced(&url, &time_url), "SELECT 1").await.is_err(), "the password of the source's owner");
    assert!(psql(&with_user(&time_url, "reader", "of-the-source"), "SELECT 1").await.is_err(), "the password of another role of the source");
    until_protected(&server, &by_time).await;
    let own = json_of(&home, &server, &["backups", "list", "by-time"]).await["backups"][0].clone();
    assert!(text(&own["path"]).starts_with(&by_time) && !text(&own["path"]).contains(&id), "{own}");
    let settings = psql(&time_url, "SELECT current_setting('shared_buffers') || ' ' || current_setting('restore_command') || current_setting('recovery_target_time') || pg_is_in_recovery()").await;
    assert_eq!(settings.as_deref(), Ok("64MB false"), "its size is its own, and nothing of the recovery is left");

    // A restored instance is restored like any other, across its timelines.
    psql(&time_url, "INSERT INTO rows VALUES (2000)").await.unwrap();
    let changed = rows(&time_url).await;
    // What was committed just now is waited for, even if the clock of the instance's server is ahead of the control plane's.
    until(&server, &by_time, "archiving", |now| now["recovery"]["archiving"] == true).await;
    let now = at(time(&time_url).await + TimeDelta::seconds(2));
    let (_, again) = restored(&server, json!({ "sourceId": by_time, "name": "again", "target": { "time": now } })).await;
    assert_eq!(rows(&again).await, changed);

    // The end of a base backup, and of a deleted instance, by the command line.
    let (_, first_url) = restored(&server, json!({ "sourceId": id, "name": "by-backup", "target": { "backupId": first["id"] } })).await;
    assert!(rows(&first_url).await.starts_with("1000 rows"));
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 7) AS n").await.unwrap();
    let last = rows(&url).await;
    until_recoverable(&server, &id, &url).await;
    server.delete(&id).await;
    server.until_deleted(&id).await;
    let answer = json_of(&home, &server, &["instances", "restore", &id, "orders", "--wait"]).await;
    assert_eq!(answer["operation"]["status"], "SUCCEEDED", "{answer:#}");
    let url = text(&server.until_healthy(&text(&answer["instance"]["id"])).await["connectionString"]);
    assert_eq!(rows(&url).await, last);
    server.crash().await;
}

/// The address of `to` with the user and the password of `from`.
pub fn replaced(from: &str, to: &str) -> String {
    let (user, _) = from.split_once('@').unwrap();
    format!("{user}@{}", to.split_once('@').unwrap().1)
}

pub fn with_user(url: &str, user: &str, password: &str) -> String {
    format!("postgresql://{user}:{password}@{}", url.split_once('@').unwrap().1)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_is_refused_with_what_can() {
    let home = Home::new();
    let mut server = home.start_with(&[ON]).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    until_protected(&server, &id).await;
    let refused = async |input: Value| {
        let answer = restore(&server, input).await;
        assert_eq!(answer["operation"], Value::Null, "{answer:#}");
        answer["userErrors"].clone()
    };
    let errors =
        refused(json!({ "sourceId": id, "name": "orders", "target": { "time": "2020-01-01T00:00:00Z" }, "storageGb": 1, "cpuMillis": 1 })).await;
    let fields: Vec<_> = errors.as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
    assert_eq!(fields, [json!(["target", "time"]), json!(["storageGb"]), json!(["cpuMillis"])], "{errors:#}");
    assert!(text(&errors[0]["message"]).contains("what can: 20"), "{errors:#}");
    let future = at(Utc::now() + TimeDelta::minutes(1));
    let errors = refused(json!({ "sourceId": id, "name": "copy", "target": { "time": future } })).await;
    assert_eq!(errors[0]["field"], json!(["target", "time"]), "{errors:#}");
    let errors = refused(json!({ "sourceId": id, "name": "copy", "target": { "lsn": "0/0" } })).await;
    assert!(errors[0]["field"] == json!(["target", "lsn"]) && text(&errors[0]["message"]).contains("0/0 cannot be restored"), "{errors:#}");
    let errors = refused(json!({ "sourceId": id, "name": "copy", "target": { "lsn": "here" } })).await;
    assert!(text(&errors[0]["message"]).contains("no position"), "{errors:#}");
    let errors = refused(json!({ "sourceId": id, "name": "copy", "target": { "lsn": "0/1", "time": "2020-01-01T00:00:00Z" } })).await;
    assert_eq!(errors[0]["field"], json!(["target"]), "{errors:#}");
    let errors = refused(json!({ "sourceId": id, "name": "copy", "target": { "backupId": "backup-x" } })).await;
    assert_eq!((&errors[0]["code"], &errors[0]["field"]), (&json!("NOT_FOUND"), &json!(["target", "backupId"])), "{errors:#}");
    let errors = refused(json!({ "sourceId": id, "name": "orders" })).await;
    assert_eq!((&errors[0]["code"], &errors[0]["field"]), (&json!("NAME_TAKEN"), &json!(["name"])), "{errors:#}");
    let errors = refused(json!({ "sourceId": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "copy" })).await;
    assert_eq!((&errors[0]["code"], &errors[0]["field"]), (&json!("NOT_FOUND"), &json!(["sourceId"])), "{errors:#}");
    let never = "mutation { createInstance(input: { name: \"never\", backups: { enabled: false } }) { instance { id } } }";
    let never = text(&server.query(never, json!({})).await["createInstance"]["instance"]["id"]);
    let errors = refused(json!({ "sourceId": never, "name": "copy" })).await;
    assert!(errors[0]["code"] == "CONFLICT" && text(&errors[0]["message"]).contains("no complete backup"), "{errors:#}");

    // What is not in the store any more ends the operation with a reason, and nothing is left of the new instance.
    until_recoverable(&server, &id, &url).await;
    let archive = home.path().join("data-backups").join(&id);
    let away = home.path().join("away");
    std::fs::rename(&archive, &away).unwrap();
    let answer = restore(&server, json!({ "sourceId": id, "name": "copy" })).await;
    let failed = finish(&server, &text(&answer["operation"]["id"]), "FAILED").await;
    assert_eq!(failed["error"]["code"], "NOT_RESTORABLE", "{failed:#}");
    std::fs::rename(&away, &archive).unwrap();
    let copy = text(&answer["instance"]["id"]);
    let left = std::fs::read_dir(home.path().join("data/instances")).unwrap().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| name.contains(&copy)).collect();
    assert!(left.is_empty(), "{left:?}");
    // The same is tried again, and works.
    let retry = "mutation($id: ID!) { retryOperation(input: { id: $id }) { operation { id } userErrors { message } } }";
    let again = server.query(retry, json!({ "id": answer["operation"]["id"] })).await["retryOperation"].clone();
    finish(&server, &text(&again["operation"]["id"]), "SUCCEEDED").await;
    server.crash().await;
}

/// A restoration takes a moment: it is interrupted at a few of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_restoration_survives_the_death_of_the_control_plane_and_can_be_cancelled() {
    let home = Home::new();
    let mut server = home.start_with(&[ON]).await;
    let id = server.create_ok("orders").await;
    let mut url = text(&server.until_healthy(&id).await["connectionString"]);
    until_protected(&server, &id).await;
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 200000) AS n").await.unwrap();
    let there = rows(&url).await;
    until_recoverable(&server, &id, &url).await;
    for (number, pause) in [0, 150, 400].into_iter().enumerate() {
        let name = format!("copy-{number}");
        let answer = restore(&server, json!({ "sourceId": id, "name": name })).await;
        let copy = text(&answer["instance"]["id"]);
        let begun = Instant::now();
        poll("the restoration has begun", async || home.path().join(format!("data/instances/{copy}.lock")).exists().then_some(())).await;
        tokio::time::sleep(Duration::from_millis(pause).saturating_sub(begun.elapsed())).await;
        server.crash().await;
        server = home.start_with(&[ON]).await;
        finish(&server, &text(&answer["operation"]["id"]), "SUCCEEDED").await;
        let copied = text(&server.until_healthy(&copy).await["connectionString"]);
        assert_eq!(rows(&copied).await, there, "{name}");
        url = text(&server.until_healthy(&id).await["connectionString"]);
    }
    assert_eq!(rows(&url).await, there, "the source is as it was");

    let answer = restore(&server, json!({ "sourceId": id, "name": "cancelled" })).await;
    let cancel = "mutation($id: ID!) { cancelOperation(input: { id: $id }) { userErrors { message } } }";
    server.query(cancel, json!({ "id": answer["operation"]["id"] })).await;
    finish(&server, &text(&answer["operation"]["id"]), "CANCELLED").await;
    let copy = text(&answer["instance"]["id"]);
    let left = std::fs::read_dir(home.path().join("data/instances")).unwrap().flatten();
    assert!(!left.map(|entry| entry.file_name().into_string().unwrap()).any(|name| name.contains(&copy)), "nothing is left");
    server.crash().await;
}
