//! The verbs, over the double: what they make, what they say, what they leave.

use kube::Client;
use serde_json::json;
use toygres_domain::{
    instance::{Endpoint, Exposure, PostgresVersion, Reason, ReasonCode},
    runtime::{Deployment, Observation, Progress, Runtime, RuntimeError},
};
use toygres_k8s::{KubernetesRuntime, Settings, build::names};

use crate::{
    fake::{FakeApiServer, Scenario},
    fixture, recordings,
};

/// Deploys, and waits until it takes connections.
pub(crate) async fn bring_up(double: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment) -> Endpoint {
    runtime.deploy(deployment).await.unwrap();
    until_ready(double, runtime, deployment).await
}

/// Waits until it takes connections.
pub(crate) async fn until_ready(double: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment) -> Endpoint {
    double
        .look("the instance to be ready", || async {
            match runtime.observe(deployment.id).await.unwrap() {
                Observation::Ready(endpoint) => Some(endpoint),
                _ => None,
            }
        })
        .await
}

/// Removes, as often as it takes.
pub(crate) async fn take_down(double: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, keep: bool) {
    double.look("the instance to be gone", || async { (runtime.remove(deployment.id, keep).await.unwrap() == Progress::Done).then_some(()) }).await;
}

async fn until_reason(double: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, code: ReasonCode) -> Observation {
    double
        .look(code.as_str(), || async {
            let observation = runtime.observe(deployment.id).await.unwrap();
            match &observation {
                Observation::Pending(reason) | Observation::Failed(reason) if reason.code == code => Some(observation),
                _ => None,
            }
        })
        .await
}

#[tokio::test]
async fn an_instance_comes_and_goes() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let deployment = fixture::another("orders");
    assert_eq!(runtime.observe(deployment.id).await.unwrap(), Observation::Absent);

    let endpoint = bring_up(&double, &runtime, &deployment).await;
    assert_eq!(endpoint, Endpoint { host: "orders.toygres.svc.cluster.local".to_owned(), port: 5432 });
    assert_eq!(runtime.list().await.unwrap(), [deployment.id]);
    let password = &double.object("secrets", &names::object(deployment.id)).unwrap()["data"]["password"];
    assert_eq!(password, "cEBzcyd3Im9yZCAkMQ==");

    let before = double.object("statefulsets", &names::object(deployment.id)).unwrap();
    runtime.deploy(&deployment).await.unwrap();
    let after = double.object("statefulsets", &names::object(deployment.id)).unwrap();
    assert_eq!(before["metadata"], after["metadata"], "a repeated deploy changes nothing");

    assert!(matches!(runtime.remove(deployment.id, false).await.unwrap(), Progress::InProgress(Reason { code: ReasonCode::RemovalIncomplete, .. })));
    take_down(&double, &runtime, &deployment, false).await;
    assert!(double.everything().is_empty(), "{:?}", double.everything());
    assert_eq!(runtime.observe(deployment.id).await.unwrap(), Observation::Absent);
    assert!(runtime.list().await.unwrap().is_empty());
    assert_eq!(runtime.remove(deployment.id, false).await.unwrap(), Progress::Done, "what is gone can be removed again");
}

#[tokio::test]
async fn a_kept_volume_stays_and_belongs_to_nobody_else() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let first = fixture::another("orders");
    bring_up(&double, &runtime, &first).await;
    take_down(&double, &runtime, &first, true).await;
    assert_eq!(double.everything(), [format!("persistentvolumeclaims/{}", names::claim(first.id))].into());
    assert_eq!(runtime.observe(first.id).await.unwrap(), Observation::Absent);
    assert!(runtime.list().await.unwrap().is_empty(), "a volume that was kept is not a leftover");

    let second = fixture::another("orders");
    bring_up(&double, &runtime, &second).await;
    assert_eq!(double.names("persistentvolumeclaims").len(), 2);
    take_down(&double, &runtime, &second, false).await;
    assert_eq!(double.names("persistentvolumeclaims"), [names::claim(first.id)]);

    bring_up(&double, &runtime, &first).await;
    assert_eq!(runtime.list().await.unwrap(), [first.id], "the same instance takes its volume back");
    take_down(&double, &runtime, &first, false).await;
    assert!(double.everything().is_empty());
}

#[tokio::test]
async fn every_failure_has_its_reason_and_leaves_nothing() {
    let reasons = [
        (Scenario::Image, ReasonCode::ImagePullFailed),
        (Scenario::Unschedulable, ReasonCode::Unschedulable),
        (Scenario::Volume, ReasonCode::VolumeNotBound),
        (Scenario::Crash, ReasonCode::CrashLoop),
        (Scenario::OutOfMemory, ReasonCode::OutOfMemory),
        (Scenario::Quota, ReasonCode::QuotaExceeded),
    ];
    for (scenario, code) in reasons {
        let double = FakeApiServer::start().await;
        double.play(scenario);
        let runtime = double.runtime();
        let deployment = fixture::another("orders");
        runtime.deploy(&deployment).await.unwrap();
        until_reason(&double, &runtime, &deployment, code).await;
        take_down(&double, &runtime, &deployment, false).await;
        assert!(double.everything().is_empty(), "{scenario:?} leaves {:?}", double.everything());
    }
}

#[tokio::test]
async fn a_repair_replaces_a_pod_that_never_got_ready() {
    let double = FakeApiServer::start().await;
    double.play(Scenario::Image);
    let mut deployment = fixture::another("orders");
    let runtime = double.runtime();
    runtime.deploy(&deployment).await.unwrap();
    until_reason(&double, &runtime, &deployment, ReasonCode::ImagePullFailed).await;

    double.play(Scenario::Running);
    deployment.spec.postgres_version = PostgresVersion(16);
    bring_up(&double, &runtime, &deployment).await;
}

#[tokio::test]
async fn a_volume_grows_around_the_running_pod_and_never_shrinks() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let mut deployment = fixture::another("orders");
    bring_up(&double, &runtime, &deployment).await;
    let uid = |resource: &str, name: String| double.object(resource, &name).unwrap()["metadata"]["uid"].clone();
    let (set, pod) = (uid("statefulsets", names::object(deployment.id)), uid("pods", names::pod(deployment.id)));

    deployment.spec.storage_gb = 5;
    bring_up(&double, &runtime, &deployment).await;
    let claim = double.object("persistentvolumeclaims", &names::claim(deployment.id)).unwrap();
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "5Gi");
    assert_ne!(uid("statefulsets", names::object(deployment.id)), set, "the template's size is fixed: the set is another");
    assert_eq!(uid("pods", names::pod(deployment.id)), pod, "the pod went on");

    deployment.spec.storage_gb = 2;
    let refused = runtime.deploy(&deployment).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::AdmissionRefused, false));
    assert!(refused.reason.message.contains("cannot shrink"), "{refused}");
}

#[tokio::test]
async fn a_foreign_change_is_taken_back_and_a_foreign_addition_left() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let deployment = fixture::another("orders");
    bring_up(&double, &runtime, &deployment).await;
    double.world(|world| {
        world.update("services", "orders", |service| {
            service["spec"]["selector"] = json!({"app": "other"});
            service["metadata"]["annotations"] = json!({"example.com/owner": "somebody"});
        });
        world.update("statefulsets", &names::object(deployment.id), |set| set["spec"]["replicas"] = json!(0));
    });
    runtime.deploy(&deployment).await.unwrap();
    let service = double.object("services", "orders").unwrap();
    assert_eq!(service["spec"]["selector"]["toygres.io/instance-id"], deployment.id.to_string());
    assert_eq!(service["metadata"]["annotations"]["example.com/owner"], "somebody");
    assert_eq!(double.object("statefulsets", &names::object(deployment.id)).unwrap()["spec"]["replicas"], 1);
}

#[tokio::test]
async fn a_service_of_somebody_else_is_never_taken_over() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let foreign = double.world(|world| world.create("services", json!({"metadata": {"name": "orders"}, "spec": {"ports": [{"port": 80}]}})));
    let deployment = fixture::another("orders");
    let refused = runtime.deploy(&deployment).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::AdmissionRefused, false));
    take_down(&double, &runtime, &deployment, false).await;
    assert_eq!(double.object("services", "orders"), Some(foreign));
    assert_eq!(double.everything(), ["services/orders".to_owned()].into());
}

#[tokio::test]
async fn nor_one_that_took_the_place_of_ours_just_now() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let deployment = fixture::another("orders");
    bring_up(&double, &runtime, &deployment).await;
    // The third call applies the Service that the second looked at.
    double.interfere_at(2, |world| {
        world.remove("services", "orders");
        world.create("services", json!({"metadata": {"name": "orders"}, "spec": {"ports": [{"port": 80}]}}));
    });
    let refused = runtime.deploy(&deployment).await.unwrap_err();
    assert!(refused.retryable, "the next attempt will see what is there: {refused}");
    assert_eq!(double.object("services", "orders").unwrap()["spec"]["ports"][0]["port"], 80);
}

#[tokio::test]
async fn a_load_balancer_is_ready_with_its_address_and_gone_without_it() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let mut deployment = fixture::another("orders");
    deployment.spec.exposure = Exposure::LoadBalancer { source_ranges: vec!["203.0.113.0/24".to_owned()], dns_label: None };
    assert_eq!(bring_up(&double, &runtime, &deployment).await.host, "203.0.113.10");

    deployment.spec.exposure = Exposure::LoadBalancer { source_ranges: Vec::new(), dns_label: None };
    runtime.deploy(&deployment).await.unwrap();
    let spec = &double.object("services", "orders").unwrap()["spec"];
    assert!(spec["loadBalancerSourceRanges"].is_null(), "what is asked for no more goes");
    take_down(&double, &runtime, &deployment, false).await;
    assert!(double.everything().is_empty());
}

#[tokio::test]
async fn deploy_waits_for_an_earlier_removal_to_end() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let deployment = fixture::another("orders");
    bring_up(&double, &runtime, &deployment).await;
    double.world(|world| world.node_lost = true);
    runtime.remove(deployment.id, false).await.unwrap();

    let refused = runtime.deploy(&deployment).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::RemovalIncomplete, true));
    assert!(matches!(runtime.observe(deployment.id).await.unwrap(), Observation::Pending(Reason { code: ReasonCode::RemovalIncomplete, .. })));
    assert!(matches!(runtime.remove(deployment.id, false).await.unwrap(), Progress::InProgress(_)), "a pod on a lost node is not gone");

    double.world(|world| world.node_lost = false);
    take_down(&double, &runtime, &deployment, false).await;
    bring_up(&double, &runtime, &deployment).await;
}

#[tokio::test]
async fn errors_of_the_server_have_their_reasons() {
    let unavailable = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "etcdserver: request timed out", "reason": "InternalError", "code": 500});
    let webhook = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "admission webhook \"policy.example.com\" denied the request: no", "reason": "Forbidden", "code": 403});
    let cases = [
        (recordings::read("error-401.json"), ReasonCode::Forbidden, true),
        (recordings::read("error-403-rbac.json"), ReasonCode::Forbidden, false),
        (recordings::read("error-403-quota.json"), ReasonCode::QuotaExceeded, false),
        (recordings::read("error-403-namespace-terminating.json"), ReasonCode::AdmissionRefused, false),
        (recordings::read("error-409-apply-conflict.json"), ReasonCode::RuntimeUnavailable, true),
        (recordings::read("error-422-immutable.json"), ReasonCode::AdmissionRefused, false),
        (webhook, ReasonCode::AdmissionRefused, false),
        (unavailable, ReasonCode::RuntimeUnavailable, true),
    ];
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let deployment = fixture::another("orders");
    for (status, code, retryable) in cases {
        double.refuse("patch", "statefulsets", status.clone(), 1);
        let error = runtime.deploy(&deployment).await.unwrap_err();
        assert_eq!((error.reason.code, error.retryable), (code, retryable), "{status}");
        assert!(!error.reason.message.contains(fixture::PASSWORD));
    }
    bring_up(&double, &runtime, &deployment).await;
}

#[tokio::test]
async fn a_server_that_is_away_is_a_passing_trouble() {
    let nowhere = Client::try_from(kube::Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap();
    let runtime = KubernetesRuntime::new(nowhere, Settings::default());
    let error: RuntimeError = runtime.observe(fixture::deployment().id).await.unwrap_err();
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::RuntimeUnavailable, true));
    assert!(error.reason.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_is_named() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime_with(Settings { namespace: "elsewhere".to_owned(), ..Settings::default() });
    let error = runtime.deploy(&fixture::another("orders")).await.unwrap_err();
    assert!(!error.retryable && error.reason.message.contains("namespaces \"elsewhere\" not found"), "{error}");
}
