//! The activities of operations that change the configuration of a running server: apply it, verify it, and revert it.
//!
//! What the server is to have is computed from the operation ([`Operation::target`]). The row of the instance keeps what the server had
//! until the operation has succeeded, so reverting is to deploy the row, whatever was done before and however often.

use serde::{Deserialize, Serialize};
use toygres_domain::{
    OperationId,
    instance::{Instance, Reason, ReasonCode},
    operation::{Operation, Params, Step, StepName},
    runtime::{Deployment, Observation, Progress, Restart as Request},
};
use toygres_store::Work;

use super::restart::shutdown_timeout;
use crate::{
    Failure,
    activities::{delete_postgres::in_time, deploy_postgres::deployment},
    activity::{Activity, ActivityContext, Run, catch_panic},
    configuration::{check_texts, configuration_status},
};

/// Gives the server the configuration that the operation wants.
pub(super) struct ApplyConfiguration;

/// What has to happen next.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Applied {
    /// Whether the server has to be restarted.
    pub(super) restart: bool,
    /// Whether the server is stopped, and stays so.
    #[serde(default)]
    pub(super) stopped: bool,
}

impl Activity for ApplyConfiguration {
    const NAME: &'static str = "toygres-workflows::activity::apply-configuration";
    type Input = Run;
    type Output = Applied;

    async fn run(context: ActivityContext, run: Run) -> Result<Applied, Failure> {
        let name = StepName::ApplyConfiguration;
        let work = context.wanted(&run).await?;
        refuse_when_reverting(&work.operation)?;
        if !ActivityContext::is_done(&work, name) {
            // From here on the operation can no longer be cancelled.
            let apply = async {
                if let Params::SetParameters(params) = &work.operation.params
                    && !work.operation.keeps_stopped()
                {
                    check_texts(&context, &work.instance, &params.changes).await?;
                }
                let _lock = context.store.lock_instance(work.instance.id).await?;
                // Checked again under the lock: after a deletion nothing may be deployed.
                let work = context.wanted(&run).await?;
                refuse_when_reverting(&work.operation)?;
                deploy_target(&context, &work).await
            };
            context.as_step(&run, name, apply).await?;
        }
        let (former, target) = (&work.instance.spec, work.operation.target(&work.instance.spec));
        let stopped = work.operation.keeps_stopped();
        Ok(Applied { restart: !stopped && target.parameters.needs_restart(former.postgres_version, &former.parameters), stopped })
    }
}

/// Asks the server whether it has the configuration that the operation wants.
pub(super) struct VerifyConfiguration;

impl Activity for VerifyConfiguration {
    const NAME: &'static str = "toygres-workflows::activity::verify-configuration";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let name = StepName::VerifyConfiguration;
        let work = context.wanted(&run).await?;
        refuse_when_reverting(&work.operation)?;
        if ActivityContext::is_done(&work, name) {
            return Ok(Progress::Done);
        }
        context.store.resume_step(&run.operation, run.run, name).await?;
        let target = work.operation.target(&work.instance.spec);
        let outcome = catch_panic(configuration_status(&context, &work.instance, &target.parameters)).await;
        match &outcome {
            Ok(Progress::Done) => context.store.finish_step(&run.operation, run.run, name).await?,
            Ok(Progress::InProgress(reason)) => context.note_waiting(&run, name, reason).await?,
            Err(failure) => context.note_failure(&run, name, failure).await?,
        }
        outcome
    }
}

/// Gives the server the configuration that it had before the operation, restarts it if the operation has, and waits until it is ready.
/// It also runs when the deadline of the operation has passed.
pub(super) struct RevertConfiguration;

impl Activity for RevertConfiguration {
    const NAME: &'static str = "toygres-workflows::activity::revert-configuration";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let name = StepName::RollBack;
        let work = context.store.work(&run.operation, run.run).await?;
        if ActivityContext::is_done(&work, name) || !has_changed_something(&work) {
            return Ok(Progress::Done);
        }
        // From here on the operation does not continue, whichever run of it there is.
        context.store.resume_step(&run.operation, run.run, name).await?;
        let outcome = in_time(&context, &work, catch_panic(revert(&context, &run)).await);
        match &outcome {
            Ok(Progress::Done) => context.store.finish_step(&run.operation, run.run, name).await?,
            // The instance keeps the reason of the failure, which matters more to its owner than how far this is.
            Ok(Progress::InProgress(reason)) => context.store.note_step(&run.operation, run.run, name, reason).await?,
            Err(failure) => context.fail_step(&run, name, failure).await?,
        }
        outcome
    }
}

/// The finding of the step once the former configuration is deployed.
const REVERTED: &str = "the server got its former configuration again";

async fn revert(context: &ActivityContext, run: &Run) -> Result<Progress, Failure> {
    let step = StepName::RollBack;
    let lock = context.store.lock_instance(context.store.work(&run.operation, run.run).await?.instance.id).await?;
    // Checked again under the lock: if a later operation has taken over, this run must not deploy anything.
    let Work { instance, operation } = context.store.work(&run.operation, run.run).await?;
    if operation.step(step).is_none_or(|step| step.findings.is_empty()) {
        deploy(context, instance.clone(), operation.keeps_stopped()).await?;
        if operation.has_begun(StepName::RestartPostgres) {
            // Another restart than that of the operation, which is done at most once.
            let request =
                Request { operation: OperationId::from_any(&format!("{}-revert", operation.id)), timeout: shutdown_timeout(&operation.params) };
            if let Progress::InProgress(reason) = context.verb(context.runtime.restart(instance.id, &request)).await? {
                return Ok(Progress::InProgress(reason));
            }
        }
        context.store.note_findings(&run.operation, run.run, step, &[REVERTED.to_owned()]).await?;
    }
    drop(lock);
    if operation.keeps_stopped() {
        return Ok(Progress::Done);
    }
    match context.verb(context.runtime.observe(instance.id)).await? {
        Observation::Ready(endpoint) => {
            let instance = Instance { endpoint: Some(endpoint), ..instance };
            let parameters = instance.spec.parameters.clone();
            configuration_status(context, &instance, &parameters).await
        }
        Observation::Pending(reason) => Ok(Progress::InProgress(reason)),
        Observation::Failed(reason) => Err(Failure::Failed(reason)),
        Observation::Absent => {
            context.store.note_findings(&run.operation, run.run, step, &[]).await?;
            Ok(Progress::InProgress(Reason::new(ReasonCode::Internal, "what was deployed has vanished; deploying it again")))
        }
    }
}

/// Deploys what the operation wants. The caller holds the lock of the instance.
pub(super) async fn deploy_target(context: &ActivityContext, work: &Work) -> Result<(), Failure> {
    let spec = work.operation.target(&work.instance.spec);
    deploy(context, Instance { spec, ..work.instance.clone() }, work.operation.keeps_stopped()).await
}

async fn deploy(context: &ActivityContext, instance: Instance, suspended: bool) -> Result<(), Failure> {
    let data = context.store.data(&instance).await?;
    let deployment = Deployment { suspended, ..deployment(context, instance, data).await? };
    context.verb(context.runtime.deploy(&deployment)).await
}

/// Whether the operation may have changed the configuration.
fn has_changed_something(work: &Work) -> bool {
    let Work { instance, operation } = work;
    let changes = operation.params.target(&instance.spec) != instance.spec;
    changes && [StepName::ApplyConfiguration, StepName::RestartPostgres].into_iter().any(|step| operation.has_begun(step))
}

/// Once it is being reverted, an operation fails, with the reason that it had first.
pub(super) fn refuse_when_reverting(operation: &Operation) -> Result<(), Failure> {
    if !operation.is_reverting() {
        return Ok(());
    }
    let is_forward = |step: &&Step| step.name != StepName::RollBack;
    let first = operation.steps.iter().filter(is_forward).find_map(|step| step.error.clone());
    Err(Failure::Failed(first.unwrap_or_else(|| Reason::new(ReasonCode::Internal, "the operation failed and was reverted"))))
}

/// Whether the server exits with the configuration that the operation has started it with: it is not waited for any longer.
pub(crate) fn does_not_start(work: &Work, reason: &Reason) -> bool {
    let is_started = [StepName::RestartPostgres, StepName::StartPostgres].into_iter().any(|step| ActivityContext::is_done(work, step));
    let exits = matches!(reason.code, ReasonCode::ProcessExited | ReasonCode::CrashLoop | ReasonCode::OutOfMemory);
    exits && is_started && work.operation.target(&work.instance.spec) != work.instance.spec
}
