//! Suspensions: 0 replicas by our field manager, whatever others scale it to, and no death. What the contract of every runtime cannot reach.

use std::time::Duration;

use serde_json::{Value, json};
use toygres_domain::{
    data::Data,
    drift::Expected,
    instance::ReasonCode,
    runtime::{Deployment, Observation, Progress, Runtime, Suspension},
};
use toygres_k8s::{KubernetesRuntime, build::names};

use crate::{
    fake::{FakeApiServer, Scenario},
    fixture,
    nudging::{deaths, received},
    steps::{deploy_until_ready, suspend_until_done, suspension, until_ready},
};

/// An instance that has run.
async fn running(server: &FakeApiServer, runtime: &KubernetesRuntime) -> Deployment {
    let mut deployment = fixture::another("orders");
    deploy_until_ready(server, runtime, &deployment).await;
    deployment.data = Data::Existing(runtime.volume(deployment.id).await.unwrap());
    deploy_until_ready(server, runtime, &deployment).await;
    deployment
}

fn suspended(deployment: &Deployment) -> Deployment {
    Deployment { suspended: true, ..deployment.clone() }
}

fn set(server: &FakeApiServer, deployment: &Deployment) -> Value {
    server.object("statefulsets", &names::object(deployment.id)).expect("it exists")
}

fn scale(server: &FakeApiServer, deployment: &Deployment, replicas: i32) {
    server.cluster(|cluster| cluster.edit("statefulsets", &names::object(deployment.id), |set| set["spec"]["replicas"] = json!(replicas)));
}

async fn drift(runtime: &KubernetesRuntime, deployment: &Deployment) -> Vec<String> {
    let found = runtime.inspect(&[Expected::from(deployment)]).await.unwrap();
    found.into_iter().flat_map(|found| found.drift).map(|drift| drift.to_string()).collect()
}

#[tokio::test]
async fn a_suspension_scales_to_0_and_a_resumption_to_1() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = running(&server, &runtime).await;
    let (objects, template) = (server.object_names(), set(&server, &deployment)["spec"]["template"].clone());
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;

    suspend_until_done(&server, &runtime, &deployment, &suspension(&deployment, 2)).await;
    let now = set(&server, &deployment);
    assert_eq!((&now["spec"]["replicas"], &now["metadata"]["annotations"]["toygres.io/suspended"]), (&json!(0), &json!("true")));
    assert_eq!(now["spec"]["template"], template);
    let pod = format!("pods/{}", names::pod(deployment.id));
    assert_eq!(server.object_names(), objects.iter().filter(|name| **name != pod).cloned().collect(), "the address and the volume stay");
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0, "a planned end is no death");

    // Also by a control plane that remembers nothing, whose watch begins now.
    let other = server.runtime();
    assert_eq!(drift(&other, &suspended(&deployment)).await, Vec::<String>::new());
    assert_eq!(other.repair(&suspended(&deployment)).await, Ok(Vec::new()));
    other.deploy(&suspended(&deployment)).await.unwrap();
    assert_eq!(set(&server, &deployment)["spec"]["replicas"], 0);

    deploy_until_ready(&server, &runtime, &deployment).await;
    let now = set(&server, &deployment);
    assert_eq!((&now["spec"]["replicas"], &now["metadata"]["annotations"]["toygres.io/suspended"]), (&json!(1), &Value::Null));
    assert_eq!(server.object_names(), objects);
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0);
}

#[tokio::test]
async fn what_somebody_scales_is_put_back() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = running(&server, &runtime).await;
    suspend_until_done(&server, &runtime, &deployment, &suspension(&deployment, 2)).await;
    scale(&server, &deployment, 1);
    server.wait_for("the pod to run", || async { server.object("pods", &names::pod(deployment.id)).map(drop) }).await;
    let seen = runtime.observe(deployment.id).await.unwrap();
    assert!(matches!(&seen, Observation::Pending(reason) if reason.code == ReasonCode::Suspended), "it does not count as running: {seen:?}");
    let said = [format!("the StatefulSet {} was edited (spec.replicas)", names::object(deployment.id))];
    assert_eq!(drift(&runtime, &suspended(&deployment)).await, said);
    runtime.repair(&suspended(&deployment)).await.unwrap();
    server.wait_for("the pod to go", || async { server.object("pods", &names::pod(deployment.id)).is_none().then_some(()) }).await;
    assert_eq!(set(&server, &deployment)["spec"]["replicas"], 0);
    // A StatefulSet that somebody deletes comes back with 0 replicas.
    server.cluster(|cluster| cluster.remove("statefulsets", &names::object(deployment.id)));
    runtime.repair(&suspended(&deployment)).await.unwrap();
    assert_eq!(set(&server, &deployment)["spec"]["replicas"], 0);
    // What a suspension has left that could not be reverted is put back although nobody else has written to it.
    assert_eq!(drift(&runtime, &deployment).await, said);
    runtime.repair(&deployment).await.unwrap();
    until_ready(&server, &runtime, &deployment).await;
}

#[tokio::test]
async fn a_server_that_is_not_ready_is_suspended_too() {
    for scenario in [Scenario::Image, Scenario::Unschedulable, Scenario::Crash, Scenario::OutOfMemory] {
        let server = FakeApiServer::start().await;
        server.set_scenario(scenario);
        let runtime = server.runtime();
        let deployment = fixture::another("orders");
        runtime.deploy(&deployment).await.unwrap();
        let pod = || server.object("pods", &names::pod(deployment.id));
        server.wait_for("the pod to fail", || async { (!pod()?["status"]["conditions"].is_null()).then_some(()) }).await;
        suspend_until_done(&server, &runtime, &deployment, &suspension(&deployment, 2)).await;
        assert!(pod().is_none(), "{scenario:?}");
        server.set_scenario(Scenario::Running);
        deploy_until_ready(&server, &runtime, &deployment).await;
    }
}

/// The controller would grant 120 seconds, and a grace period that runs can only be shortened.
#[tokio::test]
async fn the_timeout_is_the_grace_period_of_the_pod() {
    for timeout in [1, 300] {
        let server = FakeApiServer::start().await;
        let runtime = server.runtime();
        let deployment = running(&server, &runtime).await;
        server.cluster(|cluster| cluster.suspend(&names::pod(deployment.id)));
        let suspension = Suspension { timeout: Duration::from_secs(timeout), ..suspension(&deployment, 2) };
        let first = runtime.suspend(&Expected::from(&suspended(&deployment)), &suspension).await.unwrap();
        assert!(matches!(first, Progress::InProgress(_)), "{first:?}");
        let pod = server.object("pods", &names::pod(deployment.id)).unwrap();
        assert_eq!(pod["metadata"]["deletionGracePeriodSeconds"], timeout);
    }
}

#[tokio::test]
async fn without_its_data_an_instance_is_not_suspended() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = running(&server, &runtime).await;
    // The pod is all that keeps it.
    server.cluster(|cluster| cluster.delete_claim(&names::claim(deployment.id)));
    let refused = runtime.suspend(&Expected::from(&suspended(&deployment)), &suspension(&deployment, 2)).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::VolumeTerminating, true));
    assert!(server.object("pods", &names::pod(deployment.id)).is_some());
}
