//! SettleOperation: writes the outcome of an operation whose workflow did not write it.

use chrono::{DateTime, Utc};
use duroxide::OrchestrationStatus;
use serde::{Deserialize, Serialize};
use toygres_domain::{
    Error, OperationId,
    instance::{Reason, ReasonCode},
    operation::{Operation, OperationStatus},
};
use toygres_store::{Outcome, Store};

use super::{Engine, errors::unavailable};
use crate::{
    Failure, Timing,
    activity::{Activity, ActivityContext},
};

/// The activity.
pub struct SettleOperation;

/// Whether an operation is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// The operation is finished, and the outcome is written.
    Finished,
    /// The operation is in progress.
    InProgress,
}

impl Activity for SettleOperation {
    const NAME: &'static str = "toygres-workflows::activity::settle-operation";
    type Input = OperationId;
    type Output = Settled;

    async fn run(context: ActivityContext, operation: OperationId) -> Result<Settled, Failure> {
        settle(&context.store, &context.engine, &context.timing, &operation).await
    }
}

fn began(operation: &Operation) -> DateTime<Utc> {
    operation.dispatched_at.unwrap_or(operation.created_at)
}

/// Whether the workflow should have ended long ago. A run of an operation without a deadline has its own time limit, after which the
/// next run continues.
fn is_stuck(store: &Store, timing: &Timing, operation: &Operation) -> bool {
    let began = began(operation);
    store.now() > operation.deadline.map_or(began + timing.run, |deadline| began.max(deadline)) + timing.stuck
}

/// See [`crate::monitor_operation`]: a lost workflow is followed by the next run of the same operation. A run that starts after the
/// deadline only cleans up; if that fails too, the failure of the operation is written. The sweeper does the same for an operation
/// whose monitor is stuck.
pub(super) async fn settle(store: &Store, engine: &Engine, timing: &Timing, id: &OperationId) -> Result<Settled, Failure> {
    let mut found = store.operation(id).await?;
    if found.as_ref().is_some_and(|now| is_stuck(store, timing, now)) {
        // Its deadline is extended if no worker was alive for a while.
        store.heartbeat().await?;
        found = store.operation(id).await?;
    }
    let Some(now) = found.filter(|now| !now.status.is_terminal()) else { return Ok(Settled::Finished) };
    let workflow = now.engine_id();
    let began = began(&now);
    let stuck = is_stuck(store, timing, &now);
    let hopeless = now.deadline.is_some_and(|deadline| store.now() > deadline + timing.stuck * 2);
    let lost = match engine.client.get_orchestration_status(&workflow).await.map_err(unavailable)? {
        OrchestrationStatus::Running { .. } if !stuck => return Ok(Settled::InProgress),
        OrchestrationStatus::Running { .. } => {
            engine.client.cancel_instance(&workflow, "stuck past the deadline").await.map_err(unavailable)?;
            "is stuck"
        }
        // The dispatcher will start it.
        OrchestrationStatus::NotFound if now.status == OperationStatus::Pending && !hopeless => return Ok(Settled::InProgress),
        OrchestrationStatus::NotFound if store.now() < began + timing.start => return Ok(Settled::InProgress),
        OrchestrationStatus::NotFound => "vanished",
        OrchestrationStatus::Completed { .. } => "ended without a result",
        OrchestrationStatus::Failed { details, .. } => {
            tracing::warn!(%workflow, details = details.display_message(), "a workflow failed in the engine");
            "failed in the engine"
        }
    };
    let outcome = if hopeless {
        let last =
            now.steps.iter().rev().find_map(|step| step.error.as_ref()).map(|error| format!(" (last seen: {})", error.message)).unwrap_or_default();
        let why = format!("the workflow {workflow} {lost}{last}; what it made may have to be removed by deleting the instance");
        let reason = Reason::new(ReasonCode::Internal, why);
        store.finish(id, now.run, &Outcome::Failed(reason)).await.map(|_| Settled::Finished)
    } else {
        tracing::warn!(%workflow, lost, "starting the next run of the operation");
        store.next_run(id, now.run).await.map(|_| Settled::InProgress)
    };
    match outcome {
        // The workflow or another monitor has written concurrently: check again later.
        Err(Error::Superseded) => Ok(Settled::InProgress),
        other => Ok(other?),
    }
}
