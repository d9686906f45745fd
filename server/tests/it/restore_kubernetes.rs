//! Restoring an instance on Kubernetes: with the real server, whose program the pod of a restoration runs too.

use serde_json::json;
use toygres_k8s::build::names;
use toygres_k8s_fake::program;

use crate::{
    backups::{ON, finish, poll, until_protected, until_recoverable},
    fake_s3::{ACCESS_KEY, FakeS3},
    kubernetes::Platform,
    restore::{restore, rows},
    support::{psql, text},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_restored_by_a_job() {
    const SECRET: &str = "the secret of the store";
    let platform = Platform::new().await;
    let (_store, endpoint) = FakeS3::start().await;
    platform.cluster.set_image(program(env!("CARGO_BIN_EXE_toygres").into()));
    let store = format!("s3://bucket?endpoint={endpoint}");
    let env = [
        ON,
        ("TOYGRES_BACKUP_STORE", store.as_str()),
        ("TOYGRES_BACKUP_S3_ACCESS_KEY_ID", ACCESS_KEY),
        ("TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY", SECRET),
        ("TOYGRES_RESTORE_IMAGE", "toygres:test"),
    ];
    let mut server = platform.start_with(&env).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await.unwrap();
    until_protected(&server, &id).await;
    psql(&url, "INSERT INTO rows VALUES (1001)").await.unwrap();
    let expected = rows(&url).await;
    until_recoverable(&server, &id, &url).await;

    // The control plane is killed while the pod works, and another one goes on.
    platform.cluster.cluster(|cluster| cluster.jobs_held = true);
    let accepted = restore(&server, json!({ "sourceId": id, "name": "restored" })).await;
    assert_eq!(accepted["userErrors"], json!([]), "{accepted:#}");
    let restored = text(&accepted["instance"]["id"]);
    let job = names::restore(restored.parse().unwrap());
    poll("the Job has its Secret", async || platform.cluster.object("secrets", &job)).await;
    server.crash().await;
    platform.cluster.cluster(|cluster| cluster.jobs_held = false);
    let mut server = platform.start_with(&env).await;
    finish(&server, &text(&accepted["operation"]["id"]), "SUCCEEDED").await;
    let url = text(&server.until_healthy(&restored).await["connectionString"]);
    assert_eq!(rows(&url).await, expected);
    until_protected(&server, &restored).await;
    let left = |part: &str| platform.cluster.object_names().into_iter().filter(|name| name.contains(part)).collect::<Vec<_>>();
    assert!(left(&job).is_empty(), "{:?}", left(&job));
    assert_eq!(platform.cluster.cluster(|cluster| cluster.created("jobs")), 1);
    assert!(!server.log().contains(SECRET));

    // Deleted in the middle, nothing is left of it.
    platform.cluster.cluster(|cluster| cluster.jobs_held = true);
    let accepted = restore(&server, json!({ "sourceId": id, "name": "unwanted" })).await;
    let unwanted = text(&accepted["instance"]["id"]);
    let job = names::restore(unwanted.parse().unwrap());
    poll("the Job has its Secret", async || platform.cluster.object("secrets", &job)).await;
    server.delete(&unwanted).await;
    server.until_deleted(&unwanted).await;
    assert!(left(&unwanted).is_empty(), "{:?}", left(&unwanted));

    // Without an image the request is refused at once.
    server.crash().await;
    let server = platform.start_with(&env[..4]).await;
    let refused = restore(&server, json!({ "sourceId": id, "name": "refused" })).await;
    let error = &refused["userErrors"][0];
    assert!(error["code"] == "CONFLICT" && text(&error["message"]).contains("TOYGRES_RESTORE_IMAGE"), "{refused:#}");
    server.stop().await;
}
