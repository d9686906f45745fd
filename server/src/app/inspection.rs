//! What is asked of the server of an instance at once, instead of the metadata: within a time, and a few at a time, so that neither slow
//! servers nor many callers occupy this one, or the connections of an instance that are kept for the platform.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use metrics::counter;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use toygres_domain::{
    InstanceId, Result,
    instance::{Instance, InstanceState, Reason, ReasonCode},
    runtime::RuntimeError,
};
use toygres_postgres::Logins;

use super::App;

/// How long a caller waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a server may take to answer, with the login.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests to all instances that this server makes at the same time. Those to one instance are made one after the other.
const AT_ONCE: usize = 8;
/// Logs that this server follows at the same time.
const LOG_STREAMS: usize = 256;

/// What is asked, for the metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Inspection {
    /// Its sessions.
    Activity,
    /// The statistics of its statements.
    TopQueries,
    /// The end of a statement.
    CancelQuery,
    /// The end of a session.
    TerminateSession,
    /// A page of its log.
    Logs,
}

/// What came of it, for the metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum InspectionResult {
    /// The server answered.
    Answered,
    /// It does not run, or does not have what was asked for.
    Unavailable,
    /// Too many were waiting.
    Busy,
    /// It could not be reached, or answered with an error.
    Failed,
}

/// The requests in progress. Clones share them.
#[derive(Clone)]
pub struct Inspections(Arc<InspectionLimits>);

struct InspectionLimits {
    log_streams: Arc<Semaphore>,
    all: Arc<Semaphore>,
    /// Those that nobody has or waits for are dropped.
    of_instances: Mutex<HashMap<InstanceId, Arc<Semaphore>>>,
}

impl Default for Inspections {
    fn default() -> Self {
        let log_streams = Arc::new(Semaphore::new(LOG_STREAMS));
        Self(Arc::new(InspectionLimits { log_streams, all: Arc::new(Semaphore::new(AT_ONCE)), of_instances: Mutex::default() }))
    }
}

impl Inspections {
    /// The right to follow a log until it is dropped, unless as many are followed as may be.
    pub(super) fn log_stream(&self) -> Result<OwnedSemaphorePermit, Reason> {
        Arc::clone(&self.0.log_streams)
            .try_acquire_owned()
            .map_err(|_| Reason::new(ReasonCode::Busy, format!("this server follows {LOG_STREAMS} logs, and no more: try again later")))
    }

    /// Waits for a turn, which lasts until the permits are dropped. Who waits for one instance does not keep others waiting.
    async fn turn(&self, id: InstanceId) -> Option<[OwnedSemaphorePermit; 2]> {
        let of_instance = {
            let mut of_instances = self.0.of_instances.lock().unwrap_or_else(PoisonError::into_inner);
            of_instances.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(of_instances.entry(id).or_insert_with(|| Arc::new(Semaphore::new(1))))
        };
        // They are never closed.
        let first = of_instance.acquire_owned().await.ok()?;
        let second = Arc::clone(&self.0.all).acquire_owned().await.ok()?;
        Some([first, second])
    }
}

impl App {
    /// Asks the server of an instance. The inner error is why it does not answer, for the caller.
    pub(super) async fn inspect<T>(
        &self,
        what: Inspection,
        instance: &Instance,
        ask: impl AsyncFnOnce(&Logins, Duration) -> Result<T, Reason>,
    ) -> Result<Result<T, Reason>> {
        let outcome = self.ask(instance, ask).await?;
        count(what, outcome.as_ref().err().map(|reason| reason.code));
        Ok(outcome)
    }

    /// Asks the host of an instance about it, in the same turns.
    pub(super) async fn inspect_host<T>(
        &self,
        what: Inspection,
        id: InstanceId,
        ask: impl Future<Output = Result<T, RuntimeError>>,
    ) -> Result<T, RuntimeError> {
        let outcome = match timeout(TURN_TIMEOUT, self.inspections.turn(id)).await {
            Ok(Some(_turn)) => ask.await,
            _ => Err(RuntimeError { reason: busy(), retryable: true }),
        };
        count(what, outcome.as_ref().err().map(|error| error.reason.code));
        outcome
    }

    async fn ask<T>(&self, instance: &Instance, ask: impl AsyncFnOnce(&Logins, Duration) -> Result<T, Reason>) -> Result<Result<T, Reason>> {
        let endpoint = match (&instance.endpoint, why_not(instance.state)) {
            (Some(endpoint), None) => self.runtime.internal_endpoint(&instance.address(), endpoint),
            (_, why) => return Ok(Err(why.unwrap_or_else(|| not_running("it has not run yet")))),
        };
        let Ok(Some(_turn)) = timeout(TURN_TIMEOUT, self.inspections.turn(instance.id)).await else {
            return Ok(Err(busy()));
        };
        let credentials = self.store.credentials(instance.id).await?;
        let identity = self.store.server_identity(instance.id).await?;
        let logins = Logins::new(endpoint, &instance.spec, credentials, identity);
        Ok(ask(&logins, ANSWER_TIMEOUT).await)
    }
}

fn count(what: Inspection, failure: Option<ReasonCode>) {
    let result = failure.map_or(InspectionResult::Answered, InspectionResult::of);
    counter!(METRIC, "what" => <&str>::from(what), "result" => <&str>::from(result)).increment(1);
}

fn busy() -> Reason {
    Reason::new(ReasonCode::Busy, "this server answers as many other requests about what runs in instances: try again in a moment")
}

/// The name of the metric.
pub const METRIC: &str = "toygres_inspections_total";

impl InspectionResult {
    fn of(code: ReasonCode) -> Self {
        match code {
            ReasonCode::NotRunning | ReasonCode::Suspended | ReasonCode::StatisticsMissing | ReasonCode::LogNotHere => Self::Unavailable,
            ReasonCode::Busy => Self::Busy,
            _ => Self::Failed,
        }
    }
}

/// Why an instance in this state has no server that could answer. One that is being changed may have one.
fn why_not(state: InstanceState) -> Option<Reason> {
    match state {
        InstanceState::Running | InstanceState::Updating => None,
        InstanceState::Suspended => Some(Reason::new(ReasonCode::Suspended, "it is suspended: resume it first")),
        InstanceState::Creating => Some(not_running("it is being created")),
        InstanceState::Failed => Some(not_running("its creation has failed: retry the operation, or delete it")),
        InstanceState::Deleting => Some(not_running("it is being deleted")),
        InstanceState::Deleted => Some(not_running("it was deleted")),
    }
}

pub(super) fn not_running(why: &str) -> Reason {
    Reason::new(ReasonCode::NotRunning, why)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_instance_has_one_turn_and_all_have_a_few() {
        let (inspections, id) = (Inspections::default(), InstanceId::generate());
        let first = inspections.turn(id).await;
        assert!(inspections.turn(id).now_or_never().is_none(), "the same instance");
        let mut others = Vec::new();
        while let Some(turn) = inspections.turn(InstanceId::generate()).now_or_never() {
            others.push(turn);
        }
        assert_eq!(others.len(), AT_ONCE - 1);
        drop(first);
        assert!(inspections.turn(id).now_or_never().is_some());
        assert!(inspections.0.of_instances.lock().unwrap().len() <= AT_ONCE + 1, "turns that are over are forgotten");
    }

    #[test]
    fn an_instance_without_a_server_says_why() {
        for state in InstanceState::ALL {
            let runs = matches!(state, InstanceState::Running | InstanceState::Updating);
            assert_eq!(why_not(*state).is_none(), runs, "{state}");
        }
    }
}
