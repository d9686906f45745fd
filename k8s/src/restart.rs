//! Planned restarts: recorded on the StatefulSet, then carried out by deleting its pod, which the controller replaces.
//!
//! The record is an annotation of the StatefulSet itself. An annotation of its pod template would start a rolling update, in
//! which the controller deletes the pod with the pod's own grace period: a longer time-out could not be granted, because a
//! grace period that runs can only be shortened. It would also be part of every later template.

use std::{fmt, time::Duration};

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{PersistentVolumeClaim, Pod},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::api::{Patch, PatchParams};
use serde_json::json;
use toygres_domain::{
    InstanceId, OperationId,
    instance::{Reason, ReasonCode},
    runtime::{Progress, Restart, RuntimeError},
};

use crate::{
    apply::{apply, apply_as, refuse_terminating, refuse_terminating_data},
    build::names,
    cluster::{Cluster, call},
    observe::{is_kept, lost_claim, not_stopped},
};

/// The annotation that holds the record.
const RESTARTS_ANNOTATION: &str = "toygres.io/restarts";

/// The owner of the annotation. It is not the one of `deploy`, whose next apply would remove what it does not mention.
const FIELD_MANAGER: &str = "toygres-restart";

/// How many restarts are recorded: a repeated call, or a watch that was interrupted, can be late by more than one restart.
const RECORDED: usize = 8;

/// How often the record is tried to be written: the controller updates the status of a StatefulSet at any time.
pub(crate) const ATTEMPTS: usize = 5;

/// Restarts the instance as far as one call gets. Every step can be repeated: the pod to delete is recorded before it is deleted,
/// and is deleted by its uid.
pub(crate) async fn restart(cluster: &Cluster, id: InstanceId, restart: &Restart) -> Result<Progress, RuntimeError> {
    for _ in 0..ATTEMPTS {
        if let Some((pod, pods)) = recorded_pod(cluster, id, &restart.operation).await? {
            return stop(cluster, &pod, &pods, restart).await;
        }
    }
    Err(keeps_changing(id))
}

/// Records that the operation ends the present pod, which the controller does when its template changes.
pub(crate) async fn plan(cluster: &Cluster, id: InstanceId, operation: &OperationId) -> Result<(), RuntimeError> {
    for _ in 0..ATTEMPTS {
        if recorded_pod(cluster, id, operation).await?.is_some() {
            return Ok(());
        }
    }
    Err(keeps_changing(id))
}

pub(crate) fn keeps_changing(id: InstanceId) -> RuntimeError {
    RuntimeError::temporary(ReasonCode::RuntimeUnavailable, format!("The StatefulSet {} keeps changing", names::object(id)))
}

/// The uid of the pod that the operation stops, which is recorded now if it was not, and the present pods. `None` if the StatefulSet
/// changed before the record was written.
async fn recorded_pod(cluster: &Cluster, id: InstanceId, operation: &OperationId) -> Result<Option<(String, Vec<Pod>)>, RuntimeError> {
    let name = names::object(id);
    let sets = cluster.api::<StatefulSet>();
    let selector = names::selector(id);
    let Some(set) = call(&format!("get the StatefulSet {name}"), sets.get_metadata_opt(&name)).await? else {
        let claims: Vec<PersistentVolumeClaim> = cluster.list(&selector).await?;
        return Err(nothing_to_stop(id, &claims));
    };
    refuse_terminating("StatefulSet", &set.metadata)?;
    let (pods, claims) = tokio::try_join!(cluster.list::<Pod>(&selector), cluster.list::<PersistentVolumeClaim>(&selector))?;
    let restarts = Restarts::of(&set.metadata);
    if let Some(pod) = restarts.pod_of(operation) {
        return Ok(Some((pod.to_owned(), pods)));
    }
    // The pod is all that keeps the volume from being deleted.
    refuse_terminating_data(id, &claims)?;
    // Without a pod the server is down, and the controller is about to start it: the restart stops nothing.
    let pod = pods.first().and_then(|pod| pod.metadata.uid.clone()).unwrap_or_default();
    let recorded = record(cluster, &set.metadata, restarts.with(operation, &pod)).await?;
    Ok(recorded.then_some((pod, pods)))
}

/// Records for the operation that the end of the present pods is planned, and returns them. `None` if the StatefulSet changed before the
/// record was written.
pub(crate) async fn planned_pods(cluster: &Cluster, id: InstanceId, operation: &OperationId) -> Result<Option<Vec<Pod>>, RuntimeError> {
    let name = names::object(id);
    let set = call(&format!("get the StatefulSet {name}"), cluster.api::<StatefulSet>().get_metadata_opt(&name)).await?;
    let selector = names::selector(id);
    let Some(set) = set else {
        let claims: Vec<PersistentVolumeClaim> = cluster.list(&selector).await?;
        return Err(nothing_to_stop(id, &claims));
    };
    let pods: Vec<Pod> = cluster.list(&selector).await?;
    refuse_terminating("StatefulSet", &set.metadata)?;
    let restarts = Restarts::of(&set.metadata);
    let unrecorded: Vec<&str> = pods.iter().filter_map(|pod| pod.metadata.uid.as_deref()).filter(|uid| !restarts.stops(Some(uid))).collect();
    if unrecorded.is_empty() {
        return Ok(Some(pods));
    }
    let restarts = unrecorded.into_iter().fold(restarts, |restarts, uid| restarts.with(operation, uid));
    Ok(record(cluster, &set.metadata, restarts).await?.then_some(pods))
}

/// Why the server of an instance without a StatefulSet cannot be stopped: somebody deleted that, and perhaps its data too.
fn nothing_to_stop(id: InstanceId, claims: &[PersistentVolumeClaim]) -> RuntimeError {
    // A kept claim is no part of an instance any more.
    let claims: Vec<_> = claims.iter().filter(|claim| !is_kept(&claim.metadata)).cloned().collect();
    match lost_claim(id, None, &claims) {
        Some(reason) => RuntimeError { reason, retryable: false },
        None => RuntimeError::permanent(
            ReasonCode::Drifted,
            format!("There is nothing to stop: the StatefulSet {} was deleted. Repair the instance instead", names::object(id)),
        ),
    }
}

/// Deletes the recorded pod if it still exists.
async fn stop(cluster: &Cluster, recorded: &str, pods: &[Pod], restart: &Restart) -> Result<Progress, RuntimeError> {
    let Some(pod) = pods.iter().find(|pod| pod.metadata.uid.as_deref() == Some(recorded)) else { return Ok(Progress::Done) };
    cluster.stop_pod(pod, grace_period(restart.timeout)).await?;
    Ok(Progress::InProgress(Reason::new(ReasonCode::StartingUp, not_stopped(pod))))
}

/// The seconds after which the kubelet kills the server. 0 would remove the pod without the kubelet's confirmation that the server
/// has stopped, and the next server could use the same volume at the same time.
pub(crate) fn grace_period(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX).max(1)
}

/// Creates a StatefulSet with a record. A crash, or a change by the controller, must not leave the record to the owner of the other fields,
/// whose next apply would remove it: so the owner of the record creates everything, the other takes its part, and the first gives it up.
pub(crate) async fn create_with_record(cluster: &Cluster, set: &StatefulSet, restarts: Restarts) -> Result<(), RuntimeError> {
    if restarts.0.is_empty() {
        return apply(cluster, set).await.map(drop);
    }
    apply_as(cluster, FIELD_MANAGER, &restarts.on(set.clone())).await?;
    let created = apply(cluster, set).await?;
    // The controller changes the status meanwhile, which is no reason to begin again.
    let created = ObjectMeta { resource_version: None, ..created.metadata };
    // If there is another one by now, that has its own record.
    record(cluster, &created, restarts).await.map(drop)
}

/// Writes the record; returns `false` if the StatefulSet changed since it was read.
async fn record(cluster: &Cluster, set: &ObjectMeta, restarts: Restarts) -> Result<bool, RuntimeError> {
    let name = set.name.as_deref().unwrap_or_default();
    let metadata = ObjectMeta {
        name: set.name.clone(),
        uid: set.uid.clone(),
        resource_version: set.resource_version.clone(),
        annotations: Some([(RESTARTS_ANNOTATION.to_owned(), restarts.to_string())].into()),
        ..ObjectMeta::default()
    };
    let record = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata});
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let sets = cluster.api::<StatefulSet>();
    let patch = async {
        match sets.patch_metadata(name, &params, &Patch::Apply(&record)).await {
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            result => result.map(|_| true),
        }
    };
    call(&format!("record the restart on the StatefulSet {name}"), patch).await
}

/// The last planned restarts of an instance, oldest first: the operation, and the uid of the pod that it stops.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Restarts(Vec<(String, String)>);

impl Restarts {
    /// Reads the record from the metadata of a StatefulSet.
    pub(crate) fn of(set: &ObjectMeta) -> Self {
        let record = set.annotations.as_ref().and_then(|annotations| annotations.get(RESTARTS_ANNOTATION));
        let entries = record.into_iter().flat_map(|record| record.split(' '));
        Self(entries.filter_map(|entry| entry.split_once('=')).map(|(operation, pod)| (operation.to_owned(), pod.to_owned())).collect())
    }

    /// A StatefulSet with this record.
    fn on(&self, mut set: StatefulSet) -> StatefulSet {
        set.metadata.annotations.get_or_insert_default().insert(RESTARTS_ANNOTATION.to_owned(), self.to_string());
        set
    }

    /// Whether a restart stops this pod.
    pub(crate) fn stops(&self, pod_uid: Option<&str>) -> bool {
        pod_uid.is_some_and(|uid| self.0.iter().any(|(_, stopped)| stopped == uid))
    }

    /// The uid of the pod that an operation stops; empty if there was no pod.
    fn pod_of(&self, operation: &OperationId) -> Option<&str> {
        self.0.iter().find(|(recorded, _)| recorded == operation.as_str()).map(|(_, pod)| pod.as_str())
    }

    /// The record with another restart.
    pub(crate) fn with(mut self, operation: &OperationId, pod_uid: &str) -> Self {
        self.0.push((operation.as_str().to_owned(), pod_uid.to_owned()));
        let superfluous = self.0.len().saturating_sub(RECORDED);
        self.0.drain(..superfluous);
        self
    }
}

impl fmt::Display for Restarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (operation, pod)) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { " " };
            write!(f, "{separator}{operation}={pod}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(n: usize) -> OperationId {
        OperationId::from_any(&format!("restart-x-{n}"))
    }

    #[test]
    fn the_record_can_be_read_back_and_keeps_the_last_restarts() {
        let restarts = (0..20).fold(Restarts::default(), |restarts, n| restarts.with(&operation(n), &format!("pod-{n}")));
        let annotations = [(RESTARTS_ANNOTATION.to_owned(), restarts.to_string())].into();
        let read = Restarts::of(&ObjectMeta { annotations: Some(annotations), ..ObjectMeta::default() });
        assert_eq!(read, restarts);
        assert_eq!(read.pod_of(&operation(19)), Some("pod-19"));
        assert_eq!(read.pod_of(&operation(11)), None);
        assert!(read.stops(Some("pod-12")) && !read.stops(Some("pod-20")) && !read.stops(None));
        assert_eq!(Restarts::of(&ObjectMeta::default()), Restarts::default());
    }

    #[test]
    fn the_kubelet_always_confirms_that_the_server_has_stopped() {
        assert_eq!(grace_period(Duration::ZERO), 1);
        assert_eq!(grace_period(Duration::from_secs(300)), 300);
    }
}
