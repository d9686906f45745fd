//! The workflow engine: hosts the workflows on a duroxide runtime, starts them, and passes messages to them.

mod errors;
mod settle;
mod stop_workflows;
pub(crate) mod tables;
mod waking;

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use duroxide::{
    Client, ClientError, OrchestrationRegistry, OrchestrationStatus,
    providers::{InstanceFilter, Provider, PruneOptions},
    runtime::{Runtime as DuroxideRuntime, RuntimeOptions, registry::ActivityRegistry},
};
use duroxide_pg::{PostgresProvider, ProviderConfig};
use toygres_domain::{Error, OperationId, Result, operation::Operation};
use toygres_store::{NEWER_SCHEMA, Store};

use self::waking::Waking;
pub use self::{
    settle::{SettleOperation, Settled},
    stop_workflows::StopWorkflows,
};
use crate::{
    ActivityContext, Run, SlowChecks, Timing,
    health_check::{self, HealthCheckLoop},
    monitor_operation::{self, MonitorOperation},
    operations, registry,
    workflow::NUDGE,
};

/// The database schema of duroxide.
pub const SCHEMA: &str = "duroxide";

/// Settings of the engine's own connections. Its fetch is only fast as an index scan (on the index that [`Engine::connect`] adds),
/// but the planner prefers to sort the whole backlog. Measured: 20 to 44 workflows/s on 2 cores. Because the plan is always the
/// same, a generic plan is cached instead of planning each call (which reduces a fetch from 1.3 ms to 0.7 ms), and JIT is off. The
/// engine repeats lost work, so its commits need not wait for the disk: `docs/decisions/0005-commits-of-the-engine.md`.
const SETTINGS: &str = "-c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off -c enable_sort=off -c enable_seqscan=off \
                        -c plan_cache_mode=force_generic_plan -c jit=off -c synchronous_commit=off";

/// The concurrency and the poll interval of the engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// How often the engine looks for timers that are due, and for work that another server has enqueued. What this server has enqueued is
    /// begun at once.
    pub poll_interval: Duration,
    /// Concurrent workflow turns. All slots fetch the same turn, the oldest, and those that do not get it wait while they hold a
    /// lock that the first one needs next. With 4 slots these waits add up to 82 s per minute and with 2 to 11 s, for the same
    /// work.
    pub orchestration_slots: usize,
    /// Concurrent activities.
    pub activity_slots: usize,
    /// The time after which the work of a crashed server is taken over.
    pub lock_timeout: Duration,
}

impl EngineOptions {
    /// The permits of health checks that wait for an instance which does not answer.
    #[must_use]
    pub fn slow_checks(&self) -> Arc<SlowChecks> {
        Arc::new(SlowChecks::new(self.activity_slots))
    }
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { poll_interval: Duration::from_millis(100), orchestration_slots: 2, activity_slots: 8, lock_timeout: Duration::from_secs(15) }
    }
}

/// A handle to the engine; clones share it. Its calls fail with [`Error::Unavailable`] when the engine's database is unavailable.
#[derive(Clone)]
pub struct Engine {
    provider: Arc<Waking>,
    client: Client,
}

/// The status of a workflow in the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkflowStatus {
    /// Never started, or its start is still in the queue.
    Unknown,
    /// Started and not finished.
    Running,
    /// Finished, successfully or not.
    Ended,
}

/// The part of the engine that runs workflows in this server.
pub struct Worker {
    runtime: Arc<DuroxideRuntime>,
}

impl Engine {
    /// Connects to the engine's schema and brings it up to date.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is unavailable, [`Error::Internal`] when its schema is newer than this server.
    pub async fn connect(url: &str, store: &Store) -> Result<Self> {
        let separator = if url.contains('?') { '&' } else { '?' };
        let options = SETTINGS.replace(' ', "%20").replace('=', "%3D");
        let mut config = ProviderConfig::url(format!("{url}{separator}options={options}&application_name=toygres-workflows"));
        config.schema_name = Some(SCHEMA.to_owned());
        let provider = PostgresProvider::new_with_config(config).await.map_err(|error| {
            let text = format!("{error:#}");
            if errors::is_newer_schema(&text) {
                tracing::error!(cause = text, "the workflow engine refuses its schema");
                return Error::internal(format!("a newer release has migrated the workflow engine's schema: {NEWER_SCHEMA}"));
            }
            Error::Unavailable(text.into())
        })?;
        tables::ensure_index(store).await?;
        Ok(Self::on(Arc::new(provider)))
    }

    /// Creates an engine on any of duroxide's providers.
    #[must_use]
    pub fn on(provider: Arc<dyn Provider>) -> Self {
        let provider = Arc::new(Waking::new(provider));
        Self { client: Client::new(provider.clone()), provider }
    }

    /// Starts to run workflows in this server.
    ///
    /// # Errors
    /// [`Error::Internal`] when a workflow or activity is registered twice.
    pub async fn work(&self, context: &ActivityContext, options: EngineOptions) -> Result<Worker> {
        let (activities, orchestrations) = registry::all(context).map_err(Error::internal)?;
        Ok(self.work_with(activities, orchestrations, options).await)
    }

    /// Like [`Self::work`], with other registries, for tests.
    pub async fn work_with(&self, activities: ActivityRegistry, orchestrations: OrchestrationRegistry, options: EngineOptions) -> Worker {
        self.provider.poll_every(options.poll_interval);
        let options = RuntimeOptions {
            dispatcher_min_poll_interval: options.poll_interval,
            orchestration_concurrency: options.orchestration_slots,
            worker_concurrency: options.activity_slots,
            worker_lock_timeout: options.lock_timeout,
            worker_lock_renewal_buffer: options.lock_timeout / 2,
            activity_cancellation_grace_period: Duration::from_secs(5),
            // A crash of the server counts as an attempt, and an operation must survive many crashes.
            max_attempts: 1000,
            ..RuntimeOptions::default()
        };
        let runtime = DuroxideRuntime::start_with_options(self.provider.clone(), activities, orchestrations, options).await;
        Worker { runtime }
    }

    /// Starts the current run of an operation and its monitor. Idempotent.
    pub async fn start_operation(&self, operation: &Operation) -> Result<()> {
        self.start_monitor(&operation.id).await?;
        let workflow = operations::name(operation.kind());
        let run = Run { operation: operation.id.clone(), run: operation.run };
        self.client.start_orchestration_typed(&operation.engine_id(), workflow, &run).await.map_err(unavailable)
    }

    async fn start_monitor(&self, id: &OperationId) -> Result<()> {
        let monitor = MonitorOperation { operation: id.clone() };
        self.client.start_orchestration_typed(&id.monitor_id(), monitor_operation::NAME, &monitor).await.map_err(unavailable)
    }

    /// Starts the monitor of an operation if it is not running. Returns whether it was started. A finished monitor is deleted
    /// first, because the engine ignores a start with an id that exists.
    pub async fn ensure_monitor(&self, id: &OperationId) -> Result<bool> {
        let monitor = id.monitor_id();
        match self.client.get_orchestration_status(&monitor).await.map_err(unavailable)? {
            OrchestrationStatus::Running { .. } => return Ok(false),
            OrchestrationStatus::NotFound => {}
            OrchestrationStatus::Completed { .. } | OrchestrationStatus::Failed { .. } => {
                if let Err(error) = self.client.delete_instance(&monitor, false).await {
                    // Another sweeper may have started the next monitor concurrently. (Providers report this with different errors,
                    // so the status is checked instead.)
                    match self.status(&monitor).await? {
                        WorkflowStatus::Running => return Ok(false),
                        WorkflowStatus::Unknown => {}
                        // The end is in the history, but the row of the engine can still say that it is running if the database
                        // failed at that moment.
                        WorkflowStatus::Ended => {
                            tracing::warn!(%monitor, %error, "the engine keeps a monitor that has ended; it is deleted by force");
                            self.client.delete_instance(&monitor, true).await.map_err(unavailable)?;
                        }
                    }
                }
            }
        }
        self.start_monitor(id).await?;
        Ok(true)
    }

    /// Does what the operation's monitor does, for an operation whose monitor is stuck.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a database is unavailable.
    pub async fn settle(&self, store: &Store, timing: &Timing, id: &OperationId) -> Result<()> {
        match settle::settle(store, self, timing, id).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(Error::Unavailable(failure.reason().message.into())),
        }
    }

    /// The ids of all workflows that are not finished. One that is about to start, or between two executions, may be missing.
    pub async fn running(&self) -> Result<HashSet<String>> {
        Ok(self.client.list_instances_by_status("Running").await.map_err(unavailable)?.into_iter().collect())
    }

    /// The status of a workflow in the engine.
    pub async fn status(&self, workflow: &str) -> Result<WorkflowStatus> {
        Ok(match self.client.get_orchestration_status(workflow).await.map_err(unavailable)? {
            OrchestrationStatus::Running { .. } => WorkflowStatus::Running,
            OrchestrationStatus::NotFound => WorkflowStatus::Unknown,
            OrchestrationStatus::Completed { .. } | OrchestrationStatus::Failed { .. } => WorkflowStatus::Ended,
        })
    }

    /// The ids of all finished workflows.
    pub async fn ended(&self) -> Result<Vec<String>> {
        let mut ended = self.client.list_instances_by_status("Completed").await.map_err(unavailable)?;
        ended.extend(self.client.list_instances_by_status("Failed").await.map_err(unavailable)?);
        Ok(ended)
    }

    /// Deletes those of these workflows that finished before `before`, and returns their number. The caller ensures that their
    /// status is not needed any more: the engine reports a deleted workflow as not found.
    pub async fn forget(&self, workflows: Vec<String>, before: DateTime<Utc>) -> Result<u64> {
        let limit = u32::try_from(workflows.len()).ok();
        let before = u64::try_from(before.timestamp_millis()).ok();
        let filter = InstanceFilter { instance_ids: Some(workflows), completed_before: before, limit };
        Ok(self.client.delete_instance_bulk(filter).await.map_err(unavailable)?.instances_deleted)
    }

    /// Deletes the former executions of workflows that continued as new, and returns their number.
    pub async fn prune(&self, workflows: Vec<String>) -> Result<u64> {
        // The engine's default limit is 1,000 workflows, in no particular order.
        let limit = u32::try_from(workflows.len()).ok();
        let filter = InstanceFilter { instance_ids: Some(workflows), completed_before: None, limit };
        let options = PruneOptions { keep_last: Some(1), completed_before: None };
        Ok(self.client.prune_executions_bulk(filter, options).await.map_err(unavailable)?.executions_deleted)
    }

    /// The number of workflow turns and of activities that are due but not started.
    pub async fn queue_depths(&self) -> Result<(usize, usize)> {
        let depths = self.client.get_queue_depths().await.map_err(unavailable)?;
        Ok((depths.orchestrator_queue, depths.worker_queue))
    }

    /// Cancels a workflow.
    pub async fn cancel(&self, workflow: &str, why: &str) -> Result<()> {
        self.client.cancel_instance(workflow, why).await.map_err(unavailable)
    }

    /// Starts a health check loop. Idempotent.
    pub async fn start_health_check(&self, state: &HealthCheckLoop) -> Result<()> {
        self.client.start_orchestration_typed(&state.workflow, health_check::NAME, state).await.map_err(unavailable)
    }

    /// Wakes a workflow with a message. The message is lost if the workflow is not running, which is harmless.
    pub async fn nudge(&self, workflow: &str, payload: &str) -> Result<()> {
        self.client.enqueue_event(workflow, NUDGE, payload).await.map_err(unavailable)
    }

    /// Notifies the workflow of an operation that its row has changed.
    pub async fn nudge_operation(&self, id: &OperationId, run: i32) -> Result<()> {
        self.nudge(&id.engine_id(run), "").await
    }
}

impl Worker {
    /// Stops accepting work and waits up to `at_most` for running activities, which the shutdown token has cancelled.
    pub async fn stop(self, at_most: Duration) {
        self.runtime.shutdown(Some(u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX))).await;
    }
}

fn unavailable(error: ClientError) -> Error {
    Error::Unavailable(error.to_string().into())
}
