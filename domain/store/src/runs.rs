//! The runs of operations and the health check loops, as workflows read and write them. Each write is conditional on the
//! operation's run and the instance's state, so that an activity that runs twice, late, or concurrently with its successor changes
//! nothing.

use sqlx::PgConnection;
use toygres_domain::{
    Error, InstanceId, OperationId, Result,
    instance::{Endpoint, HealthStatus, Instance, InstanceState, Reason},
    operation::{InstanceAfter, OnFailure, Operation, OperationKind, Policy},
};

use super::{
    Store,
    errors::Classify,
    instances::{instance, instance_query},
    operations::{locked_both, operation, operation_query},
};

/// The operation and the instance that an activity works on.
#[derive(Clone, Debug)]
pub struct Work {
    /// The operation: unfinished, and with the requested run.
    pub operation: Operation,
    /// The instance of the operation.
    pub instance: Instance,
}

/// A running instance and its health check loop.
#[derive(Clone, Debug)]
pub struct RunningInstance {
    /// The instance.
    pub id: InstanceId,
    /// The id of its HealthCheck workflow.
    pub health_check: Option<String>,
    /// Seconds between checks.
    pub interval_seconds: i32,
}

/// An instance of which a runtime has objects.
#[derive(Clone, Copy, Debug)]
pub struct KnownInstance {
    /// The instance.
    pub id: InstanceId,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Whether the deletion keeps the volumes.
    pub keep_volumes: bool,
}

impl From<Instance> for RunningInstance {
    fn from(instance: Instance) -> Self {
        Self { id: instance.id, health_check: instance.health_check_orchestration_id, interval_seconds: instance.spec.health_check.interval_seconds }
    }
}

impl Store {
    /// Operations that wait for a workflow, the oldest first.
    pub async fn pending_operations(&self, limit: i64) -> Result<Vec<Operation>> {
        let rows = operation_query!("SELECT", "FROM operations WHERE status = 'pending' ORDER BY created_at LIMIT $1", limit)
            .fetch_all(&self.pool)
            .await
            .classify()?;
        rows.into_iter().map(operation).collect()
    }

    /// Unfinished operations, the oldest first.
    pub async fn unfinished_operations(&self) -> Result<Vec<Operation>> {
        let rows = operation_query!("SELECT", "FROM operations WHERE status IN ('pending', 'running') ORDER BY created_at")
            .fetch_all(&self.pool)
            .await
            .classify()?;
        rows.into_iter().map(operation).collect()
    }

    /// Running operations whose cancellation was requested.
    pub async fn cancelling_operations(&self) -> Result<Vec<Operation>> {
        let rows =
            operation_query!("SELECT", "FROM operations WHERE status = 'running' AND cancel_requested").fetch_all(&self.pool).await.classify()?;
        rows.into_iter().map(operation).collect()
    }

    /// Records that this run was started in the engine.
    pub async fn mark_dispatched(&self, id: &OperationId, run: i32) -> Result<()> {
        sqlx::query!(
            "UPDATE operations SET status = 'running', started_at = coalesce(started_at, clock_timestamp()), dispatched_at = clock_timestamp()
             WHERE id = $1 AND run = $2 AND status = 'pending'",
            id.as_str(),
            run
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// The operation and its instance, if this run is current.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn work(&self, id: &OperationId, run: i32) -> Result<Work> {
        let mut connection = self.pool.acquire().await.classify()?;
        let operation = seen_run(&mut connection, id, run).await?;
        let row =
            instance_query!("SELECT", "FROM instances WHERE id = $1", operation.instance.0).fetch_optional(&mut *connection).await.classify()?;
        Ok(Work { operation, instance: instance(row.ok_or(Error::Superseded)?)? })
    }

    /// Records that the volume of an instance is larger than its row says, because an operation that failed has grown it.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn record_volume_size(&self, id: &OperationId, run: i32, storage_gb: i32) -> Result<()> {
        let mut transaction = self.begin().await?;
        let now = live_run_and_instance(&mut transaction, id, run).await?;
        sqlx::query!("UPDATE instances SET storage_gb = $2 WHERE id = $1 AND storage_gb < $2", now.instance.0, storage_gb)
            .execute(&mut *transaction)
            .await
            .classify()?;
        transaction.commit().await.classify()
    }

    /// Records on the instance why it is not ready yet, or will never be.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn note_waiting(&self, id: &OperationId, run: i32, why: &Reason) -> Result<()> {
        let mut transaction = self.begin().await?;
        let now = live_run_and_instance(&mut transaction, id, run).await?;
        sqlx::query!(
            "UPDATE instances SET reason_code = $2, reason_message = $3
             WHERE id = $1 AND state IN ('creating', 'updating', 'deleting') AND (reason_code, reason_message) IS DISTINCT FROM ($2, $3)",
            now.instance.0,
            why.code.as_str(),
            why.message
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        transaction.commit().await.classify()?;
        Ok(())
    }

    /// Abandons the current run and requests the next one, which the dispatcher starts. Returns its number.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn next_run(&self, id: &OperationId, run: i32) -> Result<i32> {
        let next = run + 1;
        let changed = sqlx::query!(
            "UPDATE operations SET run = $3, engine_id = $4, status = 'pending' WHERE id = $1 AND run = $2 AND status IN ('pending', 'running')",
            id.as_str(),
            run,
            next,
            id.engine_id(next)
        )
        .execute(&self.pool)
        .await
        .classify()?;
        if changed.rows_affected() == 0 { Err(Error::Superseded) } else { Ok(next) }
    }

    /// Ends the transitional states of instances without an operation in progress, so that they can be retried or deleted. This can
    /// only be necessary after manual changes of the database. Returns the instances.
    pub async fn end_orphans(&self) -> Result<Vec<InstanceId>> {
        let mut ended = Vec::new();
        for during in InstanceState::ALL.iter().filter(|state| state.is_transitional()) {
            let kinds: Vec<_> = OperationKind::ALL.iter().filter(|kind| kind.policy().during == Some(*during)).collect();
            let after = match kinds.first().map(|kind| kind.policy()) {
                Some(Policy { failure: OnFailure::End(InstanceAfter::State(state)), .. }) => *state,
                // Unless the last operation says which state was the former.
                Some(Policy { failure: OnFailure::End(InstanceAfter::Former), from, .. }) => from.first().copied().unwrap_or(InstanceState::Failed),
                Some(Policy { failure: OnFailure::KeepTrying, .. }) | None => InstanceState::Failed,
            };
            let is_reverted = kinds.iter().any(|kind| kind.policy().failure == OnFailure::End(InstanceAfter::Former));
            let reverted: Vec<_> = kinds.iter().filter(|_| is_reverted).map(ToString::to_string).collect();
            let mut transaction = self.begin().await?;
            // Locked first and checked by a second statement, which sees every operation that was accepted before the lock.
            let candidates = sqlx::query_scalar!("SELECT id FROM instances WHERE state = $1 FOR UPDATE SKIP LOCKED", during.as_str())
                .fetch_all(&mut *transaction)
                .await
                .classify()?;
            let orphans = sqlx::query_scalar!(
                "UPDATE instances SET health_status = 'unknown', reason_code = 'internal',
                     state = coalesce((SELECT former_state FROM operations WHERE instance_id = instances.id AND kind = ANY($3)
                                       ORDER BY created_at DESC LIMIT 1), $2),
                     reason_message = 'no operation worked on it any more; retry the last one or delete the instance'
                 WHERE id = ANY($1) AND NOT EXISTS (
                     SELECT 1 FROM operations WHERE instance_id = instances.id AND excludes AND status IN ('pending', 'running'))
                 RETURNING id",
                &candidates,
                after.as_str(),
                &reverted
            )
            .fetch_all(&mut *transaction)
            .await
            .classify()?;
            transaction.commit().await.classify()?;
            ended.extend(orphans.into_iter().map(InstanceId));
        }
        Ok(ended)
    }

    /// Returns those of these instances that have a row, with whether they are deleted, and whether their deletion keeps the
    /// volumes.
    pub async fn known_instances(&self, ids: &[InstanceId]) -> Result<Vec<KnownInstance>> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        let rows = sqlx::query!(
            r#"SELECT id, state = 'deleted' AS "deleted!",
                   coalesce((SELECT (params->>'keep_volumes')::boolean FROM operations WHERE instance_id = instances.id AND kind = 'delete' AND status = 'succeeded'
                             ORDER BY created_at DESC LIMIT 1), true) AS "keep_volumes!"
               FROM instances WHERE id = ANY($1)"#,
            &ids
        )
        .fetch_all(&self.pool)
        .await.classify()?;
        Ok(rows.into_iter().map(|row| KnownInstance { id: InstanceId(row.id), deleted: row.deleted, keep_volumes: row.keep_volumes }).collect())
    }

    /// Every instance with health checks, with its HealthCheck workflow: those that are running, or being updated (with paused
    /// checks) and not being resumed.
    pub async fn running_instances(&self) -> Result<Vec<RunningInstance>> {
        let rows = sqlx::query!(
            "SELECT id, health_check_orchestration_id, health_interval_seconds FROM instances
                 WHERE state = 'running' OR state = 'updating' AND health_check_orchestration_id IS NOT NULL"
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        Ok(rows
            .into_iter()
            .map(|row| RunningInstance {
                id: InstanceId(row.id),
                health_check: row.health_check_orchestration_id,
                interval_seconds: row.health_interval_seconds,
            })
            .collect())
    }

    /// Allocates the id of the next HealthCheck workflow of an instance, which replaces `lost`. Only one of several concurrent
    /// callers succeeds.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the instance is no longer running or another caller has succeeded.
    pub async fn next_health_check(&self, id: InstanceId, lost: Option<&str>) -> Result<String> {
        sqlx::query_scalar!(
            r#"UPDATE instances SET health_generation = health_generation + 1,
                   health_check_orchestration_id = 'health-' || id || '-' || (health_generation + 1)
               WHERE id = $1 AND state IN ('running', 'updating') AND health_check_orchestration_id IS NOT DISTINCT FROM $2
               RETURNING health_check_orchestration_id AS "id!""#,
            id.0,
            lost
        )
        .fetch_optional(&self.pool)
        .await
        .classify()?
        .ok_or(Error::Superseded)
    }

    /// Writes a changed health (and endpoint, if that has changed) of a running instance, if `health_check` is its current
    /// workflow, its data is not known to be lost, and no operation has started since `operation_count` was read: a check during a restart is outdated after it.
    /// Returns whether anything changed.
    pub async fn set_health(
        &self,
        id: InstanceId,
        health_check: &str,
        operation_count: i64,
        health: HealthStatus,
        why: Option<&Reason>,
        moved_to: Option<(&Endpoint, &str)>,
    ) -> Result<bool> {
        let changed = sqlx::query!(
            "UPDATE instances SET health_status = $3, reason_code = $4, reason_message = $5, endpoint_host = coalesce($6, endpoint_host),
                 endpoint_port = coalesce($7, endpoint_port), connection_string = coalesce($8, connection_string)
             WHERE id = $1 AND state = 'running' AND health_check_orchestration_id = $2 AND operation_count = $9
               AND (reason_code IS DISTINCT FROM 'data_lost' OR $4 = 'data_lost')
               AND ((health_status, reason_code, reason_message) IS DISTINCT FROM ($3, $4, $5) OR $6::text IS NOT NULL)",
            id.0,
            health_check,
            health.as_str(),
            why.map(|why| why.code.as_str()),
            why.map(|why| why.message.as_str()),
            moved_to.map(|(endpoint, _)| endpoint.host.as_str()),
            moved_to.map(|(endpoint, _)| i32::from(endpoint.port)),
            moved_to.map(|(_, connection_string)| connection_string),
            operation_count
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(changed.rows_affected() > 0)
    }
}

/// The operation in its current state, if this run is current.
pub(super) async fn seen_run(connection: &mut PgConnection, id: &OperationId, run: i32) -> Result<Operation> {
    let row = operation_query!("SELECT", "FROM operations WHERE id = $1", id.as_str()).fetch_optional(connection).await.classify()?;
    let now = operation(row.ok_or(Error::Superseded)?)?;
    if now.run != run || now.status.is_terminal() { Err(Error::Superseded) } else { Ok(now) }
}

/// Locks both for writing; the instance is locked first, as everywhere.
pub(super) async fn live_run_and_instance(connection: &mut PgConnection, id: &OperationId, run: i32) -> Result<Operation> {
    let (_, now) = locked_both(connection, id).await.map_err(superseded_if_gone)?;
    if now.run != run || now.status.is_terminal() { Err(Error::Superseded) } else { Ok(now) }
}

/// An operation without a row counts as superseded.
pub(super) fn superseded_if_gone(error: Error) -> Error {
    if matches!(error, Error::User(_)) { Error::Superseded } else { error }
}
