//! DeleteInstance: from any state to nothing, verified. It undoes nothing, because removal is what it is for; a failure
//! leaves the instance `failed`, and the deletion can be asked for again.

use std::time::Duration;

use duroxide::OrchestrationContext;
use toygres_domain::runtime::Removal;

use crate::{
    activities::{
        delete_postgres,
        update_metadata::{self, UpdateMetadata, Written},
    },
    step::{Failure, Patience, Run, nudged, step},
};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::orchestration::delete-instance";

/// The workflow.
///
/// # Errors
/// Never by itself: a failure is an end that is written to the metadata.
pub async fn delete_instance(ctx: OrchestrationContext, run: Run) -> Result<String, String> {
    match remove(&ctx, &run).await {
        Ok(()) => Ok("deleted".to_owned()),
        Err(Failure::Superseded) => Ok("superseded".to_owned()),
        Err(why) => {
            let failed = UpdateMetadata::Failed { run, cancelled: false, reason: why.reason() };
            match step::<_, Written>(&ctx, update_metadata::NAME, &failed, Patience::METADATA).await {
                Ok(_) | Err(Failure::Superseded) => Ok("failed".to_owned()),
                Err(failure) => Err(failure.encode()),
            }
        }
    }
}

async fn remove(ctx: &OrchestrationContext, run: &Run) -> Result<(), Failure> {
    // The state is `deleting` since the operation was accepted; this ends the workflows that still work on the instance.
    let _: Written = step(ctx, update_metadata::NAME, &UpdateMetadata::Deleting { run: run.clone() }, Patience::METADATA).await?;
    let input = delete_postgres::Input { run: run.clone(), clean_up: false };
    let mut pause = Duration::from_millis(250);
    // A removal is worth trying until the deadline, at which the activity ends it.
    let patience = Patience { attempts: 1000, ..Patience::RUNTIME };
    while let Removal::InProgress(_) = step(ctx, delete_postgres::NAME, &input, patience).await? {
        nudged(ctx, pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
    let _: Written = step(ctx, update_metadata::NAME, &UpdateMetadata::Deleted { run: run.clone() }, Patience::METADATA).await?;
    Ok(())
}
