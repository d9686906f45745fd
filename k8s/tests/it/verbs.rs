//! The verbs, over the fake API server: the objects they create, the reasons they report, the objects they leave.

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
    steps::{deploy_until_ready, remove_until_done},
};

async fn until_reason(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, code: ReasonCode) -> Observation {
    server
        .wait_for(code.as_str(), || async {
            let observation = runtime.observe(deployment.id).await.unwrap();
            match &observation {
                Observation::Pending(reason) | Observation::Failed(reason) if reason.code == code => Some(observation),
                _ => None,
            }
        })
        .await
}

#[tokio::test]
async fn an_instance_is_deployed_and_removed() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    assert_eq!(runtime.observe(deployment.id).await.unwrap(), Observation::Absent);

    let endpoint = deploy_until_ready(&server, &runtime, &deployment).await;
    assert_eq!(endpoint, Endpoint { host: "orders.toygres-instances.svc.cluster.local".to_owned(), port: 5432 });
    assert_eq!(runtime.list().await.unwrap(), [deployment.id]);
    let password = &server.object("secrets", &names::object(deployment.id)).unwrap()["data"]["password"];
    assert_eq!(password, "cEBzcyd3Im9yZCAkMQ==");

    let before = server.object("statefulsets", &names::object(deployment.id)).unwrap();
    runtime.deploy(&deployment).await.unwrap();
    let after = server.object("statefulsets", &names::object(deployment.id)).unwrap();
    assert_eq!(before["metadata"], after["metadata"], "a repeated deploy changes nothing");

    assert!(matches!(runtime.remove(deployment.id, false).await.unwrap(), Progress::InProgress(Reason { code: ReasonCode::RemovalIncomplete, .. })));
    remove_until_done(&server, &runtime, &deployment, false).await;
    assert!(server.object_names().is_empty(), "{:?}", server.object_names());
    assert_eq!(runtime.observe(deployment.id).await.unwrap(), Observation::Absent);
    assert!(runtime.list().await.unwrap().is_empty());
    assert_eq!(runtime.remove(deployment.id, false).await.unwrap(), Progress::Done, "a removal can be repeated");
}

/// `kubectl delete statefulset --cascade=orphan` leaves the pod and a ControllerRevision.
#[tokio::test]
async fn what_an_orphaning_deletion_leaves_is_removed() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let (deployment, other) = (fixture::another("orders"), fixture::another("other"));
    deploy_until_ready(&server, &runtime, &deployment).await;
    deploy_until_ready(&server, &runtime, &other).await;
    for instance in [&deployment, &other] {
        server.cluster(|cluster| {
            cluster.update("statefulsets", &names::object(instance.id), |set| {
                set["metadata"]["finalizers"] = json!(["orphan"]);
                set["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            });
        });
    }
    let revisions = || server.object_names().into_iter().filter(|name| name.starts_with("controllerrevisions/")).count();
    server.wait_for("both revisions without an owner", || async { (revisions() == 2).then_some(()) }).await;

    remove_until_done(&server, &runtime, &deployment, false).await;
    assert_eq!(revisions(), 1, "only those of the instance are deleted: {:?}", server.object_names());
    remove_until_done(&server, &runtime, &other, false).await;
    assert!(server.object_names().is_empty(), "{:?}", server.object_names());
}

#[tokio::test]
async fn a_kept_volume_is_not_adopted_by_another_instance() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let first = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &first).await;
    remove_until_done(&server, &runtime, &first, true).await;
    assert_eq!(server.object_names(), [format!("persistentvolumeclaims/{}", names::claim(first.id))].into());
    assert_eq!(runtime.observe(first.id).await.unwrap(), Observation::Absent);
    assert!(runtime.list().await.unwrap().is_empty(), "a volume that was kept is not a leftover");

    let second = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &second).await;
    assert_eq!(server.names("persistentvolumeclaims").len(), 2);
    remove_until_done(&server, &runtime, &second, false).await;
    assert_eq!(server.names("persistentvolumeclaims"), [names::claim(first.id)]);

    deploy_until_ready(&server, &runtime, &first).await;
    assert_eq!(runtime.list().await.unwrap(), [first.id], "the same instance uses its volume again");
    remove_until_done(&server, &runtime, &first, false).await;
    assert!(server.object_names().is_empty());
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
        let server = FakeApiServer::start().await;
        server.set_scenario(scenario);
        let runtime = server.runtime();
        let deployment = fixture::another("orders");
        runtime.deploy(&deployment).await.unwrap();
        until_reason(&server, &runtime, &deployment, code).await;
        remove_until_done(&server, &runtime, &deployment, false).await;
        assert!(server.object_names().is_empty(), "{scenario:?} leaves {:?}", server.object_names());
    }
}

#[tokio::test]
async fn a_repair_replaces_a_pod_that_never_got_ready() {
    let server = FakeApiServer::start().await;
    server.set_scenario(Scenario::Image);
    let mut deployment = fixture::another("orders");
    let runtime = server.runtime();
    runtime.deploy(&deployment).await.unwrap();
    until_reason(&server, &runtime, &deployment, ReasonCode::ImagePullFailed).await;

    server.set_scenario(Scenario::Running);
    deployment.spec.postgres_version = PostgresVersion(16);
    deploy_until_ready(&server, &runtime, &deployment).await;
}

#[tokio::test]
async fn a_volume_grows_without_a_restart_and_is_never_asked_to_shrink() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let mut deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    let uid = |resource: &str, name: String| server.object(resource, &name).unwrap()["metadata"]["uid"].clone();
    let (set, pod) = (uid("statefulsets", names::object(deployment.id)), uid("pods", names::pod(deployment.id)));

    deployment.spec.storage_gb = 5;
    deploy_until_ready(&server, &runtime, &deployment).await;
    let claim = server.object("persistentvolumeclaims", &names::claim(deployment.id)).unwrap();
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "5Gi");
    assert_ne!(uid("statefulsets", names::object(deployment.id)), set, "the claim template is immutable: the StatefulSet was created again");
    assert_eq!(uid("pods", names::pod(deployment.id)), pod, "the pod keeps running");

    server.wait_for("the volume to grow", || async { (runtime.volume_gb(deployment.id).await == Ok(Some(5))).then_some(()) }).await;
    deployment.spec.storage_gb = 2;
    deploy_until_ready(&server, &runtime, &deployment).await;
    let claim = server.object("persistentvolumeclaims", &names::claim(deployment.id)).unwrap();
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "5Gi");
    assert_eq!(uid("pods", names::pod(deployment.id)), pod, "the pod keeps running");
}

#[tokio::test]
async fn a_foreign_change_is_reverted_and_a_foreign_addition_kept() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    server.cluster(|cluster| {
        cluster.update("services", "orders", |service| {
            service["spec"]["selector"] = json!({"app": "other"});
            service["metadata"]["annotations"] = json!({"example.com/owner": "somebody"});
        });
        cluster.update("statefulsets", &names::object(deployment.id), |set| set["spec"]["replicas"] = json!(0));
    });
    runtime.deploy(&deployment).await.unwrap();
    let service = server.object("services", "orders").unwrap();
    assert_eq!(service["spec"]["selector"]["toygres.io/instance-id"], deployment.id.to_string());
    assert_eq!(service["metadata"]["annotations"]["example.com/owner"], "somebody");
    assert_eq!(server.object("statefulsets", &names::object(deployment.id)).unwrap()["spec"]["replicas"], 1);
}

#[tokio::test]
async fn a_foreign_service_is_never_taken_over() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let foreign = server.cluster(|cluster| cluster.create("services", json!({"metadata": {"name": "orders"}, "spec": {"ports": [{"port": 80}]}})));
    let deployment = fixture::another("orders");
    let refused = runtime.deploy(&deployment).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::AdmissionRefused, false));
    remove_until_done(&server, &runtime, &deployment, false).await;
    assert_eq!(server.object("services", "orders"), Some(foreign));
    assert_eq!(server.object_names(), ["services/orders".to_owned()].into());
}

#[tokio::test]
async fn nor_one_that_has_just_replaced_ours() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    // The third call applies the Service that the second one checked.
    server.interfere_at(2, |cluster| {
        cluster.remove("services", "orders");
        cluster.create("services", json!({"metadata": {"name": "orders"}, "spec": {"ports": [{"port": 80}]}}));
    });
    let refused = runtime.deploy(&deployment).await.unwrap_err();
    assert!(refused.retryable, "the next attempt checks the new Service: {refused}");
    assert_eq!(server.object("services", "orders").unwrap()["spec"]["ports"][0]["port"], 80);
}

#[tokio::test]
async fn a_load_balancer_is_ready_with_its_address_and_removed() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let mut deployment = fixture::another("orders");
    deployment.spec.exposure = Exposure::LoadBalancer { source_ranges: vec!["203.0.113.0/24".to_owned()], dns_label: None };
    assert_eq!(deploy_until_ready(&server, &runtime, &deployment).await.host, "203.0.113.10");

    deployment.spec.exposure = Exposure::LoadBalancer { source_ranges: Vec::new(), dns_label: None };
    runtime.deploy(&deployment).await.unwrap();
    let spec = &server.object("services", "orders").unwrap()["spec"];
    assert!(spec["loadBalancerSourceRanges"].is_null(), "a field that is no longer specified is removed");
    remove_until_done(&server, &runtime, &deployment, false).await;
    assert!(server.object_names().is_empty());
}

#[tokio::test]
async fn deploy_fails_until_an_earlier_removal_is_done() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    server.cluster(|cluster| cluster.node_lost = true);
    runtime.remove(deployment.id, false).await.unwrap();

    let refused = runtime.deploy(&deployment).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::RemovalIncomplete, true));
    assert!(matches!(runtime.observe(deployment.id).await.unwrap(), Observation::Pending(Reason { code: ReasonCode::RemovalIncomplete, .. })));
    assert!(matches!(runtime.remove(deployment.id, false).await.unwrap(), Progress::InProgress(_)), "a pod on a lost node is not gone");

    server.cluster(|cluster| cluster.node_lost = false);
    remove_until_done(&server, &runtime, &deployment, false).await;
    deploy_until_ready(&server, &runtime, &deployment).await;
}

#[tokio::test]
async fn errors_of_the_server_have_their_reasons() {
    let unavailable = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "etcdserver: request timed out", "reason": "InternalError", "code": 500});
    let webhook = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "admission webhook \"policy.example.com\" denied the request: no", "reason": "Forbidden", "code": 403});
    let limit_range = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "pods \"pg-0\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi", "reason": "Forbidden", "code": 403});
    let cases = [
        (recordings::read("error-401.json"), ReasonCode::Forbidden, true),
        (recordings::read("error-403-rbac.json"), ReasonCode::Forbidden, true),
        (recordings::read("error-403-starting.json"), ReasonCode::Forbidden, true),
        (recordings::read("error-403-quota.json"), ReasonCode::QuotaExceeded, true),
        (limit_range, ReasonCode::QuotaExceeded, false),
        (recordings::read("error-403-namespace-terminating.json"), ReasonCode::AdmissionRefused, false),
        (recordings::read("error-409-apply-conflict.json"), ReasonCode::RuntimeUnavailable, true),
        (recordings::read("error-422-immutable.json"), ReasonCode::AdmissionRefused, false),
        (webhook, ReasonCode::AdmissionRefused, false),
        (unavailable, ReasonCode::RuntimeUnavailable, true),
    ];
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    for (status, code, retryable) in cases {
        server.refuse("patch", "statefulsets", status.clone(), 1);
        let error = runtime.deploy(&deployment).await.unwrap_err();
        assert_eq!((error.reason.code, error.retryable), (code, retryable), "{status}");
        assert!(!error.reason.message.contains(fixture::PASSWORD));
    }
    // A quota of any kind of objects waits for room, and says so.
    for resource in ["secrets", "services", "networkpolicies"] {
        server.refuse("patch", resource, recordings::read("error-403-quota.json"), 1);
        let error = runtime.deploy(&deployment).await.unwrap_err();
        assert_eq!((error.reason.code, error.retryable), (ReasonCode::QuotaExceeded, true), "{resource}");
    }
    deploy_until_ready(&server, &runtime, &deployment).await;
}

#[tokio::test]
async fn an_unreachable_api_server_is_a_temporary_error() {
    let nowhere = Client::try_from(kube::Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap();
    let runtime = KubernetesRuntime::new(nowhere, Settings::default());
    let error: RuntimeError = runtime.observe(fixture::deployment().id).await.unwrap_err();
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::RuntimeUnavailable, true));
    assert!(error.reason.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_is_named() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime_with(Settings { namespace: "elsewhere".to_owned(), ..Settings::default() });
    let error = runtime.deploy(&fixture::another("orders")).await.unwrap_err();
    assert!(!error.retryable && error.reason.message.contains("namespaces \"elsewhere\" not found"), "{error}");
}
