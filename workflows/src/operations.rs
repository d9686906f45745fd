//! The workflows that carry out operations: one file per kind, and one list from which dispatch, registration, versions and
//! tests follow.
//!
//! Each file has the steps of the operation in order, and their compensation. The common part is here: the outcome is written to
//! the metadata, a failure is compensated before that, and an operation that must not fail is retried.

use duroxide::{
    OrchestrationContext,
    runtime::registry::{ActivityRegistryBuilder, OrchestrationRegistryBuilder},
};
use toygres_domain::{
    instance::Reason,
    operation::{InstanceAfter, OnFailure, OperationKind},
};
use toygres_store::{Outcome, Reached};

use crate::{
    Failure, Timing,
    activities::{UpdateMetadata, update_metadata},
    activity::{ActivityContext, Run},
    health_check,
    registry::workflow,
    workflow::{OperationRun, call, encode, nudged},
};

/// A workflow that carries out one kind of operation.
pub(crate) trait OperationWorkflow: 'static {
    /// The kind.
    const KIND: OperationKind;
    /// The name of the workflow in the engine.
    const NAME: &'static str;
    /// Every version, the oldest first: see [`crate::registry`].
    const VERSIONS: &'static [&'static str] = &["1.0.0"];
    /// The version that is started.
    const VERSION: &'static str = "1.0.0";

    /// The steps, in order. Returns how clients connect if the operation has determined it.
    fn provision(run: &OperationRun<'_>) -> impl Future<Output = Result<Option<Reached>, Failure>> + Send;

    /// The compensation: reverts the steps after one of them failed.
    fn compensate(_: &OperationRun<'_>) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// What to say when that failed too, after the reason of the failure.
    fn uncompensated(reason: &Reason) -> String {
        match Self::KIND.policy().failure {
            OnFailure::End(InstanceAfter::Former) => format!("putting back what ran before failed too ({})", reason.message),
            _ => format!("cleaning up failed too ({}), so delete the instance", reason.message),
        }
    }

    /// Registers the activities that no other workflow calls.
    fn activities(builder: ActivityRegistryBuilder, _: &ActivityContext) -> ActivityRegistryBuilder {
        builder
    }
}

mod reconfigure;

pub(crate) use create_backup::in_progress as backup_in_progress;
pub(crate) use reconfigure::does_not_start;

/// Declares the workflows. Each is a module with a type that is named like the kind and implements [`OperationWorkflow`].
macro_rules! operations {
    ($($module:ident::$kind:ident),* $(,)?) => {
        $(mod $module;)*

        /// The engine's name of the workflow that carries out this kind of operation.
        #[must_use]
        pub fn name(kind: OperationKind) -> &'static str {
            match kind { $(OperationKind::$kind => $module::$kind::NAME),* }
        }

        /// The name and the version of each workflow that is started.
        pub(crate) const CURRENT: &[(&str, &str)] = &[$(($module::$kind::NAME, $module::$kind::VERSION)),*];

        /// Adds every version of each workflow, the oldest first.
        pub(crate) fn register(mut builder: OrchestrationRegistryBuilder, timing: Timing) -> OrchestrationRegistryBuilder {
            $(
                for version in $module::$kind::VERSIONS {
                    builder = builder.register_versioned($module::$kind::NAME, *version, workflow(timing, carry_out::<$module::$kind>));
                }
            )*
            builder
        }

        /// Adds the activities that belong to one kind of operation.
        pub(crate) fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
            $(let builder = $module::$kind::activities(builder, context);)*
            builder
        }
    };
}

operations! {
    create::Create,
    delete::Delete,
    restart::Restart,
    repair::Repair,
    suspend::Suspend,
    resume::Resume,
    resize::Resize,
    set_parameters::SetParameters,
    rotate_password::RotatePassword,
    create_database_user::CreateDatabaseUser,
    drop_database_user::DropDatabaseUser,
    create_database::CreateDatabase,
    drop_database::DropDatabase,
    create_backup::CreateBackup,
    restore::Restore,
    upgrade::Upgrade,
}

/// Carries out one run of an operation.
///
/// # Errors
/// Only when the outcome cannot be written to the metadata; the monitor then starts the next run.
pub(crate) async fn carry_out<W: OperationWorkflow>(ctx: OrchestrationContext, run: Run, timing: Timing) -> Result<String, String> {
    let this = OperationRun { ctx: &ctx, run: &run, timing: &timing };
    let ended = loop {
        let failure = match W::provision(&this).await {
            Ok(reached) => break this.finish(Outcome::Succeeded(reached)).await,
            Err(failure) => failure,
        };
        match W::KIND.policy().failure {
            // The successor also cleans up: a deletion removes everything, and a later run continues with what exists.
            _ if failure == Failure::Superseded => break Err(failure),
            OnFailure::KeepTrying => {
                nudged(&ctx, timing.keep_trying).await;
            }
            OnFailure::End(_) => break this.fail::<W>(failure).await,
        }
    };
    match ended {
        Ok(()) => Ok("finished".to_owned()),
        Err(Failure::Superseded) => Ok("superseded".to_owned()),
        Err(failure) => Err(failure.encode()),
    }
}

impl OperationRun<'_> {
    /// Writes the outcome of the operation, and starts the health check of an instance that is now running.
    async fn finish(&self, outcome: Outcome) -> Result<(), Failure> {
        let input = update_metadata::Input { run: self.run.clone(), outcome };
        let started = call::<UpdateMetadata>(self.ctx, &input, self.timing.metadata).await?;
        if let Some(health_check) = started.health_check {
            // Detached. Its id was stored with the state, so the sweeper starts it if this start is lost.
            self.ctx.schedule_orchestration(health_check::NAME, health_check.workflow.clone(), encode(&health_check)?);
        }
        Ok(())
    }

    /// Compensates the operation, and writes why it failed. The reason includes what could not be reverted in time.
    async fn fail<W: OperationWorkflow>(&self, failure: Failure) -> Result<(), Failure> {
        let mut reason = failure.reason();
        match W::compensate(self).await {
            Ok(()) => {}
            Err(Failure::Superseded) => return Err(Failure::Superseded),
            Err(second) => {
                let both = format!("{}; {}", reason.message, W::uncompensated(&second.reason()));
                reason = Reason::new(reason.code, both);
            }
        }
        let outcome = if failure == Failure::Cancelled { Outcome::Cancelled(reason) } else { Outcome::Failed(reason) };
        self.finish(outcome).await
    }
}
