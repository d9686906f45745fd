//! UpdateMetadata: what workflows write, every time guarded by the store.

use chrono::Utc;
use duroxide::{ActivityContext, Client, OrchestrationStatus};
use serde::{Deserialize, Serialize};
use toygres_domain::{
    InstanceId, OperationId,
    instance::{Endpoint, Reason, ReasonCode},
    operation::{Operation, OperationKind, OperationStatus, StepName},
};
use toygres_postgres as probe;
use toygres_store::{OperationFilter, PageRequest, Store};

use super::{World, health_check::Change};
use crate::{
    health_check::HealthCheckLoop,
    step::{Failure, NUDGE, Pace, Run},
};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::activity::update-metadata";

/// What to write.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateMetadata {
    /// The creation is done.
    Running {
        /// By which run.
        run: Run,
        /// Where the instance listens.
        endpoint: Endpoint,
        /// The URL without the password.
        connection_string: String,
    },
    /// The deletion begins: end the workflows that still work on the instance.
    Deleting {
        /// By which run.
        run: Run,
    },
    /// The deletion is done.
    Deleted {
        /// By which run.
        run: Run,
    },
    /// The operation did not work out.
    Failed {
        /// By which run.
        run: Run,
        /// Whether it was cancelled.
        cancelled: bool,
        /// Why.
        reason: Reason,
    },
    /// Write what became of the operation's workflow, if it did not do so itself.
    Settle {
        /// Which operation.
        operation: OperationId,
    },
    /// The health changed.
    Health {
        /// Of which instance.
        instance: InstanceId,
        /// Seen by which loop.
        workflow: String,
        /// The change.
        change: Change,
    },
}

/// What the workflow needs to know of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// Done.
    Done,
    /// Done; this health check has to be started.
    HealthCheck(HealthCheckLoop),
    /// The operation goes on.
    Live,
}

/// The activity.
///
/// # Errors
/// That the metadata could not be written, or that the run is no longer wanted.
pub async fn update_metadata(world: World, ctx: ActivityContext, update: UpdateMetadata) -> Result<Written, Failure> {
    let store = &world.store;
    let client = ctx.get_client();
    match update {
        UpdateMetadata::Running { run, endpoint, connection_string } => {
            let running = match store.finish_create(&run.operation, run.run, &endpoint, &connection_string).await {
                // A cancellation that came first must lead to the clean-up, not to a silent end.
                Err(toygres_domain::Error::Superseded) => {
                    world.wanted(&run).await?;
                    return Err(Failure::Superseded);
                }
                other => other?,
            };
            tell_monitor(&client, &run.operation).await;
            Ok(match running.health_check {
                Some(workflow) => Written::HealthCheck(HealthCheckLoop::new(running.id, workflow)),
                // A repeated end of a creation whose instance has been deleted since.
                None => Written::Done,
            })
        }
        UpdateMetadata::Deleting { run } => {
            let work = store.work(&run.operation, run.run).await?;
            world
                .as_step(&run, StepName::StopWorkflows, stop_workflows(&world, &client, &work.operation, work.instance.health_check_orchestration_id))
                .await?;
            Ok(Written::Done)
        }
        UpdateMetadata::Deleted { run } => {
            store.finish_delete(&run.operation, run.run).await?;
            tell_monitor(&client, &run.operation).await;
            Ok(Written::Done)
        }
        UpdateMetadata::Failed { run, cancelled, reason } => {
            let status = if cancelled { OperationStatus::Cancelled } else { OperationStatus::Failed };
            store.fail_operation(&run.operation, run.run, status, &reason).await?;
            tell_monitor(&client, &run.operation).await;
            Ok(Written::Done)
        }
        UpdateMetadata::Settle { operation } => settle(store, &client, &world.pace, &operation).await,
        UpdateMetadata::Health { instance, workflow, change } => {
            let url = match &change.moved_to {
                Some(endpoint) => store.instance(instance).await?.map(|now| probe::connection_string(endpoint, &now.spec)),
                None => None,
            };
            let moved = change.moved_to.as_ref().zip(url.as_deref());
            store.set_health(instance, &workflow, change.health, change.reason.as_ref(), moved).await?;
            Ok(Written::Done)
        }
    }
}

/// Ends every other workflow of the instance. A cancellation that the engine loses does no harm: the activities of those
/// workflows see by the row that they are no longer wanted.
async fn stop_workflows(world: &World, client: &Client, deletion: &Operation, health_check: Option<String>) -> Result<(), Failure> {
    let filter = OperationFilter { instance: Some(deletion.instance), kinds: Some(vec![OperationKind::Create]), statuses: None };
    let creations = world.store.operations(&filter, &PageRequest::first(100)).await?;
    let workflows = creations.items.iter().flat_map(|creation| (1..=creation.run).map(|run| creation.id.engine_id(run))).chain(health_check);
    for workflow in workflows {
        if let OrchestrationStatus::Running { .. } = client.get_orchestration_status(&workflow).await.map_err(engine)? {
            client.cancel_instance(&workflow, "the instance is being deleted").await.map_err(engine)?;
        }
    }
    Ok(())
}

/// See [`crate::monitor_operation`]: the answer to a workflow that is lost is the next run of the same operation. A run that
/// starts behind the deadline only cleans up; when even that came to nothing, an honest failure is written. The sweeper does
/// the same for an operation whose monitor is stuck.
pub(crate) async fn settle(store: &Store, client: &Client, pace: &Pace, id: &OperationId) -> Result<Written, Failure> {
    let Some(now) = store.operation(id).await? else { return Ok(Written::Done) };
    if now.status.is_terminal() {
        return Ok(Written::Done);
    }
    let workflow = now.engine_id();
    let began = now.dispatched_at.unwrap_or(now.created_at);
    let stuck = Utc::now() > began.max(now.deadline) + pace.stuck;
    let hopeless = Utc::now() > now.deadline + pace.stuck * 2;
    let lost = match client.get_orchestration_status(&workflow).await.map_err(engine)? {
        OrchestrationStatus::Running { .. } if !stuck => return Ok(Written::Live),
        OrchestrationStatus::Running { .. } => {
            client.cancel_instance(&workflow, "stuck past the deadline").await.map_err(engine)?;
            "is stuck"
        }
        // The dispatcher's turn.
        OrchestrationStatus::NotFound if now.status == OperationStatus::Pending && !hopeless => return Ok(Written::Live),
        OrchestrationStatus::NotFound if Utc::now() < began + pace.start => return Ok(Written::Live),
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
        store.fail_operation(id, now.run, OperationStatus::Failed, &reason).await.map(|()| Written::Done)
    } else {
        tracing::warn!(%workflow, lost, "starting the next run of the operation");
        store.next_run(id, now.run).await.map(|_| Written::Live)
    };
    match outcome {
        // The workflow, or another monitor, was faster: look again.
        Err(toygres_domain::Error::Superseded) => Ok(Written::Live),
        other => Ok(other?),
    }
}

/// The monitor looks by itself sooner or later, so a lost message costs only time.
async fn tell_monitor(client: &Client, operation: &OperationId) {
    if let Err(error) = client.enqueue_event(operation.monitor_id(), NUDGE, "").await {
        tracing::debug!(%error, %operation, "could not tell the monitor");
    }
}

fn engine(error: duroxide::ClientError) -> Failure {
    tracing::warn!(%error, "the engine did not answer an activity");
    Failure::Retry(Reason::new(ReasonCode::Internal, "the workflow engine is not available"))
}
