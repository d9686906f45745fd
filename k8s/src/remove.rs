//! Deletes the objects of an instance. One call makes as much progress as possible without waiting; it is repeated until nothing
//! is left.

use k8s_openapi::api::{
    apps::v1::{ControllerRevision, StatefulSet},
    core::v1::{PersistentVolumeClaim, Pod, Secret, Service},
    networking::v1::NetworkPolicy,
};
use kube::api::DeleteParams;
use serde_json::json;
use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
    runtime::{Progress, RuntimeError},
};

use crate::{
    apply::change_claim,
    build::{
        GRACE_PERIOD,
        names::{self, KEPT_LABEL},
    },
    cluster::{Cluster, call},
    observe::not_stopped,
    restore,
};

/// The grace period of a server whose data is deleted next, in seconds: there is nothing that a shutdown could save.
const GRACE_PERIOD_OF_DELETED_DATA: u32 = 5;

/// Deletes the objects in an order that can be interrupted anywhere: the Job of a restoration, the Services and the StatefulSet, then its
/// revisions and the claims once the pod is gone, last the Secret and the NetworkPolicy, by which an incomplete removal is found again.
pub(crate) async fn remove(cluster: &Cluster, id: InstanceId, keep_volumes: bool) -> Result<Progress, RuntimeError> {
    let selector = names::selector(id);
    // Before its pod, which it would take for failed.
    let restoration_left = restore::end(cluster, id).await?;
    let set_left = remove_set(cluster, id).await?;
    let services_left = remove_services(cluster, &selector).await?;
    let pods_left = remove_pods(cluster, &selector, keep_volumes).await?;
    if let Some(waiting) = restoration_left.or(set_left).or(pods_left) {
        return Ok(in_progress(waiting));
    }
    // The garbage collector deletes the revisions of a StatefulSet, but after `--cascade=orphan` they have no owner.
    match cluster.delete_all::<ControllerRevision>(&selector).await {
        // Nothing depends on them.
        Err(error) if error.reason.code == ReasonCode::Forbidden => tracing::debug!(%error, "revisions that have no owner may be left"),
        other => other?,
    }
    // After the pods: the StatefulSet would create a new claim for a pod that it replaces.
    if let Some(waiting) = remove_claims(cluster, &selector, keep_volumes).await? {
        return Ok(in_progress(waiting));
    }
    if let Some(waiting) = services_left {
        return Ok(in_progress(waiting));
    }
    restore::remove_rest(cluster, id).await?;
    cluster.delete::<Secret>(&names::object(id), None, DeleteParams::background()).await?;
    remove_network_policy(cluster, id).await
}

/// Deletes the StatefulSet in the foreground, so that it exists until its pod is gone.
async fn remove_set(cluster: &Cluster, id: InstanceId) -> Result<Option<String>, RuntimeError> {
    let name = names::object(id);
    let sets = cluster.api::<StatefulSet>();
    let Some(set) = call(&format!("get the StatefulSet {name}"), sets.get_metadata_opt(&name)).await? else { return Ok(None) };
    if set.metadata.deletion_timestamp.is_none() {
        cluster.delete::<StatefulSet>(&name, set.metadata.uid, DeleteParams::foreground()).await?;
    }
    Ok(Some(format!("The StatefulSet {name} waits for its pod to stop")))
}

async fn remove_services(cluster: &Cluster, selector: &str) -> Result<Option<String>, RuntimeError> {
    for service in cluster.list_metadata::<Service>(selector).await? {
        let name = service.metadata.name.unwrap_or_default();
        if service.metadata.deletion_timestamp.is_none() {
            cluster.delete::<Service>(&name, service.metadata.uid, DeleteParams::background()).await?;
        }
    }
    // A finalizer keeps the Service of a load balancer until the cloud has released its address.
    let left = cluster.list_metadata::<Service>(selector).await?;
    Ok(left
        .first()
        .map(|service| format!("The Service {} waits for its load balancer to be deleted", service.metadata.name.as_deref().unwrap_or_default())))
}

/// Deletes the pods. The garbage collector deletes that of the StatefulSet too, but with its own grace period, and a restart may have
/// begun to delete it with a longer one. Without a StatefulSet, because one that is replaced to change an immutable field was not
/// created again, nothing else deletes the pod.
async fn remove_pods(cluster: &Cluster, selector: &str, keep_volumes: bool) -> Result<Option<String>, RuntimeError> {
    let pods: Vec<Pod> = cluster.list(selector).await?;
    let grace = if keep_volumes { GRACE_PERIOD } else { GRACE_PERIOD_OF_DELETED_DATA };
    for pod in &pods {
        cluster.stop_pod(pod, grace).await?;
    }
    Ok(pods.first().map(not_stopped))
}

async fn remove_claims(cluster: &Cluster, selector: &str, keep: bool) -> Result<Option<String>, RuntimeError> {
    let claims = cluster.list_metadata::<PersistentVolumeClaim>(selector).await?;
    let mut deleted = false;
    for claim in claims {
        let name = claim.metadata.name.unwrap_or_default();
        if keep {
            let marked = claim.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(KEPT_LABEL));
            if !marked {
                change_claim(cluster, &name, &json!({"metadata": {"labels": {KEPT_LABEL: "true"}}})).await?;
            }
            continue;
        }
        deleted = true;
        if claim.metadata.deletion_timestamp.is_none() {
            cluster.delete::<PersistentVolumeClaim>(&name, claim.metadata.uid, DeleteParams::background()).await?;
        }
    }
    if !deleted {
        return Ok(None);
    }
    let left = cluster.list_metadata::<PersistentVolumeClaim>(selector).await?;
    Ok(left.first().map(|claim| format!("The volume claim {} is not deleted yet", claim.metadata.name.as_deref().unwrap_or_default())))
}

async fn remove_network_policy(cluster: &Cluster, id: InstanceId) -> Result<Progress, RuntimeError> {
    let name = names::object(id);
    cluster.delete::<NetworkPolicy>(&name, None, DeleteParams::background()).await?;
    let policies = cluster.api::<NetworkPolicy>();
    let left = call(&format!("get the NetworkPolicy {name}"), policies.get_metadata_opt(&name)).await?;
    Ok(left.map_or(Progress::Done, |_| in_progress(format!("The NetworkPolicy {name} is kept by a finalizer"))))
}

fn in_progress(message: String) -> Progress {
    Progress::InProgress(Reason::new(ReasonCode::RemovalIncomplete, message))
}
