//! Restoring an instance on Kubernetes: with the real server, whose program the pod of a restoration runs too.

use std::{path::Path, process::Output};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tokio::{net::TcpListener, process::Command};
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

/// The program as a container of the pod runs it.
fn restore_volume(directory: &Path, endpoint: &str, key: &str) -> Command {
    const RESTORATION: &str =
        r#"{"source":"01890a5d-ac96-774b-bcce-b302099a8057","archive":"01890a5d-ac96-774b-bcce-b302099a8058","target":"latest"}"#;
    let mut command = Command::new(env!("CARGO_BIN_EXE_toygres"));
    command.args(["restore-volume", "--restoration", RESTORATION, "--directory"]).arg(directory.join("data"));
    command.arg("--termination-log").arg(directory.join("termination-log")).env_clear().kill_on_drop(true);
    command.env("TOYGRES_BACKUP_STORE", format!("s3://bucket?endpoint={endpoint}"));
    command.env("TOYGRES_BACKUP_S3_ACCESS_KEY_ID", key).env("TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY", "do not show");
    command.current_dir(directory);
    command
}

/// What a pod shows of a program that has failed.
fn shown(directory: &Path, output: &Output) -> (Option<i32>, String) {
    let message = std::fs::read_to_string(directory.join("termination-log")).unwrap_or_default();
    assert!(!message.contains("do not show") && !String::from_utf8_lossy(&output.stderr).contains("do not show"), "{output:?}");
    (output.status.code(), message)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_container_says_whether_another_attempt_makes_sense() {
    let (_store, endpoint) = FakeS3::start().await;
    let directory = tempfile::tempdir().unwrap();
    for (key, code) in [("ANOTHER", "STORE_REFUSED: "), (ACCESS_KEY, "NOT_RESTORABLE: the latest point cannot be restored")] {
        let output = restore_volume(directory.path(), &endpoint, key).output().await.unwrap();
        let (status, message) = shown(directory.path(), &output);
        assert!(status == Some(2) && message.starts_with(code), "{status:?}: {message}");
    }
    // As the first process of a container, which a signal does not end by itself.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut waiting = restore_volume(directory.path(), &endpoint, ACCESS_KEY).spawn().unwrap();
    let _connection = silent.accept().await.unwrap();
    kill(Pid::from_raw(waiting.id().unwrap().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(waiting.wait().await.unwrap().code(), Some(143));

    std::fs::create_dir(directory.path().join("data")).unwrap();
    let output = restore_volume(directory.path(), &endpoint, ACCESS_KEY).output().await.unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("complete already"), "{output:?}");
}
