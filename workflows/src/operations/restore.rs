//! RestoreInstance: has the data of a backup fetched, or that of another instance copied, and recovered, and makes an instance of it in the
//! state `creating`, or removes it again after a failure and records the reason.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::{
    InstanceId,
    backup::Backup,
    instance::{InstanceState, Reason, ReasonCode},
    operation::{OperationKind, StepName},
    restoration::{DataSource, Restoration, RestoreTarget},
    runtime::{CopyProgress, CopySource, Deployment, Progress},
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
    certificates::identity,
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
    let source: DataSource = work.operation.params.clone().try_into().map_err(|_| Failure::incompatible())?;
    match source {
        DataSource::Archive(restoration) => from_archive(context, work, restoration).await,
        DataSource::Instance { source, method: _ } => from_instance(context, run, work, source).await,
    }
}

async fn from_archive(context: &ActivityContext, work: Work, restoration: Restoration) -> Result<Progress, Failure> {
    let archive = context.store.archive(restoration.archive).await?;
    if let RestoreTarget::Time(time) = restoration.target
        && archive.as_ref().is_some_and(|archive| archive.may_cover(time))
    {
        let message = format!("what was committed by {} is not archived yet", time.format("%Y-%m-%d %H:%M:%S%.3f UTC"));
        return Ok(Progress::InProgress(Reason::new(ReasonCode::StartingUp, message)));
    }
    let backups = context.store.backups_in(restoration.archive).await?;
    let avoid = backups.into_iter().filter(Backup::is_unusable).filter_map(|backup| backup.object).collect();
    let restoration = Restoration { known: archive.and_then(|archive| archive.known_coverage()), avoid, ..restoration };
    let deployment = to_deploy(context, work).await?;
    context.verb(context.runtime.restore(&deployment, &restoration)).await
}

async fn from_instance(context: &ActivityContext, run: &Run, work: Work, source: InstanceId) -> Result<Progress, Failure> {
    let refuse = |message: &str| Err(Failure::Failed(Reason::new(ReasonCode::NotRestorable, message)));
    let state = context.store.instance(source).await?.map(|source| source.state);
    if state.is_none_or(|state| matches!(state, InstanceState::Deleting | InstanceState::Deleted)) {
        return refuse("the source was deleted: restore it from its archive, if it has one");
    }
    let Some(platform) = context.store.credentials(source).await?.platform else {
        return refuse("the source was created by an earlier release, and has no roles of the platform");
    };
    let source = CopySource { id: source, platform, identity: identity(context, source).await? };
    let deployment = to_deploy(context, work).await?;
    Ok(match context.verb(context.runtime.copy(&deployment, &source)).await? {
        CopyProgress::InProgress(reason) => Progress::InProgress(reason),
        CopyProgress::Done(method) => {
            context.store.note_restore_method(&run.operation, run.run, method).await?;
            Progress::Done
        }
    })
}

async fn to_deploy(context: &ActivityContext, work: Work) -> Result<Deployment, Failure> {
    let data = context.store.data(&work.instance).await?;
    deployment(context, target(work), data).await
}
