//! DeletePostgres: removes the instance from the runtime, as a deletion or to clean up after a failed creation.

use chrono::Utc;
use duroxide::ActivityContext;
use serde::{Deserialize, Serialize};
use toygres_domain::{
    instance::{Reason, ReasonCode},
    operation::StepName,
    runtime::Progress,
};
use toygres_store::Work;

use super::{World, guarded};
use crate::step::{Failure, Run};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::activity::delete-postgres";

/// What to remove.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// Of which run.
    pub run: Run,
    /// Cleaning up happens also when the operation was cancelled or is past its deadline; it has a time limit of its own.
    pub clean_up: bool,
}

/// The activity.
///
/// # Errors
/// What the runtime answered, or that the run is no longer wanted.
pub async fn delete_postgres(world: World, _: ActivityContext, Input { run, clean_up }: Input) -> Result<Progress, Failure> {
    let name = if clean_up { StepName::CleanUp } else { StepName::DeletePostgres };
    let work = if clean_up { world.store.work(&run.operation, run.run).await? } else { world.wanted(&run).await? };
    // From here on a deletion cannot be cancelled any more.
    world.store.look_again(&run.operation, run.run, name).await?;
    let outcome = guarded(remove(&world, &run, &work)).await;
    let outcome = if clean_up { in_time(&world, &work, outcome) } else { outcome };
    match &outcome {
        Ok(Progress::Done) => world.store.finish_step(&run.operation, run.run, name).await?,
        // The instance keeps the reason for which it is cleaned up after: that is what its owner has to know.
        Ok(Progress::InProgress(reason)) if clean_up => world.store.note_step(&run.operation, run.run, name, reason).await?,
        Ok(Progress::InProgress(reason)) => world.note_waiting(&run, name, reason).await?,
        Err(failure) => world.note_failure(&run, name, failure).await?,
    }
    outcome
}

async fn remove(world: &World, run: &Run, work: &Work) -> Result<Progress, Failure> {
    let _lock = world.store.lock_instance(work.instance.id).await?;
    // Asked again under the lock: after a later operation took over, what stands is no longer ours to remove.
    world.store.work(&run.operation, run.run).await?;
    world.verb(world.runtime.remove(work.instance.id, work.operation.keep_volumes)).await
}

/// A clean-up is tried at least once, and given up a while after the deadline. A run that took over behind the deadline, from
/// one that was lost, gets that while too.
fn in_time(world: &World, work: &Work, outcome: Result<Progress, Failure>) -> Result<Progress, Failure> {
    let began = work.operation.dispatched_at.unwrap_or(work.operation.created_at);
    let limit = began.max(work.operation.deadline) + world.pace.clean_up;
    let left = match &outcome {
        Ok(Progress::InProgress(reason)) | Err(Failure::Retry(reason)) if Utc::now() > limit => reason,
        _ => return outcome,
    };
    Err(Failure::Failed(Reason::new(ReasonCode::RemovalIncomplete, left.message.clone())))
}
