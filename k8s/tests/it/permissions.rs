//! Least privilege: the calls that are made are exactly those that are allowed.

use std::collections::BTreeSet;

use futures::StreamExt;
use toygres_domain::{instance::ReasonCode, runtime::Runtime};
use toygres_k8s::permissions::PERMISSIONS;

use crate::{
    fake::{Call, FakeApiServer, Scenario},
    fixture,
    restores::until_waits,
    steps::{deploy_until_ready, remove_until_done, restart, restart_until_done, restore_until_done, until_ready},
};

#[tokio::test]
async fn every_permission_is_used_and_no_other_is_needed() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime_with(fixture::restoring());
    let mut nudges = runtime.nudges();
    let listening = tokio::spawn(async move { while nudges.next().await.is_some() {} });
    let mut deployment = fixture::another("orders");

    deploy_until_ready(&server, &runtime, &deployment).await;
    deployment.spec.storage_gb = 2;
    deploy_until_ready(&server, &runtime, &deployment).await;
    runtime.list().await.unwrap();
    runtime.inspect(&[(&deployment).into()]).await.unwrap();
    restart_until_done(&server, &runtime, &deployment, &restart(&deployment, 2)).await;
    until_ready(&server, &runtime, &deployment).await;
    remove_until_done(&server, &runtime, &deployment, true).await;
    runtime.observe(deployment.id).await.unwrap();
    deploy_until_ready(&server, &runtime, &deployment).await;
    // A pod without a StatefulSet is deleted on its own.
    server.cluster(|cluster| {
        cluster.update("pods", &toygres_k8s::build::names::pod(deployment.id), |pod| {
            pod["metadata"].as_object_mut().unwrap().remove("ownerReferences");
        });
        cluster.remove("statefulsets", &toygres_k8s::build::names::object(deployment.id));
    });
    remove_until_done(&server, &runtime, &deployment, false).await;
    server.set_scenario(Scenario::Volume);
    runtime.deploy(&deployment).await.unwrap();
    runtime.observe(deployment.id).await.unwrap();
    remove_until_done(&server, &runtime, &deployment, false).await;

    server.set_scenario(Scenario::Running);
    let restored = fixture::another("restored");
    server.cluster(|cluster| cluster.jobs_held = true);
    until_waits(&server, &runtime, &restored, ReasonCode::StartingUp, "100 of 400 MiB are fetched from the store").await;
    server.cluster(|cluster| cluster.jobs_held = false);
    restore_until_done(&server, &runtime, &restored, &fixture::restoration()).await;
    remove_until_done(&server, &runtime, &restored, false).await;

    let allowed: BTreeSet<Call> = PERMISSIONS
        .iter()
        .flat_map(|permission| permission.verbs.iter().map(|verb| ((*verb).to_owned(), permission.group.to_owned(), permission.resource.to_owned())))
        .collect();
    let watching: BTreeSet<Call> = allowed.iter().filter(|(verb, ..)| verb == "watch").cloned().collect();
    server.wait_for("all watches", || async { watching.is_subset(&made(&server)).then_some(()) }).await;
    listening.abort();
    assert_eq!(made(&server), allowed);
}

#[tokio::test]
async fn the_contents_of_secrets_are_never_read() {
    assert!(PERMISSIONS.iter().filter(|permission| permission.resource == "secrets").all(|permission| !permission.verbs.contains(&"get")));
    let server = FakeApiServer::start().await;
    let answer = kube::Client::try_from(kube::Config::new(server.url().parse().unwrap())).unwrap();
    let secrets: kube::Api<k8s_openapi::api::core::v1::Secret> = kube::Api::namespaced(answer, crate::fake::NAMESPACE);
    match secrets.get("any").await {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 403, "the fake API server refuses what the Role does not allow"),
        other => panic!("{other:?}"),
    }
}

fn made(server: &FakeApiServer) -> BTreeSet<Call> {
    server.calls().into_iter().collect()
}
