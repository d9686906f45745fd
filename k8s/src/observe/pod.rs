//! What a pod says of its server: whether it is ready, and the reason when it is not.

use k8s_openapi::{
    api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, PersistentVolumeClaim, Pod, PodCondition},
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::Timestamp,
};
use toygres_domain::{
    instance::{Reason, ReasonCode},
    runtime::Observation,
};

use super::{PATIENCE, Seen, events, failed, log_lines::last_lines, pending, starting};
use crate::build::CONTAINER;

/// After how many restarts a server that keeps ending is given up. The kubelet's waits double from 10 seconds, so that
/// this is about two and a half minutes: longer than any recovery of a node that was too busy.
const HOPELESS_RESTARTS: i32 = 5;

/// From how many restarts on a server that is not ready counts as one that keeps ending.
const LOOPING_RESTARTS: i32 = 2;

/// The volume's part in why a pod cannot be scheduled, in the scheduler's words.
const VOLUME_WORDS: [&str; 4] =
    ["unbound immediate PersistentVolumeClaims", "available persistent volumes to bind", "persistentvolumeclaim", "volume node affinity conflict"];

/// Why the pod's server takes no connections, or `None` when it does.
pub(super) fn trouble(pod: &Pod, seen: &Seen, now: Timestamp) -> Option<Observation> {
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
        return Some(unscheduled(condition, seen, now));
    }
    let Some(status) = container(pod) else {
        return Some(starting("Its pod waits for the node"));
    };
    let restarts = status.restart_count;
    if let Some(waiting) = status.state.as_ref().and_then(|state| state.waiting.as_ref()) {
        let message = waiting.message.as_deref().unwrap_or_default();
        match waiting.reason.as_deref().unwrap_or_default() {
            // A name that cannot be parsed will not parse later; all else at a registry can.
            "InvalidImageName" => return Some(failed(ReasonCode::ImagePullFailed, message)),
            "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "RegistryUnavailable" | "ImageInspectError" => {
                let message = if message.is_empty() { "The image cannot be pulled" } else { message };
                return Some(if is_answer_no(message) {
                    failed(ReasonCode::ImagePullFailed, message)
                } else {
                    pending(ReasonCode::ImagePullFailed, message)
                });
            }
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                return Some(pending(ReasonCode::AdmissionRefused, format!("The node refuses the container: {message}")));
            }
            "CrashLoopBackOff" => return Some(looping(status)),
            _ => {}
        }
    }
    if restarts >= LOOPING_RESTARTS {
        return Some(looping(status));
    }
    if let Some(end) = status.state.as_ref().and_then(terminated) {
        return Some(Observation::Pending(end_of_process(end)));
    }
    if let Some(trouble) = mount_trouble(pod, seen, now) {
        return Some(trouble);
    }
    if let Some(end) = last_end(status) {
        return Some(starting(&format!("It starts again. {}", end_of_process(end).message)));
    }
    Some(starting("PostgreSQL is starting"))
}

/// Whether the pod is ready to be connected to.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// Whether the pod has a node.
pub(super) fn is_scheduled(pod: &Pod) -> bool {
    condition(pod, "PodScheduled").is_some_and(|condition| condition.status == "True")
}

/// What ended the server's present process, when it has ended: the kubelet's word for it.
pub(crate) fn death(pod: &Pod) -> Option<Reason> {
    ended(pod).or_else(|| container(pod)?.state.as_ref().and_then(terminated).map(end_of_process))
}

/// How often the server was started again in this pod, and what ended it the last time.
pub(crate) fn restarts(pod: &Pod) -> (i32, Option<Reason>) {
    container(pod).map_or((0, None), |status| (status.restart_count, last_end(status).map(end_of_process)))
}

/// Why the pod as a whole has ended: it was evicted, or its node went down in good order.
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

fn unscheduled(condition: &PodCondition, seen: &Seen, now: Timestamp) -> Observation {
    let message = condition.message.as_deref().unwrap_or("No node has room for it");
    if let Some(event) = events::newest_of(&seen.events, "PersistentVolumeClaim", &["ProvisioningFailed", "FailedBinding"])
        && !seen.claims.iter().all(is_bound)
    {
        let why = events::message(event);
        // Somebody has to make the class, or ask for another one; any other failure of a provisioner may pass.
        let no_class = why.contains("storageclass") && why.contains("not found");
        let why = format!("Its volume cannot be provided: {why}");
        return if no_class { failed(ReasonCode::VolumeNotBound, why) } else { pending(ReasonCode::VolumeNotBound, why) };
    }
    if !VOLUME_WORDS.iter().any(|words| message.contains(words)) {
        // Not final: a node may be added, by people or by an autoscaler.
        return pending(ReasonCode::Unschedulable, message);
    }
    if is_older(condition.last_transition_time.as_ref(), now) {
        pending(ReasonCode::VolumeNotBound, message)
    } else {
        starting("It waits for its volume")
    }
}

/// A volume that a node cannot attach or mount. The first tries often fail, before the node knows of the pod's claims.
fn mount_trouble(pod: &Pod, seen: &Seen, now: Timestamp) -> Option<Observation> {
    let event = events::newest_of(&seen.events, "Pod", &["FailedMount", "FailedAttachVolume", "Started", "Pulling", "Pulled"])?;
    let mounting = matches!(event.reason.as_deref(), Some("FailedMount" | "FailedAttachVolume"));
    let since = pod.status.as_ref().and_then(|status| status.start_time.as_ref());
    (mounting && is_older(since, now)).then(|| pending(ReasonCode::VolumeNotBound, events::message(event)))
}

fn looping(status: &ContainerStatus) -> Observation {
    let end = status.state.as_ref().and_then(terminated).or_else(|| last_end(status));
    let reason = match end {
        Some(end) if is_out_of_memory(end) => end_of_process(end),
        Some(end) => Reason::new(ReasonCode::CrashLoop, format!("It keeps ending soon after its start. {}", end_of_process(end).message)),
        None => Reason::new(ReasonCode::CrashLoop, "It keeps ending soon after its start"),
    };
    if status.restart_count >= HOPELESS_RESTARTS { Observation::Failed(reason) } else { Observation::Pending(reason) }
}

fn end_of_process(end: &ContainerStateTerminated) -> Reason {
    if is_out_of_memory(end) {
        return Reason::new(ReasonCode::OutOfMemory, "It was killed because it needed more memory than it was given");
    }
    let code = end.exit_code;
    let log = end.message.as_deref().map(last_lines).filter(|lines| !lines.is_empty());
    let log = log.map(|lines| format!(". Its last words: {lines}")).unwrap_or_default();
    Reason::new(ReasonCode::ProcessExited, format!("The server ended with exit code {code}{log}"))
}

fn is_out_of_memory(end: &ContainerStateTerminated) -> bool {
    end.reason.as_deref() == Some("OOMKilled")
}

/// Whether the registry said no, as opposed to nothing.
fn is_answer_no(message: &str) -> bool {
    (message.contains("not found") || message.contains("manifest unknown")) && !message.contains("no such host")
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

fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound")
}

fn is_older(since: Option<&Time>, now: Timestamp) -> bool {
    since.is_some_and(|since| now.duration_since(since.0).unsigned_abs() > PATIENCE && now > since.0)
}
