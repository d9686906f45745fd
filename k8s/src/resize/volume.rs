//! The expansion of a volume. Its claim asks for another size; the driver of the cloud grows the volume, and the kubelet the file system,
//! mostly while the pod runs. What goes wrong is in the conditions of the claim and, with the message of the cloud, in its events.

use std::time::Duration;

use k8s_openapi::{
    api::core::v1::{Event, PersistentVolumeClaim, PersistentVolumeClaimCondition},
    jiff::Timestamp,
};
use serde_json::json;
use toygres_domain::{
    instance::{Reason, ReasonCode},
    runtime::RuntimeError,
};

use crate::{
    apply::{capacity_gb, is_requested, try_change_claim},
    cluster::Cluster,
    errors::runtime_error,
    observe::{event_message, event_time, newest_event},
    wording::{is_not_expandable, is_rate_limited, is_used_up},
};

/// How long the kubelet may take to grow the file system of a running pod. Drivers that cannot do it then need a new pod.
const ONLINE: Duration = Duration::from_secs(90);

/// Events that are older are about an earlier attempt: the driver tries again every five minutes at least.
const RECENT: Duration = Duration::from_secs(600);

/// How far an expansion is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expansion {
    /// The volume and its file system have the size.
    Done,
    /// The driver has not grown the volume yet.
    Volume(Reason),
    /// The kubelet has not grown the file system yet; `overdue` if it waits for another pod.
    FileSystem { reason: Reason, overdue: bool },
}

/// Whether the volume has the size.
pub(super) fn is_done(claim: &PersistentVolumeClaim, storage_gb: i32) -> bool {
    capacity_gb(claim).is_some_and(|capacity| capacity >= storage_gb)
}

/// Requests the size, unless a larger one is requested already.
pub(super) async fn request(cluster: &Cluster, claim: &PersistentVolumeClaim, storage_gb: i32) -> Result<(), RuntimeError> {
    if is_requested(claim, storage_gb) {
        return Ok(());
    }
    let name = claim.metadata.name.as_deref().unwrap_or_default();
    let change = json!({"spec": {"resources": {"requests": {"storage": format!("{storage_gb}Gi")}}}});
    let Err(error) = try_change_claim(cluster, name, &change).await else { return Ok(()) };
    let refused = runtime_error(&format!("expand the volume claim {name}"), &error);
    let kube::Error::Api(status) = error else { return Err(refused) };
    let refusal = |code, remedy: &str| RuntimeError::permanent(code, format!("{}. {remedy}", refused.reason.message));
    Err(if is_not_expandable(&status.message) {
        refusal(
            ReasonCode::VolumeNotExpandable,
            "Set allowVolumeExpansion on its storage class if the driver can expand volumes, or copy the data to an instance with a larger one",
        )
    } else if is_used_up(&status.message) {
        // Unlike a creation, the instance does not wait for room: it runs.
        refusal(ReasonCode::QuotaExceeded, "Raise the quota of the namespace, and resize again")
    } else {
        refused
    })
}

/// How far the expansion of a claim is whose size is requested.
///
/// # Errors
/// That the cloud refuses it, and will for longer than an operation waits.
pub(super) fn expansion(claim: &PersistentVolumeClaim, storage_gb: i32, events: &[Event], now: Timestamp) -> Result<Expansion, RuntimeError> {
    if is_done(claim, storage_gb) {
        return Ok(Expansion::Done);
    }
    let capacity = capacity_gb(claim).map_or_else(|| "its size".to_owned(), |capacity| format!("{capacity} GiB"));
    let failed = newest_event(events, "PersistentVolumeClaim", &["VolumeResizeFailed", "FileSystemResizeFailed"])
        .filter(|event| event_time(event).is_none_or(|at| now.duration_since(at).unsigned_abs() < RECENT))
        .map(event_message);
    let condition = |kind: &str| conditions(claim).find(|condition| condition.type_ == kind && condition.status == "True");
    let reported = ["ControllerResizeError", "NodeResizeError"].into_iter().find_map(condition).and_then(|condition| condition.message.as_deref());
    let why = failed.or(reported);
    let is_infeasible = status_of(claim).is_some_and(|status| status.ends_with("Infeasible"));
    if is_infeasible || why.is_some_and(is_rate_limited) {
        return Err(RuntimeError::permanent(
            ReasonCode::VolumeNotExpanded,
            format!(
                "The volume stays at {capacity} for now: {}. Its driver tries again every few minutes; resize again when the volume has grown",
                why.unwrap_or("the driver reports that it cannot have this size").trim_end_matches('.')
            ),
        ));
    }
    let reason = |what: &str| {
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        Reason::new(ReasonCode::VolumeNotExpanded, format!("{what} grows from {capacity} to {storage_gb} GiB{why}"))
    };
    Ok(match condition("FileSystemResizePending") {
        Some(pending) => {
            let since = pending.last_transition_time.as_ref().map(|time| time.0);
            let overdue = since.is_some_and(|since| now.duration_since(since).unsigned_abs() > ONLINE && now > since);
            Expansion::FileSystem { reason: reason("The file system of the volume"), overdue }
        }
        None => Expansion::Volume(reason("The volume")),
    })
}

fn conditions(claim: &PersistentVolumeClaim) -> impl Iterator<Item = &PersistentVolumeClaimCondition> {
    claim.status.iter().flat_map(|status| status.conditions.iter().flatten())
}

/// What the driver says about the expansion, from Kubernetes 1.34 on.
fn status_of(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.status.as_ref()?.allocated_resource_statuses.as_ref()?.get("storage").map(String::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn claim(status: Value) -> PersistentVolumeClaim {
        let mut status = status;
        status["capacity"] = json!({"storage": "10Gi"});
        let spec = json!({"resources": {"requests": {"storage": "20Gi"}}});
        serde_json::from_value(json!({"metadata": {"name": "data-x-0"}, "spec": spec, "status": status})).unwrap()
    }

    fn failure(message: &str, at: &str) -> Event {
        serde_json::from_value(json!({"metadata": {}, "involvedObject": {"kind": "PersistentVolumeClaim"}, "reason": "VolumeResizeFailed",
            "type": "Warning", "message": message, "lastTimestamp": at}))
        .unwrap()
    }

    fn found(status: Value, events: &[Event]) -> Result<Expansion, RuntimeError> {
        expansion(&claim(status), 20, events, "2026-01-01T12:00:00Z".parse().unwrap())
    }

    const LIMIT: &str = "resize volume \"pvc-1\" by resizer \"ebs.csi.aws.com\" failed: rpc error: code = Internal desc = Could not resize volume: \
                         You've reached the maximum modification rate per volume limit. Wait at least 6 hours between modifications per EBS volume.";

    #[test]
    fn an_expansion_waits_for_the_volume_and_then_for_its_file_system() {
        assert_eq!(expansion(&claim(json!({})), 10, &[], Timestamp::now()), Ok(Expansion::Done));
        let Ok(Expansion::Volume(reason)) = found(json!({}), &[]) else { panic!("it waits for the driver") };
        assert_eq!((reason.code, reason.message.as_str()), (ReasonCode::VolumeNotExpanded, "The volume grows from 10 GiB to 20 GiB"));
        let pending = |since: &str| json!({"conditions": [{"type": "FileSystemResizePending", "status": "True", "lastTransitionTime": since}]});
        for (since, expected) in [("2026-01-01T11:59:30Z", false), ("2026-01-01T11:58:00Z", true)] {
            let Ok(Expansion::FileSystem { overdue, .. }) = found(pending(since), &[]) else { panic!("it waits for the kubelet") };
            assert_eq!(overdue, expected, "{since}");
        }
    }

    #[test]
    fn a_cloud_that_refuses_for_hours_is_not_waited_for() {
        let Err(RuntimeError { reason, retryable: false }) = found(json!({}), &[failure(LIMIT, "2026-01-01T11:59:00Z")]) else {
            panic!("it does not wait")
        };
        assert_eq!(reason.code, ReasonCode::VolumeNotExpanded);
        assert!(reason.message.starts_with("The volume stays at 10 GiB for now: resize volume"), "{}", reason.message);
        assert!(matches!(found(json!({}), &[failure(LIMIT, "2026-01-01T11:00:00Z")]), Ok(Expansion::Volume(_))), "that was an earlier attempt");
        let Ok(Expansion::Volume(waits)) = found(json!({}), &[failure("rpc error: code = Unavailable", "2026-01-01T11:59:00Z")]) else {
            panic!("the driver tries again")
        };
        assert!(waits.message.ends_with("rpc error: code = Unavailable"), "{}", waits.message);
        let infeasible = json!({"allocatedResourceStatuses": {"storage": "ControllerResizeInfeasible"},
            "conditions": [{"type": "ControllerResizeError", "status": "True", "message": "the disk has no room"}]});
        assert!(matches!(found(infeasible, &[]), Err(RuntimeError { reason, retryable: false }) if reason.message.contains("the disk has no room")));
    }
}
