//! The watch: every change yields a nudge, and every death is reported, also after a gap.

use std::time::Duration;

use futures::{StreamExt, stream::BoxStream};
use serde_json::json;
use toygres_domain::{
    InstanceId,
    instance::ReasonCode,
    runtime::{Nudge, Runtime},
};
use toygres_k8s::build::names;

use crate::{
    fake::{FakeApiServer, Scenario},
    fixture,
    steps::{deploy_until_ready, remove_until_done, until_ready},
};

pub(crate) async fn next(nudges: &mut BoxStream<'static, Nudge>, what: &str, wanted: impl Fn(&Nudge) -> bool) -> Nudge {
    let wait = async {
        loop {
            let nudge = nudges.next().await.expect("the stream never ends");
            if wanted(&nudge) {
                return nudge;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap_or_else(|_| panic!("no nudge: {what}"))
}

/// The nudges that arrive until there is none for a moment.
pub(crate) async fn received(nudges: &mut BoxStream<'static, Nudge>) -> Vec<Nudge> {
    let mut read = Vec::new();
    while let Ok(Some(nudge)) = tokio::time::timeout(Duration::from_millis(200), nudges.next()).await {
        read.push(nudge);
    }
    read
}

pub(crate) fn deaths(nudges: &[Nudge], id: InstanceId) -> usize {
    nudges.iter().filter(|nudge| nudge.instance == id && nudge.death.is_some()).count()
}

#[tokio::test]
async fn a_deployment_and_a_death_are_reported() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let mut nudges = runtime.nudges();
    let deployment = fixture::another("orders");
    runtime.deploy(&deployment).await.unwrap();
    next(&mut nudges, "for the deployment", |nudge| nudge.instance == deployment.id).await;
    until_ready(&server, &runtime, &deployment).await;
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0, "nothing died on the way up");

    server.cluster(|cluster| {
        cluster.update("pods", &names::pod(deployment.id), |pod| pod["metadata"]["deletionTimestamp"] = json!("2026-11-22T09:07:03Z"));
    });
    let nudge = next(&mut nudges, "for the death", |nudge| nudge.death.is_some()).await;
    assert_eq!(nudge.instance, deployment.id);
    assert_eq!(nudge.death.unwrap().code, ReasonCode::ProcessExited);
    until_ready(&server, &runtime, &deployment).await;
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0, "a death is reported once");
    remove_until_done(&server, &runtime, &deployment, false).await;
}

#[tokio::test]
async fn a_restart_in_place_is_a_death_too() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;
    server.cluster(|cluster| {
        cluster.update("pods", &names::pod(deployment.id), |pod| {
            let container = &mut pod["status"]["containerStatuses"][0];
            container["restartCount"] = json!(1);
            container["lastState"] = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
        });
    });
    let nudge = next(&mut nudges, "for the restart", |nudge| nudge.death.is_some()).await;
    assert_eq!(nudge.death.unwrap().code, ReasonCode::OutOfMemory);
}

#[tokio::test]
async fn a_death_during_a_gap_in_the_watch_is_reported() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let (dying, quiet) = (fixture::another("dying"), fixture::another("quiet"));
    deploy_until_ready(&server, &runtime, &dying).await;
    deploy_until_ready(&server, &runtime, &quiet).await;
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;
    // The pod and the history disappear at once: no watch sees the deletion.
    server.cluster(|cluster| {
        cluster.remove("pods", &names::pod(dying.id));
        cluster.discard_history();
    });
    let nudge = next(&mut nudges, "for the pod that is gone", |nudge| nudge.death.is_some()).await;
    assert_eq!(nudge.instance, dying.id);
    assert_eq!(deaths(&received(&mut nudges).await, quiet.id), 0);
}

#[tokio::test]
async fn a_warning_nudges_where_no_object_changes() {
    let server = FakeApiServer::start().await;
    server.set_scenario(Scenario::Quota);
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    runtime.deploy(&deployment).await.unwrap();
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;
    server.cluster(|cluster| {
        let name = names::object(deployment.id);
        cluster.create(
            "events",
            json!({"metadata": {"name": "again"}, "type": "Warning", "reason": "FailedCreate",
            "involvedObject": {"kind": "StatefulSet", "name": name}, "message": "still no room"}),
        );
    });
    next(&mut nudges, "for the warning", |nudge| nudge.instance == deployment.id).await;
}

#[tokio::test]
async fn a_watch_that_is_refused_is_restarted() {
    let server = FakeApiServer::start().await;
    server.refuse("list", "pods", crate::recordings::read("error-401.json"), 1);
    let runtime = server.runtime();
    let mut nudges = runtime.nudges();
    let deployment = fixture::another("orders");
    runtime.deploy(&deployment).await.unwrap();
    next(&mut nudges, "after the refusal", |nudge| nudge.instance == deployment.id).await;
}

/// EndpointSlices are not watched. They change with these.
#[tokio::test]
async fn what_clients_connect_through_is_watched() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;
    let unreachable = crate::recordings::items("node-unreachable.json", "Pod").remove(0)["status"].take();
    server.cluster(|cluster| cluster.update("pods", &names::pod(deployment.id), |pod| pod["status"] = unreachable));
    let nudge = next(&mut nudges, "for the pod that is not ready", |nudge| nudge.instance == deployment.id).await;
    assert_eq!(nudge.death, None, "the process may live");
    received(&mut nudges).await;
    server.cluster(|cluster| cluster.remove("services", "orders"));
    next(&mut nudges, "for the Service", |nudge| nudge.instance == deployment.id).await;
}
