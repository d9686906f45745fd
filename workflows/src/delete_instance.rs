//! DeleteInstance: from any state to nothing, verified. It undoes nothing, because removal is what it is for; a failure
//! leaves the instance `failed`, and the deletion can be asked for again.

use duroxide::OrchestrationContext;
use toygres_domain::runtime::Progress;

use crate::{
    activities::{
        delete_postgres,
        update_metadata::{self, UpdateMetadata, Written},
    },
    step::{Failure, Pace, Run, nudged, step},
};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::orchestration::delete-instance";

/// The workflow.
///
/// # Errors
/// Only when the end cannot be written to the metadata; the monitor then starts the next run.
pub async fn delete_instance(ctx: OrchestrationContext, run: Run, pace: Pace) -> Result<String, String> {
    match remove(&ctx, &run, &pace).await {
        Ok(()) => Ok("deleted".to_owned()),
        Err(Failure::Superseded) => Ok("superseded".to_owned()),
        Err(why) => {
            let failed = UpdateMetadata::Failed { run, cancelled: false, reason: why.reason() };
            match step::<_, Written>(&ctx, update_metadata::NAME, &failed, pace.metadata).await {
                Ok(_) | Err(Failure::Superseded) => Ok("failed".to_owned()),
                Err(failure) => Err(failure.encode()),
            }
        }
    }
}

async fn remove(ctx: &OrchestrationContext, run: &Run, pace: &Pace) -> Result<(), Failure> {
    // The state is `deleting` since the operation was accepted; this ends the workflows that still work on the instance.
    let _: Written = step(ctx, update_metadata::NAME, &UpdateMetadata::Deleting { run: run.clone() }, pace.metadata).await?;
    let input = delete_postgres::Input { run: run.clone(), clean_up: false };
    let (mut pause, longest) = pace.looks;
    // A removal is worth trying until the deadline, at which the activity ends it.
    while let Progress::InProgress(_) = step(ctx, delete_postgres::NAME, &input, pace.runtime).await? {
        nudged(ctx, pause).await;
        pause = (pause * 2).min(longest);
    }
    let _: Written = step(ctx, update_metadata::NAME, &UpdateMetadata::Deleted { run: run.clone() }, pace.metadata).await?;
    Ok(())
}
