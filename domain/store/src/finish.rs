//! The only way out for operations: they succeed, fail or end as cancelled here, and their instance gets the state that the
//! policy of their kind gives it.

use chrono::Utc;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use toygres_domain::{
    Error, OperationId, Result,
    instance::{Endpoint, Instance, InstanceState, Reason},
    operation::{Cancellation, InstanceAfter, OnFailure, Operation, OperationStatus, StepStatus},
};

use super::{
    Store, Work,
    accept::texts,
    errors::Classify,
    instances::{instance, instance_query},
    operations::locked_both,
    runs::superseded_if_gone,
};

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it was for. Where clients connect is given when the operation determined it.
    Succeeded(Option<Reached>),
    /// It did not work.
    Failed(Reason),
    /// It was cancelled, and what it had done was reverted.
    Cancelled(Reason),
}

/// How clients connect to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// The URL without the password.
    pub connection_string: String,
}

impl Outcome {
    fn status(&self) -> OperationStatus {
        match self {
            Self::Succeeded(_) => OperationStatus::Succeeded,
            Self::Failed(_) => OperationStatus::Failed,
            Self::Cancelled(_) => OperationStatus::Cancelled,
        }
    }

    fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Succeeded(_) => None,
            Self::Failed(reason) | Self::Cancelled(reason) => Some(reason),
        }
    }

    fn reached(&self) -> Option<&Reached> {
        match self {
            Self::Succeeded(reached) => reached.as_ref(),
            Self::Failed(_) | Self::Cancelled(_) => None,
        }
    }
}

impl Store {
    /// Ends an operation and moves its instance on, in one transaction. An instance that begins to run gets the id of its
    /// HealthCheck workflow in the same moment. Repeating it changes nothing and returns the same. The operation is returned as it was.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation ended otherwise, another run has taken over, or a success comes after a
    /// cancellation that the workflow has to carry out.
    pub async fn finish(&self, id: &OperationId, run: i32, outcome: &Outcome) -> Result<Work> {
        let mut transaction = self.begin().await?;
        let (instance_now, now) = locked_both(&mut transaction, id).await.map_err(superseded_if_gone)?;
        if now.status == outcome.status() {
            return Ok(Work { operation: now, instance: instance_now });
        }
        let (kind, policy) = (now.kind(), now.kind().policy());
        let cancelled_first =
            now.cancel_requested && policy.cancellation == Cancellation::ByWorkflow && outcome.status() == OperationStatus::Succeeded;
        if now.run != run || now.status.is_terminal() || cancelled_first {
            return Err(Error::Superseded);
        }
        let after = match (outcome, policy.failure) {
            (Outcome::Succeeded(_), _) => policy.success,
            (Outcome::Failed(_) | Outcome::Cancelled(_), OnFailure::End(after)) => after,
            (Outcome::Failed(_) | Outcome::Cancelled(_), OnFailure::KeepTrying) => {
                return Err(Error::internal(format!("{id}: a {kind} never ends by failing")));
            }
        };
        let target = match after {
            InstanceAfter::State(state) => state,
            InstanceAfter::Former => now.former_state.unwrap_or(instance_now.state),
        };
        // Without a state of its own, an operation leaves the instance where it is.
        let guard = policy.during.map_or_else(|| InstanceState::ALL.to_vec(), |during| vec![during]);
        let instance = enter(&mut transaction, &instance_now, target, &guard, outcome).await?;
        end(&mut transaction, &now, outcome.status(), outcome.reason()).await?;
        transaction.commit().await.classify()?;
        Ok(Work { operation: now, instance })
    }
}

/// Moves a locked instance into a state, with what belongs to that state.
async fn enter(connection: &mut PgConnection, now: &Instance, target: InstanceState, guard: &[InstanceState], outcome: &Outcome) -> Result<Instance> {
    let (reason, reached) = (outcome.reason(), outcome.reached());
    let row = match target {
        InstanceState::Deleted => {
            sqlx::query!("DELETE FROM credentials WHERE instance_id = $1", now.id.0).execute(&mut *connection).await.classify()?;
            instance_query!(
                "UPDATE instances SET state = 'deleted', deleted_at = clock_timestamp(), health_status = 'unknown', reason_code = NULL,
                     reason_message = NULL, endpoint_host = NULL, endpoint_port = NULL, connection_string = NULL,
                     health_check_orchestration_id = NULL
                 WHERE id = $1 AND state = ANY($2) RETURNING",
                "",
                now.id.0,
                &texts(guard)
            )
            .fetch_optional(connection)
            .await
        }
        // A health check that paused while the instance was changed goes on; a new one begins where there was none.
        InstanceState::Running => {
            instance_query!(
                "UPDATE instances SET state = 'running', reason_code = $3, reason_message = $4, endpoint_host = coalesce($5, endpoint_host),
                     endpoint_port = coalesce($6, endpoint_port), connection_string = coalesce($7, connection_string),
                     health_generation = health_generation + CASE WHEN health_check_orchestration_id IS NULL THEN 1 ELSE 0 END,
                     health_check_orchestration_id = coalesce(health_check_orchestration_id, 'health-' || id || '-' || (health_generation + 1))
                 WHERE id = $1 AND state = ANY($2) RETURNING",
                "",
                now.id.0,
                &texts(guard),
                reason.map(|reason| reason.code.as_str()),
                reason.map(|reason| reason.message.as_str()),
                reached.map(|reached| reached.endpoint.host.as_str()),
                reached.map(|reached| i32::from(reached.endpoint.port)),
                reached.map(|reached| reached.connection_string.as_str())
            )
            .fetch_optional(connection)
            .await
        }
        other => {
            instance_query!(
            "UPDATE instances SET state = $3, reason_code = $4, reason_message = $5, health_status = 'unknown', health_check_orchestration_id = NULL
                 WHERE id = $1 AND state = ANY($2) RETURNING",
            "",
            now.id.0,
            &texts(guard),
            other.as_str(),
            reason.map(|reason| reason.code.as_str()),
            reason.map(|reason| reason.message.as_str())
        )
            .fetch_optional(connection)
            .await
        }
    };
    instance(row.classify()?.ok_or(Error::Superseded)?)
}

/// Ends an operation that is in progress. Steps that are running fail with it and steps that have not begun are skipped; after
/// a success all are done, the last one included, which is this write.
pub(super) async fn end(connection: &mut PgConnection, now: &Operation, status: OperationStatus, why: Option<&Reason>) -> Result<()> {
    let kind = now.kind();
    let succeeded = status == OperationStatus::Succeeded;
    let last = kind.policy().steps.last().copied();
    let mut steps = now.steps.clone();
    let at = Utc::now();
    for step in &mut steps {
        step.status = match step.status {
            StepStatus::Running if succeeded => StepStatus::Succeeded,
            StepStatus::Running => StepStatus::Failed,
            StepStatus::Pending if succeeded && Some(step.name) == last => StepStatus::Succeeded,
            StepStatus::Pending => StepStatus::Skipped,
            done => done,
        };
        if step.status == StepStatus::Succeeded && step.started_at.is_none() {
            (step.started_at, step.attempt) = (Some(at), 1);
        }
        if step.started_at.is_some() && step.finished_at.is_none() {
            step.finished_at = Some(at);
        }
    }
    let ended = sqlx::query!(
        "UPDATE operations SET status = $2, steps = $3, error_code = $4, error_message = $5, finished_at = clock_timestamp()
         WHERE id = $1 AND status IN ('pending', 'running')",
        now.id.as_str(),
        status.as_str(),
        Json(steps) as _,
        why.map(|why| why.code.as_str()),
        why.map(|why| why.message.as_str())
    )
    .execute(connection)
    .await
    .classify()?;
    // Should the transaction fail to commit, which is rare, this counts one too many.
    if ended.rows_affected() > 0 {
        let took = (at - now.created_at).as_seconds_f64().max(0.0);
        metrics::histogram!("toygres_operation_seconds", "kind" => kind.as_str(), "result" => status.as_str()).record(took);
    }
    Ok(())
}
