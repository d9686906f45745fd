//! Trouble of the cluster that passes: what waits for it says so, and goes on afterwards.

use std::{path::Path, time::Instant};

use serde_json::Value;
use toygres_k8s_fake::Network;
use toygres_store::testing::TestDatabase;

use crate::{
    Plan, Result,
    admin::Admin,
    checks::{READY_TIMEOUT, REPORT_TIMEOUT, input, is_healthy, nothing_left, parse},
    server::Server,
};

/// A pod that ends while another one is impossible, as in a drain: what keeps it away is the reason, and the end of the first pod, which
/// may be heard of late, does not replace it.
pub async fn drained(admin: &Admin, server: &Server, input: Value) -> Result<String> {
    let id = server.create(input).await?;
    server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    admin.forbid_pods().await?;
    let outcome = drained_while_pods_are_forbidden(admin, server, &id).await;
    // The next checks need pods in any case.
    admin.allow_pods().await?;
    outcome?;
    server.until(&id, "it healthy once there is room", READY_TIMEOUT, is_healthy).await?;
    let codes = server.reasons(&id).await?;
    let replaced = codes.iter().skip_while(|code| *code != "QUOTA_EXCEEDED").any(|code| code == "PROCESS_EXITED");
    if replaced {
        return Err(format!("the death of the former pod replaced what kept the next one away: {codes:?}"));
    }
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await?;
    Ok("a pod that ends while there is no room for another: UNHEALTHY (QUOTA_EXCEEDED), which no older death replaces".to_owned())
}

async fn drained_while_pods_are_forbidden(admin: &Admin, server: &Server, id: &str) -> Result<()> {
    let mut live = server.follow(id).await?;
    admin.kill_pod(parse(id)?).await?;
    let is_kept_away = |now: &Value| now["health"] == "UNHEALTHY" && now["reason"]["code"] == "QUOTA_EXCEEDED";
    live.until("a pod that cannot come back as QUOTA_EXCEEDED", READY_TIMEOUT, is_kept_away).await.map(drop)
}

/// A pod that is killed while it initialises its volume.
pub async fn killed_first_start(admin: &Admin, server: &Server, input: Value) -> Result<String> {
    let id = server.create(input).await?;
    let instance = parse(&id)?;
    let has_begun = || async {
        let pods = admin.pods(instance).await?;
        let states = pods.iter().filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref()).flatten();
        let runs = states.filter_map(|container| container.state.as_ref()).any(|state| state.running.is_some());
        // Pods of the fake API server have no state between pending and ready.
        Ok((runs || admin.is_fake() && !pods.is_empty()).then_some(()))
    };
    admin.until("its server to begin", READY_TIMEOUT, has_begun).await?;
    admin.kill_pod(instance).await?;
    server.until(&id, "it healthy although its first start was interrupted", READY_TIMEOUT, is_healthy).await?;
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await?;
    Ok("a pod that is killed at its first start: the next one begins anew".to_owned())
}

/// The ControllerRevision of a StatefulSet that was deleted without its pod belongs to nobody, and goes too.
pub async fn orphaned(admin: &Admin, server: &Server, input: Value) -> Result<String> {
    let id = server.create(input).await?;
    server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    admin.orphan_pod(parse(&id)?).await?;
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await?;
    Ok("a StatefulSet that was deleted with --cascade=orphan: the deletion of the instance leaves nothing".to_owned())
}

/// A refusal of RBAC, as a restarted API server gives it until it has loaded the roles.
pub async fn forbidden(admin: &Admin, server: &Server, input: Value) -> Result<String> {
    admin.revoke().await?;
    let outcome = creation_without_permissions(server, input).await;
    // The next checks need them in any case.
    admin.grant().await?;
    let id = outcome?;
    let started = Instant::now();
    server.until(&id, "it running and healthy with permissions", READY_TIMEOUT, is_healthy).await?;
    let took = started.elapsed();
    server.delete(&id, false).await?;
    nothing_left(admin, &id).await?;
    Ok(format!("a creation that RBAC forbids: FORBIDDEN, and it runs {:.1} s after it is permitted", took.as_secs_f32()))
}

async fn creation_without_permissions(server: &Server, input: Value) -> Result<String> {
    let id = server.create(input).await?;
    let waits = |now: &Value| now["state"] == "CREATING" && now["reason"]["code"] == "FORBIDDEN";
    server.until(&id, "FORBIDDEN", REPORT_TIMEOUT, waits).await?;
    Ok(id)
}

/// An API server that is away: what needs it waits, and what runs stays healthy.
pub async fn unreachable(plan: &Plan, admin: &Admin, kubeconfig: &Path, version: u16) -> Result<String> {
    let (kubeconfig, proxy) = admin.behind_proxy(kubeconfig).await?;
    let database = TestDatabase::create().await;
    let server = Server::start(plan, &database, &kubeconfig, &admin.namespace, &[]).await?;
    let idle = server.create(input("idle", version)).await?;
    server.until(&idle, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    proxy.set(Network::Closed);
    let id = server.create(input("waiting", version)).await?;
    let waits = |now: &Value| now["state"] == "CREATING" && now["reason"]["code"] == "RUNTIME_UNAVAILABLE";
    server.until(&id, "RUNTIME_UNAVAILABLE", REPORT_TIMEOUT, waits).await?;
    admin.until("the health to show that", REPORT_TIMEOUT, || async { Ok((!server.sees_the_cluster().await?).then_some(())) }).await?;
    let started = Instant::now();
    proxy.set(Network::Up);
    server.until(&id, "it running and healthy when the API server is back", READY_TIMEOUT, is_healthy).await?;
    let took = started.elapsed();
    let codes = server.reasons(&idle).await?;
    if codes.iter().any(|code| code == "RUNTIME_UNAVAILABLE") {
        return Err(format!("an instance that was running was told of the cluster: {codes:?}"));
    }
    for id in [&idle, &id] {
        server.delete(id, false).await?;
        nothing_left(admin, id).await?;
    }
    server.stop().await?;
    Ok(format!("an API server that does not answer: RUNTIME_UNAVAILABLE, and the creation is done {:.1} s after it is back", took.as_secs_f32()))
}
