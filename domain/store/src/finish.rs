//! The end of operations: only here do they succeed, fail or end as cancelled. Their instance gets the state that the policy of
//! their kind defines.

use chrono::Utc;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use toygres_domain::{
    Error, OperationId, Result,
    instance::{Endpoint, Instance, InstanceSpec, InstanceState, Reason},
    notice::NoticeCode,
    operation::{InstanceAfter, OnFailure, Operation, OperationStatus, Params, StepStatus, suspend},
};

use super::{
    Store, Work,
    accept::texts,
    activity::forget_activity,
    database_users, databases,
    errors::Classify,
    instances::{self, instance, instance_query},
    notices::write_notice,
    operations::locked_both,
    rotations,
    runs::superseded_if_gone,
};

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The operation succeeded. It has the connection details if the operation determined them.
    Succeeded(Option<Reached>),
    /// The operation failed.
    Failed(Reason),
    /// The operation was cancelled and reverted.
    Cancelled(Reason),
}

/// How clients connect to an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The endpoint that the instance listens on.
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
    /// Ends an operation and changes the state of its instance, in one transaction. An instance that starts to run also gets the id of
    /// its HealthCheck workflow. Idempotent: a repeated call returns the same. The operation is returned as it was before.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation ended differently, another run has taken over, or a success is reported after a
    /// cancellation was accepted, which the workflow must carry out.
    pub async fn finish(&self, id: &OperationId, run: i32, outcome: &Outcome) -> Result<Work> {
        let mut transaction = self.begin().await?;
        let (instance_now, now) = locked_both(&mut transaction, id).await.map_err(superseded_if_gone)?;
        if now.status == outcome.status() {
            return Ok(Work { operation: now, instance: instance_now });
        }
        let (kind, policy) = (now.kind(), now.kind().policy());
        let cancelled_first = now.cancel_requested && policy.cancellation.is_by_workflow() && outcome.status() == OperationStatus::Succeeded;
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
        // What an operation leaves the instance in says why nobody can connect, unless it failed.
        let reason = outcome.reason().cloned().or_else(|| match &now.params {
            Params::Suspend(params) => Some(params.reason()),
            _ => (target == InstanceState::Suspended).then(suspend::reason),
        });
        if outcome.status() == OperationStatus::Succeeded {
            apply_target(&mut transaction, &now, &instance_now).await?;
            succeed(&mut transaction, &instance_now, &now.params).await?;
        }
        let instance = match policy.during {
            Some(during) => enter(&mut transaction, &instance_now, target, &[during], reason.as_ref(), outcome.reached()).await?,
            // Its state, its health and its reason are as they were.
            None => instances::touch(&mut transaction, instance_now.id).await?,
        };
        end(&mut transaction, &now, outcome.status(), outcome.reason()).await?;
        transaction.commit().await.classify()?;
        Ok(Work { operation: now, instance })
    }
}

/// Writes the specification that an operation has led to. A run that goes forward after a rollback has begun is not the current one.
async fn apply_target(connection: &mut PgConnection, now: &Operation, instance: &Instance) -> Result<()> {
    if now.is_reverting() {
        return Err(Error::Superseded);
    }
    let target = now.target(&instance.spec);
    if target != instance.spec {
        let InstanceSpec { storage_gb, cpu_millis, memory_mb, parameters, .. } = target;
        sqlx::query!(
            "UPDATE instances SET cpu_millis = $2, memory_mb = $3, storage_gb = $4, parameters = $5 WHERE id = $1",
            instance.id.0,
            cpu_millis,
            memory_mb,
            storage_gb,
            Json(parameters) as _
        )
        .execute(connection)
        .await
        .classify()?;
    }
    Ok(())
}

/// Writes what an operation of this kind has achieved, besides the state and the specification of its locked instance.
async fn succeed(connection: &mut PgConnection, now: &Instance, params: &Params) -> Result<()> {
    match params {
        Params::RotatePassword(_) => rotations::succeed(connection, now).await,
        Params::CreateDatabaseUser(params) => database_users::created(connection, now.id, params).await,
        Params::DropDatabaseUser(params) => database_users::dropped(connection, now.id, params).await,
        Params::CreateDatabase(params) => databases::created(connection, now.id, params).await,
        Params::DropDatabase(params) => databases::dropped(connection, now.id, params).await,
        // The next inspection says whether there is another one.
        Params::Upgrade(params) if params.minor => {
            sqlx::query!("UPDATE instances SET update_from = NULL, update_to = NULL WHERE id = $1", now.id.0).execute(&mut *connection).await.classify()?;
            write_notice(connection, now.clone(), NoticeCode::UpdateAvailable, None).await.map(drop)
        }
        // Not before: a deletion may be cancelled, and shorter days cannot be taken back.
        Params::Delete(params) => instances::set_backup_retention(connection, now.id, params.backup_retention_days).await,
        Params::Create(_)
        | Params::Restore(_)
        | Params::CreateBackup(_)
        | Params::Restart(_)
        | Params::Repair(_)
        | Params::Suspend(_)
        | Params::Resume(_)
        | Params::Resize(_)
        | Params::SetParameters(_)
        // The version was written when it was confirmed.
        | Params::Upgrade(_) => Ok(()),
    }
}

/// Changes the state of a locked instance, together with the columns that depend on it.
async fn enter(
    connection: &mut PgConnection,
    now: &Instance,
    target: InstanceState,
    guard: &[InstanceState],
    reason: Option<&Reason>,
    reached: Option<&Reached>,
) -> Result<Instance> {
    let row = match target {
        InstanceState::Deleted => {
            sqlx::query!("DELETE FROM credentials WHERE instance_id = $1", now.id.0).execute(&mut *connection).await.classify()?;
            sqlx::query!("DELETE FROM instance_certificates WHERE instance_id = $1", now.id.0).execute(&mut *connection).await.classify()?;
            sqlx::query!("DELETE FROM instance_storage WHERE instance_id = $1", now.id.0).execute(&mut *connection).await.classify()?;
            sqlx::query!("DELETE FROM database_users WHERE instance_id = $1", now.id.0).execute(&mut *connection).await.classify()?;
            sqlx::query!("DELETE FROM instance_databases WHERE instance_id = $1", now.id.0).execute(&mut *connection).await.classify()?;
            instance_query!(
                "UPDATE instances SET state = 'deleted', deleted_at = clock_timestamp(), health_status = 'unknown', reason_code = NULL,
                     reason_message = NULL, endpoint_host = NULL, endpoint_port = NULL, connection_string = NULL,
                     health_check_orchestration_id = NULL, notices = '[]', former_name = NULL, former_exposure = NULL,
                     vacated_names = '{}'
                 WHERE id = $1 AND state = ANY($2) RETURNING",
                "",
                now.id.0,
                &texts(guard)
            )
            .fetch_optional(connection)
            .await
        }
        // A health check that was paused continues; an instance without one gets a new one. Lost data is no question of what answers.
        InstanceState::Running => {
            forget_activity(connection, now.id).await?;
            instance_query!(
                "UPDATE instances SET state = 'running', reason_code = $3, reason_message = $4,
                     health_status = CASE WHEN $3 = 'data_lost' THEN 'unhealthy' ELSE health_status END, endpoint_host = coalesce($5, endpoint_host),
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
            if other == InstanceState::Failed {
                // Whatever is deployed again gets another one, and no authority is kept for it.
                sqlx::query!("DELETE FROM instance_certificates WHERE instance_id = $1", now.id.0).execute(&mut *connection).await.classify()?;
            }
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

/// Ends an operation that is in progress. Running steps fail with it and steps that have not started are skipped. After a success
/// all steps are done, including the last one, which is this write.
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
    // If the commit fails, which is rare, this counts one too many.
    if ended.rows_affected() > 0 {
        let took = (at - now.created_at).as_seconds_f64().max(0.0);
        metrics::histogram!("toygres_operation_seconds", "kind" => kind.as_str(), "result" => status.as_str()).record(took);
    }
    Ok(())
}
