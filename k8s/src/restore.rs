//! Restorations: a Job fills the volume of a new instance from a backup, before the StatefulSet starts a server on it.
//!
//! Every call creates what is missing, says how far the Job is, or draws the conclusion from its end. The claim is marked when the Job has
//! succeeded and before it is deleted, so that no call begins a second one. If one does nevertheless, because its caller was suspended in
//! the middle of it, the Job finds the data directory and leaves it alone.

pub(crate) mod progress;

use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{PersistentVolumeClaim, Pod, Secret},
        networking::v1::NetworkPolicy,
    },
    apimachinery::pkg::apis::meta::v1::OwnerReference,
    jiff::Timestamp,
};
use kube::{Resource, ResourceExt, api::DeleteParams, core::PartialObjectMeta};
use serde_json::json;
use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
    restoration::Restoration,
    runtime::{Deployment, Progress, RuntimeError},
};

use crate::{
    Settings,
    apply::{apply, apply_secret, change_claim, refuse_if_removed, refuse_terminating, refuse_version},
    build::{
        self, FETCH, GRACE_PERIOD, RestoreObjects,
        names::{self, RESTORED_ANNOTATION},
    },
    cluster::{Cluster, call},
};
use progress::{Outcome, failure, has_started, is_over, outcome, waiting};

/// Fills the volume of the instance as far as one call gets. Every step can be repeated.
pub(crate) async fn restore(
    cluster: &Cluster,
    settings: &Settings,
    deployment: &Deployment,
    restoration: &Restoration,
) -> Result<Progress, RuntimeError> {
    let id = deployment.id;
    if deployment.data.exists() {
        // It has run on it.
        return Ok(Progress::Done);
    }
    let access = settings.restore.available().map_err(|why| RuntimeError::permanent(ReasonCode::AdmissionRefused, why))?;
    refuse_version(settings, deployment.spec.postgres_version)?;
    let claims: Vec<PersistentVolumeClaim> = cluster.list(&names::selector(id)).await?;
    let claim = claims.iter().find(|claim| claim.metadata.name == Some(names::claim(id)));
    if let Some(claim) = claim {
        refuse_terminating("volume claim", &claim.metadata)?;
        if claim.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(RESTORED_ANNOTATION)) {
            return clean_up(cluster, id).await;
        }
    }
    let objects = || build::restore_objects(deployment, restoration, settings, access);
    let Some(job) = get(cluster, id).await? else {
        return begin(cluster, settings, deployment, objects(), claim.is_none()).await;
    };
    if job.metadata.deletion_timestamp.is_some() {
        return Ok(in_progress("What an earlier attempt has begun is being deleted"));
    }
    let pods: Vec<Pod> = pods(cluster, id).await?;
    let pod = pods.first();
    match outcome(&job) {
        Some(Outcome::Succeeded) => {
            let mark = json!({"metadata": {"annotations": {RESTORED_ANNOTATION: restoration.archive.to_string()}}});
            change_claim(cluster, &names::claim(id), &mark).await?;
            clean_up(cluster, id).await
        }
        Some(Outcome::Failed(since, why)) => {
            let error = failure(pod, &why);
            if !error.retryable {
                return Err(error);
            }
            if is_over(since, Timestamp::now()) {
                // The next call begins anew.
                end(cluster, id).await?;
            }
            Ok(Progress::InProgress(error.reason))
        }
        None => {
            // If a crash has prevented it before. A pod that has started has it.
            if !pod.is_some_and(|pod| has_started(pod, FETCH)) {
                apply_secret(cluster, &owned(objects().secret, &job)).await?;
            }
            waiting(cluster, &job, pods, claims).await.map(Progress::InProgress)
        }
    }
}

/// Creates the Job and what its pod needs.
async fn begin(
    cluster: &Cluster,
    settings: &Settings,
    deployment: &Deployment,
    objects: RestoreObjects,
    needs_claim: bool,
) -> Result<Progress, RuntimeError> {
    let id = deployment.id;
    if let Some(pod) = pods(cluster, id).await?.first() {
        // Two pods must not fill one volume.
        cluster.stop_pod(pod, GRACE_PERIOD).await?;
        return Ok(in_progress(crate::observe::not_stopped(pod)));
    }
    let RestoreObjects { network_policy, claim, job, secret } = objects;
    // By this policy what a crash has left is found, and it exists before any pod.
    let first = apply(cluster, &build::objects(deployment, settings).network_policy).await?;
    apply(cluster, &network_policy).await?;
    if needs_claim {
        cluster.create(&claim).await?;
    }
    cluster.create(&job).await?;
    if let Some(job) = get(cluster, id).await? {
        apply_secret(cluster, &owned(secret, &job)).await?;
    }
    refuse_if_removed(cluster, &first).await?;
    Ok(in_progress("The pod that fetches the backup is being created"))
}

/// Deletes what the restoration has needed; it is done when nothing of it is left.
async fn clean_up(cluster: &Cluster, id: InstanceId) -> Result<Progress, RuntimeError> {
    if let Some(waiting) = end(cluster, id).await? {
        return Ok(in_progress(waiting));
    }
    if let Some(pod) = pods(cluster, id).await?.first() {
        return Ok(in_progress(crate::observe::not_stopped(pod)));
    }
    remove_rest(cluster, id).await?;
    Ok(Progress::Done)
}

/// Deletes the Job of an instance with its pod. Returns what it waits for, until it is gone.
pub(crate) async fn end(cluster: &Cluster, id: InstanceId) -> Result<Option<String>, RuntimeError> {
    for job in jobs(cluster, &names::selector(id)).await? {
        let (name, meta) = (job.name_any(), job.metadata);
        if meta.deletion_timestamp.is_none() {
            cluster.delete::<Job>(&name, meta.uid, DeleteParams::foreground()).await?;
        }
    }
    let left = jobs(cluster, &names::selector(id)).await?;
    Ok(left.first().map(|job| format!("The Job {} waits for its pod to stop", job.name_any())))
}

/// Deletes what is left when the Job and its pod are gone.
pub(crate) async fn remove_rest(cluster: &Cluster, id: InstanceId) -> Result<(), RuntimeError> {
    let name = names::restore(id);
    cluster.delete::<Secret>(&name, None, DeleteParams::background()).await?;
    cluster.delete::<NetworkPolicy>(&name, None, DeleteParams::background()).await
}

/// The Jobs that a selector matches: none, if the Role is one of an earlier release, which could not create any.
pub(crate) async fn jobs(cluster: &Cluster, selector: &str) -> Result<Vec<PartialObjectMeta<Job>>, RuntimeError> {
    match cluster.list_metadata::<Job>(selector).await {
        Err(error) if error.reason.code == ReasonCode::Forbidden => {
            tracing::debug!(%error, "Jobs of restorations are not looked for");
            Ok(Vec::new())
        }
        listed => listed,
    }
}

async fn get(cluster: &Cluster, id: InstanceId) -> Result<Option<Job>, RuntimeError> {
    let name = names::restore(id);
    call(&format!("get the Job {name}"), cluster.api::<Job>().get_opt(&name)).await
}

async fn pods(cluster: &Cluster, id: InstanceId) -> Result<Vec<Pod>, RuntimeError> {
    let pods: Vec<Pod> = cluster.list(&names::selector(id)).await?;
    Ok(pods.into_iter().filter(|pod| names::is_of_job(&pod.metadata)).collect())
}

/// An object, as one that goes with the Job.
pub(crate) fn owned<K: Resource>(mut object: K, job: &Job) -> K {
    object.meta_mut().owner_references = Some(vec![OwnerReference {
        api_version: "batch/v1".to_owned(),
        kind: "Job".to_owned(),
        name: job.name_any(),
        uid: job.metadata.uid.clone().unwrap_or_default(),
        ..OwnerReference::default()
    }]);
    object
}

fn in_progress(message: impl Into<String>) -> Progress {
    Progress::InProgress(Reason::new(ReasonCode::StartingUp, message))
}
