//! Another name or exposure of an instance that runs: its Services change, and its pod does not.

use serde_json::{Value, json};
use toygres_domain::{
    data::Data,
    drift::Expected,
    instance::{Endpoint, Exposure, ReasonCode},
    runtime::{AddressProgress, Deployment, Progress, Runtime},
};
use toygres_k8s::{KubernetesRuntime, Settings, build::names, settings::EndpointHost};

use crate::{
    fake::FakeApiServer,
    fixture,
    steps::{deploy_until_ready, remove_until_done, until_ready},
};

const AZURE_DNS_LABEL: &str = "service.beta.kubernetes.io/azure-dns-label-name";

/// An instance that has run.
async fn running(server: &FakeApiServer, runtime: &KubernetesRuntime, exposure: Exposure) -> Deployment {
    let mut deployment = fixture::another("orders");
    deployment.spec.exposure = exposure;
    deploy_until_ready(server, runtime, &deployment).await;
    deployment.data = Data::Existing(runtime.volume(deployment.id).await.unwrap());
    deploy_until_ready(server, runtime, &deployment).await;
    deployment
}

fn renamed(deployment: &Deployment, name: &str) -> Deployment {
    Deployment { name: name.parse().unwrap(), ..deployment.clone() }
}

fn exposed(deployment: &Deployment, exposure: Exposure) -> Deployment {
    let mut deployment = deployment.clone();
    deployment.spec.exposure = exposure;
    deployment
}

fn load_balancer(dns_label: Option<&str>) -> Exposure {
    Exposure::LoadBalancer { source_ranges: vec!["203.0.113.0/24".to_owned()], dns_label: dns_label.map(str::to_owned) }
}

pub async fn added(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment) -> Endpoint {
    server
        .wait_for("the address", || async {
            match runtime.add_address(deployment).await.unwrap() {
                AddressProgress::At(endpoint) => Some(endpoint),
                AddressProgress::InProgress(reason) => {
                    assert!(reason.message.contains("has no address"), "{reason:?}");
                    None
                }
            }
        })
        .await
}

pub async fn removed(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment) {
    server.wait_for("the removal", || async { (runtime.remove_other_addresses(deployment).await.unwrap() == Progress::Done).then_some(()) }).await;
}

/// What must not change: the pod, and all that it is made of.
fn pod(server: &FakeApiServer, deployment: &Deployment) -> (Value, Value, Value) {
    let pod = server.object("pods", &names::pod(deployment.id)).unwrap();
    let set = server.object("statefulsets", &names::object(deployment.id)).unwrap();
    (pod["metadata"]["uid"].clone(), pod["metadata"]["labels"].clone(), set["spec"].clone())
}

fn service(server: &FakeApiServer, name: &str) -> Value {
    server.object("services", name).unwrap_or_else(|| panic!("there is no Service {name}"))
}

async fn drift(runtime: &KubernetesRuntime, deployment: &Deployment) -> Vec<String> {
    let found = runtime.inspect(&[Expected::from(deployment)]).await.unwrap();
    found.into_iter().flat_map(|found| found.drift).map(|drift| drift.to_string()).collect()
}

#[tokio::test]
async fn a_renamed_instance_has_both_services_until_the_former_one_is_removed() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let former = running(&server, &runtime, Exposure::Cluster).await;
    let before = pod(&server, &former);
    let now = renamed(&former, "invoices");

    let endpoint = Endpoint { host: "invoices.toygres-instances.svc.cluster.local".to_owned(), port: 5432 };
    for _ in 0..2 {
        assert_eq!(added(&server, &runtime, &now).await, endpoint);
        assert_eq!(service(&server, "orders")["spec"]["selector"], service(&server, "invoices")["spec"]["selector"]);
    }
    // Neither a repair nor a deployment by the former address removes what is prepared, and the newer one is what clients will use.
    assert_eq!(drift(&runtime, &former).await, Vec::<String>::new());
    runtime.deploy(&former).await.unwrap();
    assert_eq!(until_ready(&server, &runtime, &former).await, endpoint);

    for _ in 0..2 {
        removed(&server, &runtime, &now).await;
        assert_eq!(server.names("services"), ["invoices".to_owned(), names::headless_service(now.id)]);
    }
    assert_eq!(drift(&runtime, &now).await, Vec::<String>::new());
    runtime.deploy(&now).await.unwrap();
    assert_eq!(until_ready(&server, &runtime, &now).await, endpoint);
    assert_eq!(pod(&server, &now), before, "the pod is the same, with the labels of the first name");
    assert_eq!(service(&server, "invoices")["metadata"]["labels"]["app.kubernetes.io/instance"], "orders");

    // A deployment that was interrupted between the two is removed whole.
    added(&server, &runtime, &renamed(&now, "bills")).await;
    remove_until_done(&server, &runtime, &now, false).await;
    assert_eq!(server.object_names(), std::collections::BTreeSet::new());
}

/// A control plane that was cut off during a rename goes on when another one has renamed the instance again. A Service that it removes is
/// drift, which is repaired; one that it makes stays until the next rename or the deletion of the instance.
#[tokio::test]
async fn what_a_late_rename_has_done_is_put_right() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let first = running(&server, &runtime, Exposure::Cluster).await;
    let (second, third) = (renamed(&first, "invoices"), renamed(&first, "bills"));
    for name in [&second, &third] {
        added(&server, &runtime, name).await;
        removed(&server, &runtime, name).await;
    }
    let services = |name: &str| [name.to_owned(), names::headless_service(first.id)];
    assert_eq!(server.names("services"), services("bills"));

    removed(&server, &runtime, &second).await;
    assert_eq!(drift(&runtime, &third).await, ["the Service bills was deleted"]);
    let repaired = runtime.repair(&third).await.unwrap();
    assert_eq!(repaired.iter().map(ToString::to_string).collect::<Vec<_>>(), ["the Service bills was deleted"]);
    assert_eq!((server.names("services"), drift(&runtime, &third).await), (services("bills").to_vec(), Vec::new()));

    added(&server, &runtime, &second).await;
    assert_eq!(server.names("services"), ["bills".to_owned(), "invoices".to_owned(), names::headless_service(first.id)]);
    let fourth = renamed(&first, "orders");
    added(&server, &runtime, &fourth).await;
    removed(&server, &runtime, &fourth).await;
    assert_eq!(server.names("services"), services("orders"));
    added(&server, &runtime, &second).await;
    remove_until_done(&server, &runtime, &fourth, false).await;
    assert_eq!(server.object_names(), std::collections::BTreeSet::new());
}

#[tokio::test]
async fn a_name_that_somebody_else_uses_in_the_namespace_is_refused() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let former = running(&server, &runtime, Exposure::Cluster).await;
    server.cluster(|cluster| cluster.create("services", json!({"metadata": {"name": "shop"}, "spec": {"ports": []}})));
    let refused = runtime.add_address(&renamed(&former, "shop")).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::AdmissionRefused, false), "{refused}");
    assert!(refused.reason.message.contains("The name is taken by a Service shop"), "{refused}");
    assert_eq!(drift(&runtime, &former).await, Vec::<String>::new());
}

#[tokio::test]
async fn another_exposure_changes_the_service_in_place() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let private = running(&server, &runtime, Exposure::Cluster).await;
    let (before, cluster_ip) = (pod(&server, &private), service(&server, "orders")["spec"]["clusterIP"].clone());
    let public = exposed(&private, load_balancer(Some("shop")));
    assert_eq!(added(&server, &runtime, &public).await.host, "203.0.113.10");
    let now = service(&server, "orders");
    assert_eq!((&now["spec"]["type"], &now["spec"]["clusterIP"]), (&json!("LoadBalancer"), &cluster_ip), "clients in the cluster keep the address");
    assert_eq!(now["spec"]["loadBalancerSourceRanges"], json!(["203.0.113.0/24"]));
    assert_eq!(now["metadata"]["annotations"][AZURE_DNS_LABEL], "shop");
    assert_eq!(drift(&runtime, &public).await, Vec::<String>::new());

    let open = exposed(&private, Exposure::LoadBalancer { source_ranges: Vec::new(), dns_label: None });
    added(&server, &runtime, &open).await;
    let now = service(&server, "orders");
    assert!(now["spec"]["loadBalancerSourceRanges"].is_null() && now["metadata"]["annotations"][AZURE_DNS_LABEL].is_null(), "{now:#}");

    assert_eq!(added(&server, &runtime, &private).await.host, "orders.toygres-instances.svc.cluster.local");
    assert_eq!(service(&server, "orders")["spec"]["type"], "ClusterIP");
    removed(&server, &runtime, &private).await;
    assert_eq!(pod(&server, &private), before);
}

/// A cloud gives a DNS label to one address: it stays with the former Service until that is gone.
#[tokio::test]
async fn the_dns_label_moves_when_the_former_load_balancer_is_gone() {
    let server = FakeApiServer::start().await;
    let settings =
        Settings { endpoint_host: Some(EndpointHost::ServiceName), dns_label_domain: Some("cloud.example".to_owned()), ..Settings::default() };
    let runtime = server.runtime_with(settings);
    let former = running(&server, &runtime, load_balancer(Some("shop"))).await;
    let now = renamed(&former, "invoices");
    let endpoint = added(&server, &runtime, &now).await;
    assert_eq!(endpoint.host, "shop.cloud.example");
    let label = |name: &str| service(&server, name)["metadata"]["annotations"][AZURE_DNS_LABEL].clone();
    assert_eq!((label("orders"), label("invoices")), (json!("shop"), Value::Null));

    server.cluster(|cluster| cluster.hold("services", "orders"));
    let Progress::InProgress(reason) = runtime.remove_other_addresses(&now).await.unwrap() else { panic!("the cloud has not released it") };
    assert_eq!(reason.code, ReasonCode::RemovalIncomplete);
    assert!(reason.message.contains("the Service orders waits for its load balancer"), "{reason:?}");
    server.cluster(|cluster| cluster.release("services", "orders"));
    removed(&server, &runtime, &now).await;
    assert_eq!(added(&server, &runtime, &now).await, endpoint);
    assert_eq!(label("invoices"), "shop");
}
