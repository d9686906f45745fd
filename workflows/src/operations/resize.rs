//! ResizeInstance: gives an instance another size, waits until it is ready, and logs in. The row has the former size until the success is
//! written, so it is what a failure, or a repair after a crash, puts back. A volume that has grown stays so, and the row then says its
//! size.

use std::time::Duration;

use duroxide::runtime::registry::ActivityRegistryBuilder;
use serde::{Deserialize, Serialize};
use toygres_domain::{
    OperationId,
    instance::{Endpoint, Instance, InstanceSpec, Reason, ReasonCode},
    operation::{OperationKind, StepName},
    runtime::{Deployment, Observation, Progress, Restart},
};
use toygres_postgres::Target;
use toygres_store::{Reached, Work};

use super::{OperationWorkflow, reconfigure::refuse_when_reverting};
use crate::{
    Failure,
    activities::deploy_postgres::{deployment, target},
    activity::{Activity, ActivityContext, Register as _, Run, catch_panic},
    backups::until_released,
    certificates::identity,
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct Resize;

impl OperationWorkflow for Resize {
    const KIND: OperationKind = OperationKind::Resize;
    const NAME: &'static str = "toygres-workflows::orchestration::resize-instance";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        let mut pauses = run.pauses();
        loop {
            match run.call::<ResizePostgres>(run.run).await? {
                Resized::Done => break,
                Resized::Stopped => return Ok(None),
                Resized::InProgress(_) => pauses.wait().await,
            }
        }
        let reached = run.reachable().await?;
        run.until_done::<LoadConfiguration>(&LoadInput { run: run.run.clone(), endpoint: reached.endpoint.clone() }).await?;
        Ok(Some(reached))
    }

    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.until_done::<RollBack>(run.run).await
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<ResizePostgres>(context).activity::<LoadConfiguration>(context).activity::<RollBack>(context)
    }
}

/// How long the server may take to shut down gracefully, if it has to be restarted.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(60);

/// Requests the new size from the runtime, repeated until the instance has it, or is about to be started with it.
struct ResizePostgres;

/// How far a resize is: [`Progress`], of an instance whose server may stay stopped.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "progress", content = "reason")]
enum Resized {
    Done,
    /// It is done, and there is no server to wait for.
    Stopped,
    InProgress(Reason),
}

impl Activity for ResizePostgres {
    const NAME: &'static str = "toygres-workflows::activity::resize-postgres";
    type Input = Run;
    type Output = Resized;

    async fn run(context: ActivityContext, run: Run) -> Result<Resized, Failure> {
        let name = StepName::ResizePostgres;
        let work = context.wanted(&run).await?;
        refuse_when_reverting(&work.operation)?;
        let done = if work.operation.keeps_stopped() { Resized::Stopped } else { Resized::Done };
        if ActivityContext::is_done(&work, name) {
            return Ok(done);
        }
        // From here on the resize can no longer be cancelled.
        context.store.resume_step(&run.operation, run.run, name).await?;
        let outcome = catch_panic(async {
            until_released(&context, work.instance.id).await?;
            let _lock = context.store.lock_instance(work.instance.id).await?;
            // Checked again under the lock: after a deletion, or a rollback, nothing may be changed.
            let work = context.wanted(&run).await?;
            refuse_when_reverting(&work.operation)?;
            let suspended = work.operation.keeps_stopped();
            resize(&context, target(work), suspended, run.operation.clone()).await
        })
        .await;
        match outcome {
            Ok(Progress::Done) => {
                context.store.finish_step(&run.operation, run.run, name).await?;
                Ok(done)
            }
            Ok(Progress::InProgress(reason)) => {
                context.note_waiting(&run, name, &reason).await?;
                Ok(Resized::InProgress(reason))
            }
            Err(failure) => {
                context.note_failure(&run, name, &failure).await?;
                Err(failure)
            }
        }
    }
}

/// How long a server may take to read its configuration: a file that is mounted into a pod follows within a minute and a half. After that
/// it does at its next start, which is no reason to put back what else it has.
const READ_WITHIN: Duration = Duration::from_secs(180);
/// How long asking the server may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits until the server has read the settings that follow from its size, which it needs no restart for.
struct LoadConfiguration;

/// The input of [`LoadConfiguration`]: the endpoint that the runtime reported.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LoadInput {
    run: Run,
    endpoint: Endpoint,
}

impl Activity for LoadConfiguration {
    const NAME: &'static str = "toygres-workflows::activity::load-configuration";
    type Input = LoadInput;
    type Output = Progress;

    async fn run(context: ActivityContext, LoadInput { run, endpoint }: LoadInput) -> Result<Progress, Failure> {
        let name = StepName::LoadConfiguration;
        let work = context.wanted(&run).await?;
        let began = work.operation.step(name).and_then(|step| step.started_at);
        let id = work.instance.id;
        let instance = target(work);
        let spec = &instance.spec;
        let settings = context.runtime.size_settings(spec);
        context.store.resume_step(&run.operation, run.run, name).await?;
        let ask = async {
            if settings.is_empty() {
                return Ok(true);
            }
            let endpoint = context.runtime.internal_endpoint(&instance.address(), &endpoint);
            let (credentials, identity) = (context.store.credentials(id).await?, identity(&context, id).await?);
            let target = Target::of_checks(endpoint, spec, credentials).verifying(identity);
            toygres_postgres::has_sizes(&target, &settings, ASK_TIMEOUT).await.map_err(Failure::Retry)
        };
        match catch_panic(ask).await {
            Ok(true) => {}
            Ok(false) | Err(Failure::Retry(_)) if began.is_some_and(|began| context.store.now() > began + READ_WITHIN) => {
                let names: Vec<_> = settings.iter().map(|(name, size)| format!("{name} = {size}")).collect();
                let finding = format!("the server has not read {} yet; it does at its next start", names.join(", "));
                context.store.note_findings(&run.operation, run.run, name, &[finding]).await?;
            }
            Ok(false) => {
                let reason = Reason::new(ReasonCode::StartingUp, "the server has not read its new configuration yet");
                context.note_waiting(&run, name, &reason).await?;
                return Ok(Progress::InProgress(reason));
            }
            Err(failure) => {
                context.note_failure(&run, name, &failure).await?;
                return Err(failure);
            }
        }
        context.store.finish_step(&run.operation, run.run, name).await?;
        Ok(Progress::Done)
    }
}

/// Puts back the former size, repeated until the instance runs with it again. It also runs after the deadline, and has its own time limit.
struct RollBack;

impl Activity for RollBack {
    const NAME: &'static str = "toygres-workflows::activity::roll-back";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let name = StepName::RollBack;
        let work = context.store.work(&run.operation, run.run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(Progress::Done);
        }
        let is_untouched = !work.operation.has_begun(StepName::ResizePostgres);
        // From here on nothing leads forward any more.
        context.store.resume_step(&run.operation, run.run, name).await?;
        let outcome = if is_untouched { Ok(Progress::Done) } else { catch_panic(roll_back(&context, &run)).await };
        let outcome = match outcome {
            Ok(Progress::InProgress(reason)) | Err(Failure::Retry(reason)) if context.clean_up_is_over(&work) => Err(Failure::Failed(reason)),
            other => other,
        };
        match &outcome {
            Ok(Progress::Done) => context.store.finish_step(&run.operation, run.run, name).await?,
            // The instance keeps the reason of the failure.
            Ok(Progress::InProgress(reason)) => context.store.note_step(&run.operation, run.run, name, reason).await?,
            Err(failure) => context.fail_step(&run, name, failure).await?,
        }
        outcome
    }
}

async fn roll_back(context: &ActivityContext, run: &Run) -> Result<Progress, Failure> {
    let Work { instance, operation } = context.store.work(&run.operation, run.run).await?;
    let (id, suspended) = (instance.id, operation.keeps_stopped());
    let progress = {
        let _lock = context.store.lock_instance(id).await?;
        // Under the lock: after a deletion nothing may be changed.
        let instance = context.store.work(&run.operation, run.run).await?.instance;
        let storage_gb = context.verb(context.runtime.volume_gb(id)).await?.unwrap_or(0).max(instance.spec.storage_gb);
        context.store.record_volume_size(&run.operation, run.run, storage_gb).await?;
        let former = Instance { spec: InstanceSpec { storage_gb, ..instance.spec }, ..instance };
        resize(context, former, suspended, OperationId::from_any(&format!("{}-back", run.operation))).await?
    };
    if progress != Progress::Done || suspended {
        return Ok(progress);
    }
    Ok(match context.verb(context.runtime.observe(id)).await? {
        // A server that is down for this was so before the operation, which may have been meant to help.
        Observation::Pending(reason) if !matches!(reason.code, ReasonCode::CrashLoop | ReasonCode::DiskFull) => Progress::InProgress(reason),
        Observation::Pending(_) | Observation::Ready(_) | Observation::Failed(_) | Observation::Absent => Progress::Done,
    })
}

async fn resize(context: &ActivityContext, instance: Instance, suspended: bool, operation: OperationId) -> Result<Progress, Failure> {
    let data = context.store.data(&instance).await?;
    let deployment = Deployment { suspended, ..deployment(context, instance, data).await? };
    let restart = Restart { operation, timeout: SHUTDOWN_TIMEOUT };
    context.verb(context.runtime.resize(&deployment, &restart)).await
}
