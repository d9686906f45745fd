//! DeletePostgres: removes the instance from the runtime, for a deletion or to clean up after a failed creation. Before a deletion removes
//! anything, what is kept of the instance is completed: see `archive`.

mod archive;

use serde::{Deserialize, Serialize};
use toygres_domain::{
    instance::{Reason, ReasonCode},
    operation::{Params, StepName},
    runtime::Progress,
};
use toygres_store::Work;

use crate::{
    Failure,
    activity::{Activity, ActivityContext, Run, catch_panic},
    backups::until_released,
};

/// The activity.
pub struct DeletePostgres;

/// The input of the activity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The run that removes the instance.
    pub run: Run,
    /// Whether this cleans up after a failure. A clean-up also runs when the operation was cancelled or its deadline has passed; it
    /// has its own time limit.
    pub clean_up: bool,
}

impl Activity for DeletePostgres {
    const NAME: &'static str = "toygres-workflows::activity::delete-postgres";
    type Input = Input;
    type Output = Progress;

    async fn run(context: ActivityContext, Input { run, clean_up }: Input) -> Result<Progress, Failure> {
        let name = if clean_up { StepName::CleanUp } else { StepName::DeletePostgres };
        let work = if clean_up { context.store.work(&run.operation, run.run).await? } else { context.wanted(&run).await? };
        if !clean_up && let Progress::InProgress(reason) = archive::complete(&context, &run, &work).await? {
            return Ok(Progress::InProgress(reason));
        }
        context.store.resume_step(&run.operation, run.run, name).await?;
        let outcome = catch_panic(remove(&context, &run, &work)).await;
        let outcome = if clean_up { in_time(&context, &work, outcome) } else { outcome };
        match &outcome {
            Ok(Progress::Done) => context.store.finish_step(&run.operation, run.run, name).await?,
            // The instance keeps the reason of the failure, which matters more to its owner than the progress of the clean-up.
            Ok(Progress::InProgress(reason)) if clean_up => context.store.note_step(&run.operation, run.run, name, reason).await?,
            Ok(Progress::InProgress(reason)) => context.note_waiting(&run, name, reason).await?,
            Err(failure) if clean_up => context.fail_step(&run, name, failure).await?,
            Err(failure) => note_failure(&context, &run, name, failure).await?,
        }
        outcome
    }
}

/// A deletion is repeated, whatever its failure, which is the reason of the instance meanwhile.
async fn note_failure(context: &ActivityContext, run: &Run, name: StepName, failure: &Failure) -> Result<(), Failure> {
    context.fail_step(run, name, failure).await?;
    if let Failure::Retry(reason) | Failure::Broken(reason) | Failure::Failed(reason) = failure {
        context.store.note_waiting(&run.operation, run.run, reason).await?;
    }
    Ok(())
}

async fn remove(context: &ActivityContext, run: &Run, work: &Work) -> Result<Progress, Failure> {
    until_released(context, work.instance.id).await?;
    let _lock = context.store.lock_instance(work.instance.id).await?;
    // Checked again under the lock: if a later operation has taken over, this run must not remove anything.
    context.store.work(&run.operation, run.run).await?;
    let keep_volumes = matches!(&work.operation.params, Params::Delete(params) if params.keep_volumes);
    context.verb(context.runtime.remove(work.instance.id, keep_volumes)).await
}

/// A clean-up that is not done in time is abandoned.
pub(crate) fn in_time(context: &ActivityContext, work: &Work, outcome: Result<Progress, Failure>) -> Result<Progress, Failure> {
    let left = match &outcome {
        Ok(Progress::InProgress(reason)) | Err(Failure::Retry(reason)) if context.clean_up_is_over(work) => reason,
        _ => return outcome,
    };
    Err(Failure::Failed(Reason::new(ReasonCode::RemovalIncomplete, left.message.clone())))
}
