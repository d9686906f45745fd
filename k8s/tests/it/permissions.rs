//! Least privilege: the calls that were made and the calls that are allowed are the same.

use std::collections::BTreeSet;

use futures::StreamExt;
use toygres_domain::runtime::Runtime;
use toygres_k8s::permissions::PERMISSIONS;

use crate::{
    fake::{Call, FakeApiServer, Scenario},
    fixture,
    verbs::{bring_up, take_down},
};

#[tokio::test]
async fn every_permission_is_used_and_no_other_is_needed() {
    let double = FakeApiServer::start().await;
    let runtime = double.runtime();
    let mut nudges = runtime.nudges();
    let listening = tokio::spawn(async move { while nudges.next().await.is_some() {} });
    let mut deployment = fixture::another("orders");

    bring_up(&double, &runtime, &deployment).await;
    deployment.spec.storage_gb = 2;
    bring_up(&double, &runtime, &deployment).await;
    runtime.list().await.unwrap();
    take_down(&double, &runtime, &deployment, true).await;
    runtime.observe(deployment.id).await.unwrap();
    bring_up(&double, &runtime, &deployment).await;
    // A set that is gone without its pod: the pod is deleted by itself.
    double.world(|world| {
        world.update("pods", &toygres_k8s::build::names::pod(deployment.id), |pod| {
            pod["metadata"].as_object_mut().unwrap().remove("ownerReferences");
        });
        world.remove("statefulsets", &toygres_k8s::build::names::object(deployment.id));
    });
    take_down(&double, &runtime, &deployment, false).await;
    double.play(Scenario::Volume);
    runtime.deploy(&deployment).await.unwrap();
    runtime.observe(deployment.id).await.unwrap();
    take_down(&double, &runtime, &deployment, false).await;

    let allowed: BTreeSet<Call> = PERMISSIONS
        .iter()
        .flat_map(|permission| permission.verbs.iter().map(|verb| ((*verb).to_owned(), permission.group.to_owned(), permission.resource.to_owned())))
        .collect();
    let watching: BTreeSet<Call> = allowed.iter().filter(|(verb, ..)| verb == "watch").cloned().collect();
    double.look("all watches", || async { watching.is_subset(&made(&double)).then_some(()) }).await;
    listening.abort();
    assert_eq!(made(&double), allowed);
}

#[tokio::test]
async fn secrets_are_never_read() {
    assert!(PERMISSIONS.iter().filter(|permission| permission.resource == "secrets").all(|permission| !permission.verbs.contains(&"get")));
    let double = FakeApiServer::start().await;
    let answer = kube::Client::try_from(kube::Config::new(double.url().parse().unwrap())).unwrap();
    let secrets: kube::Api<k8s_openapi::api::core::v1::Secret> = kube::Api::namespaced(answer, crate::fake::NAMESPACE);
    match secrets.get("any").await {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 403, "the double refuses what the Role does not allow"),
        other => panic!("{other:?}"),
    }
}

fn made(double: &FakeApiServer) -> BTreeSet<Call> {
    double.calls().into_iter().collect()
}
