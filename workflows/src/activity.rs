//! Activities: typed functions that workflows call by name, and the context that they run in.

use std::{panic::AssertUnwindSafe, sync::Arc};

use duroxide::runtime::registry::ActivityRegistryBuilder;
use futures::FutureExt;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    OperationId,
    instance::{Reason, ReasonCode},
    operation::{StepName, StepStatus},
    runtime::{Runtime, RuntimeError},
};
use toygres_postgres::Prober;
use toygres_store::{Store, Work};

#[cfg(doc)]
use crate::EngineOptions;
use crate::{
    Engine, Failure, MetricsRecorder, Probing, RunningChecks, SlowChecks, Timing,
    certificates::{CertificatePolicy, SuspectCertificates},
    configuration::ConfigurationProbe,
};

/// A function that workflows call. It may run twice, late, or concurrently with its successor, so it first checks in the metadata
/// whether its run is still current.
///
/// Workflows and activities may be of different releases, so fields may only be added to inputs and outputs, with defaults.
pub trait Activity: 'static {
    /// The name of the activity in the engine.
    const NAME: &'static str;
    /// The input. It is stored unencrypted, so it contains ids and never secrets.
    type Input: Serialize + DeserializeOwned + Send + 'static;
    /// The output. It is stored unencrypted too.
    type Output: Serialize + DeserializeOwned + Send + 'static;

    /// Runs the activity.
    ///
    /// # Errors
    /// Why the activity failed.
    fn run(context: ActivityContext, input: Self::Input) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// The input of a workflow that carries out an operation, and of most of its activities.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The operation.
    pub operation: OperationId,
    /// The number of the run.
    pub run: i32,
}

/// The dependencies of activities.
#[derive(Clone)]
pub struct ActivityContext {
    /// The metadata store.
    pub store: Store,
    /// The workflow engine.
    pub engine: Engine,
    /// The host of instances.
    pub runtime: Arc<dyn Runtime>,
    /// Checks instances over connections.
    pub prober: Prober,
    /// The permits of health checks that wait for silent instances: see [`EngineOptions::slow_checks`].
    pub slow_checks: Arc<SlowChecks>,
    /// Whether healthy instances are probed between the checks of their workflows, and by whom.
    pub probing: Probing,
    /// Takes the metrics of instances.
    pub metrics: MetricsRecorder,
    /// Tells the health checks in progress what the runtime reports.
    pub running_checks: RunningChecks,
    /// How long certificates are valid, and who issues them.
    pub certificates: CertificatePolicy,
    /// The instances whose server could not be verified.
    pub suspect_certificates: SuspectCertificates,
    /// Asks servers for their configuration.
    pub configuration: Arc<dyn ConfigurationProbe>,
    /// The timing of workflows and activities.
    pub timing: Timing,
    /// Cancelled when this server stops: activities then abandon their work immediately, and it is retried elsewhere.
    pub shutdown: CancellationToken,
}

impl ActivityContext {
    /// The operation and instance of a run that may continue: not superseded, not cancelled, and within its deadline.
    pub(crate) async fn wanted(&self, run: &Run) -> Result<Work, Failure> {
        let mut work = self.store.work(&run.operation, run.run).await?;
        if work.operation.cancel_requested {
            return Err(Failure::Cancelled);
        }
        let is_late = |work: &Work| work.operation.deadline.is_some_and(|deadline| deadline <= self.store.now());
        if is_late(&work) {
            // It is extended if no worker was alive for a while.
            self.store.heartbeat().await?;
            work = self.store.work(&run.operation, run.run).await?;
        }
        if is_late(&work) {
            let last_seen = work.instance.reason.map(|reason| format!("; last seen: {}", reason.message)).unwrap_or_default();
            return Err(Failure::Failed(Reason::new(
                ReasonCode::DeadlineExceeded,
                format!("the operation did not finish before its deadline{last_seen}"),
            )));
        }
        Ok(work)
    }

    /// Whether the time of a compensation has passed. It is attempted at least once, and abandoned [`Timing::clean_up`] after the deadline.
    /// A run that replaced a lost one after the deadline has the same time from its start.
    pub(crate) fn clean_up_is_over(&self, work: &Work) -> bool {
        let began = work.operation.dispatched_at.unwrap_or(work.operation.created_at);
        self.store.now() > work.operation.deadline.map_or(began, |deadline| began.max(deadline)) + self.timing.clean_up
    }

    /// Whether the operation has completed this step, so that a late repetition does nothing.
    pub(crate) fn is_done(work: &Work, name: StepName) -> bool {
        work.operation.step(name).is_some_and(|step| step.status == StepStatus::Succeeded)
    }

    /// Runs `work` and records it as a step of the operation: started, done, or failed, even if it will be retried.
    pub(crate) async fn as_step<T>(&self, run: &Run, name: StepName, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        self.store.begin_step(&run.operation, run.run, name).await?;
        let outcome = catch_panic(work).await;
        match &outcome {
            Ok(_) => self.store.finish_step(&run.operation, run.run, name).await?,
            Err(failure) => self.note_failure(run, name, failure).await?,
        }
        outcome
    }

    /// Records the failure of a step. An error that may pass is also what the instance waits for.
    pub(crate) async fn note_failure(&self, run: &Run, name: StepName, failure: &Failure) -> Result<(), Failure> {
        self.fail_step(run, name, failure).await?;
        match failure {
            Failure::Retry(reason) => Ok(self.store.note_waiting(&run.operation, run.run, reason).await?),
            _ => Ok(()),
        }
    }

    /// Records the failure of a step, and leaves the reason of the instance alone.
    pub(crate) async fn fail_step(&self, run: &Run, name: StepName, failure: &Failure) -> Result<(), Failure> {
        match failure {
            Failure::Retry(reason) | Failure::Broken(reason) | Failure::Failed(reason) => {
                Ok(self.store.fail_step(&run.operation, run.run, name, reason).await?)
            }
            Failure::Superseded | Failure::Cancelled => Ok(()),
        }
    }

    /// Records what a step, and so the instance, waits for.
    pub(crate) async fn note_waiting(&self, run: &Run, name: StepName, why: &Reason) -> Result<(), Failure> {
        self.store.note_step(&run.operation, run.run, name, why).await?;
        Ok(self.store.note_waiting(&run.operation, run.run, why).await?)
    }

    /// Applies the time limit to a verb of the runtime, so that it does not overlap with the next attempt.
    pub(crate) async fn verb<T>(&self, verb: impl Future<Output = Result<T, RuntimeError>>) -> Result<T, Failure> {
        match tokio::time::timeout(self.timing.verb, verb).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(Failure::Retry(Reason::new(
                ReasonCode::RuntimeUnavailable,
                format!("{} gave no answer within {} s", self.runtime.name(), self.timing.verb.as_secs()),
            ))),
        }
    }
}

/// Converts a panic into a failure. Its text can contain anything, and the engine would store it.
pub(crate) async fn catch_panic<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("an activity panicked");
        Err(Failure::unexpected())
    })
}

/// Registers typed activities.
pub(crate) trait Register: Sized {
    /// Registers an activity, with decoding of its input, encoding of its output, and cancellation when the server stops.
    fn activity<A: Activity>(self, context: &ActivityContext) -> Self;
}

impl Register for ActivityRegistryBuilder {
    fn activity<A: Activity>(self, context: &ActivityContext) -> Self {
        let context = context.clone();
        self.register(A::NAME, move |_, input: String| {
            let context = context.clone();
            async move {
                let input = serde_json::from_str(&input).map_err(|_| Failure::incompatible().encode())?;
                let shutdown = context.shutdown.clone();
                let outcome = tokio::select! {
                    outcome = catch_panic(A::run(context, input)) => outcome,
                    () = shutdown.cancelled() => Err(Failure::Retry(Reason::new(ReasonCode::Internal, "the server stopped; another continues"))),
                };
                let output = outcome.map_err(|failure| failure.encode())?;
                serde_json::to_string(&output).map_err(|error| error.to_string())
            }
        })
    }
}
