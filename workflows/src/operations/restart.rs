//! RestartInstance: stops the server of a running instance, starts it again, and logs in. Parameters that wait for a restart take effect;
//! if the server does not come back with them, it gets its former configuration again.

use std::time::Duration;

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::{
    operation::{OperationKind, Params, StepName, restart},
    runtime::{Progress, Restart as Request},
};
use toygres_store::Reached;

use super::{
    OperationWorkflow,
    reconfigure::{RevertConfiguration, deploy_target, refuse_when_reverting},
};
use crate::{
    Failure,
    activity::{Activity, ActivityContext, Register as _, Run, catch_panic},
    backups::until_released,
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct Restart;

impl OperationWorkflow for Restart {
    const KIND: OperationKind = OperationKind::Restart;
    const NAME: &'static str = "toygres-workflows::orchestration::restart-instance";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.until_done::<RestartPostgres>(run.run).await?;
        run.reachable().await.map(Some)
    }

    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.until_done::<RevertConfiguration>(run.run).await
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<RestartPostgres>(context)
    }
}

/// Requests the restart from the runtime, repeated until the former server has stopped.
pub(super) struct RestartPostgres;

impl Activity for RestartPostgres {
    const NAME: &'static str = "toygres-workflows::activity::restart-postgres";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let name = StepName::RestartPostgres;
        let work = context.wanted(&run).await?;
        refuse_when_reverting(&work.operation)?;
        if ActivityContext::is_done(&work, name) {
            return Ok(Progress::Done);
        }
        // From here on the restart can no longer be cancelled.
        context.store.resume_step(&run.operation, run.run, name).await?;
        let outcome = catch_panic(async {
            until_released(&context, work.instance.id).await?;
            let _lock = context.store.lock_instance(work.instance.id).await?;
            // Checked again under the lock: after a deletion nothing may be started.
            let work = context.wanted(&run).await?;
            refuse_when_reverting(&work.operation)?;
            if !work.instance.spec.parameters.pending.is_empty() {
                deploy_target(&context, &work).await?;
            }
            let request = Request { operation: run.operation.clone(), timeout: shutdown_timeout(&work.operation.params) };
            context.verb(context.runtime.restart(work.instance.id, &request)).await
        })
        .await;
        match &outcome {
            Ok(Progress::Done) => context.store.finish_step(&run.operation, run.run, name).await?,
            Ok(Progress::InProgress(reason)) => context.note_waiting(&run, name, reason).await?,
            Err(failure) => context.note_failure(&run, name, failure).await?,
        }
        outcome
    }
}

/// How long the server may take to shut down gracefully.
pub(super) fn shutdown_timeout(params: &Params) -> Duration {
    let default = restart::Params { timeout_seconds: restart::Params::DEFAULT_TIMEOUT_SECONDS };
    match params {
        Params::Restart(params) => params.timeout(),
        _ => default.timeout(),
    }
}
