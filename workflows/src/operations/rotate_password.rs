//! RotatePassword: sets the new password, which is sealed in the metadata since the operation was accepted, and logs in with it. The write of
//! the success makes it the stored one.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::{
    instance::Reason,
    operation::{OperationKind, StepName, rotate_password},
    scram,
    secret::Secret,
};
use toygres_postgres::{Target, passwords};
use toygres_store::{Reached, Work};

use super::OperationWorkflow;
use crate::{
    Failure,
    activities::generate_connection_string::{Input, insist},
    activity::{Activity, ActivityContext, Register as _, Run},
    administration::TIMEOUT,
    certificates::identity,
    workflow::{OperationRun, nudged},
};

/// The workflow.
pub(crate) struct RotatePassword;

impl OperationWorkflow for RotatePassword {
    const KIND: OperationKind = OperationKind::RotatePassword;
    const NAME: &'static str = "toygres-workflows::orchestration::rotate-password";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        loop {
            let input = Input { run: run.run.clone(), endpoint: run.ready().await? };
            if run.call::<SetPassword>(&input).await? && run.call::<ConfirmPassword>(&input).await? {
                return Ok(None);
            }
            nudged(run.ctx, run.timing.poll_interval.0).await;
        }
    }

    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.call::<RestorePassword>(run.run).await
    }

    fn uncompensated(reason: &Reason) -> String {
        format!(
            "putting the former password back failed too ({}): the next health check finds out which of both is in use, and keeps it",
            reason.message
        )
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<SetPassword>(context).activity::<ConfirmPassword>(context).activity::<RestorePassword>(context)
    }
}

/// Sets the verifier of the new password.
struct SetPassword;

impl Activity for SetPassword {
    const NAME: &'static str = "toygres-workflows::activity::set-password";
    type Input = Input;
    /// Whether it was set; otherwise the instance is not ready at this endpoint any more.
    type Output = bool;

    async fn run(context: ActivityContext, Input { run, endpoint }: Input) -> Result<bool, Failure> {
        let name = StepName::SetPassword;
        let work = context.wanted(&run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(true);
        }
        let id = work.instance.id;
        // From here on the rotation can no longer be cancelled.
        let set = context.as_step(&run, name, async {
            let _lock = context.store.lock_instance(id).await?;
            // Checked again under the lock: after the end of the operation nothing may be set.
            let work = context.wanted(&run).await?;
            let role = &work.instance.spec.username;
            let (superuser, new) = (context.superuser(&work, &endpoint).await?, context.store.pending_password(id).await?);
            let former = insist(|| passwords::verifier(&superuser, role, TIMEOUT)).await?;
            if !is_verifier_of(&former, &new).await? {
                context.store.keep_former_verifier(&run.operation, run.run, &former).await?;
                let verifier = Secret::new(scram::verifier(&new));
                insist(|| passwords::set_verifier(&superuser, role, &verifier, TIMEOUT)).await?;
            }
            Ok(context.store.note_pending_password(&run.operation, run.run, true).await?)
        });
        context.done_at(id, &endpoint, set.await).await
    }
}

/// Logs in with the new password.
struct ConfirmPassword;

impl Activity for ConfirmPassword {
    const NAME: &'static str = "toygres-workflows::activity::confirm-password";
    type Input = Input;
    /// As that of [`SetPassword`].
    type Output = bool;

    async fn run(context: ActivityContext, Input { run, endpoint }: Input) -> Result<bool, Failure> {
        let name = StepName::ConfirmPassword;
        let work = context.wanted(&run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(true);
        }
        let (id, spec) = (work.instance.id, &work.instance.spec);
        let confirmed = context.as_step(&run, name, async {
            let params: rotate_password::Params = work.operation.params.clone().try_into().map_err(|_| Failure::incompatible())?;
            let (new, identity) = (context.store.pending_password(id).await?, identity(&context, id).await?);
            let owner = Target::of_owner(context.internal_endpoint(&work, &endpoint), spec, new).verifying(identity);
            insist(|| passwords::confirm(&owner, TIMEOUT)).await?;
            if params.terminate_sessions {
                let superuser = context.superuser(&work, &endpoint).await?;
                let ended = insist(|| passwords::end_sessions(&superuser, &spec.username, TIMEOUT)).await?;
                context.store.note_findings(&run.operation, run.run, name, &[format!("sessions ended: {ended}")]).await?;
            }
            Ok(())
        });
        context.done_at(id, &endpoint, confirmed.await).await
    }
}

/// Puts back what the owner's role had before, if it has the new password. Also after a cancellation and after the deadline.
struct RestorePassword;

impl Activity for RestorePassword {
    const NAME: &'static str = "toygres-workflows::activity::restore-password";
    type Input = Run;
    type Output = ();

    async fn run(context: ActivityContext, run: Run) -> Result<(), Failure> {
        let name = StepName::RestorePassword;
        let work = context.store.work(&run.operation, run.run).await?;
        if !work.operation.has_begun(StepName::SetPassword) {
            return Ok(());
        }
        context.as_compensation(&run, name, &work, restore(&context, &run, &work)).await
    }
}

async fn restore(context: &ActivityContext, run: &Run, work: &Work) -> Result<(), Failure> {
    let (id, role) = (work.instance.id, &work.instance.spec.username);
    let _lock = context.store.lock_instance(id).await?;
    // Checked again under the lock: a later operation or run is not interfered with.
    context.store.work(&run.operation, run.run).await?;
    // Without it nothing was set.
    if let Some(former) = context.store.former_verifier(id).await? {
        let superuser = context.superuser(work, &context.endpoint_now(id).await?).await?;
        let now = insist(|| passwords::verifier(&superuser, role, TIMEOUT)).await?;
        if is_verifier_of(&now, &context.store.pending_password(id).await?).await? {
            insist(|| passwords::set_verifier(&superuser, role, &former, TIMEOUT)).await?;
        }
    }
    Ok(context.store.note_pending_password(&run.operation, run.run, false).await?)
}

/// It takes milliseconds of computation, or more if the owner has chosen so.
async fn is_verifier_of(verifier: &Secret, password: &Secret) -> Result<bool, Failure> {
    let (verifier, password) = (verifier.clone(), password.clone());
    tokio::task::spawn_blocking(move || scram::is_verifier_of(verifier.expose(), &password)).await.map_err(|_| Failure::unexpected())
}
