//! StopPostgres: stops the server of an instance and keeps it stopped, to suspend it, or to revert its failed resumption.

use serde::{Deserialize, Serialize};
use toygres_domain::{
    drift::Expected,
    operation::{Params, StepName, suspend},
    runtime::{Deployment, Progress, Suspension},
};
use toygres_store::Work;

use super::{delete_postgres::in_time, deploy_postgres::deployment};
use crate::{
    Failure,
    activity::{Activity, ActivityContext, Run, catch_panic},
    backups::until_released,
    repairs::expected,
};

/// The activity. It is called again until the server has stopped.
pub struct StopPostgres;

/// The input of the activity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The run that stops the server.
    pub run: Run,
    /// Whether this reverts a failure, for which there is time after the deadline of the operation.
    pub revert: bool,
}

impl Activity for StopPostgres {
    const NAME: &'static str = "toygres-workflows::activity::stop-postgres";
    type Input = Input;
    type Output = Progress;

    async fn run(context: ActivityContext, Input { run, revert }: Input) -> Result<Progress, Failure> {
        let name = StepName::StopPostgres;
        let work = if revert { context.store.work(&run.operation, run.run).await? } else { context.wanted(&run).await? };
        if !revert && ActivityContext::is_done(&work, name) {
            return Ok(Progress::Done);
        }
        // From here on a suspension can no longer be cancelled.
        context.store.resume_step(&run.operation, run.run, name).await?;
        let outcome = catch_panic(stop(&context, &run, revert)).await;
        let outcome = if revert { in_time(&context, &work, outcome) } else { outcome };
        match &outcome {
            Ok(Progress::Done) => context.store.finish_step(&run.operation, run.run, name).await?,
            // The instance keeps the reason of the failure.
            Ok(Progress::InProgress(reason)) if revert => context.store.note_step(&run.operation, run.run, name, reason).await?,
            Ok(Progress::InProgress(reason)) => context.note_waiting(&run, name, reason).await?,
            Err(failure) if revert => context.fail_step(&run, name, failure).await?,
            Err(failure) => context.note_failure(&run, name, failure).await?,
        }
        outcome
    }
}

async fn stop(context: &ActivityContext, run: &Run, revert: bool) -> Result<Progress, Failure> {
    let id = context.store.work(&run.operation, run.run).await?.instance.id;
    until_released(context, id).await?;
    let _lock = context.store.lock_instance(id).await?;
    // Checked again under the lock: after a later operation has taken over, nothing may be stopped.
    let Work { operation, instance } = if revert { context.store.work(&run.operation, run.run).await? } else { context.wanted(run).await? };
    let params = match &operation.params {
        Params::Suspend(params) => params.clone(),
        _ => suspend::Params { timeout_seconds: suspend::Params::DEFAULT_TIMEOUT_SECONDS, idle_minutes: None },
    };
    let (data, roles) = (context.store.data(&instance).await?, context.store.credentials(id).await?.roles());
    if revert && operation.params.target(&instance.spec) != instance.spec {
        // Parameters that waited for a restart wait again.
        let deployment = Deployment { suspended: true, ..deployment(context, instance.clone(), data.clone()).await? };
        context.verb(context.runtime.deploy(&deployment)).await?;
    }
    let expected = Expected { suspended: true, ..expected(&instance, &data, roles) };
    let suspension = Suspension { operation: run.operation.clone(), timeout: params.timeout() };
    context.verb(context.runtime.suspend(&expected, &suspension)).await
}
