//! RestoreInstance: has the data of a backup fetched and recovered, and makes an instance of it in the state `creating`, or removes it again
//! after a failure and records the reason.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::{
    instance::{Reason, ReasonCode},
    operation::{OperationKind, StepName},
    restoration::{Restoration, RestoreTarget},
    runtime::Progress,
};
use toygres_store::{Reached, Work};

use super::OperationWorkflow;
use crate::{
    Failure,
    activities::{
        DeletePostgres, DeployPostgres, delete_postgres,
        deploy_postgres::{deployment, target},
    },
    activity::{Activity, ActivityContext, Register as _, Run, catch_panic},
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct Restore;

impl OperationWorkflow for Restore {
    const KIND: OperationKind = OperationKind::Restore;
    const NAME: &'static str = "toygres-workflows::orchestration::restore-instance";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.until_done::<RestoreData>(run.run).await?;
        run.call::<DeployPostgres>(run.run).await?;
        run.reachable().await.map(Some)
    }

    /// Removes what there is. The activity gives up some time after the operation's deadline.
    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.until_done::<DeletePostgres>(&delete_postgres::Input { run: run.run.clone(), clean_up: true }).await
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<RestoreData>(context)
    }
}

fn restoration(work: &Work) -> Result<Restoration, Failure> {
    work.operation.params.clone().try_into().map_err(|_| Failure::incompatible())
}

/// Has the runtime fill the volume, and looks how far it is.
struct RestoreData;

impl Activity for RestoreData {
    const NAME: &'static str = "toygres-workflows::activity::restore-data";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let name = StepName::RestoreData;
        let work = context.wanted(&run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(Progress::Done);
        }
        context.store.resume_step(&run.operation, run.run, name).await?;
        let outcome = catch_panic(restore(&context, &run)).await;
        match &outcome {
            Ok(Progress::Done) => context.store.finish_step(&run.operation, run.run, name).await?,
            Ok(Progress::InProgress(reason)) => context.note_waiting(&run, name, reason).await?,
            Err(failure) => context.note_failure(&run, name, failure).await?,
        }
        outcome
    }
}

async fn restore(context: &ActivityContext, run: &Run) -> Result<Progress, Failure> {
    let instance = context.wanted(run).await?.instance.id;
    let _lock = context.store.lock_instance(instance).await?;
    // Checked again under the lock: if a deletion was faster, nothing may be restored after it.
    let work = context.wanted(run).await?;
    let restoration = restoration(&work)?;
    let archive = context.store.archives_of(&[restoration.source]).await?.remove(&restoration.source);
    let archive = archive.filter(|archive| archive.id == restoration.archive);
    if let RestoreTarget::Time(time) = restoration.target
        && archive.as_ref().is_some_and(|archive| archive.may_cover(time))
    {
        let message = format!("what was committed by {} is not archived yet", time.format("%Y-%m-%d %H:%M:%S%.3f UTC"));
        return Ok(Progress::InProgress(Reason::new(ReasonCode::StartingUp, message)));
    }
    let restoration = Restoration { known: archive.and_then(|archive| archive.known_coverage()), ..restoration };
    let data = context.store.data(&work.instance).await?;
    let deployment = deployment(context, target(work), data).await?;
    context.verb(context.runtime.restore(&deployment, &restoration)).await
}
