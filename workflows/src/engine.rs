//! The workflow engine: hosts the workflows on a duroxide runtime, starts them, and passes messages to them.

mod errors;
mod settle;
mod stop_workflows;
pub(crate) mod tables;

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use duroxide::{
    Client, ClientError, OrchestrationRegistry, OrchestrationStatus,
    providers::{InstanceFilter, Provider, PruneOptions},
    runtime::{Runtime as DuroxideRuntime, RuntimeOptions, registry::ActivityRegistry},
};
use duroxide_pg::{PostgresProvider, ProviderConfig};
use toygres_domain::{Error, OperationId, Result, operation::Operation};
use toygres_store::Store;

pub use self::{
    settle::{SettleOperation, Settled},
    stop_workflows::StopWorkflows,
};
use crate::{
    ActivityContext, Run, Timing,
    health_check::{self, HealthCheckLoop},
    monitor_operation::{self, MonitorOperation},
    operations, registry,
    workflow::NUDGE,
};

/// The schema of duroxide, beside the metadata's.
pub const SCHEMA: &str = "duroxide";

/// Settings of the engine's own connections. Its fetch is quick only as a walk along an index (with the index that
/// [`Engine::connect`] adds), and the planner prefers to sort the whole backlog. Measured: 20 to 44 workflows/s on 2 cores.
/// As the plan is always the same, it is made once and not for each call (a fetch of 1.3 ms takes 0.7 then), and never compiled.
/// The engine repeats what it lost, so its commits need not wait for the disk: `docs/decisions/0005-commits-of-the-engine.md`.
const SETTINGS: &str = "-c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off -c enable_sort=off -c enable_seqscan=off \
                        -c plan_cache_mode=force_generic_plan -c jit=off -c synchronous_commit=off";

/// How much the engine does at once, and how often it looks.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// How often an idle engine polls its queues. An activity costs about 1.3 times this as latency.
    pub poll_interval: Duration,
    /// Workflow turns at once. All slots fetch the same turn, the oldest, and those that come second wait for nothing while they
    /// hold a lock that the first needs next. With 4 these waits are 82 s a minute and with 2 they are 11, for the same work.
    pub orchestration_slots: usize,
    /// Activities at once.
    pub activity_slots: usize,
    /// After so long the work of a server that died is taken over.
    pub lock_timeout: Duration,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { poll_interval: Duration::from_millis(100), orchestration_slots: 2, activity_slots: 8, lock_timeout: Duration::from_secs(15) }
    }
}

/// A handle to the workflows; clones share it. Its calls fail with [`Error::Unavailable`] when the engine's database is away.
#[derive(Clone)]
pub struct Engine {
    provider: Arc<dyn Provider>,
    client: Client,
}

/// What the engine knows of a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkflowStatus {
    /// Never started, or its start is still in the queue.
    Unknown,
    /// Started and not ended.
    Running,
    /// Ended, well or badly.
    Ended,
}

/// The workflows at work in this server.
pub struct Worker {
    runtime: Arc<DuroxideRuntime>,
}

impl Engine {
    /// Connects to the engine's schema and brings it up to date.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away, [`Error::Internal`] when its schema is newer than this server.
    pub async fn connect(url: &str, store: &Store) -> Result<Self> {
        let separator = if url.contains('?') { '&' } else { '?' };
        let options = SETTINGS.replace(' ', "%20").replace('=', "%3D");
        let mut config = ProviderConfig::url(format!("{url}{separator}options={options}&application_name=toygres-workflows"));
        config.schema_name = Some(SCHEMA.to_owned());
        let provider = PostgresProvider::new_with_config(config).await.map_err(|error| {
            let text = format!("{error:#}");
            if errors::is_newer_schema(&text) { Error::internal(text) } else { Error::Unavailable(text.into()) }
        })?;
        tables::ensure_index(store).await?;
        Ok(Self::on(Arc::new(provider)))
    }

    /// The engine on any of duroxide's providers.
    #[must_use]
    pub fn on(provider: Arc<dyn Provider>) -> Self {
        Self { client: Client::new(provider.clone()), provider }
    }

    /// Puts this server to work.
    ///
    /// # Errors
    /// [`Error::Internal`] when a workflow or activity is registered twice.
    pub async fn work(&self, context: &ActivityContext, options: EngineOptions) -> Result<Worker> {
        let (activities, orchestrations) = registry::all(context).map_err(Error::internal)?;
        Ok(self.work_with(activities, orchestrations, options).await)
    }

    /// The same with registries that hold more, or other versions.
    pub async fn work_with(&self, activities: ActivityRegistry, orchestrations: OrchestrationRegistry, options: EngineOptions) -> Worker {
        let options = RuntimeOptions {
            dispatcher_min_poll_interval: options.poll_interval,
            orchestration_concurrency: options.orchestration_slots,
            worker_concurrency: options.activity_slots,
            worker_lock_timeout: options.lock_timeout,
            worker_lock_renewal_buffer: options.lock_timeout / 2,
            activity_cancellation_grace_period: Duration::from_secs(5),
            // A crash of the server counts as an attempt; an operation must outlive many.
            max_attempts: 1000,
            ..RuntimeOptions::default()
        };
        let runtime = DuroxideRuntime::start_with_options(self.provider.clone(), activities, orchestrations, options).await;
        Worker { runtime }
    }

    /// Starts the present run of an operation and its monitor. Repeating it does nothing.
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

    /// Sees to it that the operation has a live monitor. Returns whether it had none. One that has ended is forgotten first,
    /// because the engine ignores a start under an id that it knows.
    pub async fn ensure_monitor(&self, id: &OperationId) -> Result<bool> {
        let monitor = id.monitor_id();
        match self.client.get_orchestration_status(&monitor).await.map_err(unavailable)? {
            OrchestrationStatus::Running { .. } => return Ok(false),
            OrchestrationStatus::NotFound => {}
            OrchestrationStatus::Completed { .. } | OrchestrationStatus::Failed { .. } => {
                if let Err(error) = self.client.delete_instance(&monitor, false).await {
                    // Another sweeper may have been faster, and have started the next already. (Providers report that in
                    // different ways, so the state is asked for and not the error.)
                    match self.status(&monitor).await? {
                        WorkflowStatus::Running => return Ok(false),
                        WorkflowStatus::Unknown => {}
                        // The end is in its history, but a database that went away in that moment can have kept the engine's
                        // own row as running.
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

    /// Does at once what the operation's monitor does, for one whose monitor is stuck.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a database is away.
    pub async fn settle(&self, store: &Store, timing: &Timing, id: &OperationId) -> Result<()> {
        match settle::settle(store, self, timing, id).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(Error::Unavailable(failure.reason().message.into())),
        }
    }

    /// The ids of all workflows that have not ended. One that is about to start, or between two executions, may be missing.
    pub async fn running(&self) -> Result<HashSet<String>> {
        Ok(self.client.list_instances_by_status("Running").await.map_err(unavailable)?.into_iter().collect())
    }

    /// What the engine knows of a workflow.
    pub async fn status(&self, workflow: &str) -> Result<WorkflowStatus> {
        Ok(match self.client.get_orchestration_status(workflow).await.map_err(unavailable)? {
            OrchestrationStatus::Running { .. } => WorkflowStatus::Running,
            OrchestrationStatus::NotFound => WorkflowStatus::Unknown,
            OrchestrationStatus::Completed { .. } | OrchestrationStatus::Failed { .. } => WorkflowStatus::Ended,
        })
    }

    /// The ids of all workflows that have ended, well or badly.
    pub async fn ended(&self) -> Result<Vec<String>> {
        let mut ended = self.client.list_instances_by_status("Completed").await.map_err(unavailable)?;
        ended.extend(self.client.list_instances_by_status("Failed").await.map_err(unavailable)?);
        Ok(ended)
    }

    /// Forgets those of these workflows that ended before `before`. Returns how many. The caller makes sure that nobody asks
    /// for them any more: the engine says of a forgotten workflow that it never was.
    pub async fn forget(&self, workflows: Vec<String>, before: DateTime<Utc>) -> Result<u64> {
        let limit = u32::try_from(workflows.len()).ok();
        let before = u64::try_from(before.timestamp_millis()).ok();
        let filter = InstanceFilter { instance_ids: Some(workflows), completed_before: before, limit };
        Ok(self.client.delete_instance_bulk(filter).await.map_err(unavailable)?.instances_deleted)
    }

    /// Drops what living workflows left behind when they continued as new. Returns how many executions.
    pub async fn prune(&self, workflows: Vec<String>) -> Result<u64> {
        // Without a limit the engine takes 1,000, in no order.
        let limit = u32::try_from(workflows.len()).ok();
        let filter = InstanceFilter { instance_ids: Some(workflows), completed_before: None, limit };
        let options = PruneOptions { keep_last: Some(1), completed_before: None };
        Ok(self.client.prune_executions_bulk(filter, options).await.map_err(unavailable)?.executions_deleted)
    }

    /// How many workflow turns and activities are due and not yet taken up.
    pub async fn queue_depths(&self) -> Result<(usize, usize)> {
        let depths = self.client.get_queue_depths().await.map_err(unavailable)?;
        Ok((depths.orchestrator_queue, depths.worker_queue))
    }

    /// Ends a workflow that nobody needs.
    pub async fn cancel(&self, workflow: &str, why: &str) -> Result<()> {
        self.client.cancel_instance(workflow, why).await.map_err(unavailable)
    }

    /// Starts a health check loop. Repeating it does nothing.
    pub async fn start_health_check(&self, state: &HealthCheckLoop) -> Result<()> {
        self.client.start_orchestration_typed(&state.workflow, health_check::NAME, state).await.map_err(unavailable)
    }

    /// Sends "look again" to a workflow; one that does not run loses it, which does no harm.
    pub async fn nudge(&self, workflow: &str, payload: &str) -> Result<()> {
        self.client.enqueue_event(workflow, NUDGE, payload).await.map_err(unavailable)
    }

    /// Tells the workflow of an operation that its row has changed.
    pub async fn nudge_operation(&self, id: &OperationId, run: i32) -> Result<()> {
        self.nudge(&id.engine_id(run), "").await
    }
}

impl Worker {
    /// Stops taking work and waits a moment for what is under way; activities have been told by the shutdown token.
    pub async fn stop(self, at_most: Duration) {
        self.runtime.shutdown(Some(u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX))).await;
    }
}

fn unavailable(error: ClientError) -> Error {
    Error::Unavailable(error.to_string().into())
}
