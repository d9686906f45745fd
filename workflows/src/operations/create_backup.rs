//! CreateBackup: has the worker that owns the archive of an instance take a base backup, and waits for it.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::{
    backup::{Backup, BackupId, BackupStatus},
    instance::{Reason, ReasonCode},
    operation::{OperationKind, StepName, create_backup},
    runtime::Progress,
};
use toygres_store::{Reached, Work};

use super::OperationWorkflow;
use crate::{
    Failure,
    activity::{Activity, ActivityContext, Register as _, Run},
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct CreateBackup;

impl OperationWorkflow for CreateBackup {
    const KIND: OperationKind = OperationKind::CreateBackup;
    const NAME: &'static str = "toygres-workflows::orchestration::create-backup";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.ready().await?;
        run.until_done::<TakeBackup>(run.run).await?;
        Ok(None)
    }

    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.call::<AbandonBackup>(run.run).await
    }

    fn uncompensated(reason: &Reason) -> String {
        format!("the backup could not be abandoned ({}), and may still be taken", reason.message)
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<TakeBackup>(context).activity::<AbandonBackup>(context)
    }
}

fn requested(work: &Work) -> Result<BackupId, Failure> {
    let create_backup::Params { backup } = work.operation.params.clone().try_into().map_err(|_| Failure::incompatible())?;
    Ok(backup)
}

/// Looks how far the base backup is.
struct TakeBackup;

impl Activity for TakeBackup {
    const NAME: &'static str = "toygres-workflows::activity::take-backup";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let name = StepName::TakeBackup;
        let work = context.wanted(&run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(Progress::Done);
        }
        context.store.resume_step(&run.operation, run.run, name).await?;
        let waits_for = match context.store.backup(requested(&work)?).await? {
            Some(Backup { status: BackupStatus::Available, .. }) => {
                context.store.finish_step(&run.operation, run.run, name).await?;
                return Ok(Progress::Done);
            }
            Some(Backup { status: BackupStatus::Failed | BackupStatus::Deleting, error, .. }) => {
                let why = error.unwrap_or_else(|| Reason::new(ReasonCode::BackupFailed, "the backup was deleted"));
                context.store.fail_step(&run.operation, run.run, name, &why).await?;
                return Err(Failure::Failed(why));
            }
            None => return Err(Failure::Failed(Reason::new(ReasonCode::BackupFailed, "the backup is not there any more"))),
            Some(backup) => in_progress(&backup),
        };
        context.store.note_step(&run.operation, run.run, name, &waits_for).await?;
        Ok(Progress::InProgress(waits_for))
    }
}

/// What a base backup in progress waits for.
pub(crate) fn in_progress(backup: &Backup) -> Reason {
    let mib = |bytes: i64| bytes / (1 << 20);
    let message = match (&backup.error, backup.status) {
        (Some(error), BackupStatus::Pending) => format!("attempt {} failed ({}); another one follows", backup.attempt, error.message),
        (_, BackupStatus::Pending) => "a worker takes it as soon as it follows the WAL of the instance".to_owned(),
        _ => match backup.total_bytes {
            Some(total) if total > 0 => format!("{} of about {} MiB are stored", mib(backup.bytes), mib(total)),
            _ => "the server makes a checkpoint".to_owned(),
        },
    };
    Reason::new(ReasonCode::StartingUp, message)
}

/// Ends the base backup, after a cancellation and after the deadline. What it has written is deleted later.
struct AbandonBackup;

impl Activity for AbandonBackup {
    const NAME: &'static str = "toygres-workflows::activity::abandon-backup";
    type Input = Run;
    type Output = ();

    async fn run(context: ActivityContext, run: Run) -> Result<(), Failure> {
        let work = context.store.work(&run.operation, run.run).await?;
        let backup = requested(&work)?;
        let why = Reason::new(ReasonCode::Cancelled, "its operation has ended before it was complete");
        context.as_compensation(&run, StepName::CleanUp, &work, async { Ok(context.store.fail_backup(backup, None, &why, false).await?) }).await
    }
}
