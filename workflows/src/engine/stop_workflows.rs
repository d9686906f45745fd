//! StopWorkflows: ends every other workflow of the instance of an operation that supersedes others.

use duroxide::OrchestrationStatus;
use toygres_domain::operation::StepName;
use toygres_store::{OperationFilter, PageRequest, Work};

use super::errors::unavailable;
use crate::{
    Failure,
    activity::{Activity, ActivityContext, Run},
};

/// The activity.
pub struct StopWorkflows;

impl Activity for StopWorkflows {
    const NAME: &'static str = "toygres-workflows::activity::stop-workflows";
    type Input = Run;
    type Output = ();

    async fn run(context: ActivityContext, run: Run) -> Result<(), Failure> {
        let work = context.store.work(&run.operation, run.run).await?;
        if ActivityContext::is_done(&work, StepName::StopWorkflows) {
            return Ok(());
        }
        context.as_step(&run, StepName::StopWorkflows, stop(&context, &work)).await
    }
}

/// It is harmless if the engine loses a cancellation: the activities of those workflows find in the row that they were superseded.
async fn stop(context: &ActivityContext, Work { operation: this, instance }: &Work) -> Result<(), Failure> {
    let filter = OperationFilter { instance: Some(instance.id), kinds: None, statuses: None };
    let operations = context.store.operations(&filter, &PageRequest::first(100)).await?;
    let superseded =
        operations.items.iter().filter(|other| other.id != this.id && other.finished_at.is_none_or(|finished| finished >= this.created_at));
    let runs = superseded.flat_map(|other| (1..=other.run).map(|run| other.id.engine_id(run)));
    for workflow in runs.chain(instance.health_check_orchestration_id.clone()) {
        let client = &context.engine.client;
        if let OrchestrationStatus::Running { .. } = client.get_orchestration_status(&workflow).await.map_err(unavailable)? {
            client.cancel_instance(&workflow, "the instance is being deleted").await.map_err(unavailable)?;
        }
    }
    Ok(())
}
