//! Drift: what somebody deletes or edits is found, also without a watch, and put back, and nothing else is touched.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toygres_domain::{
    data::Data,
    drift::{Expected, Inspection},
    instance::{PostgresVersion, Reason, ReasonCode},
    runtime::{Deployment, Observation, Runtime},
};
use toygres_k8s::{KubernetesRuntime, Settings, build::names};

use crate::{
    fake::FakeApiServer,
    fixture,
    nudging::{next, received},
    steps::{deploy_until_ready, until_ready},
};

/// An instance that has run.
async fn running(server: &FakeApiServer, runtime: &KubernetesRuntime, name: &str) -> Deployment {
    let mut deployment = fixture::another(name);
    deploy_until_ready(server, runtime, &deployment).await;
    deployment.data = Data::Existing(runtime.volume(deployment.id).await.unwrap());
    deploy_until_ready(server, runtime, &deployment).await;
    deployment
}

async fn inspect(runtime: &KubernetesRuntime, deployment: &Deployment) -> Option<Inspection> {
    runtime.inspect(&[Expected::from(deployment)]).await.unwrap().pop()
}

async fn drift(runtime: &KubernetesRuntime, deployment: &Deployment) -> Vec<String> {
    inspect(runtime, deployment).await.into_iter().flat_map(|found| found.drift).map(|drift| drift.to_string()).collect()
}

type Change = fn(&FakeApiServer, &str);

/// What people do: the change, and what is said about it; `#` stands for the id of the instance.
const CHANGES: [(Change, &str); 9] = [
    (|server, id| remove(server, "statefulsets", &format!("toygres-{id}")), "the StatefulSet toygres-# was deleted"),
    (|server, _| remove(server, "services", "orders"), "the Service orders was deleted"),
    (|server, id| remove(server, "services", &format!("toygres-{id}-headless")), "the Service toygres-#-headless was deleted"),
    (|server, id| remove(server, "secrets", &format!("toygres-{id}")), "the Secret toygres-# was deleted"),
    (|server, id| remove(server, "networkpolicies", &format!("toygres-{id}")), "the NetworkPolicy toygres-# was deleted"),
    (
        |server, id| edit(server, "statefulsets", &format!("toygres-{id}"), |set| set["spec"]["replicas"] = json!(0)),
        "the StatefulSet toygres-# was edited (spec.replicas)",
    ),
    (
        |server, _| edit(server, "services", "orders", |service| service["spec"]["selector"] = json!({"app": "other"})),
        "the Service orders was edited (spec.selector.toygres.io/instance-id)",
    ),
    (
        |server, id| {
            edit(server, "networkpolicies", &format!("toygres-{id}"), |policy| policy["spec"]["policyTypes"] = json!(["Ingress"]));
        },
        "the NetworkPolicy toygres-# was edited (spec.policyTypes)",
    ),
    (
        |server, id| {
            edit(server, "secrets", &format!("toygres-{id}"), |secret| {
                secret["data"]["password"] = json!("eA==");
                secret["data"].as_object_mut().unwrap().remove("has-run");
            });
        },
        "the Secret toygres-# was edited (data.has-run, data.password)",
    ),
];

fn remove(server: &FakeApiServer, resource: &str, name: &str) {
    server.cluster(|cluster| cluster.remove(resource, name));
}

fn edit(server: &FakeApiServer, resource: &str, name: &str, change: impl FnOnce(&mut Value)) {
    server.cluster(|cluster| cluster.edit(resource, name, change).expect("it exists"));
}

#[tokio::test]
async fn every_drift_is_seen_by_the_watch_and_put_back() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let (deployment, other) = (running(&server, &runtime, "orders").await, running(&server, &runtime, "other").await);
    let mut nudges = runtime.nudges();
    for (change, said) in CHANGES {
        until_ready(&server, &runtime, &deployment).await;
        received(&mut nudges).await;
        assert_eq!(drift(&runtime, &deployment).await, Vec::<String>::new(), "before: {said}");
        let began = Instant::now();
        change(&server, &deployment.id.to_string());
        next(&mut nudges, said, |nudge| nudge.instance == deployment.id).await;
        assert!(began.elapsed() < Duration::from_secs(1), "{said}: {:?}", began.elapsed());
        let said = said.replace('#', &deployment.id.to_string());
        assert_eq!(drift(&runtime, &deployment).await, [said.as_str()]);
        let repaired = runtime.repair(&deployment).await.unwrap();
        assert_eq!(repaired.iter().map(ToString::to_string).collect::<Vec<_>>(), [said.as_str()]);
        assert_eq!(drift(&runtime, &deployment).await, Vec::<String>::new(), "after: {said}");
        assert_eq!(runtime.repair(&deployment).await, Ok(Vec::new()), "there is nothing left to do: {said}");
    }
    until_ready(&server, &runtime, &deployment).await;
    let secret = server.object("secrets", &names::object(deployment.id)).unwrap();
    assert_eq!((&secret["data"]["password"], &secret["data"]["has-run"]), (&json!("cEBzcyd3Im9yZCAkMQ=="), &json!("dHJ1ZQ==")));
    assert_eq!(drift(&runtime, &other).await, Vec::<String>::new());
}

#[tokio::test]
async fn all_instances_are_inspected_with_a_few_calls() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let mut deployments = Vec::new();
    for name in ["orders", "b", "c", "d", "e", "f"] {
        deployments.push(running(&server, &runtime, name).await);
    }
    let expected: Vec<_> = deployments.iter().map(Expected::from).collect();
    assert_eq!(runtime.inspect(&expected).await, Ok(Vec::new()));
    let gone = deployments[5].id;
    for (change, _) in &CHANGES[..5] {
        change(&server, &deployments[0].id.to_string());
    }
    for resource in ["statefulsets", "secrets", "networkpolicies"] {
        remove(&server, resource, &names::object(gone));
    }
    for service in ["f", &names::headless_service(gone)] {
        remove(&server, "services", service);
    }
    let before = server.calls().len();
    let found = runtime.inspect(&expected).await.unwrap();
    assert_eq!(server.calls().len() - before, 5);
    assert_eq!(found.iter().map(|found| (found.id, found.drift.len())).collect::<Vec<_>>(), [(deployments[0].id, 5), (gone, 5)]);
}

#[tokio::test]
async fn what_others_add_is_no_drift() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = running(&server, &runtime, "orders").await;
    edit(&server, "services", "orders", |service| service["metadata"]["annotations"]["example.com/owner"] = json!("somebody"));
    edit(&server, "secrets", &names::object(deployment.id), |secret| secret["data"]["other"] = json!("eA=="));
    assert_eq!(drift(&runtime, &deployment).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_role_without_secrets_costs_only_their_inspection() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = running(&server, &runtime, "orders").await;
    server.deny("list", "secrets");
    remove(&server, "secrets", &names::object(deployment.id));
    remove(&server, "services", "orders");
    assert_eq!(drift(&runtime, &deployment).await, ["the Service orders was deleted"]);
    runtime.repair(&deployment).await.unwrap();
    assert!(server.object("secrets", &names::object(deployment.id)).is_some(), "a repair applies what it cannot see");
}

/// The pod is on its way out with the StatefulSet, and still answers.
#[tokio::test]
async fn a_pod_of_the_former_stateful_set_is_not_ready() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = running(&server, &runtime, "orders").await;
    edit(&server, "pods", &names::pod(deployment.id), |pod| pod["metadata"]["ownerReferences"][0]["uid"] = json!("another"));
    let observed = runtime.observe(deployment.id).await.unwrap();
    assert!(matches!(&observed, Observation::Pending(reason) if reason.code == ReasonCode::StartingUp), "{observed:?}");
}

#[tokio::test]
async fn an_instance_of_a_version_that_is_not_on_offer_any_more_is_still_deployed() {
    let server = FakeApiServer::start().await;
    let deployment = running(&server, &server.runtime(), "orders").await;
    let versions = vec![PostgresVersion(18)];
    assert_ne!(deployment.spec.postgres_version, versions[0]);
    let runtime = server.runtime_with(Settings { versions, ..Settings::default() });
    assert_eq!(runtime.deploy(&deployment).await, Ok(()));
    let refused = runtime.deploy(&Deployment { data: Data::New, ..deployment }).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::PostgresMissing, false));
}

#[tokio::test]
async fn a_restart_without_its_stateful_set_says_why() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = running(&server, &runtime, "orders").await;
    remove(&server, "statefulsets", &names::object(deployment.id));
    let refused = runtime.restart(deployment.id, &crate::steps::restart(&deployment, 2)).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::Drifted, false));
    assert!(refused.reason.message.ends_with("was deleted. Repair the instance instead"), "{refused}");
}

#[tokio::test]
async fn a_foreign_service_is_a_lasting_refusal() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = running(&server, &runtime, "orders").await;
    server.cluster(|cluster| {
        cluster.remove("services", "orders");
        cluster.create("services", json!({"metadata": {"name": "orders"}, "spec": {"ports": [{"port": 80}]}}));
    });
    let refused = runtime.repair(&deployment).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::AdmissionRefused, false));
}

/// Recorded: the claim exists until its pod ends, and then a new one of the same name takes its place.
#[tokio::test]
async fn a_claim_that_is_deleted_is_reported_before_and_after() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = running(&server, &runtime, "orders").await;
    server.cluster(|cluster| cluster.delete_claim(&names::claim(deployment.id)));
    let finding = inspect(&runtime, &deployment).await.unwrap().data.unwrap();
    assert_eq!(finding.code, ReasonCode::VolumeTerminating);
    until_ready(&server, &runtime, &deployment).await;
    let refused = runtime.restart(deployment.id, &crate::steps::restart(&deployment, 2)).await.unwrap_err();
    assert_eq!(refused.reason.code, ReasonCode::VolumeTerminating, "the restart would end the data");

    server.cluster(|cluster| cluster.end(&names::pod(deployment.id)));
    let lost = server
        .wait_for("DATA_LOST", || async {
            match runtime.observe(deployment.id).await.unwrap() {
                Observation::Failed(reason @ Reason { code: ReasonCode::DataLost, .. }) => Some(reason),
                _ => None,
            }
        })
        .await;
    assert!(lost.message.contains("Restore a backup into a new instance, or delete this one"), "{lost:?}");
    let refused = runtime.repair(&deployment).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::DataLost, false));
}

/// The control plane is not there: what keeps an empty volume from being initialised is in the cluster.
#[tokio::test]
async fn a_pod_refuses_an_empty_volume_by_itself() {
    let server = FakeApiServer::start().await;
    let deployment = running(&server, &server.runtime(), "orders").await;
    server.cluster(|cluster| {
        cluster.delete_claim(&names::claim(deployment.id));
        cluster.end(&names::pod(deployment.id));
    });
    let message = server
        .wait_for("the next pod to refuse", || async {
            let pod = server.object("pods", &names::pod(deployment.id))?;
            let container = &pod["status"]["containerStatuses"][0];
            ["state", "lastState"].iter().find_map(|state| container[state]["terminated"]["message"].as_str().map(str::to_owned))
        })
        .await;
    assert!(message.contains("DATA_LOST"), "{message}");
}
