//! The state of the server in a pod: whether it is ready, and the reason if it is not.

use k8s_openapi::{
    api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, PersistentVolumeClaim, Pod, PodCondition},
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::{SignedDuration, Timestamp},
};
use toygres_domain::{
    instance::{Reason, ReasonCode},
    runtime::Observation,
};

use super::{ORDINARY_WAIT, Snapshot, events, failed, log_lines::last_lines, pending, starting};
use crate::{
    build::CONTAINER,
    wording::{is_about_volume, is_full, is_missing_image, is_missing_secret, is_missing_storage_class},
};

/// After how many restarts of the container a crash loop is final. The kubelet's back-off doubles from 10 seconds, so this is after
/// about two and a half minutes, longer than a node that was overloaded needs to recover.
const FINAL_RESTARTS: i32 = 5;

/// After how many restarts of the container a server that is not ready is in a crash loop.
const LOOPING_RESTARTS: i32 = 2;

/// How long a container has to run until the kubelet forgets that it crashed before, and how long ago a crash may be to explain the
/// present state.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(10);

/// Why the server accepts no connections, or `None` if it does.
pub(super) fn problem(pod: &Pod, snapshot: &Snapshot, now: Timestamp) -> Option<Observation> {
    if pod.metadata.deletion_timestamp.is_some() {
        return Some(starting("Its pod is being replaced"));
    }
    if is_ready(pod) {
        return None;
    }
    if let Some(reason) = ended(pod) {
        return Some(Observation::Pending(reason));
    }
    if let Some(condition) = unschedulable(pod) {
        return Some(unscheduled(condition, snapshot, now));
    }
    let Some(status) = container(pod) else {
        return Some(starting("Its pod waits for the node"));
    };
    let restarts = status.restart_count;
    if let Some(refused) = refused(status) {
        return Some(refused);
    }
    if waits_for(status, "CrashLoopBackOff") {
        return Some(looping(status));
    }
    if restarts >= LOOPING_RESTARTS && crashed_recently(status, now) {
        return Some(looping(status));
    }
    if let Some(end) = status.state.as_ref().and_then(terminated) {
        return Some(Observation::Pending(end_of_process(end)));
    }
    if is_unreachable(pod) {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
        return Some(pending(ReasonCode::RuntimeUnavailable, format!("Its node {node} does not report any more")));
    }
    if let Some(problem) = mount_problem(pod, snapshot, now) {
        return Some(problem);
    }
    if let Some(end) = last_end(status).filter(|end| is_recent(end, now)) {
        return Some(starting(&format!("It starts again. {}", end_of_process(end).message)));
    }
    Some(starting("PostgreSQL is starting"))
}

/// Why a container of a pod that is no server has not started yet, if it waits for something other than its turn.
pub(crate) fn not_started(pod: &Pod, status: Option<&ContainerStatus>, snapshot: &Snapshot, now: Timestamp) -> Option<Observation> {
    unschedulable(pod)
        .map(|condition| unscheduled(condition, snapshot, now))
        .or_else(|| status.and_then(refused))
        .or_else(|| mount_problem(pod, snapshot, now))
}

/// Why the node cannot start a container, if it cannot.
fn refused(status: &ContainerStatus) -> Option<Observation> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let message = waiting.message.as_deref().unwrap_or_default();
    match waiting.reason.as_deref().unwrap_or_default() {
        // A malformed name is final; other errors of a registry may pass.
        "InvalidImageName" => Some(failed(ReasonCode::ImagePullFailed, message)),
        "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "RegistryUnavailable" | "ImageInspectError" => {
            let message = if message.is_empty() { "The image cannot be pulled" } else { message };
            Some(if is_missing_image(message) { failed(ReasonCode::ImagePullFailed, message) } else { pending(ReasonCode::ImagePullFailed, message) })
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            Some(pending(ReasonCode::AdmissionRefused, format!("The node refuses the container: {message}")))
        }
        _ => None,
    }
}

fn waits_for(status: &ContainerStatus, reason: &str) -> bool {
    let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
    waiting.is_some_and(|waiting| waiting.reason.as_deref() == Some(reason))
}

/// Whether the pod is ready.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// Whether the node controller, and not the kubelet, has marked the pod as not ready: the kubelet changes both conditions together.
fn is_unreachable(pod: &Pod) -> bool {
    !is_ready(pod) && condition(pod, "ContainersReady").is_some_and(|condition| condition.status == "True")
}

/// Whether the pod is scheduled to a node.
pub(crate) fn is_scheduled(pod: &Pod) -> bool {
    condition(pod, "PodScheduled").is_some_and(|condition| condition.status == "True")
}

/// Why the present process of the server has ended, if it has.
pub(crate) fn death(pod: &Pod) -> Option<Reason> {
    ended(pod).or_else(|| container(pod)?.state.as_ref().and_then(terminated).map(end_of_process))
}

/// Whether the server in the pod has ever run.
pub(crate) fn has_run(pod: &Pod) -> bool {
    let Some(status) = container(pod) else { return false };
    let ran = |state: &ContainerState| state.running.is_some() || state.terminated.is_some();
    status.state.as_ref().is_some_and(ran) || status.last_state.as_ref().is_some_and(ran)
}

/// How often the kubelet restarted the container, and why its last process ended.
pub(crate) fn container_restarts(pod: &Pod) -> (i32, Option<Reason>) {
    container(pod).map_or((0, None), |status| (status.restart_count, last_end(status).map(end_of_process)))
}

/// The reason while a deletion of the pod waits for the kubelet.
pub(crate) fn not_stopped(pod: &Pod) -> String {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or("no node");
    format!("The pod {} on {node} has not stopped yet", pod.metadata.name.as_deref().unwrap_or_default())
}

/// Why the whole pod has ended: it was evicted, or its node was shut down.
fn ended(pod: &Pod) -> Option<Reason> {
    let status = pod.status.as_ref()?;
    if !matches!(status.phase.as_deref(), Some("Failed" | "Succeeded")) {
        return None;
    }
    if let Some(end) = container(pod).and_then(|status| status.state.as_ref()).and_then(terminated) {
        return Some(end_of_process(end));
    }
    let why = [status.reason.as_deref(), status.message.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
    Some(Reason::new(ReasonCode::ProcessExited, format!("Its pod ended. {why}").trim_end().to_owned()))
}

fn unscheduled(condition: &PodCondition, snapshot: &Snapshot, now: Timestamp) -> Observation {
    let message = condition.message.as_deref().unwrap_or("No node has enough resources for it");
    if let Some(event) = events::newest_of(&snapshot.events, "PersistentVolumeClaim", &["ProvisioningFailed", "FailedBinding"])
        && !snapshot.claims.iter().all(is_bound)
    {
        let why = events::message(event);
        // Final until the class is created or another one is configured; other errors of a provisioner may pass.
        let is_final = is_missing_storage_class(why);
        let why = format!("Its volume cannot be provisioned: {why}");
        return if is_final { failed(ReasonCode::VolumeNotBound, why) } else { pending(ReasonCode::VolumeNotBound, why) };
    }
    if !is_about_volume(message) {
        // Not final: a node may be added, for example by an autoscaler.
        return pending(ReasonCode::Unschedulable, message);
    }
    if is_older(condition.last_transition_time.as_ref(), now) {
        pending(ReasonCode::VolumeNotBound, message)
    } else {
        starting("It waits for its volume")
    }
}

/// Why a node cannot attach or mount the volume. The first attempts often fail, before the node has observed the claim.
fn mount_problem(pod: &Pod, snapshot: &Snapshot, now: Timestamp) -> Option<Observation> {
    let event = events::newest_of(&snapshot.events, "Pod", &["FailedMount", "FailedAttachVolume", "Started", "Pulling", "Pulled"])?;
    let mounting = matches!(event.reason.as_deref(), Some("FailedMount" | "FailedAttachVolume"));
    let since = pod.status.as_ref().and_then(|status| status.start_time.as_ref());
    let why = events::message(event);
    if mounting && is_missing_secret(why) {
        return Some(pending(ReasonCode::Drifted, why));
    }
    (mounting && is_older(since, now)).then(|| pending(ReasonCode::VolumeNotBound, why))
}

fn looping(status: &ContainerStatus) -> Observation {
    let end = status.state.as_ref().and_then(terminated).or_else(|| last_end(status));
    let reason = match end {
        Some(end) if is_out_of_memory(end) => end_of_process(end),
        Some(end) => {
            let Reason { code, message } = end_of_process(end);
            let code = if code == ReasonCode::DiskFull { code } else { ReasonCode::CrashLoop };
            Reason::new(code, format!("It exits repeatedly soon after its start. {message}"))
        }
        None => Reason::new(ReasonCode::CrashLoop, "It exits repeatedly soon after its start"),
    };
    // The count is that of the whole life of the pod.
    let in_a_row = end.is_none_or(|end| !was_long(end));
    if status.restart_count >= FINAL_RESTARTS && in_a_row { Observation::Failed(reason) } else { Observation::Pending(reason) }
}

fn end_of_process(end: &ContainerStateTerminated) -> Reason {
    if is_out_of_memory(end) {
        return Reason::new(ReasonCode::OutOfMemory, "It was killed because it exceeded its memory limit");
    }
    let code = end.exit_code;
    let log = end.message.as_deref().map(last_lines).filter(|lines| !lines.is_empty());
    let log = log.map(|lines| format!(". The end of its log: {lines}")).unwrap_or_default();
    let kind = if is_full(&log) { ReasonCode::DiskFull } else { ReasonCode::ProcessExited };
    Reason::new(kind, format!("The server ended with exit code {code}{log}"))
}

pub(crate) fn is_out_of_memory(end: &ContainerStateTerminated) -> bool {
    end.reason.as_deref() == Some("OOMKilled")
}

fn unschedulable(pod: &Pod) -> Option<&PodCondition> {
    condition(pod, "PodScheduled").filter(|condition| condition.status == "False")
}

fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == kind)
}

fn container(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.iter().find(|status| status.name == CONTAINER)
}

fn terminated(state: &ContainerState) -> Option<&ContainerStateTerminated> {
    state.terminated.as_ref()
}

fn last_end(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.last_state.as_ref().and_then(terminated)
}

/// Whether the last process ended a short time ago, and soon after its start.
fn crashed_recently(status: &ContainerStatus, now: Timestamp) -> bool {
    last_end(status).is_none_or(|end| is_recent(end, now) && !was_long(end))
}

fn is_recent(end: &ContainerStateTerminated, now: Timestamp) -> bool {
    end.finished_at.as_ref().is_none_or(|finished| now.duration_since(finished.0) < FORGOTTEN)
}

fn was_long(end: &ContainerStateTerminated) -> bool {
    end.started_at.as_ref().zip(end.finished_at.as_ref()).is_some_and(|(started, finished)| finished.0.duration_since(started.0) >= FORGOTTEN)
}

fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound")
}

fn is_older(since: Option<&Time>, now: Timestamp) -> bool {
    since.is_some_and(|since| now.duration_since(since.0).unsigned_abs() > ORDINARY_WAIT && now > since.0)
}
