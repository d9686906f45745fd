//! The verbs, repeated until they are done.

use std::{sync::Mutex, time::Duration};

use toygres_domain::{
    OperationId,
    drift::Expected,
    instance::{Endpoint, Reason},
    operation::OperationKind,
    restoration::Restoration,
    runtime::{Deployment, Observation, Progress, Restart, Runtime, Suspension},
};
use toygres_k8s::KubernetesRuntime;

use crate::fake::FakeApiServer;

pub(crate) async fn deploy_until_ready(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment) -> Endpoint {
    runtime.deploy(deployment).await.unwrap();
    until_ready(server, runtime, deployment).await
}

pub(crate) async fn until_ready(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment) -> Endpoint {
    server
        .wait_for("the instance to be ready", || async {
            match runtime.observe(deployment.id).await.unwrap() {
                Observation::Ready(endpoint) => Some(endpoint),
                _ => None,
            }
        })
        .await
}

pub(crate) async fn remove_until_done(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, keep_volumes: bool) {
    server.wait_for("the removal", || async { (runtime.remove(deployment.id, keep_volumes).await.unwrap() == Progress::Done).then_some(()) }).await;
}

/// Returns what was waited for.
pub(crate) async fn restore_until_done(
    server: &FakeApiServer,
    runtime: &KubernetesRuntime,
    deployment: &Deployment,
    restoration: &Restoration,
) -> Vec<Reason> {
    let waited = Mutex::new(Vec::new());
    server
        .wait_for("the restoration", || async {
            match runtime.restore(deployment, restoration).await.unwrap_or_else(|error| panic!("{error:?}")) {
                Progress::Done => Some(()),
                Progress::InProgress(reason) => {
                    waited.lock().unwrap().push(reason);
                    None
                }
            }
        })
        .await;
    waited.into_inner().unwrap()
}

pub(crate) async fn restart_until_done(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, restart: &Restart) {
    server
        .wait_for("the restart", || async {
            match runtime.restart(deployment.id, restart).await {
                Ok(Progress::Done) => Some(()),
                Ok(Progress::InProgress(_)) => None,
                Err(error) if error.retryable => None,
                Err(error) => panic!("{error:?}"),
            }
        })
        .await;
}

/// The `n`th operation of the instance: a restart with a time-out that no test reaches.
pub(crate) fn restart(deployment: &Deployment, n: i64) -> Restart {
    Restart { operation: OperationId::new(OperationKind::Restart, deployment.id, n), timeout: Duration::from_secs(60) }
}

/// Suspends a deployment that may say that it is not.
pub(crate) async fn suspend_until_done(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, suspension: &Suspension) {
    let suspended = Expected { suspended: true, ..Expected::from(deployment) };
    server
        .wait_for("the suspension", || async {
            match runtime.suspend(&suspended, suspension).await {
                Ok(Progress::Done) => Some(()),
                Ok(Progress::InProgress(_)) => None,
                Err(error) if error.retryable => None,
                Err(error) => panic!("{error:?}"),
            }
        })
        .await;
}

/// The `n`th operation of the instance: a suspension with a time-out that no test reaches.
pub(crate) fn suspension(deployment: &Deployment, n: i64) -> Suspension {
    Suspension { operation: OperationId::new(OperationKind::Suspend, deployment.id, n), timeout: Duration::from_secs(60) }
}
