//! The watch: what happens reaches whoever listens, deaths as deaths, also over a gap.

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
    verbs::{bring_up, take_down, until_ready},
};

async fn next(nudges: &mut BoxStream<'static, Nudge>, what: &str, wanted: impl Fn(&Nudge) -> bool) -> Nudge {
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

/// Reads all nudges until the instance is called by name by a change of its own.
async fn drain(nudges: &mut BoxStream<'static, Nudge>) -> Vec<Nudge> {
    let mut read = Vec::new();
    while let Ok(Some(nudge)) = tokio::time::timeout(Duration::from_millis(200), nudges.next()).await {
        read.push(nudge);
    }
    read
}

fn deaths(nudges: &[Nudge], id: InstanceId) -> usize {
    nudges.iter().filter(|nudge| nudge.instance == id && nudge.death.is_some()).count()
}

#[tokio::test]
async fn a_deployment_and_a_death_reach_the_listener() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let mut nudges = runtime.nudges();
    let deployment = fixture::another("orders");
    runtime.deploy(&deployment).await.unwrap();
    next(&mut nudges, "for the deployment", |nudge| nudge.instance == deployment.id).await;
    until_ready(&double, &runtime, &deployment).await;
    assert_eq!(deaths(&drain(&mut nudges).await, deployment.id), 0, "nothing died on the way up");

    double.world(|world| {
        world.update("pods", &names::pod(deployment.id), |pod| pod["metadata"]["deletionTimestamp"] = json!("2026-11-22T09:07:03Z"));
    });
    let nudge = next(&mut nudges, "for the death", |nudge| nudge.death.is_some()).await;
    assert_eq!(nudge.instance, deployment.id);
    assert_eq!(nudge.death.unwrap().code, ReasonCode::ProcessExited);
    until_ready(&double, &runtime, &deployment).await;
    assert_eq!(deaths(&drain(&mut nudges).await, deployment.id), 0, "one death is told once");
    take_down(&double, &runtime, &deployment, false).await;
}

#[tokio::test]
async fn a_restart_in_place_is_a_death_too() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let deployment = fixture::another("orders");
    bring_up(&double, &runtime, &deployment).await;
    let mut nudges = runtime.nudges();
    drain(&mut nudges).await;
    double.world(|world| {
        world.update("pods", &names::pod(deployment.id), |pod| {
            let container = &mut pod["status"]["containerStatuses"][0];
            container["restartCount"] = json!(1);
            container["lastState"] = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
        });
    });
    let nudge = next(&mut nudges, "for the restart", |nudge| nudge.death.is_some()).await;
    assert_eq!(nudge.death.unwrap().code, ReasonCode::OutOfMemory);
}

#[tokio::test]
async fn what_happened_during_a_gap_in_the_watch_is_told() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let (dying, quiet) = (fixture::another("dying"), fixture::another("quiet"));
    bring_up(&double, &runtime, &dying).await;
    bring_up(&double, &runtime, &quiet).await;
    let mut nudges = runtime.nudges();
    drain(&mut nudges).await;
    // The pod and the memory of it go in one step: no watch sees it go.
    double.world(|world| {
        world.remove("pods", &names::pod(dying.id));
        world.forget_history();
    });
    let nudge = next(&mut nudges, "for the pod that is gone", |nudge| nudge.death.is_some()).await;
    assert_eq!(nudge.instance, dying.id);
    assert_eq!(deaths(&drain(&mut nudges).await, quiet.id), 0);
}

#[tokio::test]
async fn a_warning_nudges_where_no_object_changes() {
    let double = FakeApiServer::start().await;
    double.play(Scenario::Quota);
    let runtime = double.runtime();
    let deployment = fixture::another("orders");
    runtime.deploy(&deployment).await.unwrap();
    let mut nudges = runtime.nudges();
    drain(&mut nudges).await;
    double.world(|world| {
        let name = names::object(deployment.id);
        world.create(
            "events",
            json!({"metadata": {"name": "again"}, "type": "Warning", "reason": "FailedCreate",
            "involvedObject": {"kind": "StatefulSet", "name": name}, "message": "still no room"}),
        );
    });
    next(&mut nudges, "for the warning", |nudge| nudge.instance == deployment.id).await;
}

#[tokio::test]
async fn a_watch_that_is_refused_begins_anew() {
    let double = FakeApiServer::start().await;
    double.refuse("list", "pods", crate::recordings::read("error-401.json"), 1);
    let runtime = double.runtime();
    let mut nudges = runtime.nudges();
    let deployment = fixture::another("orders");
    runtime.deploy(&deployment).await.unwrap();
    next(&mut nudges, "after the refusal", |nudge| nudge.instance == deployment.id).await;
}
