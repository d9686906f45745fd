//! Verification of base backups: with the containers of the Job as programs of this machine.

use std::path::Path;

use serde_json::json;
use toygres_domain::{
    backup::BackupId,
    instance::{PostgresVersion, ReasonCode},
    restoration::{Restoration, RestoreTarget},
    runtime::{Runtime, RuntimeError},
    verification::{Verification, VerificationProgress},
};
use toygres_k8s::{
    KubernetesRuntime,
    build::{self, names},
};

use crate::{
    fake::{Exit, FakeApiServer, Process},
    fixture,
    restores::{image, settings, source, version},
};

fn verification(restoration: &Restoration, backup: BackupId, version: PostgresVersion) -> Verification {
    let restoration = Restoration { target: RestoreTarget::Backup(backup), ..restoration.clone() };
    Verification { backup, restoration, version, bytes: 50 << 20 }
}

async fn outcome(server: &FakeApiServer, runtime: &KubernetesRuntime, verification: &Verification) -> Result<VerificationProgress, RuntimeError> {
    let ended = || async { Some(runtime.verify(verification).await).filter(|outcome| *outcome != Ok(VerificationProgress::InProgress)) };
    server.wait_for("the end of the verification", ended).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_read_and_removed() {
    let (source, restoration) = source().await;
    let server = FakeApiServer::start_real().await;
    server.set_image(Box::new(image(source.store.clone())));
    let runtime = server.runtime_with(settings());
    let version = version(&source);
    // Names that are no plain arguments.
    source.cluster.execute(r#"CREATE DATABASE "-c work_mem=x""#);
    source.cluster.execute(r#"CREATE DATABASE "a\b""#);
    let good = source.back_up().await;
    let verified = outcome(&server, &runtime, &verification(&restoration, good.id, version)).await;
    assert!(matches!(verified, Ok(VerificationProgress::Verified { .. })), "{verified:?}");
    server.wait_for("nothing is left", || async { server.object_names().is_empty().then_some(()) }).await;

    // Rows that are older than any that may be in the table.
    source.cluster.execute("UPDATE pg_class SET relfrozenxid = pg_current_xact_id()::xid WHERE relname = 'rows'");
    let bad = source.back_up().await;
    let error = outcome(&server, &runtime, &verification(&restoration, bad.id, version)).await.unwrap_err();
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::DataCorrupted, false), "{error}");
    assert!(error.reason.message.contains("table rows, block 0: xmin"), "{error}");

    // An object that somebody has changed.
    let part = source.directory.path().join("store").join(source.layout.base_file(good.id, "base.00000.tar.zst"));
    let mut content = std::fs::read(&part).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(&part, content).unwrap();
    let error = outcome(&server, &runtime, &verification(&restoration, good.id, version)).await.unwrap_err();
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::StoreDamaged, false), "{error}");
    server.wait_for("nothing is left", || async { server.object_names().is_empty().then_some(()) }).await;
}

/// What says nothing about the backup is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_killed_is_no_verdict() {
    let (source, restoration) = source().await;
    let server = FakeApiServer::start_real().await;
    server.set_image(Box::new(|_: &Process<'_>| Exit { code: 137, message: String::new() }));
    let runtime = server.runtime_with(settings());
    let backup = source.listing().await.backups[0].id;
    let verification = verification(&restoration, backup, version(&source));
    let error = outcome(&server, &runtime, &verification).await.unwrap_err();
    assert!(error.retryable && error.reason.code == ReasonCode::ProcessExited, "{error:?}");
    server.set_image(Box::new(image(source.store.clone())));
    assert!(outcome(&server, &runtime, &verification).await.is_ok());
}

/// Nothing of it is taken for a part of an instance, and nothing reaches its pod.
#[test]
fn its_objects_are_no_part_of_an_instance() {
    let settings = fixture::restoring();
    let access = settings.restore.available().unwrap();
    let backup = BackupId::generate();
    let objects = build::verify_objects(&verification(&fixture::restoration(), backup, PostgresVersion(17)), &settings, access);
    let job = json!(objects.job);
    assert_eq!(job["metadata"]["labels"], json!({ "app.kubernetes.io/managed-by": "toygres", names::VERIFICATION_LABEL: backup.to_string() }));
    assert!(names::instance_of_object(job["metadata"]["name"].as_str().unwrap()).is_none());
    // It ends and goes by itself, if whoever has made it dies before its pod has what it waits for. 1124 MiB take 281 seconds.
    assert_eq!((&job["spec"]["activeDeadlineSeconds"], &job["spec"]["ttlSecondsAfterFinished"]), (&json!(3600 + 281), &json!(3600)));
    let pod = &job["spec"]["template"];
    assert_eq!(pod["spec"]["volumes"][0], json!({ "name": "data", "emptyDir": { "sizeLimit": "1124Mi" } }));
    assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
    let policy = json!(objects.network_policy);
    assert_eq!(policy["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(policy["spec"]["podSelector"]["matchLabels"][names::VERIFICATION_LABEL], pod["metadata"]["labels"][names::VERIFICATION_LABEL]);
    assert!(policy["spec"]["ingress"].is_null());
    let names: Vec<_> = pod["spec"]["initContainers"].as_array().unwrap().iter().chain(pod["spec"]["containers"].as_array().unwrap()).collect();
    let names: Vec<_> = names.into_iter().map(|container| container["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["fetch", "recover", "check"]);
    assert!(Path::new(pod["spec"]["initContainers"][1]["args"][3].as_str().unwrap()).ends_with("pgdata.restoring"), "{pod:#}");
}
