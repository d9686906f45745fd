//! Verification: each base backup is restored and read, and one that cannot be is found before it is needed.

use serde_json::{Value, json};

use crate::{
    backups::{ON, finish, until_protected, until_recoverable},
    cli::commands::json as json_of,
    support::{Database, Home, psql, text},
};

const VERIFIED: (&str, &str) = ("TOYGRES_BACKUP_VERIFY_MAX_GB", "2");
const WATCH: &str = "subscription($id: ID!) { instanceBackups(id: $id) { backupPolicy { protection }
    recovery { intervals { from to } }
    backups { nodes { id status trigger path verification { status endedAt restoreSeconds reason { code message } } } } } }";

/// The verification of the newest backup.
fn newest(now: &Value) -> &Value {
    &now["backups"]["nodes"][0]["verification"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_found_and_replaced() {
    let (home, database) = (Home::new(), Database::start());
    let url = database.url();
    let server = home.start_with(&[ON, VERIFIED, ("DATABASE_URL", &url)]).await;
    let id = server.create_ok("orders").await;
    let instance = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&instance, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await.unwrap();
    psql(&instance, "CREATE UNIQUE INDEX ON rows (n)").await.unwrap();
    until_protected(&server, &id).await;
    let now = until_of(&server, &id, "verified", |now| newest(now)["status"] == "VERIFIED").await;
    let seconds = newest(&now)["restoreSeconds"].as_f64().unwrap();
    assert!(seconds > 0.0 && newest(&now)["endedAt"].is_string() && newest(&now)["reason"].is_null(), "{now:#}");
    let place = home.path().join("data/verification");
    crate::backups::poll("the copy is removed", async || (!place.exists()).then_some(())).await;
    let listed = json_of(&home, &server, &["backups", "list", "orders"]).await;
    assert_eq!(listed["backups"][0]["verification"]["status"], "VERIFIED", "{listed:#}");

    // Somebody changes the backup, and it is verified again.
    until_recoverable(&server, &id, &instance).await;
    let first = now["backups"]["nodes"][0].clone();
    let part = home.path().join("data-backups").join(text(&first["path"])).join("base.00000.tar.zst");
    let mut content = std::fs::read(&part).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(&part, content).unwrap();
    psql(&url, "UPDATE toygres.backups SET verification = 'pending'").await.unwrap();
    let of_first = |now: &Value| {
        let all = now["backups"]["nodes"].as_array().into_iter().flatten();
        all.into_iter().find(|backup| backup["id"] == first["id"]).map(|backup| backup["verification"].clone()).unwrap_or_default()
    };
    let now = until_of(&server, &id, "found", |now| of_first(now)["status"] == "FAILED").await;
    assert_eq!(of_first(&now)["reason"]["code"], "STORE_DAMAGED", "{now:#}");
    // A fresh one follows by itself, and is what can be restored.
    let fresh = |now: &Value| now["backups"]["nodes"].as_array().is_some_and(|all| all.len() == 2) && newest(now)["status"] == "VERIFIED";
    let now = until_of(&server, &id, "replaced", fresh).await;
    assert_eq!(now["backups"]["nodes"][0]["trigger"], "SCHEDULE", "{now:#}");
    until_of(&server, &id, "restorable", |now| now["recovery"]["intervals"].as_array().is_some_and(|all| all.len() == 1)).await;
    // A worker reports its gauges every other second.
    for line in ["toygres_backup_verifications_total{result=\"failed\"} 1", "toygres_backup_archives_damaged 0"] {
        crate::backups::poll(line, async || {
            let metrics = server.get("/metrics").await.text().await.unwrap();
            metrics.lines().any(|found| found == line).then_some(())
        })
        .await;
    }

    // A point that the damaged one would be needed for cannot be restored, and everything else can.
    let restore = "mutation($id: ID!) { restoreInstance(input: { sourceId: $id, name: \"copy\" }) { instance { id } userErrors { message } } }";
    let copy = server.query(restore, json!({ "id": id })).await["restoreInstance"].clone();
    assert_eq!(copy["userErrors"], json!([]), "{copy:#}");
    let copy = text(&server.until_healthy(&text(&copy["instance"]["id"])).await["connectionString"]);
    assert_eq!(psql(&copy, "SELECT count(*) FROM rows").await.as_deref(), Ok("1000"));
    server.kill().await;
}

/// What PostgreSQL itself cannot read is in the backup as it is in the instance.
#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_data_is_found() {
    let (home, database) = (Home::new(), Database::start());
    let url = database.url();
    let server = home.start_with(&[ON, VERIFIED, ("DATABASE_URL", &url)]).await;
    let id = server.create_ok("orders").await;
    let instance = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&instance, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await.unwrap();
    psql(&instance, "CREATE UNIQUE INDEX damaged ON rows (n)").await.unwrap();
    until_protected(&server, &id).await;
    until_of(&server, &id, "verified", |now| newest(now)["status"] == "VERIFIED").await;
    let backup = "mutation($id: ID!) { createBackup(input: { instanceId: $id }) { userErrors { message } } }";
    let back_up = async || assert_eq!(server.query(backup, json!({ "id": id })).await["createBackup"]["userErrors"], json!([]));
    // Its checkpoint writes what is changed in memory, which would replace the damage.
    back_up().await;
    let second = |now: &Value| now["backups"]["nodes"].as_array().is_some_and(|all| all.len() == 2) && newest(now)["status"] == "VERIFIED";
    until_of(&server, &id, "verified again", second).await;

    let index = psql(&instance, "SELECT pg_relation_filepath('damaged')").await.unwrap();
    let file = home.path().join("data/instances").join(&id).join("data").join(index);
    let mut content = std::fs::read(&file).unwrap();
    content[..8192].fill(0);
    std::fs::write(&file, content).unwrap();
    back_up().await;
    let now = until_of(&server, &id, "found", |now| newest(now)["status"] == "FAILED").await;
    assert_eq!(newest(&now)["reason"]["code"], "DATA_CORRUPTED", "{now:#}");
    assert!(text(&newest(&now)["reason"]["message"]).contains("damaged"), "{now:#}");
    server.kill().await;
}

/// A control plane that dies in the middle of it leaves nothing that stays, and another one begins anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_verification_outlives_the_control_plane() {
    let home = Home::new();
    let mut server = home.start_with(&[ON, VERIFIED]).await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    until_of(&server, &id, "being verified", |now| newest(now)["status"] == "RUNNING").await;
    server.crash().await;
    let server = home.start_with(&[ON, VERIFIED]).await;
    until_of(&server, &id, "verified", |now| newest(now)["status"] == "VERIFIED").await;
    let place = home.path().join("data/verification");
    crate::backups::poll("the copy is removed", async || (!place.exists()).then_some(())).await;
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_verified_says_why() {
    let home = Home::new();
    let server = home.start_with(&[ON]).await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    let now = until_of(&server, &id, "skipped", |now| newest(now)["status"] == "SKIPPED").await;
    assert_eq!(newest(&now)["reason"]["code"], "NOT_VERIFIED");
    assert!(text(&newest(&now)["reason"]["message"]).contains("TOYGRES_BACKUP_VERIFY_MAX_GB"), "{now:#}");
    server.kill().await;
}

async fn until_of(server: &crate::support::Server, id: &str, what: &str, there: impl Fn(&Value) -> bool) -> Value {
    crate::backups::until_asking(server, WATCH, id, what, there).await
}

/// Everything else in the archive goes on, and the backup with the damaged record is kept until somebody deletes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_hinders_no_other_backup() {
    let (home, database) = (Home::new(), Database::start());
    let url = database.url();
    let server = home.start_with(&[ON, VERIFIED, ("DATABASE_URL", &url)]).await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    until_protected(&server, &id).await;
    let backup = "mutation($id: ID!) { createBackup(input: { instanceId: $id }) { operation { id } userErrors { message } } }";
    let back_up = async || {
        let created = server.query(backup, json!({ "id": id })).await["createBackup"].clone();
        assert_eq!(created["userErrors"], json!([]), "{created:#}");
        finish(&server, &text(&created["operation"]["id"]), "SUCCEEDED").await;
    };
    let delete = "mutation($id: ID!) { deleteBackup(input: { id: $id }) { userErrors { message } } }";
    let delete = async |backup: &Value| {
        let answer = server.query(delete, json!({ "id": backup["id"] })).await["deleteBackup"].clone();
        assert_eq!(answer["userErrors"], json!([]), "{answer:#}");
    };
    let verified = |now: &Value, count: usize| {
        let all = now["backups"]["nodes"].as_array();
        all.is_some_and(|all| all.len() == count && all.iter().all(|backup| backup["verification"]["status"] == "VERIFIED"))
    };
    back_up().await;
    let now = until_of(&server, &id, "verified", |now| verified(now, 2)).await;
    let (second, first) = (now["backups"]["nodes"][0].clone(), now["backups"]["nodes"][1].clone());
    let directory = home.path().join("data-backups").join(text(&first["path"]));
    std::fs::write(directory.join("backup.json"), "{").unwrap();

    // Another one is taken and verified, and one is deleted.
    back_up().await;
    until_of(&server, &id, "verified too", |now| verified(now, 3)).await;
    delete(&second).await;
    let now = until_of(&server, &id, "without the second", |now| verified(now, 2)).await;
    assert_eq!(now["backups"]["nodes"][1]["id"], first["id"], "what cannot be read is kept: {now:#}");
    assert!(directory.join("base.00000.tar.zst").exists());
    let metrics = server.get("/metrics").await.text().await.unwrap();
    let counted = metrics.lines().find_map(|line| line.strip_prefix("toygres_backup_failures_total{what=\"record\"} ")).map(str::parse::<u64>);
    assert!(matches!(counted, Some(Ok(1..))), "{counted:?}");

    // Verified again, each is what it is.
    psql(&url, "UPDATE toygres.backups SET verification = 'pending'").await.unwrap();
    let statuses = |now: &Value| {
        let all = now["backups"]["nodes"].as_array().into_iter().flatten();
        all.map(|backup| text(&backup["verification"]["status"])).collect::<Vec<_>>()
    };
    let now = until_of(&server, &id, "verified again", |now| statuses(now) == ["VERIFIED", "FAILED"]).await;
    assert_eq!(now["backups"]["nodes"][1]["verification"]["reason"]["code"], "STORE_DAMAGED", "{now:#}");
    delete(&first).await;
    until_of(&server, &id, "without the first", |now| statuses(now) == ["VERIFIED"]).await;
    assert!(!directory.join("base.00000.tar.zst").exists());
    server.kill().await;
}
