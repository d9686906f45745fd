//! The checks, in order.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use toygres_certificates::Authority;
use toygres_domain::{
    InstanceId, OperationId,
    data::Data,
    instance::{Endpoint, Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion},
    name::{InstanceName, SqlName},
    operation::OperationStatus,
    roles::{Credentials, PlatformCredentials},
    runtime::Deployment,
    secret::Secret,
};
use toygres_k8s::build::names;
use toygres_postgres::contract::{self, OwnedInstance};
use toygres_store::testing::TestDatabase;

use crate::{
    Plan, Result,
    admin::Admin,
    day_two, drift,
    report::Report,
    restore,
    server::{self, Server},
    tls, trouble,
};

/// A password with characters that are special in a shell, in YAML or in a URL.
const PASSWORD: &str = "p@ss'w\"ord $1/%";
/// The time-out for an instance whose image is present.
pub const READY_TIMEOUT: Duration = Duration::from_secs(180);
/// How long a failure may take to reach a subscriber once the cluster reports it.
pub const REPORT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the cluster may take to report a failure: a registry that does not respond fails late.
const DETECTION_TIMEOUT: Duration = Duration::from_secs(300);
/// What createInstance may add to a plain apply in a cluster.
const OVERHEAD: Duration = Duration::from_secs(1);

pub async fn run(plan: &Plan, admin: &Admin, report: &mut Report) -> Result<()> {
    println!("cluster {}, namespace {}, PostgreSQL {:?}", admin.version, admin.namespace, plan.versions);
    let kubeconfig = admin.prepare(&plan.directory).await?;
    let database = TestDatabase::create().await;
    let server = Server::start(plan, &database, &kubeconfig, &admin.namespace, &[]).await?;
    report.passed("the server starts as a service account with the Role of the chart");
    for version in &plan.versions {
        let outcome = whole_life(plan, admin, &server, *version).await;
        let outcome = outcome.map(|()| format!("PostgreSQL {version}: created, healthy, logged in to, deleted, nothing left"));
        settle(plan, admin, report, outcome).await;
    }
    let version = *plan.versions.last().ok_or("TOYGRES_TEST_VERSIONS names no version")?;
    settle(plan, admin, report, pod_kill(plan, admin, &server, version).await).await;
    settle(plan, admin, report, restart(plan, admin, &server, version).await).await;
    settle(plan, admin, report, day_two::all(plan, admin, &server, input("kept", version)).await).await;
    settle(plan, admin, report, trouble::drained(admin, &server, input("drained", version)).await).await;
    settle(plan, admin, report, trouble::killed_first_start(admin, &server, input("begun", version)).await).await;
    settle(plan, admin, report, trouble::orphaned(admin, &server, input("orphaned", version)).await).await;
    settle(plan, admin, report, trouble::forbidden(admin, &server, input("forbidden", version)).await).await;
    settle(plan, admin, report, overhead(plan, admin, &server, version).await).await;
    settle(plan, admin, report, kept_volume(admin, &server, version).await).await;
    settle(plan, admin, report, held_claim(admin, &server, &database, version).await).await;
    settle(plan, admin, report, impossible(admin, &server, version).await).await;
    settle(plan, admin, report, quota(admin, &server, version).await).await;
    settle(plan, admin, report, drift::repaired(plan, admin, &server, input("drifting", version)).await).await;
    settle(plan, admin, report, drift::requested(admin, &server, input("repaired", version)).await).await;
    settle(plan, admin, report, drift::lost(admin, &server, input("lost", version)).await).await;
    settle(plan, admin, report, tls::verified(plan, admin, &server, input("verified", version)).await).await;
    let outcome = killed_at_work(plan, admin, server, &database, &kubeconfig, version).await;
    settle(plan, admin, report, outcome).await;
    let start = async || Server::start(plan, &database, &kubeconfig, &admin.namespace, &[]).await;
    settle(plan, admin, report, drift::unwatched(plan, admin, start, input("unwatched", version)).await).await;
    settle(plan, admin, report, trouble::unreachable(plan, admin, &kubeconfig, version).await).await;
    match &plan.restore {
        Some(variables) => {
            let server = Server::start(plan, &database, &kubeconfig, &admin.namespace, &restore::environment(variables)).await?;
            settle(plan, admin, report, restore::restored(plan, admin, &server, input("source", version)).await).await;
        }
        None => report.skipped(restore::NOT_POSSIBLE),
    }
    settle(plan, admin, report, bad_image(plan, admin, &kubeconfig, version).await).await;
    settle(plan, admin, report, no_storage_class(plan, admin, &kubeconfig, version).await).await;
    Ok(())
}

/// Reports a check. After one that failed, the state of the cluster is printed and the next one runs.
async fn settle(plan: &Plan, admin: &Admin, report: &mut Report, outcome: Result<String>) {
    match outcome {
        Ok(seen) => report.passed(&seen),
        Err(why) => {
            report.failed(&why);
            eprintln!("{}\n{}", admin.diagnosis().await, server::logs(plan));
        }
    }
}

async fn whole_life(plan: &Plan, admin: &Admin, server: &Server, version: u16) -> Result<()> {
    let name = format!("life-{version}");
    let id = server.create(input(&name, version)).await?;
    let healthy = server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    // This machine is outside of the cluster; its names do not resolve here by default.
    let host = healthy["endpoint"]["host"].as_str().unwrap_or_default();
    let (ip, dns) = (admin.cluster_ip(&name).await?, format!("{name}.{}.svc.cluster.local", admin.namespace));
    if host != ip && host != dns {
        return Err(format!("the endpoint is {host}, and neither the ClusterIP {ip} nor {dns}"));
    }
    let url = healthy["connectionString"].as_str().unwrap_or_default();
    let seen =
        psql(plan, url, "SELECT current_user || ' ' || current_database() || ' ' || current_setting('server_version_num')::int / 10000").await?;
    // The fake API server replaces a version that this machine does not have.
    if !seen.starts_with("shop goods ") || !admin.is_fake() && seen != format!("shop goods {version}") {
        return Err(format!("logged in to '{seen}'"));
    }
    if admin.password(parse(&id)?).await?.expose() == PASSWORD {
        return Err("the Secret holds the password of the owner".to_owned());
    }
    owner(server, &id, &healthy, version).await?;
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await
}

/// The contract about owners, as one of them. They exhaust the connections too, and the platform still gets in.
async fn owner(server: &Server, id: &str, healthy: &Value, version: u16) -> Result<()> {
    let endpoint = Endpoint {
        host: healthy["endpoint"]["host"].as_str().unwrap_or_default().to_owned(),
        port: healthy["endpoint"]["port"].as_u64().and_then(|port| port.try_into().ok()).ok_or("the endpoint has no port")?,
    };
    let Deployment { spec, credentials, .. } = deployment("owner", version)?;
    let owned = OwnedInstance { endpoint, spec, password: credentials.owner, platform: None };
    // A violation of the contract is a panic, of which the caller reports the text.
    if let Err(error) = tokio::spawn(async move { contract::check_owner(&owned).await }).await {
        let panic = error.try_into_panic().map_err(|error| error.to_string())?;
        return Err(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "the contract about owners is violated".to_owned()));
    }
    server.until(id, "it healthy after all that its owner tried", REPORT_TIMEOUT, is_healthy).await.map(drop)
}

/// No check comes by itself, and one that waited for its time-out would be late: what the cluster reports is heard at once.
async fn pod_kill(plan: &Plan, admin: &Admin, server: &Server, version: u16) -> Result<String> {
    let mut input = input("victim", version);
    input["healthCheck"] = json!({"intervalSeconds": 3600, "timeoutSeconds": 60});
    let id = server.create(input).await?;
    let healthy = server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    let url = healthy["connectionString"].as_str().unwrap_or_default().to_owned();
    psql(plan, &url, "CREATE TABLE t (a int); INSERT INTO t VALUES (42)").await?;
    let mut live = server.follow(&id).await?;
    live.until("the instance", REPORT_TIMEOUT, is_healthy).await?;
    let started = Instant::now();
    admin.kill_pod(parse(&id)?).await?;
    let down = live.until("a deleted pod as UNHEALTHY", REPORT_TIMEOUT, |now| now["health"] == "UNHEALTHY").await?;
    let reported = started.elapsed();
    live.until("HEALTHY again", READY_TIMEOUT, is_healthy).await?;
    let back = started.elapsed();
    if psql(plan, &url, "TABLE t").await? != "42" {
        return Err("the data did not survive the pod".to_owned());
    }
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await?;
    let code = down["reason"]["code"].as_str().unwrap_or_default();
    Ok(format!("a deleted pod: UNHEALTHY ({code}) after {:.1} s, HEALTHY with its data after {:.1} s", reported.as_secs_f32(), back.as_secs_f32()))
}

/// A planned restart: another pod with the same data, and no health event on the way.
async fn restart(plan: &Plan, admin: &Admin, server: &Server, version: u16) -> Result<String> {
    let id = server.create(input("restarted", version)).await?;
    let healthy = server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    let url = healthy["connectionString"].as_str().unwrap_or_default().to_owned();
    psql(plan, &url, "CREATE TABLE t (a int); INSERT INTO t VALUES (42)").await?;
    let pod_uid = async || Ok::<_, String>(admin.pods(parse(&id)?).await?.into_iter().find_map(|pod| pod.metadata.uid));
    let before = pod_uid().await?;
    let mut live = server.follow(&id).await?;
    live.until("the instance", REPORT_TIMEOUT, is_healthy).await?;
    let started = Instant::now();
    server.restart(&id).await?;
    let no_death = |now: &Value| {
        let is_wrong = now["health"] == "UNHEALTHY" || now["state"] == "FAILED";
        if is_wrong { Err(format!("a planned restart was reported as {now}")) } else { Ok(()) }
    };
    live.until_ok("a restart as UPDATING", REPORT_TIMEOUT, |now| no_death(now).map(|()| now["state"] == "UPDATING")).await?;
    live.until_ok("RUNNING again", READY_TIMEOUT, |now| no_death(now).map(|()| now["state"] == "RUNNING")).await?;
    let took = started.elapsed();
    if psql(plan, &url, "TABLE t").await? != "42" {
        return Err("the data did not survive the restart".to_owned());
    }
    let after = pod_uid().await?;
    if after.is_none() || after == before {
        return Err("the pod was not replaced".to_owned());
    }
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await?;
    Ok(format!("a planned restart: another pod with its data after {:.1} s, never UNHEALTHY", took.as_secs_f32()))
}

/// Alternates between both, so that other load of the cluster affects both.
async fn overhead(plan: &Plan, admin: &Admin, server: &Server, version: u16) -> Result<String> {
    let (mut plain, mut ours) = (Vec::new(), Vec::new());
    for round in 0..plan.rounds.max(1) {
        let deployment = deployment(&format!("plain-{round}"), version)?;
        plain.push(admin.plain_apply(&deployment).await?);
        admin.remove(deployment.id).await?;
        let started = Instant::now();
        let id = server.create(input(&format!("ours-{round}"), version)).await?;
        server.until(&id, "it running", READY_TIMEOUT, |now| now["state"] == "RUNNING").await?;
        ours.push(started.elapsed());
        server.delete(&id, false).await?;
        nothing_left(admin, &id).await?;
    }
    let (plain, ours) = (median(plain), median(ours));
    let line = format!(
        "overhead: createInstance to RUNNING {:.2} s, plain apply of the same objects to Ready {:.2} s, {:+.2} s (medians of {})",
        ours.as_secs_f32(),
        plain.as_secs_f32(),
        ours.as_secs_f32() - plain.as_secs_f32(),
        plan.rounds.max(1)
    );
    // The fake, its PostgreSQL servers and the control plane share the processors of one machine: that says nothing about a cluster.
    if ours > plain + OVERHEAD && !admin.is_fake() { Err(format!("{line}; at most {} s is promised", OVERHEAD.as_secs())) } else { Ok(line) }
}

async fn kept_volume(admin: &Admin, server: &Server, version: u16) -> Result<String> {
    let id = server.create(input("keeper", version)).await?;
    server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    server.delete(&id, true).await?;
    let left = admin.left(parse(&id)?).await?;
    let claim = format!("PersistentVolumeClaim/{}", names::claim(parse(&id)?));
    if left == [claim] { Ok("a volume that is to be kept outlives its instance".to_owned()) } else { Err(format!("left are {left:?}")) }
}

/// A deletion that takes longer than a run may take.
async fn held_claim(admin: &Admin, server: &Server, database: &TestDatabase, version: u16) -> Result<String> {
    let id = server.create(input("held", version)).await?;
    server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    admin.hold_claim(parse(&id)?, true).await?;
    let outcome = deletion_of_a_held_claim(server, database, &id, version).await;
    // Otherwise the namespace could not be deleted.
    admin.hold_claim(parse(&id)?, false).await?;
    let seen = outcome?;
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await?;
    Ok(seen)
}

async fn deletion_of_a_held_claim(server: &Server, database: &TestDatabase, id: &str, version: u16) -> Result<String> {
    let mut live = server.follow(id).await?;
    let deletion = server.request_deletion(id, false).await?;
    let claim = names::claim(parse(id)?);
    let is_held =
        |now: &Value| now["reason"]["code"] == "REMOVAL_INCOMPLETE" && now["reason"]["message"].as_str().is_some_and(|why| why.contains(&claim));
    live.until("the claim as REMOVAL_INCOMPLETE", DETECTION_TIMEOUT, is_held).await?;
    let refusal = server.refusal(input("held", version)).await?;
    if !refusal.contains(&deletion) {
        return Err(format!("the name of an instance that is being deleted is refused without its deletion: {refusal}"));
    }
    let ago = "- interval '1 hour'";
    database
        .run(&format!("UPDATE toygres.operations SET created_at = created_at {ago}, dispatched_at = dispatched_at {ago} WHERE id = '{deletion}'"))
        .await;
    let (store, operation) = (database.store(), OperationId::from_any(&deletion));
    let deadline = Instant::now() + READY_TIMEOUT;
    loop {
        let now = store.operation(&operation).await.map_err(|error| error.to_string())?.ok_or("the deletion has no row")?;
        if now.status.is_terminal() {
            return Err(format!("the deletion ended while its claim was held: {}", now.status));
        }
        if now.run > 1 && now.status == OperationStatus::Running {
            break;
        }
        if Instant::now() > deadline {
            return Err(format!("no other run followed one of an hour within {} s", READY_TIMEOUT.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.until(id, "it DELETING", REPORT_TIMEOUT, |now| now["state"] == "DELETING" && is_held(now)).await?;
    Ok("a claim that a finalizer holds: the deletion goes on over runs, says so, and is done once the claim is released".to_owned())
}

async fn impossible(admin: &Admin, server: &Server, version: u16) -> Result<String> {
    let mut input = input("giant", version);
    // More than any node has.
    (input["cpuMillis"], input["memoryMb"]) = (json!(128_000), json!(1_048_576));
    let detected = |pod: &Pod| {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
        conditions.is_some_and(|conditions| conditions.iter().any(|condition| condition.reason.as_deref() == Some("Unschedulable")))
    };
    failure(admin, server, input, "an impossible request", "UNSCHEDULABLE", Sign::Pod(&detected)).await
}

/// A problem that passes: the creation continues by itself.
async fn quota(admin: &Admin, server: &Server, version: u16) -> Result<String> {
    admin.forbid_pods().await?;
    let outcome = quota_in_the_way(admin, server, version).await;
    // The next checks need pods in any case.
    let allowed = admin.allow_pods().await;
    outcome.and_then(|seen| allowed.map(|()| seen))
}

async fn quota_in_the_way(admin: &Admin, server: &Server, version: u16) -> Result<String> {
    let id = server.create(input("quota", version)).await?;
    let mut live = server.follow(&id).await?;
    let seen = live.until("an exhausted quota as QUOTA_EXCEEDED", DETECTION_TIMEOUT, |now| now["reason"]["code"] == "QUOTA_EXCEEDED").await?;
    admin.allow_pods().await?;
    live.until("it running and healthy once there is room", DETECTION_TIMEOUT, is_healthy).await?;
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await?;
    Ok(format!("an exhausted quota: QUOTA_EXCEEDED ({}), and it runs once there is room", seen["reason"]["message"].as_str().unwrap_or_default()))
}

async fn bad_image(plan: &Plan, admin: &Admin, kubeconfig: &Path, version: u16) -> Result<String> {
    let database = TestDatabase::create().await;
    let server = Server::start(plan, &database, kubeconfig, &admin.namespace, &[("TOYGRES_IMAGE_TAG_SUFFIX", "-does-not-exist")]).await?;
    let detected = |pod: &Pod| {
        let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref()).into_iter().flatten();
        let waiting = containers.filter_map(|container| container.state.as_ref()?.waiting.as_ref()?.reason.clone());
        waiting.into_iter().any(|reason| ["ErrImagePull", "ImagePullBackOff"].contains(&reason.as_str()))
    };
    let line = failure(admin, &server, input("unpulled", version), "a bad image tag", "IMAGE_PULL_FAILED", Sign::Pod(&detected)).await?;
    server.stop().await?;
    Ok(line)
}

async fn no_storage_class(plan: &Plan, admin: &Admin, kubeconfig: &Path, version: u16) -> Result<String> {
    let database = TestDatabase::create().await;
    let server = Server::start(plan, &database, kubeconfig, &admin.namespace, &[("TOYGRES_STORAGE_CLASS", "toygres-does-not-exist")]).await?;
    let sign = Sign::EventOfClaim("ProvisioningFailed");
    let line = failure(admin, &server, input("no-volume", version), "a missing storage class", "VOLUME_NOT_BOUND", sign).await?;
    server.stop().await?;
    Ok(line)
}

/// How the cluster reports a failure.
enum Sign<'a> {
    Pod(&'a (dyn Fn(&Pod) -> bool + Sync)),
    EventOfClaim(&'static str),
}

/// Creates an instance that cannot run; measures when the cluster reports it and when a subscriber gets the typed reason.
async fn failure(admin: &Admin, server: &Server, input: Value, what: &str, code: &str, sign: Sign<'_>) -> Result<String> {
    let id = server.create(input).await?;
    let instance = parse(&id)?;
    let detected = async {
        let look = || async {
            match &sign {
                // The pod of a failed creation is deleted: the subscriber may get the reason before this is observed.
                Sign::Pod(detected) => Ok(admin.pods(instance).await?.iter().any(detected).then(Instant::now)),
                Sign::EventOfClaim(reason) => {
                    let events = admin.events(&names::claim(instance)).await?;
                    Ok(events.iter().any(|event| event.reason.as_deref() == Some(*reason)).then(Instant::now))
                }
            }
        };
        admin.until(&format!("the cluster to know of {what}"), DETECTION_TIMEOUT, look).await
    };
    let reported = async {
        let mut live = server.follow(&id).await?;
        let seen = live.until(&format!("{what} as {code}"), DETECTION_TIMEOUT + REPORT_TIMEOUT, |now| now["reason"]["code"] == code).await?;
        Ok::<_, String>((Instant::now(), seen))
    };
    tokio::pin!(detected, reported);
    let (detected, (reported, seen)) = tokio::select! {
        detected = &mut detected => (Some(detected?), reported.await?),
        reported = &mut reported => (None, reported?),
    };
    // The subscriber got it before this side observed it: without a delay.
    let delay = detected.map(|detected| reported.saturating_duration_since(detected)).unwrap_or_default();
    if delay > REPORT_TIMEOUT {
        return Err(format!("{what} reached a subscriber {:.1} s after the cluster knew it", delay.as_secs_f32()));
    }
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await?;
    let message = seen["reason"]["message"].as_str().unwrap_or_default();
    Ok(format!("{what}: {code} {:.1} s after the cluster knew it ({message})", delay.as_secs_f32()))
}

async fn killed_at_work(plan: &Plan, admin: &Admin, server: Server, database: &TestDatabase, kubeconfig: &Path, version: u16) -> Result<String> {
    let id = server.create(input("survivor", version)).await?;
    let instance = parse(&id)?;
    admin.until("the first object", READY_TIMEOUT, || async { Ok((!admin.left(instance).await?.is_empty()).then_some(())) }).await?;
    server.kill();
    let server = Server::start(plan, database, kubeconfig, &admin.namespace, &[]).await?;
    server.until(&id, "it running and healthy after the restart", READY_TIMEOUT, is_healthy).await?;
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await?;
    server.stop().await?;
    Ok("a server killed while it creates finishes it after its restart, and stops in good order".to_owned())
}

pub async fn nothing_left(admin: &Admin, id: &str) -> Result<()> {
    let left = admin.left(parse(id)?).await?;
    if left.is_empty() { Ok(()) } else { Err(format!("a deleted instance left {left:?}")) }
}

/// Runs SQL as a client of the instance; what it prints.
pub async fn psql(plan: &Plan, url: &str, sql: &str) -> Result<String> {
    let mut command = tokio::process::Command::new(&plan.psql);
    command.args([url, "-XAtqc", sql]).env("PGCONNECT_TIMEOUT", "10").kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await.map_err(|_| "psql took longer than 60 s")?;
    let output = output.map_err(|error| format!("{}: {error}", plan.psql.display()))?;
    // The URL holds the password of a database that lives for seconds; psql does not print it.
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(out.trim().to_owned()) } else { Err(format!("psql: {}", err.trim())) }
}

/// A small instance, so that any node has enough resources.
pub fn input(name: &str, version: u16) -> Value {
    json!({
        "name": name, "username": "shop", "database": "goods", "password": PASSWORD, "postgresVersion": version.to_string(),
        "storageGb": 1, "cpuMillis": 100, "memoryMb": 256,
        "healthCheck": {"intervalSeconds": 5},
    })
}

/// The same for the plain apply.
fn deployment(name: &str, version: u16) -> Result<Deployment> {
    let spec = InstanceSpec {
        postgres_version: PostgresVersion(version),
        storage_gb: 1,
        cpu_millis: 100,
        memory_mb: 256,
        username: SqlName::role("shop").map_err(|error| error.to_string())?,
        database: SqlName::database("goods").map_err(|error| error.to_string())?,
        exposure: Exposure::Cluster,
        require_tls: false,
        health_check: HealthCheckPolicy { interval_seconds: 5, timeout_seconds: 5 },
        parameters: Default::default(),
    };
    let name: InstanceName = name.parse().map_err(|error| format!("{error:?}"))?;
    let first_name = name.clone();
    let now = chrono::Utc::now();
    let (from, to) = (now - chrono::TimeDelta::hours(1), now + chrono::TimeDelta::days(1));
    // Of an authority that nobody trusts.
    let issued = Authority::generate("plain apply", from, to).and_then(|authority| authority.issue(&["localhost".to_owned()], from, to));
    let certificate = issued.map_err(|error| error.to_string())?.certificate;
    let credentials = Credentials { owner: Secret::new(PASSWORD.to_owned()), platform: Some(PlatformCredentials::generate()) };
    Ok(Deployment { id: InstanceId::generate(), name, first_name, spec, credentials, data: Data::New, certificate, suspended: false, closed: false })
}

pub fn is_healthy(now: &Value) -> bool {
    now["state"] == "RUNNING" && now["health"] == "HEALTHY"
}

pub fn parse(id: &str) -> Result<InstanceId> {
    id.parse().map_err(|_| format!("{id} is no id"))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
