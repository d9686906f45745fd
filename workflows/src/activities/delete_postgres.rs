//! DeletePostgres: removes the instance from the runtime, as a deletion or to clean up after a failed creation.

use duroxide::ActivityContext;
use serde::{Deserialize, Serialize};
use toygres_domain::{operation::StepName, runtime};

use super::World;
use crate::step::{Failure, Run};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::activity::delete-postgres";

/// What to remove.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// Of which run.
    pub run: Run,
    /// Cleaning up happens also when the operation was cancelled or is past its deadline.
    pub clean_up: bool,
}

/// The activity.
///
/// # Errors
/// What the runtime answered, or that the run is no longer wanted.
pub async fn delete_postgres(world: World, _: ActivityContext, Input { run, clean_up }: Input) -> Result<runtime::Removal, Failure> {
    let work = if clean_up { world.store.work(&run.operation, run.run).await? } else { world.wanted(&run).await? };
    let name = if clean_up { StepName::CleanUp } else { StepName::DeletePostgres };
    world.store.begin_step(&run.operation, run.run, name).await?;
    let removed = async {
        let _lock = world.store.lock_instance(work.instance.id).await?;
        // Asked again under the lock: after a later operation took over, what stands is no longer ours to remove.
        world.store.work(&run.operation, run.run).await?;
        Ok(world.runtime.remove(work.instance.id, work.operation.keep_volumes).await?)
    };
    let outcome: Result<_, Failure> = removed.await;
    match &outcome {
        Ok(runtime::Removal::Gone) => world.store.finish_step(&run.operation, run.run, name).await?,
        Ok(runtime::Removal::InProgress(reason)) | Err(Failure::Retry(reason) | Failure::Failed(reason)) => {
            world.store.note_step(&run.operation, run.run, name, Some(reason)).await?;
            world.store.note_waiting(&run.operation, run.run, reason).await?;
        }
        Err(Failure::Superseded | Failure::Cancelled) => {}
    }
    outcome
}
