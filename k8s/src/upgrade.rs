//! Upgrades to another major version: a Job upgrades the data on the volume while the StatefulSet is scaled to 0, and another one puts the
//! former data back if need be.
//!
//! The claim says how far the upgrade of an operation is, so that no call begins a Job again that has succeeded.

use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{PersistentVolumeClaim, Pod},
    },
    jiff::Timestamp,
};
use kube::ResourceExt;
use serde_json::{Value, json};
use toygres_domain::{
    InstanceId, OperationId,
    drift::Expected,
    instance::{InstanceSpec, Reason, ReasonCode},
    runtime::{Deployment, Progress, RuntimeError, Suspension},
    upgrade::{Upgrade, upgrade_failure},
};

use crate::{
    Settings,
    apply::{self, apply_secret, apply_stateful_set, change_claim, refuse_version},
    build::{
        self, PROGRAMS, UPGRADE, UpgradeObjects, UpgradeTask,
        names::{self, UPGRADE_ANNOTATION},
    },
    cluster::{Cluster, call},
    observe::{is_out_of_memory, not_stopped},
    restore::{
        end, owned,
        progress::{Outcome, blocked, has_started, is_killed, is_over, outcome, status, terminated},
    },
    suspend,
};

/// Where the former data is, as seen from the new: see `build/upgrade.sh`. No pod but that of the server can have the volume.
pub(crate) const FORMER_DATA: &str = "../former";

/// How far the upgrade of an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// A Job may have been created.
    Begun,
    /// It has upgraded, or checked, the data.
    Done,
    /// The former data is put back.
    Reverted,
}

impl Mark {
    const ALL: [Self; 3] = [Self::Begun, Self::Done, Self::Reverted];

    fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Reverted => "reverted",
        }
    }

    /// What a claim says of an operation.
    fn of(claim: &PersistentVolumeClaim, operation: &OperationId) -> Option<Self> {
        let text = claim.metadata.annotations.as_ref()?.get(UPGRADE_ANNOTATION)?;
        let rest = text.strip_prefix(operation.as_str())?.strip_prefix(' ')?;
        Self::ALL.into_iter().find(|mark| mark.as_str() == rest)
    }

    async fn write(self, cluster: &Cluster, id: InstanceId, operation: &OperationId) -> Result<(), RuntimeError> {
        let value = Value::String(format!("{operation} {}", self.as_str()));
        change_claim(cluster, &names::claim(id), &json!({"metadata": {"annotations": {UPGRADE_ANNOTATION: value}}})).await
    }
}

/// Upgrades the data of the instance, or checks whether that is possible, as far as one call gets. Every step can be repeated.
pub(crate) async fn upgrade(cluster: &Cluster, settings: &Settings, deployment: &Deployment, upgrade: &Upgrade) -> Result<Progress, RuntimeError> {
    let (id, operation) = (deployment.id, &upgrade.operation);
    refuse_version(settings, upgrade.to)?;
    apply::verify_claim(cluster, id, &deployment.data).await?;
    match Mark::of(&claim(cluster, id).await?, operation) {
        Some(Mark::Done) => {}
        Some(Mark::Reverted) => return Err(RuntimeError::temporary(ReasonCode::Superseded, "The upgrade was reverted")),
        Some(Mark::Begun) | None => {
            let task = if upgrade.check_only { UpgradeTask::Check } else { UpgradeTask::Upgrade };
            if let Progress::InProgress(reason) = run(cluster, settings, deployment, upgrade, task).await? {
                return Ok(Progress::InProgress(reason));
            }
            Mark::Done.write(cluster, id, operation).await?;
        }
    }
    if let Some(waiting) = clean_up(cluster, id).await? {
        return Ok(in_progress(waiting));
    }
    if upgrade.check_only {
        apply_stateful_set(cluster, &build::objects(deployment, settings).stateful_set).await?;
    }
    Ok(Progress::Done)
}

/// Puts the former data back, and deploys the former version, as far as one call gets.
pub(crate) async fn revert(cluster: &Cluster, settings: &Settings, deployment: &Deployment, upgrade: &Upgrade) -> Result<Progress, RuntimeError> {
    let (id, operation) = (deployment.id, &upgrade.operation);
    apply::verify_claim(cluster, id, &deployment.data).await?;
    match Mark::of(&claim(cluster, id).await?, operation) {
        // Nothing has begun.
        None => {}
        Some(Mark::Reverted) => {
            if let Some(waiting) = clean_up(cluster, id).await? {
                return Ok(in_progress(waiting));
            }
        }
        Some(Mark::Begun | Mark::Done) => {
            if let Progress::InProgress(reason) = run(cluster, settings, deployment, upgrade, UpgradeTask::Revert).await? {
                return Ok(Progress::InProgress(reason));
            }
            Mark::Reverted.write(cluster, id, operation).await?;
            return Ok(in_progress("The former data is put back"));
        }
    }
    apply::deploy(cluster, settings, deployment).await?;
    Ok(Progress::Done)
}

/// Stops the server, and runs the Job of a task until it has succeeded.
async fn run(
    cluster: &Cluster,
    settings: &Settings,
    deployment: &Deployment,
    upgrade: &Upgrade,
    task: UpgradeTask,
) -> Result<Progress, RuntimeError> {
    let id = deployment.id;
    let UpgradeObjects { job: wanted, secret } = build::upgrade_objects(deployment, upgrade, task, settings);
    let Some(job) = get(cluster, id).await? else {
        if let Progress::InProgress(reason) = stop(cluster, settings, deployment, upgrade, task).await? {
            return Ok(Progress::InProgress(reason));
        }
        Mark::Begun.write(cluster, id, &upgrade.operation).await?;
        cluster.create(&wanted).await?;
        if let Some(job) = get(cluster, id).await? {
            apply_secret(cluster, &owned(secret, &job)).await?;
        }
        return Ok(in_progress("The pod that upgrades the data is being created"));
    };
    if job.annotations().get(UPGRADE_ANNOTATION) != wanted.annotations().get(UPGRADE_ANNOTATION) || job.metadata.deletion_timestamp.is_some() {
        let waiting = clean_up(cluster, id).await?;
        return Ok(in_progress(waiting.unwrap_or_else(|| "What an earlier upgrade has begun is deleted".to_owned())));
    }
    let pods = pods(cluster, id).await?;
    let pod = pods.first();
    match outcome(&job) {
        Some(Outcome::Succeeded) => Ok(Progress::Done),
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
            if !pod.is_some_and(|pod| has_started(pod, PROGRAMS)) {
                apply_secret(cluster, &owned(secret, &job)).await?;
            }
            let running = pod.and_then(|pod| status(pod, UPGRADE)).and_then(|status| status.state.as_ref());
            if running.is_some_and(|state| state.running.is_some()) {
                return Ok(in_progress(match task {
                    UpgradeTask::Check => "pg_upgrade checks whether the upgrade is possible",
                    UpgradeTask::Upgrade => "pg_upgrade transfers the data",
                    UpgradeTask::Revert => "The former data is put back",
                }));
            }
            let claims = vec![claim(cluster, id).await?];
            blocked(cluster, &job, pods, claims, (PROGRAMS, "The pod that upgrades the data is starting")).await.map(Progress::InProgress)
        }
    }
}

/// Scales the StatefulSet of the former version to 0.
async fn stop(
    cluster: &Cluster,
    settings: &Settings,
    deployment: &Deployment,
    upgrade: &Upgrade,
    task: UpgradeTask,
) -> Result<Progress, RuntimeError> {
    let spec = InstanceSpec { postgres_version: upgrade.from, ..deployment.spec.clone() };
    let expected = Expected { suspended: true, spec, ..Expected::from(deployment) };
    let operation = match task {
        UpgradeTask::Check | UpgradeTask::Upgrade => upgrade.operation.clone(),
        UpgradeTask::Revert => OperationId::from_any(&format!("{}-back", upgrade.operation)),
    };
    suspend::suspend(cluster, settings, &expected, &Suspension { operation, timeout: upgrade.timeout }).await
}

/// Deletes the Job with its pod. Returns what it waits for.
async fn clean_up(cluster: &Cluster, id: InstanceId) -> Result<Option<String>, RuntimeError> {
    if let Some(waiting) = end(cluster, id).await? {
        return Ok(Some(waiting));
    }
    Ok(pods(cluster, id).await?.first().map(not_stopped))
}

async fn get(cluster: &Cluster, id: InstanceId) -> Result<Option<Job>, RuntimeError> {
    let name = names::upgrade(id);
    call(&format!("get the Job {name}"), cluster.api::<Job>().get_opt(&name)).await
}

async fn pods(cluster: &Cluster, id: InstanceId) -> Result<Vec<Pod>, RuntimeError> {
    let pods: Vec<Pod> = cluster.list(&names::selector(id)).await?;
    Ok(pods.into_iter().filter(|pod| names::is_of_job(&pod.metadata)).collect())
}

async fn claim(cluster: &Cluster, id: InstanceId) -> Result<PersistentVolumeClaim, RuntimeError> {
    let claims: Vec<PersistentVolumeClaim> = cluster.list(&names::selector(id)).await?;
    let claim = claims.into_iter().find(|claim| claim.metadata.name == Some(names::claim(id)));
    claim.ok_or_else(|| RuntimeError::temporary(ReasonCode::VolumeNotBound, format!("The volume claim {} does not exist", names::claim(id))))
}

/// Why the Job failed, and whether another one may succeed. `why` is the message of its controller.
fn failure(pod: Option<&Pod>, why: &str) -> RuntimeError {
    let ended = [PROGRAMS, UPGRADE].into_iter().find_map(|name| Some((name, terminated(status(pod?, name)?)?)).filter(|(_, end)| end.exit_code != 0));
    match ended {
        None => {
            RuntimeError::temporary(ReasonCode::ProcessExited, format!("The pod that upgrades the data ended, and another one begins anew. {why}"))
        }
        Some((name, end)) if is_out_of_memory(end) => {
            let why =
                format!("The container {name} of the pod that upgrades the data exceeded its memory limit: give the instance more memory first");
            RuntimeError::permanent(ReasonCode::OutOfMemory, why)
        }
        Some((PROGRAMS, end)) if !is_killed(end.exit_code) => {
            let said = end.message.as_deref().unwrap_or_default().trim();
            let why = format!("The image of the former version does not have its programs where the official images of Debian do: {said}");
            RuntimeError::permanent(ReasonCode::PostgresMissing, why)
        }
        Some((_, end)) => upgrade_failure(Some(end.exit_code), end.message.as_deref().unwrap_or_default()),
    }
}

fn in_progress(message: impl Into<String>) -> Progress {
    Progress::InProgress(Reason::new(ReasonCode::StartingUp, message))
}
