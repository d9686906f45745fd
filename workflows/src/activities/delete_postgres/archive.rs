//! What is kept of an instance that is deleted is completed before anything is removed: a final base backup is taken if it was asked for, and
//! everything that the instance has committed is archived.
//!
//! PostgreSQL ends a clean shutdown when whoever follows its WAL has confirmed all of it, and a worker confirms what is durable in the store. So
//! the server is stopped while it is followed. If it was stopped otherwise, because it was suspended, the store has failed or a worker has died,
//! it is started again. That is attempted for a limited time ([`Timing::close_archive`]); a final base backup is waited for.
//!
//! This is no activity of its own, because the histories of deletions that an earlier release began have none: see [`crate::registry`].

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use toygres_domain::{
    InstanceId,
    backup::{Archive, BackupId, BackupStatus, Closing},
    drift::Expected,
    instance::{Reason, ReasonCode},
    operation::{Params, StepName, create_backup},
    runtime::{Deployment, Observation, Progress, Suspension},
};
use toygres_store::Work;

use super::note_failure;
#[cfg(doc)]
use crate::Timing;
use crate::{
    Failure,
    activities::deploy_postgres::deployment,
    activity::{ActivityContext, Run, catch_panic},
    operations::backup_in_progress,
    repairs::expected,
};

/// How long the server may take to shut down, with what its worker then archives.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes that may not be archived yet when the server is stopped. It waits for them.
const MAX_BEHIND: u64 = 64 << 20;
/// How long one call waits until the end of the archive is recorded, once the server has stopped, and how often it looks.
const RECORDED: (Duration, Duration) = (Duration::from_secs(2), Duration::from_millis(20));
/// The pause before a final base backup that has failed is requested again.
const RETRY: TimeDelta = TimeDelta::seconds(30);

/// Completes what is kept of the instance of a deletion as far as one call gets.
pub(super) async fn complete(context: &ActivityContext, run: &Run, work: &Work) -> Result<Progress, Failure> {
    match as_step(context, run, work, StepName::TakeBackup, take_backup(context, run, work)).await? {
        Progress::Done => as_step(context, run, work, StepName::CloseArchive, close(context, run, work.instance.id)).await,
        waits => Ok(waits),
    }
}

/// How far a step is that may not be needed.
enum Attempt {
    Done,
    NotNeeded,
    Waits(Reason),
}

async fn as_step(
    context: &ActivityContext,
    run: &Run,
    work: &Work,
    name: StepName,
    attempt: impl Future<Output = Result<Attempt, Failure>>,
) -> Result<Progress, Failure> {
    if work.operation.has_ended(name) {
        return Ok(Progress::Done);
    }
    match catch_panic(attempt).await {
        Ok(Attempt::Done) => context.store.finish_step(&run.operation, run.run, name).await?,
        Ok(Attempt::NotNeeded) => context.store.skip_step(&run.operation, run.run, name).await?,
        Ok(Attempt::Waits(reason)) => {
            context.note_waiting(run, name, &reason).await?;
            return Ok(Progress::InProgress(reason));
        }
        Err(failure) => {
            note_failure(context, run, name, &failure).await?;
            return Err(failure);
        }
    }
    Ok(Progress::Done)
}

/// Looks how far the final base backup is, and requests it again if it has failed.
async fn take_backup(context: &ActivityContext, run: &Run, work: &Work) -> Result<Attempt, Failure> {
    let name = StepName::TakeBackup;
    let Some(id) = final_backup(&work.operation.params) else { return Ok(Attempt::NotNeeded) };
    context.store.resume_step(&run.operation, run.run, name).await?;
    let backup = context.store.backup(id).await?;
    let waits_for = match &backup {
        Some(backup) if backup.status == BackupStatus::Available => return Ok(Attempt::Done),
        Some(backup) if matches!(backup.status, BackupStatus::Pending | BackupStatus::Running) => match follow(context, run, work.instance.id).await?
        {
            Following::Yes(_) => return Ok(Attempt::Waits(backup_in_progress(backup))),
            Following::Waits(reason) | Following::Impossible(reason) => reason,
        },
        Some(backup) => {
            let is_due = backup.started_at.map_or(backup.created_at, |at| at.max(backup.created_at)) + RETRY <= context.store.now();
            if backup.status == BackupStatus::Failed && is_due {
                context.store.request_final_backup(work.instance.id, &create_backup::Params { backup: id }, &run.operation).await?;
            }
            backup.error.clone().unwrap_or_else(|| Reason::new(ReasonCode::BackupFailed, "the backup was deleted"))
        }
        None => {
            context.store.request_final_backup(work.instance.id, &create_backup::Params { backup: id }, &run.operation).await?;
            Reason::new(ReasonCode::BackupFailed, "the backup was deleted, and is taken again")
        }
    };
    let remedy = "nothing is removed before the final backup is taken: cancel the deletion, or request it again with finalBackup: false";
    Ok(Attempt::Waits(Reason::new(waits_for.code, format!("{}; {remedy}", waits_for.message))))
}

fn final_backup(params: &Params) -> Option<BackupId> {
    match params {
        Params::Delete(params) => params.final_backup,
        _ => None,
    }
}

/// Closes the archive. What cannot be archived in time is left out, and told.
async fn close(context: &ActivityContext, run: &Run, id: InstanceId) -> Result<Attempt, Failure> {
    let Some(archive) = archive(context, id).await? else { return Ok(Attempt::NotNeeded) };
    let Some(closing) = archive.closing else { return Ok(Attempt::NotNeeded) };
    // From here on the deletion can no longer be cancelled.
    context.store.resume_step(&run.operation, run.run, StepName::CloseArchive).await?;
    let incomplete = match closing {
        Closing::Closed => {
            if let Observation::Ready(_) = context.verb(context.runtime.observe(id)).await? {
                // Somebody else had shut it down, before its host was told to keep it stopped.
                context.store.record_closing(archive.id, Closing::Closed, Closing::Following).await?;
                return Ok(Attempt::Waits(Reason::new(ReasonCode::StartingUp, "its server was started again, and is stopped once more")));
            }
            None
        }
        Closing::Incomplete => archive.incomplete,
        Closing::Following | Closing::Stopping => {
            let close_by = context.store.close_by(archive.id, context.timing.close_archive).await?;
            let is_late = close_by <= context.store.now();
            match stop_while_followed(context, run, id).await {
                Ok(Stopping::Closed) => None,
                Ok(Stopping::Impossible(why)) => Some(leave_out(context, &archive, &why).await?),
                Ok(Stopping::Waits(why)) | Err(Failure::Retry(why) | Failure::Broken(why) | Failure::Failed(why)) if is_late => {
                    Some(leave_out(context, &archive, &why).await?)
                }
                Ok(Stopping::Waits(reason)) => return Ok(Attempt::Waits(reason)),
                Err(failure) => return Err(failure),
            }
        }
    };
    if let Some(reason) = incomplete {
        context.store.note_findings(&run.operation, run.run, StepName::CloseArchive, &[reason.message]).await?;
    }
    Ok(Attempt::Done)
}

/// Records that the archive ends without what was committed last. Returns what callers are told.
async fn leave_out(context: &ActivityContext, archive: &Archive, why: &Reason) -> Result<Reason, Failure> {
    let last = archive.durable_at.map_or_else(|| "its last base backup".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%SZ").to_string());
    let reason = Reason::new(why.code, format!("what was committed after {last} may not be in the archive: {}", why.message));
    context.store.record_incomplete(archive.id, &reason).await?;
    tracing::warn!(instance = %archive.instance, reason = reason.message, "an instance is deleted, and its archive is not complete");
    metrics::counter!("toygres_backup_failures_total", "what" => "close").increment(1);
    Ok(reason)
}

/// How far the shutdown of a server is that is followed.
enum Stopping {
    Closed,
    Waits(Reason),
    /// Waiting does not help.
    Impossible(Reason),
}

async fn stop_while_followed(context: &ActivityContext, run: &Run, id: InstanceId) -> Result<Stopping, Failure> {
    let archive = match follow(context, run, id).await? {
        Following::Yes(now) => now,
        Following::Waits(reason) => return Ok(Stopping::Waits(reason)),
        Following::Impossible(reason) => return Ok(Stopping::Impossible(reason)),
    };
    let behind = archive.flushed.zip(archive.durable).map(|(flushed, durable)| flushed.0.saturating_sub(durable.0));
    if archive.closing != Some(Closing::Stopping) && behind.is_none_or(|behind| behind > MAX_BEHIND) {
        let mib = behind.map_or_else(|| "some".to_owned(), |behind| format!("{} MiB", behind >> 20));
        return Ok(Stopping::Waits(Reason::new(ReasonCode::StartingUp, format!("{mib} of its WAL are to be archived first"))));
    }
    context.store.record_closing(archive.id, Closing::Following, Closing::Stopping).await?;
    let progress = {
        let _lock = context.store.lock_instance(id).await?;
        // Checked again under the lock: after a later operation has taken over, nothing may be stopped.
        let instance = context.wanted(run).await?.instance;
        let (data, roles) = (context.store.data(&instance).await?, context.store.credentials(instance.id).await?.roles());
        let expected = Expected { suspended: true, ..expected(&instance, &data, roles) };
        let suspension = Suspension { operation: run.operation.clone(), timeout: SHUTDOWN_TIMEOUT };
        context.verb(context.runtime.suspend(&expected, &suspension)).await?
    };
    if let Progress::InProgress(reason) = progress {
        return Ok(Stopping::Waits(reason));
    }
    let stopped = Instant::now();
    while stopped.elapsed() < RECORDED.0 {
        let now = self::archive(context, id).await?;
        if now.is_none_or(|now| now.closing == Some(Closing::Closed)) {
            return Ok(Stopping::Closed);
        }
        tokio::time::sleep(RECORDED.1).await;
    }
    Ok(Stopping::Waits(Reason::new(ReasonCode::StartingUp, "the end of its WAL is being archived")))
}

/// Whether a worker follows the instance.
enum Following {
    Yes(Box<Archive>),
    Waits(Reason),
    /// Waiting does not help.
    Impossible(Reason),
}

/// Has the instance followed: its server is started if it is kept stopped.
async fn follow(context: &ActivityContext, run: &Run, id: InstanceId) -> Result<Following, Failure> {
    let Some(archive) = archive(context, id).await? else {
        return Ok(Following::Impossible(Reason::new(ReasonCode::BackupFailed, "it has no archive any more")));
    };
    if archive.followed {
        return Ok(Following::Yes(Box::new(archive)));
    }
    Ok(match context.verb(context.runtime.observe(id)).await? {
        Observation::Ready(endpoint) => {
            // It may have been started elsewhere than where it was before.
            context.store.record_last_endpoint(id, &endpoint).await?;
            let first = || Reason::new(ReasonCode::StartingUp, "a worker is about to follow its WAL");
            Following::Waits(archive.failure.map_or_else(first, |(reason, _)| reason))
        }
        Observation::Pending(reason) if reason.code == ReasonCode::Suspended => {
            let _lock = context.store.lock_instance(id).await?;
            // Checked again under the lock: after a later operation has taken over, nothing may be started.
            let instance = context.wanted(run).await?.instance;
            let data = context.store.data(&instance).await?;
            let deployment = Deployment { suspended: false, ..deployment(context, instance, data).await? };
            context.store.record_closing(archive.id, Closing::Stopping, Closing::Following).await?;
            context.verb(context.runtime.deploy(&deployment)).await?;
            Following::Waits(Reason::new(ReasonCode::StartingUp, "its server is started, because what it has committed last is not archived"))
        }
        Observation::Pending(reason) if reason.code != ReasonCode::CrashLoop => Following::Waits(reason),
        Observation::Pending(reason) | Observation::Failed(reason) => Following::Impossible(reason),
        Observation::Absent => Following::Impossible(Reason::new(ReasonCode::DataLost, "nothing of it is left on its host")),
    })
}

async fn archive(context: &ActivityContext, id: InstanceId) -> Result<Option<Archive>, Failure> {
    Ok(context.store.archives_of(&[id]).await?.remove(&id))
}
