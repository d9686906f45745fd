//! Verification of base backups: a Job restores and reads each, in a volume that goes with its pod.
//!
//! Every call creates what is missing, says that the Job goes on, or draws the conclusion from its end and deletes it.

use std::time::Duration;

use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{ContainerStateTerminated, Pod},
    },
    jiff::Timestamp,
};
use kube::{ResourceExt, api::DeleteParams};
use toygres_domain::{
    instance::ReasonCode,
    runtime::RuntimeError,
    verification::{Verification, VerificationProgress, check_failure, recovery_failure},
};

use crate::{
    Settings,
    apply::{apply, apply_secret, refuse_version},
    build::{self, CHECK, FETCH, RECOVER, VerifyObjects, names},
    cluster::{Cluster, call},
    restore::{
        owned,
        progress::{Outcome, failure, has_started, outcome, status, terminated},
    },
};

/// Verifies a base backup as far as one call gets.
pub(crate) async fn verify(cluster: &Cluster, settings: &Settings, verification: &Verification) -> Result<VerificationProgress, RuntimeError> {
    let access = settings.restore.available().map_err(|why| RuntimeError::temporary(ReasonCode::RuntimeUnavailable, why))?;
    refuse_version(settings, verification.version)?;
    let name = names::verification(verification.backup);
    let found: Option<Job> = call(&format!("get the Job {name}"), cluster.api::<Job>().get_opt(&name)).await?;
    let VerifyObjects { job, network_policy, secret } = build::verify_objects(verification, settings, access);
    let Some(found) = found else {
        cluster.create(&job).await?;
        return Ok(VerificationProgress::InProgress);
    };
    if found.metadata.deletion_timestamp.is_some() {
        return Ok(VerificationProgress::InProgress);
    }
    let pods: Vec<Pod> = cluster.list(&names::verification_selector(verification.backup)).await?;
    let pod = pods.first();
    let ended = match outcome(&found) {
        None => {
            // The pod waits for the Secret, so it has its policy before it can reach anything.
            if !pod.is_some_and(|pod| has_started(pod, FETCH)) {
                apply(cluster, &owned(network_policy, &found)).await?;
                apply_secret(cluster, &owned(secret, &found)).await?;
            }
            return Ok(VerificationProgress::InProgress);
        }
        Some(Outcome::Succeeded) => Ok(VerificationProgress::Verified { restored_in: pod.and_then(restored_in).unwrap_or_default() }),
        Some(Outcome::Failed(_, why)) => Err(pod.and_then(said).unwrap_or_else(|| failure(pod, &why))),
    };
    cluster.delete::<Job>(&name, found.uid(), DeleteParams::background()).await?;
    ended
}

fn of<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerStateTerminated> {
    terminated(status(pod, container)?)
}

/// From when the backup was fetched until it was recovered, in whole seconds: Kubernetes says no more.
fn restored_in(pod: &Pod) -> Option<Duration> {
    let at = |time: &Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>| time.as_ref().map(|time| time.0);
    let (began, ended): (Timestamp, Timestamp) = (at(&of(pod, FETCH)?.started_at)?, at(&of(pod, RECOVER)?.finished_at)?);
    ended.duration_since(began).try_into().ok()
}

/// Why what was fetched could not be recovered, or what was recovered could not be read, if one of them failed and nobody has killed it.
fn said(pod: &Pod) -> Option<RuntimeError> {
    let failed = |container| of(pod, container).filter(|end| !matches!(end.exit_code, 0 | 137 | 143));
    let (end, meaning): (_, fn(&str) -> RuntimeError) = match failed(RECOVER) {
        Some(end) => (end, recovery_failure),
        None => (failed(CHECK)?, check_failure),
    };
    Some(meaning(end.message.as_deref().unwrap_or_default()))
}
