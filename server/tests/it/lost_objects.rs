//! A store of backups that is away for a while.

use serde_json::json;

use crate::{
    backups::{ON, finish, until, until_protected, until_recoverable},
    restore::{restore, rows},
    support::{Home, psql, text},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_store_directory_that_is_away_gets_nothing_and_loses_nothing() {
    let home = Home::new();
    let mut server = home.start_with(&[ON]).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 6) AS n").await.unwrap();
    until_protected(&server, &id).await;
    until_recoverable(&server, &id, &url).await;

    let (store, away) = (home.path().join("data-backups"), home.path().join("away"));
    std::fs::rename(&store, &away).unwrap();
    // More than a segment.
    psql(&url, "CREATE TABLE more AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 60000) AS n").await.unwrap();
    psql(&url, "INSERT INTO rows VALUES (7)").await.unwrap();
    let failing = until(&server, &id, "failing", |now| now["backupPolicy"]["protection"] == "FAILING").await;
    assert_eq!(failing["backupPolicy"]["reason"]["code"], "STORE_UNAVAILABLE", "{failing:#}");
    assert!(text(&failing["backupPolicy"]["reason"]["message"]).contains("not mounted"), "{failing:#}");
    assert!(!store.exists(), "it is not made anew");
    std::fs::rename(&away, &store).unwrap();
    psql(&url, "INSERT INTO rows VALUES (8)").await.unwrap();
    let now = until_recoverable(&server, &id, &url).await;
    assert_eq!((&now["backupPolicy"]["protection"], &now["recovery"]["gaps"]), (&json!("PROTECTED"), &json!([])), "{now:#}");

    let there = rows(&url).await;
    let answer = restore(&server, json!({ "sourceId": id, "name": "copy" })).await;
    finish(&server, &text(&answer["operation"]["id"]), "SUCCEEDED").await;
    let copied = text(&server.until_healthy(&text(&answer["instance"]["id"])).await["connectionString"]);
    assert_eq!(rows(&copied).await, there);
    assert_eq!(psql(&copied, "SELECT count(*) FROM more").await.as_deref(), Ok("60000"));
    server.crash().await;
}
