//! Updates: another image than the one that the pod has is an update, and no drift.

use std::time::Duration;

use toygres_domain::{
    OperationId,
    data::Data,
    drift::{Expected, Inspection},
    operation::OperationKind,
    runtime::{Deployment, Progress, Restart, Runtime},
    upgrade::AvailableUpdate,
};
use toygres_k8s::{KubernetesRuntime, Settings, build::names, settings::EndpointHost};

use crate::{
    fake::FakeApiServer,
    fixture,
    nudging::{deaths, received},
    steps::{deploy_until_ready, until_ready},
};

async fn inspected(runtime: &KubernetesRuntime, deployment: &Deployment) -> Vec<Inspection> {
    runtime.inspect(&[Expected::from(deployment)]).await.unwrap()
}

#[tokio::test]
async fn another_image_is_an_update_which_replaces_the_pod_once() {
    let server = FakeApiServer::start().await;
    let former = server.runtime();
    let mut deployment = fixture::another("orders");
    deploy_until_ready(&server, &former, &deployment).await;
    deployment.data = Data::Existing(former.volume(deployment.id).await.unwrap());
    deploy_until_ready(&server, &former, &deployment).await;
    assert_eq!(inspected(&former, &deployment).await, []);

    let settings = Settings { endpoint_host: Some(EndpointHost::ServiceName), image_repository: "mirror/postgres".to_owned(), ..Settings::default() };
    let runtime = server.runtime_with(settings.clone());
    let images = [Settings::default(), settings].map(|settings| settings.image(deployment.spec.postgres_version));
    let [from, to] = images.clone();
    let found = Inspection { id: deployment.id, drift: Vec::new(), data: None, update: Some(AvailableUpdate { from, to }) };
    assert_eq!(inspected(&runtime, &deployment).await, [found]);
    let suspended = Deployment { suspended: true, ..deployment.clone() };
    assert!(inspected(&runtime, &suspended).await[0].update.is_none(), "it is started with the new image in any case");

    let pod = || {
        server.object("pods", &names::pod(deployment.id)).map(|pod| (pod["metadata"]["uid"].clone(), pod["spec"]["containers"][0]["image"].clone()))
    };
    let before = pod().unwrap();
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;
    let restart = Restart { operation: OperationId::new(OperationKind::Upgrade, deployment.id, 2), timeout: Duration::from_secs(60) };
    for _ in 0..2 {
        server.wait_for("the update", || async { (runtime.update(&deployment, &restart).await.unwrap() == Progress::Done).then_some(()) }).await;
        until_ready(&server, &runtime, &deployment).await;
    }
    let after = pod().unwrap();
    assert_ne!(after.0, before.0);
    assert_eq!((before.1.as_str(), after.1.as_str()), (Some(images[0].as_str()), Some(images[1].as_str())));
    assert_eq!(server.cluster(|cluster| cluster.created("pods")), 2, "it is replaced once");
    assert_eq!(inspected(&runtime, &deployment).await, []);
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0, "it is no death");
}
