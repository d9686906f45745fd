//! Restorations from backups: with the containers of the Job as programs of this machine, and what goes wrong with its pod.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use toygres_backup::{ArchiveId, Layout, Progress as Fetched, Store, StoreConfig, volume};
use toygres_domain::{
    InstanceId,
    data::Data,
    instance::{Endpoint, PostgresVersion, Reason, ReasonCode},
    restoration::{Restoration, RestoreTarget},
    runtime::{Deployment, Observation, Progress, Runtime, RuntimeError},
    wal::Lsn,
};
use toygres_k8s::{
    KubernetesRuntime, Settings,
    build::{INITIALIZED_MARK, names},
    settings::{EndpointHost, StoreAccess},
};

use crate::{
    archived::Archived,
    cluster::program,
    fake::{Exit, FakeApiServer, Process, Scenario},
    fixture,
    nudging::{deaths, received},
    steps::{deploy_until_ready, remove_until_done, restore_until_done},
};

/// An archive of a server with the roles of the platform and of the owner, and a row that the base backup does not have.
pub(crate) async fn source() -> (Archived, Restoration) {
    let restoration = Restoration { source: InstanceId::generate(), archive: ArchiveId::generate(), ..fixture::restoration() };
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreConfig::Directory(directory.path().join("store"))).unwrap();
    let mut archived = Archived::with_store("", directory, store);
    archived.layout = Layout::new(restoration.source, restoration.archive);
    archived.follow();
    archived.caught_up().await;
    archived.cluster.execute("CREATE ROLE toygres SUPERUSER LOGIN; CREATE ROLE app LOGIN PASSWORD 'that of the source'");
    archived.cluster.execute("ALTER TABLE rows OWNER TO app");
    archived.insert(1);
    archived.back_up().await;
    archived.insert(2);
    archived.caught_up().await;
    (archived, restoration)
}

/// A new instance of the version of the source.
fn deployment(source: &Archived) -> Deployment {
    let mut deployment = fixture::another("restored");
    deployment.spec.postgres_version = version(source);
    deployment
}

pub(crate) fn version(source: &Archived) -> PostgresVersion {
    PostgresVersion(source.cluster.execute("SHOW server_version_num").parse::<u32>().unwrap().div_euclid(10_000).try_into().unwrap())
}

pub(crate) fn settings() -> Settings {
    Settings { endpoint_host: Some(EndpointHost::ClusterIp), ..fixture::restoring() }
}

/// What the image of the control plane does with this store. The server's tests run the program itself.
pub(crate) fn image(store: Store) -> impl Fn(&Process<'_>) -> Exit + Send + Sync {
    move |process| {
        let argument = |name: &str| process.args.iter().skip_while(|argument| *argument != name).nth(1);
        let directory = PathBuf::from(argument("--directory").expect("a container names its directory"));
        let outcome = match argument("--restoration") {
            Some(restoration) => {
                assert_eq!(process.env.len(), 2, "the keys of the store are there: {:?}", process.env);
                let log = |Fetched { bytes, total }| (process.log)(&json!({ "bytes": bytes, "total": total }).to_string());
                let restoration = serde_json::from_str(restoration).expect("the restoration is JSON");
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(volume::fetch(store.clone(), &restoration, &directory, &log)).map(drop)
            }
            None => volume::finish(&directory, INITIALIZED_MARK),
        };
        outcome.map_or_else(
            |error| {
                let Reason { code, message } = error.reason();
                Exit { code: if error.is_lasting() { 2 } else { 1 }, message: format!("{}: {message}", code.as_str().to_uppercase()) }
            },
            |()| Exit::default(),
        )
    }
}

/// Logs in and runs SQL.
fn execute(endpoint: &Endpoint, (user, password): (&str, &str), sql: &str) -> Result<String, String> {
    let url = format!("postgres://{user}@{}:{}/postgres", endpoint.host, endpoint.port);
    let output = Command::new(program("psql")).args(["-XAtqw", "-c", sql, "-d", &url]).env("PGPASSWORD", password).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// What a restoration fails with.
async fn failure(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, restoration: &Restoration) -> RuntimeError {
    server.wait_for("the failure", || async { runtime.restore(deployment, restoration).await.err() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_has_the_data_of_a_backup() {
    let (source, restoration) = source().await;
    let server = FakeApiServer::start_real().await;
    let (attempts, restore) = (AtomicUsize::new(0), image(source.store.clone()));
    server.set_image(Box::new(move |process: &Process<'_>| {
        // The first attempt ends in the middle.
        if attempts.fetch_add(1, Ordering::Relaxed) > 0 {
            return restore(process);
        }
        let half = volume::draft(process.args[2].as_ref());
        fs::create_dir(&half).unwrap();
        fs::write(half.join("PG_VERSION"), "half").unwrap();
        Exit { code: 1, message: "STORE_UNAVAILABLE: the store does not answer".to_owned() }
    }));
    let runtime = server.runtime_with(settings());
    let deployment = deployment(&source);
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;

    let waited = restore_until_done(&server, &runtime, &deployment, &restoration).await;
    let interrupted = waited.iter().find(|reason| reason.code == ReasonCode::StoreUnavailable);
    let interrupted = interrupted.unwrap_or_else(|| panic!("the first attempt is not reported: {waited:?}"));
    assert_eq!(interrupted.message, "the store does not answer");
    assert_eq!(server.cluster(|cluster| cluster.created("jobs")), 2);
    let id = deployment.id;
    let left = [format!("networkpolicies/{}", names::object(id)), format!("persistentvolumeclaims/{}", names::claim(id))];
    assert_eq!(server.object_names(), left.into(), "only what the instance needs is left");
    assert_eq!(deaths(&received(&mut nudges).await, id), 0, "the end of the pod is no death");

    // The StatefulSet uses the claim, and the server starts on the data.
    let claim = |server: &FakeApiServer| server.object("persistentvolumeclaims", &names::claim(id)).unwrap();
    let before = claim(&server);
    assert_eq!(before["metadata"]["annotations"][names::RESTORED_ANNOTATION], restoration.archive.to_string());
    let endpoint = deploy_until_ready(&server, &runtime, &deployment).await;
    assert_eq!(claim(&server)["metadata"]["uid"], before["metadata"]["uid"]);
    let template = server.object("statefulsets", &names::object(id)).unwrap()["spec"]["volumeClaimTemplates"][0].clone();
    assert_eq!((&before["spec"]["resources"], &before["metadata"]["labels"]), (&template["spec"]["resources"], &template["metadata"]["labels"]));
    let owner = deployment.credentials.owner.expose();
    assert_eq!(execute(&endpoint, ("app", owner), "SELECT string_agg(id::text, ',') FROM rows").as_deref(), Ok("1,2"));
    assert_eq!(execute(&endpoint, ("toygres", fixture::PASSWORD), "SELECT pg_is_in_recovery()").as_deref(), Ok("f"));
    let refused = execute(&endpoint, ("app", "that of the source"), "SELECT 1").unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");

    // A control plane that resumes a call from before begins nothing.
    assert_eq!(server.runtime_with(settings()).restore(&deployment, &restoration).await, Ok(Progress::Done));
    let ran = Deployment { data: Data::Existing(runtime.volume(id).await.unwrap()), ..deployment.clone() };
    assert_eq!(server.runtime().restore(&ran, &restoration).await, Ok(Progress::Done));
    assert_eq!(server.cluster(|cluster| cluster.created("jobs")), 2);
    remove_until_done(&server, &runtime, &deployment, false).await;
    assert!(server.object_names().is_empty());
}

/// A Job that a control plane creates long after the data is in use: it was suspended between two calls.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_comes_too_late_leaves_the_data_alone() {
    let (source, restoration) = source().await;
    let server = FakeApiServer::start_real().await;
    server.set_image(Box::new(image(source.store.clone())));
    let runtime = server.runtime_with(settings());
    let deployment = deployment(&source);
    restore_until_done(&server, &runtime, &deployment, &restoration).await;
    let endpoint = deploy_until_ready(&server, &runtime, &deployment).await;
    let login = ("toygres", fixture::PASSWORD);
    execute(&endpoint, login, "INSERT INTO rows VALUES (3)").unwrap();

    // Without the mark, the claim is as the other control plane has seen it.
    server.cluster(|cluster| {
        cluster.update("persistentvolumeclaims", &names::claim(deployment.id), |claim| claim["metadata"]["annotations"] = json!({}));
    });
    restore_until_done(&server, &runtime, &deployment, &restoration).await;
    assert_eq!(server.cluster(|cluster| cluster.created("jobs")), 2);
    assert_eq!(execute(&endpoint, login, "SELECT string_agg(id::text, ',' ORDER BY id) FROM rows").as_deref(), Ok("1,2,3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_is_one_clear_sentence() {
    let (source, restoration) = source().await;
    let server = FakeApiServer::start_real().await;
    server.set_image(Box::new(image(source.store.clone())));
    let runtime = server.runtime_with(settings());
    let deployment = deployment(&source);
    let beyond = Restoration { target: RestoreTarget::Lsn(Lsn(u64::MAX)), ..restoration.clone() };
    let error = failure(&server, &runtime, &deployment, &beyond).await;
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::NotRestorable, false));
    assert!(error.reason.message.starts_with("the position FFFFFFFF/FFFFFFFF cannot be restored; what can: 20"), "{error}");
    assert_eq!(failure(&server, &runtime, &deployment, &beyond).await, error, "nothing is begun anew");
    remove_until_done(&server, &runtime, &deployment, false).await;
    assert!(server.object_names().is_empty(), "{:?}", server.object_names());

    // PostgreSQL says why it cannot read it.
    let damage = image(source.store.clone());
    server.set_image(Box::new(move |process: &Process<'_>| {
        let exit = damage(process);
        fs::write(volume::draft(process.args[2].as_ref()).join("global/pg_control"), "nonsense").unwrap();
        exit
    }));
    let error = failure(&server, &runtime, &deployment, &restoration).await;
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::NotRestorable, false));
    assert!(error.reason.message.starts_with("PostgreSQL could not recover the backup: ") && error.reason.message.contains("pg_control"), "{error}");
}

/// One call, which is not done.
async fn waits(runtime: &KubernetesRuntime, deployment: &Deployment) -> (ReasonCode, String) {
    match runtime.restore(deployment, &fixture::restoration()).await {
        Ok(Progress::InProgress(reason)) => (reason.code, reason.message),
        other => panic!("{other:?}"),
    }
}

/// Calls until this is waited for.
pub(crate) async fn until_waits(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, code: ReasonCode, said: &str) {
    let waited = || async { Some(waits(runtime, deployment).await).filter(|(found, message)| *found == code && message.contains(said)) };
    server.wait_for(said, waited).await;
}

fn pod(server: &FakeApiServer) -> String {
    server.names("pods").pop().expect("it has a pod")
}

#[tokio::test]
async fn what_a_pod_waits_for_is_said() {
    for (scenario, code, said) in [
        (Scenario::Unschedulable, ReasonCode::Unschedulable, "Insufficient"),
        (Scenario::Image, ReasonCode::ImagePullFailed, ""),
        (Scenario::Quota, ReasonCode::QuotaExceeded, "exceeded quota"),
    ] {
        let server = FakeApiServer::start().await;
        server.set_scenario(scenario);
        let (runtime, deployment) = (server.runtime_with(fixture::restoring()), fixture::another("restored"));
        until_waits(&server, &runtime, &deployment, code, said).await;
        assert_eq!(server.cluster(|cluster| cluster.created("jobs")), 1);
        remove_until_done(&server, &runtime, &deployment, false).await;
        assert!(server.object_names().is_empty(), "{:?}", server.object_names());
    }
    // Until somebody changes something.
    let server = FakeApiServer::start().await;
    server.set_scenario(Scenario::Volume);
    let (runtime, deployment) = (server.runtime_with(fixture::restoring()), fixture::another("restored"));
    let error = failure(&server, &runtime, &deployment, &fixture::restoration()).await;
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::VolumeNotBound, false), "{error}");
}

#[tokio::test]
async fn a_call_while_the_job_runs_changes_nothing() {
    let server = FakeApiServer::start().await;
    server.cluster(|cluster| cluster.jobs_held = true);
    let (runtime, deployment) = (server.runtime_with(fixture::restoring()), fixture::another("restored"));
    until_waits(&server, &runtime, &deployment, ReasonCode::StartingUp, "100 of 400 MiB are fetched from the store").await;
    let present = Observation::Pending(Reason::new(ReasonCode::StartingUp, "Its volume is being filled from a backup"));
    assert_eq!(runtime.observe(deployment.id).await, Ok(present));
    let version = server.cluster(|cluster| cluster.version);
    // One that may not read logs.
    server.deny("get", "pods/log");
    let (code, said) = waits(&server.runtime_with(fixture::restoring()), &deployment).await;
    assert_eq!((code, said.as_str()), (ReasonCode::StartingUp, "The backup is fetched from the store"));
    assert_eq!(server.cluster(|cluster| cluster.version), version);
    server.cluster(|cluster| cluster.jobs_held = false);
    restore_until_done(&server, &runtime, &deployment, &fixture::restoration()).await;
}

#[tokio::test]
async fn another_attempt_is_made_where_it_makes_sense() {
    let exit = |code, message: &str| Exit { code, message: message.to_owned() };
    for (container, exit, code, retried) in [
        (0, exit(1, "STORE_UNAVAILABLE: it does not answer"), ReasonCode::StoreUnavailable, true),
        (0, exit(2, "STORE_REFUSED: the key is wrong"), ReasonCode::StoreRefused, false),
        (0, exit(101, "thread 'main' panicked"), ReasonCode::BackupFailed, true),
        (1, exit(1, "FATAL:  recovery ended before configured recovery target was reached"), ReasonCode::NotRestorable, false),
        (1, exit(137, ""), ReasonCode::ProcessExited, true),
    ] {
        let server = FakeApiServer::start().await;
        server.cluster(|cluster| cluster.jobs_held = true);
        let (runtime, deployment) = (server.runtime_with(fixture::restoring()), fixture::another("restored"));
        until_waits(&server, &runtime, &deployment, ReasonCode::StartingUp, "MiB").await;
        let said = format!("{exit:?}");
        let pod = pod(&server);
        server.cluster(|cluster| cluster.end_container(&pod, container, exit));
        if retried {
            until_waits(&server, &runtime, &deployment, code, "").await;
            until_waits(&server, &runtime, &deployment, ReasonCode::StartingUp, "MiB").await;
        } else {
            let error = failure(&server, &runtime, &deployment, &fixture::restoration()).await;
            assert_eq!((error.reason.code, error.retryable), (code, false), "{said}: {error}");
        }
        assert_eq!(server.cluster(|cluster| cluster.created("jobs")), 1 + usize::from(retried), "{said}");
    }
    // Not at once.
    let server = FakeApiServer::start().await;
    server.cluster(|cluster| cluster.jobs_held = true);
    let (runtime, deployment) = (server.runtime_with(fixture::restoring()), fixture::another("restored"));
    until_waits(&server, &runtime, &deployment, ReasonCode::StartingUp, "MiB").await;
    let failed = |since: Timestamp| {
        let condition = json!({"type": "Failed", "status": "True", "lastTransitionTime": since.to_string()});
        let change = |job: &mut Value| job["status"] = json!({"failed": 1, "conditions": [condition]});
        server.cluster(|cluster| cluster.update("jobs", &names::restore(deployment.id), change));
    };
    failed(Timestamp::now());
    assert_eq!(waits(&runtime, &deployment).await.0, ReasonCode::ProcessExited);
    assert_eq!(waits(&runtime, &deployment).await.0, ReasonCode::ProcessExited, "it is still there");
    failed(Timestamp::now() - SignedDuration::from_secs(60));
    until_waits(&server, &runtime, &deployment, ReasonCode::StartingUp, "MiB").await;
    assert_eq!(server.cluster(|cluster| cluster.created("jobs")), 2);

    // A pod that a drain has deleted has no status.
    let server = FakeApiServer::start().await;
    server.cluster(|cluster| cluster.jobs_held = true);
    let (runtime, deployment) = (server.runtime_with(fixture::restoring()), fixture::another("restored"));
    until_waits(&server, &runtime, &deployment, ReasonCode::StartingUp, "MiB").await;
    let pod = pod(&server);
    server.cluster(|cluster| cluster.remove("pods", &pod));
    until_waits(&server, &runtime, &deployment, ReasonCode::ProcessExited, "another one begins anew").await;
    until_waits(&server, &runtime, &deployment, ReasonCode::StartingUp, "MiB").await;
}

#[tokio::test]
async fn without_an_image_or_a_store_nothing_is_begun() {
    let server = FakeApiServer::start().await;
    let deployment = fixture::another("restored");
    let with = |change: &dyn Fn(&mut Settings)| {
        let mut settings = fixture::restoring();
        change(&mut settings);
        server.runtime_with(settings)
    };
    for (runtime, said) in [
        (with(&|settings| settings.restore.image = None), "TOYGRES_RESTORE_IMAGE, the image of the control plane, is not set"),
        (with(&|settings| settings.restore.store = StoreAccess::None), "set TOYGRES_BACKUP_STORE"),
        (with(&|settings| settings.restore.store = StoreAccess::Directory), "is a directory"),
    ] {
        let error = runtime.restore(&deployment, &fixture::restoration()).await.unwrap_err();
        assert_eq!((error.reason.code, error.retryable), (ReasonCode::AdmissionRefused, false));
        assert!(error.reason.message.contains(said), "{error}");
        assert_eq!(runtime.restores(), Err(error.reason.message));
        assert!(server.object_names().is_empty());
    }
    assert_eq!(with(&|_| {}).restores(), Ok(()));
}

/// The Role of an earlier release knows no Jobs.
#[tokio::test]
async fn an_instance_is_removed_without_the_permissions_of_restorations() {
    let server = FakeApiServer::start().await;
    let (runtime, deployment) = (server.runtime(), fixture::another("orders"));
    for verb in ["create", "delete", "get", "list"] {
        server.deny(verb, "jobs");
    }
    deploy_until_ready(&server, &runtime, &deployment).await;
    assert_eq!(runtime.list().await.unwrap(), [deployment.id]);
    remove_until_done(&server, &runtime, &deployment, false).await;
    let refused = server.runtime_with(fixture::restoring()).restore(&deployment, &fixture::restoration()).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::Forbidden, true));
}

/// The pods of both kinds have what the namespace of a careful administrator asks for, and reach what they need.
#[tokio::test]
async fn only_the_pod_of_a_restoration_reaches_the_store() {
    let server = FakeApiServer::start().await;
    server.cluster(|cluster| cluster.jobs_held = true);
    let mut settings = fixture::restoring();
    let StoreAccess::Network(store) = &mut settings.restore.store else { panic!("it is reached over the network") };
    // Of a Service, whose pods listen on another one.
    store.port = 80;
    let (runtime, deployment) = (server.runtime_with(settings), fixture::another("restored"));
    until_waits(&server, &runtime, &deployment, ReasonCode::StartingUp, "MiB").await;
    let policy = |name: String| server.object("networkpolicies", &name).unwrap()["spec"].clone();
    let (of_instance, of_restoration) = (policy(names::object(deployment.id)), policy(names::restore(deployment.id)));
    let labels = server.object("pods", &pod(&server)).unwrap()["metadata"]["labels"].clone();
    let selected = |policy: &Value| policy["podSelector"]["matchLabels"].as_object().unwrap().iter().all(|(label, value)| labels[label] == *value);
    assert!(selected(&of_instance) && selected(&of_restoration));
    assert_eq!(of_restoration["policyTypes"], json!(["Egress"]));
    let ports = of_restoration["egress"][0]["ports"].as_array().unwrap();
    let allows = |protocol: &str, wanted: i64| {
        ports.iter().any(|port| {
            let first = port["port"].as_i64().unwrap();
            port["protocol"] == protocol && (first..=port["endPort"].as_i64().unwrap_or(first)).contains(&wanted)
        })
    };
    for (protocol, port) in [("UDP", 53), ("UDP", 5353), ("TCP", 53), ("TCP", 443), ("TCP", 988), ("TCP", 5431), ("TCP", 5433), ("TCP", 9000)] {
        assert!(allows(protocol, port), "{protocol} {port}");
    }
    assert!(!allows("TCP", 5432), "that of PostgreSQL: {ports:?}");
    // Some network plugins ignore the ends of ranges.
    let single =
        |protocol: &str, wanted: i64| ports.iter().any(|port| port["protocol"] == protocol && port["port"] == wanted && port["endPort"].is_null());
    assert!(single("UDP", 53) && single("TCP", 80) && single("TCP", 443), "{ports:?}");
    let server_labels = runtime_labels(&server, &runtime, &deployment).await;
    let component = &of_restoration["podSelector"]["matchLabels"][names::COMPONENT_LABEL];
    assert_ne!(server_labels[names::COMPONENT_LABEL], *component, "the server of the instance reaches nothing");
}

/// The labels of the pod of the server.
async fn runtime_labels(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment) -> Value {
    server.cluster(|cluster| cluster.jobs_held = false);
    restore_until_done(server, runtime, deployment, &fixture::restoration()).await;
    deploy_until_ready(server, runtime, deployment).await;
    server.object("pods", &names::pod(deployment.id)).unwrap()["metadata"]["labels"].clone()
}
