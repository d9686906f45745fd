//! Another size of an instance: its claim grows first, because nothing else has changed if that is refused. Then come the configuration,
//! and the template of the pod, which the controller of the StatefulSet replaces.

mod volume;

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{PersistentVolumeClaim, Pod},
    },
    jiff::Timestamp,
};
use kube::ResourceExt;
use toygres_domain::{
    InstanceId, OperationId,
    runtime::{Deployment, Progress, Restart, RuntimeError},
};

use crate::{
    Settings,
    apply::{apply_secret, apply_stateful_set, capacity_gb, verify_claim},
    build::{self, names},
    cluster::{Cluster, call},
    drift::has_template,
    observe::{container_restarts, events, is_ready},
    restart::{Restarts, create_with_record, plan, restart},
};
use volume::Expansion;

/// Resizes the instance as far as one call gets. Every step can be repeated.
pub(crate) async fn resize(cluster: &Cluster, settings: &Settings, deployment: &Deployment, planned: &Restart) -> Result<Progress, RuntimeError> {
    let id = deployment.id;
    verify_claim(cluster, id, &deployment.data).await?;
    let expansion = expand(cluster, id, deployment.spec.storage_gb).await?;
    if let Expansion::Volume(reason) = expansion {
        return Ok(Progress::InProgress(reason));
    }
    let objects = build::objects(deployment, settings);
    apply_secret(cluster, &objects.secret).await?;
    change_template(cluster, id, &objects.stateful_set, &planned.operation).await?;
    if deployment.suspended {
        // The kubelet grows the file system when a pod mounts it.
        return Ok(Progress::Done);
    }
    let pods: Vec<Pod> = cluster.list(&names::selector(id)).await?;
    // A container that keeps exiting is started again after minutes only, and perhaps it exited because the volume was full.
    let is_down = pods.first().is_some_and(|pod| !is_ready(pod) && container_restarts(pod).0 > 0);
    let needs_start = matches!(expansion, Expansion::FileSystem { overdue: true, .. });
    if (is_down || needs_start)
        && let Progress::InProgress(reason) = restart(cluster, id, planned).await?
    {
        return Ok(Progress::InProgress(reason));
    }
    Ok(match expansion {
        Expansion::FileSystem { reason, .. } | Expansion::Volume(reason) => Progress::InProgress(reason),
        Expansion::Done => Progress::Done,
    })
}

/// The size in GiB of the volume of an instance, once it has one.
pub(crate) async fn volume_gb(cluster: &Cluster, id: InstanceId) -> Result<Option<i32>, RuntimeError> {
    Ok(claim(cluster, id).await?.as_ref().and_then(capacity_gb))
}

/// Requests the size of the volume, and finds out how far it is.
async fn expand(cluster: &Cluster, id: InstanceId, storage_gb: i32) -> Result<Expansion, RuntimeError> {
    let Some(claim) = claim(cluster, id).await? else { return Ok(Expansion::Done) };
    if volume::is_done(&claim, storage_gb) {
        return Ok(Expansion::Done);
    }
    volume::request(cluster, &claim, storage_gb).await?;
    let events = events(cluster, "PersistentVolumeClaim", &names::claim(id)).await?;
    volume::expansion(&claim, storage_gb, &events, Timestamp::now())
}

/// Applies the StatefulSet. The controller ends the pod if its template changes, which is recorded before as planned.
async fn change_template(cluster: &Cluster, id: InstanceId, set: &StatefulSet, operation: &OperationId) -> Result<(), RuntimeError> {
    let name = set.name_any();
    let present = call(&format!("get the StatefulSet {name}"), cluster.api::<StatefulSet>().get_opt(&name)).await?;
    match present {
        Some(present) if has_template(set, &present) => {}
        Some(_) => plan(cluster, id, operation).await?,
        // Somebody deleted it, or its replacement was interrupted, and with it the record.
        None => {
            let restarts = Restarts::default().with(operation, &current_pod(cluster, id).await?);
            return create_with_record(cluster, set, restarts).await;
        }
    }
    apply_stateful_set(cluster, set).await
}

/// The uid of the present pod; empty if there is none.
async fn current_pod(cluster: &Cluster, id: InstanceId) -> Result<String, RuntimeError> {
    let pods: Vec<Pod> = cluster.list(&names::selector(id)).await?;
    Ok(pods.into_iter().next().and_then(|pod| pod.metadata.uid).unwrap_or_default())
}

async fn claim(cluster: &Cluster, id: InstanceId) -> Result<Option<PersistentVolumeClaim>, RuntimeError> {
    let name = names::claim(id);
    let claims: Vec<PersistentVolumeClaim> = cluster.list(&names::selector(id)).await?;
    Ok(claims.into_iter().find(|claim| claim.metadata.name.as_ref() == Some(&name)))
}
