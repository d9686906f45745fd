//! A store of backups that is away for a while, and one in which somebody deletes what is needed.

use std::path::{Path, PathBuf};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_was_deleted_by_hand_is_found() {
    let home = Home::new();
    let mut server = home.start_with(&[ON]).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 6) AS n").await.unwrap();
    until_protected(&server, &id).await;
    // More than two segments.
    psql(&url, "CREATE TABLE more AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 60000) AS n").await.unwrap();
    until_recoverable(&server, &id, &url).await;
    let mut segments = segments(&home.path().join("data-backups").join(&id));
    std::fs::remove_file(segments.pop().unwrap()).unwrap();

    // Nothing less than what was promised, before anybody has noticed it.
    let answer = restore(&server, json!({ "sourceId": id, "name": "copy" })).await;
    let failed = finish(&server, &text(&answer["operation"]["id"]), "FAILED").await;
    assert_eq!(failed["error"]["code"], "NOT_RESTORABLE", "{failed:#}");
    assert!(text(&failed["error"]["message"]).contains("is missing in the store"), "{failed:#}");

    let gap = until(&server, &id, "covered again", |now| now["recovery"]["intervals"].as_array().is_some_and(|all| all.len() == 2)).await;
    assert_eq!((&gap["recovery"]["gaps"], &gap["backupPolicy"]["protection"]), (&json!([{ "reason": "MISSING" }]), &json!("PROTECTED")), "{gap:#}");
    let there = rows(&url).await;
    let answer = restore(&server, json!({ "sourceId": id, "name": "copy-again" })).await;
    finish(&server, &text(&answer["operation"]["id"]), "SUCCEEDED").await;
    let copied = text(&server.until_healthy(&text(&answer["instance"]["id"])).await["connectionString"]);
    assert_eq!(rows(&copied).await, there);
    server.crash().await;
}

/// The complete segments of the archive of an instance, oldest first.
fn segments(instance: &Path) -> Vec<PathBuf> {
    let archive = std::fs::read_dir(instance).unwrap().next().unwrap().unwrap().path();
    let files = std::fs::read_dir(archive.join("wal")).unwrap().map(|entry| entry.unwrap().path());
    let is_segment = |path: &PathBuf| path.file_name().is_some_and(|name| name.len() == "000000010000000000000001.zst".len());
    let mut segments: Vec<_> = files.filter(is_segment).collect();
    segments.sort();
    segments
}
