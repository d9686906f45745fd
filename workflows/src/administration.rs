//! What the operations on roles and databases have in common: they log in to the instance as the superuser of the platform.

use std::time::Duration;

use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Reason, ReasonCode},
    operation::StepName,
    runtime::Observation,
};
use toygres_postgres::Target;
use toygres_store::Work;

use crate::{
    Failure,
    activity::{ActivityContext, Run, catch_panic},
    certificates::identity,
};

/// How long a login with its statements may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

impl ActivityContext {
    /// The login of the superuser to an instance that clients reach at `endpoint`.
    pub(crate) async fn superuser(&self, work: &Work, endpoint: &Endpoint) -> Result<Target, Failure> {
        let id = work.instance.id;
        // Without one the operation is not accepted.
        let platform = self.store.credentials(id).await?.platform.ok_or_else(Failure::incompatible)?;
        Ok(Target::of_superuser(self.internal_endpoint(work, endpoint), &platform).verifying(identity(self, id).await?))
    }

    /// Where the control plane connects to an instance that clients reach at `endpoint`.
    pub(crate) fn internal_endpoint(&self, work: &Work, endpoint: &Endpoint) -> Endpoint {
        self.runtime.internal_endpoint(&work.instance.address(), endpoint)
    }

    /// Whether a step was done; `false` if its failure is explained by an endpoint that has changed.
    pub(crate) async fn done_at(&self, id: InstanceId, endpoint: &Endpoint, outcome: Result<(), Failure>) -> Result<bool, Failure> {
        match outcome {
            Ok(()) => Ok(true),
            Err(failure) if failure.is_moved(self, id, endpoint).await => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// The endpoint of the instance, if it is ready.
    pub(crate) async fn endpoint_now(&self, id: InstanceId) -> Result<Endpoint, Failure> {
        match self.verb(self.runtime.observe(id)).await? {
            Observation::Ready(endpoint) => Ok(endpoint),
            Observation::Pending(reason) | Observation::Failed(reason) => Err(Failure::Retry(reason)),
            Observation::Absent => Err(Failure::Retry(Reason::new(ReasonCode::RuntimeUnavailable, "the instance is not there"))),
        }
    }

    /// Runs a compensation and records it as a step, also after a cancellation and after the deadline, and until its own time has passed.
    pub(crate) async fn as_compensation(
        &self,
        run: &Run,
        name: StepName,
        work: &Work,
        compensation: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        self.store.begin_step(&run.operation, run.run, name).await?;
        let outcome = match catch_panic(compensation).await {
            Err(Failure::Retry(reason)) if self.clean_up_is_over(work) => Err(Failure::Failed(reason)),
            outcome => outcome,
        };
        match &outcome {
            Ok(()) => self.store.finish_step(&run.operation, run.run, name).await?,
            Err(failure) => self.fail_step(run, name, failure).await?,
        }
        outcome
    }
}
