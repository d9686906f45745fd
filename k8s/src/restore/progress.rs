//! How far the Job of a restoration is, or why it failed.

use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, PersistentVolumeClaim, Pod},
    },
    jiff::{SignedDuration, Timestamp},
};
use kube::{ResourceExt, api::LogParams};
use serde::Deserialize;
use toygres_domain::{
    instance::{Reason, ReasonCode},
    runtime::{Observation, RuntimeError},
};

use crate::{
    build::{FETCH, FINISH, RECOVER},
    cluster::{Cluster, call},
    observe::{self, Snapshot, events, is_out_of_memory, is_scheduled, last_lines, not_started, of_existing_objects},
    wording::refusal,
};

const MEBIBYTE: u64 = 1 << 20;

/// The exit code of `restore-volume` for what stays as it is until somebody changes something.
const LASTING: i32 = 2;

/// The exit codes of processes that SIGKILL and SIGTERM have ended: when a node is shut down, for example.
const KILLED: [i32; 2] = [137, 143];

/// How long a failed Job stays before the next one begins: a store or a node that is away is not back at once, and the reason can be seen.
const PAUSE: SignedDuration = SignedDuration::from_secs(15);

/// How a Job has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    /// Since when, and the message of its controller.
    Failed(Option<Timestamp>, String),
}

/// How the Job has ended, if it has.
pub(crate) fn outcome(job: &Job) -> Option<Outcome> {
    let conditions = job.status.as_ref()?.conditions.iter().flatten().filter(|condition| condition.status == "True");
    conditions
        .filter_map(|condition| match condition.type_.as_str() {
            "Complete" => Some(Outcome::Succeeded),
            "Failed" => {
                let since = condition.last_transition_time.as_ref().map(|time| time.0);
                Some(Outcome::Failed(since, condition.message.clone().unwrap_or_default()))
            }
            _ => None,
        })
        .next()
}

/// Whether a process with this exit code was killed.
pub(crate) fn is_killed(exit_code: i32) -> bool {
    KILLED.contains(&exit_code)
}

/// Whether the next Job may begin after one that has failed.
pub(crate) fn is_over(since: Option<Timestamp>, now: Timestamp) -> bool {
    since.is_none_or(|since| now.duration_since(since) >= PAUSE)
}

/// Whether the first container of the pod has started, so that it has what it mounts.
pub(crate) fn has_started(pod: &Pod, first: &str) -> bool {
    status(pod, first).and_then(|status| status.state.as_ref()).is_some_and(|state| state.running.is_some() || state.terminated.is_some())
}

/// Why the Job failed, and whether another one may succeed. `why` is the message of its controller.
pub(crate) fn failure(pod: Option<&Pod>, why: &str) -> RuntimeError {
    let ended =
        [FETCH, RECOVER, FINISH].into_iter().find_map(|name| Some((name, terminated(status(pod?, name)?)?)).filter(|(_, end)| end.exit_code != 0));
    let Some((name, end)) = ended else {
        let status = pod.and_then(|pod| pod.status.as_ref());
        let said =
            status.into_iter().flat_map(|status| [status.reason.as_deref(), status.message.as_deref()]).flatten().collect::<Vec<_>>().join(": ");
        let why = if said.is_empty() { why } else { &said };
        return RuntimeError::temporary(ReasonCode::ProcessExited, format!("The pod that restores it ended, and another one begins anew. {why}"));
    };
    let said = end.message.as_deref().unwrap_or_default().trim();
    if is_out_of_memory(end) {
        let why = format!("The container {name} of the pod that restores it exceeded its memory limit: restore it with more memory");
        return RuntimeError::permanent(ReasonCode::OutOfMemory, why);
    }
    if is_killed(end.exit_code) {
        return RuntimeError::temporary(ReasonCode::ProcessExited, format!("The container {name} of the pod that restores it was killed"));
    }
    if name == RECOVER {
        return RuntimeError::permanent(ReasonCode::NotRestorable, format!("PostgreSQL could not recover the backup: {}", last_lines(said)));
    }
    let (code, message) = parse(said).unwrap_or_else(|| (ReasonCode::BackupFailed, format!("The container {name} failed: {}", last_lines(said))));
    RuntimeError { reason: Reason::new(code, message), retryable: end.exit_code != LASTING }
}

/// The code and the sentence that `restore-volume` leaves.
fn parse(said: &str) -> Option<(ReasonCode, String)> {
    let (code, message) = said.split_once(": ")?;
    Some((code.to_ascii_lowercase().parse().ok()?, message.to_owned()))
}

/// What a Job that has not ended waits for.
///
/// # Errors
/// It waits for something that does not come by itself.
pub(crate) async fn waiting(cluster: &Cluster, job: &Job, pods: Vec<Pod>, claims: Vec<PersistentVolumeClaim>) -> Result<Reason, RuntimeError> {
    const STARTING: (&str, &str) = (FETCH, "The pod that fetches the backup is starting");
    let Some(pod) = pods.first() else { return blocked(cluster, job, pods, claims, STARTING).await };
    if let Some(end) = status(pod, RECOVER).and_then(terminated)
        && end.exit_code == 0
    {
        return Ok(starting("The data is recovered, and put in its place"));
    }
    if status(pod, FETCH).and_then(terminated).is_some_and(|end| end.exit_code == 0) {
        let recover = status(pod, RECOVER);
        return match recover.and_then(|_| not_started(pod, recover, &Snapshot::default(), Timestamp::now())) {
            Some(problem) => reason(problem, STARTING.1),
            None => Ok(starting("The WAL is replayed")),
        };
    }
    if status(pod, FETCH).and_then(|status| status.state.as_ref()).is_some_and(|state| state.running.is_some()) {
        return Ok(starting(&fetched(cluster, pod).await));
    }
    blocked(cluster, job, pods, claims, STARTING).await
}

/// What a Job waits for whose first container has not started: `first` is its name, and what to say if nothing is the matter.
///
/// # Errors
/// It waits for something that does not come by itself.
pub(crate) async fn blocked(
    cluster: &Cluster,
    job: &Job,
    pods: Vec<Pod>,
    claims: Vec<PersistentVolumeClaim>,
    (first, ordinary): (&str, &str),
) -> Result<Reason, RuntimeError> {
    let Some(pod) = pods.first() else {
        let about = events(cluster, "Job", &job.name_any()).await?;
        let about: Vec<_> = about.into_iter().filter(|event| event.involved_object.uid == job.metadata.uid).collect();
        let refused = observe::newest_event(&about, "Job", &["FailedCreate"]).map(observe::event_message);
        return Ok(refused.map_or_else(|| starting(ordinary), |why| Reason::new(refusal(why), why)));
    };
    let name = pod.name_any();
    let (kind, object) = match claims.first() {
        Some(claim) if !is_scheduled(pod) => ("PersistentVolumeClaim", claim.name_any()),
        _ => ("Pod", name),
    };
    let about = events(cluster, kind, &object).await?;
    let mut snapshot = Snapshot { pods: pods.clone(), claims, ..Snapshot::default() };
    snapshot.events = of_existing_objects(about, &snapshot);
    match not_started(pod, status(pod, first), &snapshot, Timestamp::now()) {
        Some(problem) => reason(problem, ordinary),
        None => Ok(starting(ordinary)),
    }
}

fn reason(observation: Observation, ordinary: &str) -> Result<Reason, RuntimeError> {
    match observation {
        Observation::Failed(reason) => Err(RuntimeError { reason, retryable: false }),
        Observation::Pending(reason) => Ok(reason),
        Observation::Ready(_) | Observation::Absent => Ok(starting(ordinary)),
    }
}

/// The last line of the log of what fetches the backup.
#[derive(Deserialize)]
struct Fetched {
    bytes: u64,
    total: u64,
}

/// How much is fetched, if the log can be read: a Role may not allow it, and nothing else depends on it.
async fn fetched(cluster: &Cluster, pod: &Pod) -> String {
    let (name, pods) = (pod.name_any(), cluster.api::<Pod>());
    let params = LogParams { container: Some(FETCH.to_owned()), tail_lines: Some(1), ..LogParams::default() };
    let log = call(&format!("read the log of the pod {name}"), pods.logs(&name, &params)).await;
    let line = log.inspect_err(|error| tracing::debug!(%error, "how far a restoration is remains unknown")).ok();
    match line.and_then(|line| serde_json::from_str::<Fetched>(line.trim()).ok()) {
        Some(Fetched { bytes, total }) => format!("{} of {} MiB are fetched from the store", bytes / MEBIBYTE, total.div_ceil(MEBIBYTE)),
        None => "The backup is fetched from the store".to_owned(),
    }
}

pub(crate) fn status<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let all = status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten());
    all.into_iter().find(|status| status.name == container)
}

pub(crate) fn terminated(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.state.as_ref().and_then(|ContainerState { terminated, .. }| terminated.as_ref())
}

fn starting(message: &str) -> Reason {
    Reason::new(ReasonCode::StartingUp, message)
}
