//! Restoring an instance on Kubernetes: with the real server, whose program the pod of a restoration runs too.

use std::{path::Path, process::Output};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, process::Command};
use toygres_k8s::build::names;
use toygres_k8s_fake::program;

use crate::{
    backups::{CREATE, ON, finish, poll, until, until_protected, until_recoverable},
    clone::clone,
    kubernetes::Platform,
    restore::{restore, rows},
    s3_server::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY},
    support::{psql, text},
};

/// An identity that only tests have.
const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
/// From an archive that does not exist.
const MISSING: &str = r#"{"source":"01890a5d-ac96-774b-bcce-b302099a8057","archive":"01890a5d-ac96-774b-bcce-b302099a8058","target":"latest"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_restored_by_a_job() {
    let platform = Platform::new().await;
    let s3 = S3Server::start().await;
    platform.cluster.set_image(program(env!("CARGO_BIN_EXE_toygres").into()));
    let store = format!("s3://{BUCKET}?endpoint={}", s3.endpoint());
    let env = [
        ON,
        ("TOYGRES_BACKUP_STORE", store.as_str()),
        ("TOYGRES_BACKUP_S3_ACCESS_KEY_ID", ACCESS_KEY),
        ("TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY", SECRET_KEY),
        ("TOYGRES_BACKUP_AGE_RECIPIENTS", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"),
        ("TOYGRES_BACKUP_AGE_IDENTITY", IDENTITY),
        ("TOYGRES_RESTORE_IMAGE", "toygres:test"),
    ];
    let mut server = platform.start_with(&env).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await.unwrap();
    let first = until_protected(&server, &id).await["backups"]["nodes"][0].clone();
    let (backup, path) = (first["id"].clone(), text(&first["path"]));
    // What is in the store is of no use without the identity.
    let directory = tempfile::tempdir().unwrap();
    let restoration = json!({ "source": id, "archive": path.split('/').nth(1), "target": "latest" }).to_string();
    let output = restore_volume(&restoration, directory.path(), s3.endpoint(), SECRET_KEY).output().await.unwrap();
    let (status, message) = shown(directory.path(), &output);
    let refused = format!("{path}/backup_manifest.zst.age is encrypted; set TOYGRES_BACKUP_AGE_IDENTITY");
    assert!(status == Some(2) && message.starts_with("STORE_REFUSED: ") && message.ends_with(&refused), "{status:?}: {message}");
    let expected = rows(&url).await;
    psql(&url, "INSERT INTO rows VALUES (1001)").await.unwrap();
    let newer = server.query(CREATE, json!({ "id": id })).await["createBackup"].clone();
    finish(&server, &text(&newer["operation"]["id"]), "SUCCEEDED").await;

    // The control plane is killed while the pod works, and another one goes on. Meanwhile somebody deletes the backup, which stays until
    // it is not needed any more.
    platform.cluster.cluster(|cluster| cluster.jobs_held = true);
    let accepted = restore(&server, json!({ "sourceId": id, "name": "restored", "target": { "backupId": backup } })).await;
    assert_eq!(accepted["userErrors"], json!([]), "{accepted:#}");
    let restored = text(&accepted["instance"]["id"]);
    let job = names::restore(restored.parse().unwrap());
    poll("the Job has its Secret", async || platform.cluster.object("secrets", &job)).await;
    let delete = "mutation($id: ID!) { deleteBackup(input: { id: $id }) { backup { status } userErrors { message } } }";
    let deleting = server.query(delete, json!({ "id": backup })).await["deleteBackup"].clone();
    assert_eq!((&deleting["userErrors"], &deleting["backup"]["status"]), (&json!([]), &json!("DELETING")));
    server.crash().await;
    let mut server = platform.start_with(&env).await;
    until(&server, &id, "followed by the new worker", |now| now["recovery"]["archiving"] == true).await;
    psql(&url, "INSERT INTO rows VALUES (1002)").await.unwrap();
    until_recoverable(&server, &id, &url).await;
    platform.cluster.cluster(|cluster| cluster.jobs_held = false);
    finish(&server, &text(&accepted["operation"]["id"]), "SUCCEEDED").await;
    let restored_url = text(&server.until_healthy(&restored).await["connectionString"]);
    assert_eq!(rows(&restored_url).await, expected);
    let is_gone = |now: &Value| now["backups"]["nodes"].as_array().is_some_and(|all| all.len() == 1 && all[0]["id"] == newer["backup"]["id"]);
    until(&server, &id, "without the deleted backup", is_gone).await;
    until_protected(&server, &restored).await;
    let left = |part: &str| platform.cluster.object_names().into_iter().filter(|name| name.contains(part)).collect::<Vec<_>>();
    assert!(left(&job).is_empty(), "{:?}", left(&job));
    assert_eq!(platform.cluster.cluster(|cluster| cluster.created("jobs")), 1);
    assert!(!server.log().contains(SECRET_KEY) && !server.log().contains(IDENTITY));

    // A clone is a restoration to now: what was committed just before is waited for.
    assert_eq!(server.query("{ controlPlane { copiesInstances } }", json!({})).await["controlPlane"]["copiesInstances"], false);
    until_protected(&server, &id).await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "INSERT INTO rows VALUES (1003)").await.unwrap();
    let expected = rows(&url).await;
    let accepted = poll("the source is followed again", async || {
        let answer = clone(&server, json!({ "sourceId": id, "name": "cloned" })).await;
        (answer["userErrors"] == json!([])).then_some(answer)
    });
    let accepted = accepted.await;
    assert_eq!(accepted["operation"]["restoration"], json!({ "sourceId": id, "method": "ARCHIVE", "clones": true }), "{accepted:#}");
    finish(&server, &text(&accepted["operation"]["id"]), "SUCCEEDED").await;
    let cloned = text(&server.until_healthy(&text(&accepted["instance"]["id"])).await["connectionString"]);
    assert_eq!(rows(&cloned).await, expected);
    // What is not archived is not cloned, and it is said what to do.
    let never = "mutation { createInstance(input: { name: \"never\", backups: { enabled: false } }) { instance { id } } }";
    let never = text(&server.query(never, json!({})).await["createInstance"]["instance"]["id"]);
    server.until_healthy(&never).await;
    let refused = async |id: &str| {
        let answer = clone(&server, json!({ "sourceId": id, "name": "refused" })).await;
        assert_eq!(answer["userErrors"][0]["code"], "CONFLICT", "{answer:#}");
        text(&answer["userErrors"][0]["message"])
    };
    let message = refused(&never).await;
    assert!(message.contains("turn backups of 'never' on"), "{message}");
    let suspend = "mutation($id: ID!) { suspendInstance(input: { id: $id }) { operation { id } } }";
    let suspension = server.query(suspend, json!({ "id": never })).await["suspendInstance"]["operation"]["id"].clone();
    finish(&server, &text(&suspension), "SUCCEEDED").await;
    let message = refused(&never).await;
    assert!(message.contains("is suspended") && message.contains("resume it first"), "{message}");

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
    let server = platform.start_with(&env[..6]).await;
    let input = json!({ "sourceId": id, "name": "refused" });
    for refused in [restore(&server, input.clone()).await, clone(&server, input).await] {
        let error = &refused["userErrors"][0];
        assert!(error["code"] == "CONFLICT" && text(&error["message"]).contains("TOYGRES_RESTORE_IMAGE"), "{refused:#}");
    }
    server.stop().await;
}

/// The program as a container of the pod runs it.
fn restore_volume(restoration: &str, directory: &Path, endpoint: &str, secret: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_toygres"));
    command.args(["restore-volume", "--restoration", restoration, "--directory"]).arg(directory.join("data"));
    command.arg("--termination-log").arg(directory.join("termination-log")).env_clear().kill_on_drop(true);
    command.env("TOYGRES_BACKUP_STORE", format!("s3://{BUCKET}?endpoint={endpoint}"));
    command.env("TOYGRES_BACKUP_S3_ACCESS_KEY_ID", ACCESS_KEY).env("TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY", secret);
    command.current_dir(directory);
    command
}

/// What a pod shows of a program that has failed.
fn shown(directory: &Path, output: &Output) -> (Option<i32>, String) {
    let message = std::fs::read_to_string(directory.join("termination-log")).unwrap_or_default();
    for secret in ["do not show", SECRET_KEY] {
        assert!(!message.contains(secret) && !String::from_utf8_lossy(&output.stderr).contains(secret), "{output:?}");
    }
    (output.status.code(), message)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_container_says_whether_another_attempt_makes_sense() {
    let s3 = S3Server::start().await;
    let endpoint = s3.endpoint();
    let directory = tempfile::tempdir().unwrap();
    let refused = format!(
        "STORE_REFUSED: S3 bucket {BUCKET} at {endpoint}: it denies access (403 Forbidden, SignatureDoesNotMatch); check \
         TOYGRES_BACKUP_S3_ACCESS_KEY_ID and TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY"
    );
    for (secret, begin) in [("do not show", refused.as_str()), (SECRET_KEY, "NOT_RESTORABLE: the latest point cannot be restored")] {
        let output = restore_volume(MISSING, directory.path(), endpoint, secret).output().await.unwrap();
        let (status, message) = shown(directory.path(), &output);
        assert!(status == Some(2) && message.starts_with(begin), "{status:?}: {message}");
    }
    // As the first process of a container, which a signal does not end by itself.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut waiting = restore_volume(MISSING, directory.path(), &endpoint, SECRET_KEY).spawn().unwrap();
    let _connection = silent.accept().await.unwrap();
    kill(Pid::from_raw(waiting.id().unwrap().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(waiting.wait().await.unwrap().code(), Some(143));

    std::fs::create_dir(directory.path().join("data")).unwrap();
    let output = restore_volume(MISSING, directory.path(), &endpoint, SECRET_KEY).output().await.unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("complete already"), "{output:?}");
}
