//! The upgrade of a suspended instance. Its server is started first, which lets nobody in but the platform, and stopped at the end, so that
//! everything in between is as for an instance that runs.

use serde::{Deserialize, Serialize};
use toygres_domain::{
    OperationId,
    drift::Expected,
    instance::Reason,
    operation::StepName,
    runtime::{Deployment, Progress, Suspension},
};
use toygres_store::Work;

use super::{SHUTDOWN_TIMEOUT, step, to_deploy, works};
use crate::{
    Failure,
    activities::deploy_postgres::deployment,
    activity::{Activity, ActivityContext, Run},
    backups::until_released,
    operations::reconfigure::refuse_when_reverting,
    repairs::expected,
};

/// Starts the server of a suspended instance without letting clients in, and logs in as a health check does.
pub(super) struct StartForUpgrade;

/// Whether a server had to be started, and how far that is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "progress", content = "reason")]
pub(super) enum Started {
    /// The instance is not suspended.
    NotNeeded,
    Done,
    InProgress(Reason),
}

impl Activity for StartForUpgrade {
    const NAME: &'static str = "toygres-workflows::activity::start-postgres-for-upgrade";
    type Input = Run;
    type Output = Started;

    async fn run(context: ActivityContext, run: Run) -> Result<Started, Failure> {
        if !context.wanted(&run).await?.operation.keeps_stopped() {
            return Ok(Started::NotNeeded);
        }
        let start = async {
            let lock = context.store.lock_instance(context.wanted(&run).await?.instance.id).await?;
            // Checked again under the lock: after a deletion, or a rollback, nothing may be started.
            let work = context.wanted(&run).await?;
            refuse_when_reverting(&work.operation)?;
            let deployment = Deployment { closed: true, ..to_deploy(&context, work.instance).await? };
            context.verb(context.runtime.deploy(&deployment)).await?;
            drop(lock);
            works(&context, &run).await
        };
        Ok(match step(&context, &run, StepName::StartPostgres, start).await? {
            Progress::Done => Started::Done,
            Progress::InProgress(reason) => Started::InProgress(reason),
        })
    }
}

/// Suspends again an instance that was suspended before.
pub(super) struct StopAfterUpgrade;

impl Activity for StopAfterUpgrade {
    const NAME: &'static str = "toygres-workflows::activity::stop-postgres-after-upgrade";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        step(&context, &run, StepName::StopPostgres, stop(&context, &run, false)).await
    }
}

/// Stops the server, and deploys the instance as its row says, which lets clients in once it is resumed, and removes the former data.
/// `revert`: after a failure, for which there is time after the deadline of the operation.
pub(super) async fn stop(context: &ActivityContext, run: &Run, revert: bool) -> Result<Progress, Failure> {
    let current = async || {
        if revert {
            return Ok::<_, Failure>(context.store.work(&run.operation, run.run).await?);
        }
        let work = context.wanted(run).await?;
        refuse_when_reverting(&work.operation)?;
        Ok(work)
    };
    let id = current().await?.instance.id;
    until_released(context, id).await?;
    let _lock = context.store.lock_instance(id).await?;
    // Checked again under the lock: after a later operation has taken over, nothing may be stopped.
    let Work { instance, operation } = current().await?;
    let (data, roles) = (context.store.data(&instance).await?, context.store.credentials(id).await?.roles());
    let expected = Expected { suspended: true, ..expected(&instance, &data, roles) };
    let which = if revert { "stop-back" } else { "stop" };
    let suspension = Suspension { operation: OperationId::from_any(&format!("{}-{which}", operation.id)), timeout: SHUTDOWN_TIMEOUT };
    if let Progress::InProgress(reason) = context.verb(context.runtime.suspend(&expected, &suspension)).await? {
        return Ok(Progress::InProgress(reason));
    }
    let deployment = Deployment { suspended: true, ..deployment(context, instance, data).await? };
    context.verb(context.runtime.deploy(&deployment)).await?;
    Ok(Progress::Done)
}
