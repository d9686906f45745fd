//! Suspensions: the StatefulSet is scaled to 0 by the field manager that deploys it, and says in an annotation why. The end of the pod is
//! recorded first, as for a restart, so that it is reported as no death.

use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Pod};
use toygres_domain::{
    drift::Expected,
    instance::{Reason, ReasonCode},
    runtime::{Progress, RuntimeError, Suspension},
};

use crate::{
    Settings, apply,
    build::{GRACE_PERIOD, names},
    cluster::{Cluster, call},
    drift::objects,
    observe::not_stopped,
    restart,
};

/// Suspends the instance as far as one call gets. Every step can be repeated.
pub(crate) async fn suspend(cluster: &Cluster, settings: &Settings, expected: &Expected, suspension: &Suspension) -> Result<Progress, RuntimeError> {
    // The pod is all that keeps a volume that somebody has deleted from going.
    apply::verify_claim(cluster, expected.id, &expected.data).await?;
    let pods = planned_pods(cluster, expected, suspension).await?;
    let grace = restart::grace_period(suspension.timeout);
    // The controller deletes the pod with the grace period of its template, which can only be shortened afterwards.
    if grace > GRACE_PERIOD {
        stop(cluster, &pods, grace).await?;
    }
    apply::apply_stateful_set(cluster, &objects(expected, settings).stateful_set).await?;
    if grace <= GRACE_PERIOD {
        stop(cluster, &pods, grace).await?;
    }
    stopped(cluster, expected).await
}

async fn stop(cluster: &Cluster, pods: &[Pod], grace: u32) -> Result<(), RuntimeError> {
    for pod in pods {
        cluster.stop_pod(pod, grace).await?;
    }
    Ok(())
}

async fn planned_pods(cluster: &Cluster, expected: &Expected, suspension: &Suspension) -> Result<Vec<Pod>, RuntimeError> {
    for _ in 0..restart::ATTEMPTS {
        if let Some(pods) = restart::planned_pods(cluster, expected.id, &suspension.operation).await? {
            return Ok(pods);
        }
    }
    Err(restart::keeps_changing(expected.id))
}

/// Done when the controller has seen that it must not create a pod any more, and there is none.
async fn stopped(cluster: &Cluster, expected: &Expected) -> Result<Progress, RuntimeError> {
    let name = names::object(expected.id);
    let set = call(&format!("get the StatefulSet {name}"), cluster.api::<StatefulSet>().get_opt(&name)).await?;
    let is_seen = set.is_some_and(|set| set.status.is_some_and(|status| status.observed_generation >= set.metadata.generation));
    let pods: Vec<Pod> = cluster.list(&names::selector(expected.id)).await?;
    let waits_for = match pods.first() {
        Some(pod) => not_stopped(pod),
        None if is_seen => return Ok(Progress::Done),
        None => format!("The StatefulSet {name} is not scaled to 0 yet"),
    };
    Ok(Progress::InProgress(Reason::new(ReasonCode::StartingUp, waits_for)))
}
