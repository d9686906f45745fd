//! The activities: where workflows touch the world. Each may run twice, late, or beside its successor, so each first asks
//! the metadata whether its run is still the one that should work.

pub mod delete_postgres;
pub mod deploy_postgres;
pub mod generate_connection_string;
pub mod get_instance_status;
pub mod health_check;
pub mod update_metadata;

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc};

use chrono::Utc;
use duroxide::ActivityContext;
use futures::FutureExt;
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    instance::{Reason, ReasonCode},
    operation::StepName,
    runtime::{Runtime, RuntimeError},
};
use toygres_postgres::Prober;
use toygres_store::{Store, Work};

use crate::step::{Failure, Pace, Run};

/// What activities work with.
#[derive(Clone)]
pub struct World {
    /// The metadata.
    pub store: Store,
    /// The host of instances.
    pub runtime: Arc<dyn Runtime>,
    /// What checks instances.
    pub prober: Prober,
    /// How patient the work is.
    pub pace: Pace,
    /// Cancelled when this server stops: activities then give their work back at once.
    pub shutdown: CancellationToken,
}

impl World {
    /// The operation and instance of a run that is still wanted: not superseded, not cancelled, not past its deadline.
    pub(crate) async fn wanted(&self, run: &Run) -> Result<Work, Failure> {
        let work = self.store.work(&run.operation, run.run).await?;
        if work.operation.cancel_requested {
            return Err(Failure::Cancelled);
        }
        if work.operation.deadline <= Utc::now() {
            let waited_for = work.instance.reason.map(|reason| format!("; last seen: {}", reason.message)).unwrap_or_default();
            return Err(Failure::Failed(Reason::new(
                ReasonCode::DeadlineExceeded,
                format!("the operation did not finish before its deadline{waited_for}"),
            )));
        }
        Ok(work)
    }

    /// Shows `work` as a step of the operation: begun, done, or what went wrong, also when it will be repeated.
    pub(crate) async fn as_step<T>(&self, run: &Run, name: StepName, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        self.store.begin_step(&run.operation, run.run, name).await?;
        let outcome = guarded(work).await;
        match &outcome {
            Ok(_) => self.store.finish_step(&run.operation, run.run, name).await?,
            Err(failure) => self.note_failure(run, name, failure).await?,
        }
        outcome
    }

    /// Shows a failed attempt of a step.
    pub(crate) async fn note_failure(&self, run: &Run, name: StepName, failure: &Failure) -> Result<(), Failure> {
        match failure {
            Failure::Retry(reason) | Failure::Broken(reason) | Failure::Failed(reason) => {
                Ok(self.store.fail_step(&run.operation, run.run, name, reason).await?)
            }
            Failure::Superseded | Failure::Cancelled => Ok(()),
        }
    }

    /// Shows what a step, and with it the instance, waits for.
    pub(crate) async fn note_waiting(&self, run: &Run, name: StepName, why: &Reason) -> Result<(), Failure> {
        self.store.note_step(&run.operation, run.run, name, why).await?;
        Ok(self.store.note_waiting(&run.operation, run.run, why).await?)
    }

    /// A verb of the runtime, which must not take for ever: another attempt may already be on its way.
    pub(crate) async fn verb<T>(&self, verb: impl Future<Output = Result<T, RuntimeError>>) -> Result<T, Failure> {
        match tokio::time::timeout(self.pace.verb, verb).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(Failure::Retry(Reason::new(
                ReasonCode::RuntimeUnavailable,
                format!("{} gave no answer within {} s", self.runtime.name(), self.pace.verb.as_secs()),
            ))),
        }
    }
}

/// Makes a panic a failure like any other: its text could hold anything, and the engine would store it.
async fn guarded<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("an activity panicked");
        Err(Failure::unexpected())
    })
}

/// Makes an engine's activity of a function: decodes, encodes, and gives the work back when the server stops.
pub(crate) fn activity<In, Out, Fut>(
    world: &World,
    work: impl Fn(World, ActivityContext, In) -> Fut + Send + Sync + 'static,
) -> impl Fn(ActivityContext, String) -> std::pin::Pin<Box<dyn Future<Output = Result<String, String>> + Send>> + Send + Sync + 'static
where
    In: DeserializeOwned,
    Out: Serialize,
    Fut: Future<Output = Result<Out, Failure>> + Send + 'static,
{
    let world = world.clone();
    move |ctx, input| {
        let decoded: Result<In, _> = serde_json::from_str(&input);
        let shutdown = world.shutdown.clone();
        let work = decoded.map(|input| work(world.clone(), ctx, input));
        Box::pin(async move {
            let work = work.map_err(|_| Failure::Failed(Reason::new(ReasonCode::Internal, "a step got an input of another version")).encode())?;
            let outcome = tokio::select! {
                outcome = guarded(work) => outcome,
                () = shutdown.cancelled() => Err(Failure::Retry(Reason::new(ReasonCode::Internal, "the server stopped; another goes on"))),
            };
            let output = outcome.map_err(|failure| failure.encode())?;
            serde_json::to_string(&output).map_err(|error| error.to_string())
        })
    }
}
