//! The writes of workflows. Each is guarded by the operation's run and the instance's state, so that an activity that runs
//! twice, late, or beside its successor changes nothing it should not.

use chrono::Utc;
use sqlx::{PgConnection, types::Json};

use super::{
    Store,
    instances::{instance, instance_query},
    operations::{self, end, locked_both, operation, operation_query, sources},
};
use toygres_domain::{Error, InstanceId, OperationId, Result, instance::{Endpoint, HealthStatus, Instance, InstanceState, Reason}, operation::{Operation, OperationStatus, Step, StepName, StepStatus}};

/// What an activity works on.
#[derive(Clone, Debug)]
pub struct Work {
    /// The operation, live and of the run that was asked for.
    pub operation: Operation,
    /// Its instance.
    pub instance: Instance,
}

/// A running instance and the loop that should check its health.
#[derive(Clone, Debug)]
pub struct RunningInstance {
    /// The instance.
    pub id: InstanceId,
    /// The id of its HealthCheck workflow.
    pub health_check: Option<String>,
    /// Seconds between checks.
    pub interval_seconds: i32,
}

/// An instance that a runtime has something of.
#[derive(Clone, Copy, Debug)]
pub struct KnownInstance {
    /// The instance.
    pub id: InstanceId,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Whether its volumes were to be kept.
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
        let rows =
            operation_query!("SELECT", "FROM operations WHERE status = 'pending' ORDER BY created_at LIMIT $1", limit).fetch_all(&self.pool).await?;
        rows.into_iter().map(operation).collect()
    }

    /// Operations that are not over, the oldest first.
    pub async fn unfinished_operations(&self) -> Result<Vec<Operation>> {
        let rows =
            operation_query!("SELECT", "FROM operations WHERE status IN ('pending', 'running') ORDER BY created_at").fetch_all(&self.pool).await?;
        rows.into_iter().map(operation).collect()
    }

    /// Running operations that somebody asked to cancel.
    pub async fn cancelling_operations(&self) -> Result<Vec<Operation>> {
        let rows = operation_query!("SELECT", "FROM operations WHERE status = 'running' AND cancel_requested").fetch_all(&self.pool).await?;
        rows.into_iter().map(operation).collect()
    }

    /// Notes that the engine was given this run.
    pub async fn mark_dispatched(&self, id: &OperationId, run: i32) -> Result<()> {
        sqlx::query!(
            "UPDATE operations SET status = 'running', started_at = coalesce(started_at, clock_timestamp()), dispatched_at = clock_timestamp()
             WHERE id = $1 AND run = $2 AND status = 'pending'",
            id.as_str(),
            run
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The operation and its instance, if this run is still the one that should work.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over or another run has taken over.
    pub async fn work(&self, id: &OperationId, run: i32) -> Result<Work> {
        let mut connection = self.pool.acquire().await?;
        let operation = seen_run(&mut connection, id, run).await?;
        let row = instance_query!("SELECT", "FROM instances WHERE id = $1", operation.instance.0).fetch_optional(&mut *connection).await?;
        Ok(Work { operation, instance: instance(row.ok_or(Error::Superseded)?)? })
    }

    /// Notes that a step began (again). A step that the plan does not hold is added at its end.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over or another run has taken over.
    pub async fn begin_step(&self, id: &OperationId, run: i32, name: StepName) -> Result<()> {
        self.change_step(id, run, name, begin).await
    }

    /// Notes that a step is looked at again, which is no new attempt unless the last one failed.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over or another run has taken over.
    pub async fn look_again(&self, id: &OperationId, run: i32, name: StepName) -> Result<()> {
        self.change_step(id, run, name, go_on).await
    }

    /// Notes what a step waits for.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over or another run has taken over.
    pub async fn note_step(&self, id: &OperationId, run: i32, name: StepName, why: &Reason) -> Result<()> {
        self.change_step(id, run, name, |step| {
            go_on(step);
            step.error = Some(why.clone());
        })
        .await
    }

    /// Notes that an attempt of a step failed. Whether it will be repeated is the workflow's to say, so it runs on.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over or another run has taken over.
    pub async fn fail_step(&self, id: &OperationId, run: i32, name: StepName, why: &Reason) -> Result<()> {
        self.change_step(id, run, name, |step| {
            go_on(step);
            step.finished_at = Some(Utc::now());
            step.error = Some(why.clone());
        })
        .await
    }

    /// Notes that a step is done.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over or another run has taken over.
    pub async fn finish_step(&self, id: &OperationId, run: i32, name: StepName) -> Result<()> {
        self.change_step(id, run, name, |step| {
            go_on(step);
            step.status = StepStatus::Succeeded;
            step.finished_at = Some(Utc::now());
            step.error = None;
        })
        .await
    }

    async fn change_step(&self, id: &OperationId, run: i32, name: StepName, change: impl Fn(&mut Step)) -> Result<()> {
        // Hardly ever does anybody else write at the same time, so nothing is locked first: two round trips instead of four.
        let mut connection = self.pool.acquire().await?;
        let now = seen_run(&mut connection, id, run).await?;
        let Some(steps) = changed(&now.steps, name, &change) else { return Ok(()) };
        let written = sqlx::query!(
            "UPDATE operations SET steps = $2 WHERE id = $1 AND run = $3 AND status IN ('pending', 'running') AND steps = $4",
            id.as_str(),
            Json(steps) as _,
            run,
            Json(now.steps) as _
        )
        .execute(&mut *connection)
        .await?;
        drop(connection);
        if written.rows_affected() > 0 {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        let now = live_run(&mut transaction, id, run).await?;
        if let Some(steps) = changed(&now.steps, name, &change) {
            sqlx::query!("UPDATE operations SET steps = $2 WHERE id = $1", id.as_str(), Json(steps) as _).execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Notes why the instance is not ready yet, or never will be, on the instance itself.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over or another run has taken over.
    pub async fn note_waiting(&self, id: &OperationId, run: i32, why: &Reason) -> Result<()> {
        let mut transaction = self.begin().await?;
        let now = live_run_and_instance(&mut transaction, id, run).await?;
        sqlx::query!(
            "UPDATE instances SET reason_code = $2, reason_message = $3
             WHERE id = $1 AND state IN ('creating', 'deleting') AND (reason_code, reason_message) IS DISTINCT FROM ($2, $3)",
            now.instance.0,
            why.code.as_str(),
            why.message
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends a creation well: the instance runs, and the id of its HealthCheck workflow is allocated in the same moment.
    /// Repeating it changes nothing and returns the same id.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over otherwise or another run has taken over.
    pub async fn finish_create(&self, id: &OperationId, run: i32, endpoint: &Endpoint, connection_string: &str) -> Result<RunningInstance> {
        let mut transaction = self.begin().await?;
        let (instance_now, now) = locked_both(&mut transaction, id).await.map_err(gone)?;
        if now.status == OperationStatus::Succeeded {
            return Ok(instance_now.into());
        }
        if now.run != run || now.status.is_terminal() || now.cancel_requested {
            return Err(Error::Superseded);
        }
        let row = instance_query!(
            "UPDATE instances SET state = 'running', reason_code = NULL, reason_message = NULL, endpoint_host = $2, endpoint_port = $3,
                 connection_string = $4, health_generation = health_generation + 1,
                 health_check_orchestration_id = 'health-' || id || '-' || (health_generation + 1)
             WHERE id = $1 AND state = ANY($5) RETURNING",
            "",
            now.instance.0,
            endpoint.host,
            i32::from(endpoint.port),
            connection_string,
            &sources(InstanceState::Running)
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(Error::Superseded)?;
        end(&mut transaction, &now, OperationStatus::Succeeded, None).await?;
        transaction.commit().await?;
        Ok(instance(row)?.into())
    }

    /// Ends a deletion well: the instance is gone, its password too. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over otherwise or another run has taken over.
    pub async fn finish_delete(&self, id: &OperationId, run: i32) -> Result<()> {
        let mut transaction = self.begin().await?;
        let (_, now) = locked_both(&mut transaction, id).await.map_err(gone)?;
        if now.status == OperationStatus::Succeeded {
            return Ok(());
        }
        if now.run != run || now.status.is_terminal() {
            return Err(Error::Superseded);
        }
        sqlx::query!(
            "UPDATE instances SET state = 'deleted', deleted_at = clock_timestamp(), health_status = 'unknown', reason_code = NULL,
                 reason_message = NULL, endpoint_host = NULL, endpoint_port = NULL, connection_string = NULL,
                 health_check_orchestration_id = NULL
             WHERE id = $1 AND state = ANY($2)",
            now.instance.0,
            &sources(InstanceState::Deleted)
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!("DELETE FROM credentials WHERE instance_id = $1", now.instance.0).execute(&mut *transaction).await?;
        end(&mut transaction, &now, OperationStatus::Succeeded, None).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends an operation badly: it failed or was cancelled, and its instance is `failed` with the reason. Repeating it changes
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over or another run has taken over.
    pub async fn fail_operation(&self, id: &OperationId, run: i32, status: OperationStatus, why: &Reason) -> Result<()> {
        let mut transaction = self.begin().await?;
        let now = live_run_and_instance(&mut transaction, id, run).await?;
        sqlx::query!(
            "UPDATE instances SET state = 'failed', reason_code = $2, reason_message = $3, health_status = 'unknown'
             WHERE id = $1 AND state = ANY($4)",
            now.instance.0,
            why.code.as_str(),
            why.message,
            &sources(InstanceState::Failed)
        )
        .execute(&mut *transaction)
        .await?;
        end(&mut transaction, &now, status, Some(why)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives up the present run and asks for the next one; the dispatcher starts it. Returns its number.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is over or another run has taken over.
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
        .await?;
        if changed.rows_affected() == 0 { Err(Error::Superseded) } else { Ok(next) }
    }

    /// Ends the transitions that no operation works on any more, so that there is a way out of them. That cannot happen as long
    /// as only the store writes; somebody with psql can make it happen. Returns the instances.
    pub async fn end_orphans(&self) -> Result<Vec<InstanceId>> {
        let mut transaction = self.begin().await?;
        // Locked first and judged by a second statement, which then sees every operation that was accepted before.
        let candidates = sqlx::query_scalar!("SELECT id FROM instances WHERE state IN ('creating', 'deleting') FOR UPDATE SKIP LOCKED")
            .fetch_all(&mut *transaction)
            .await?;
        let ended = sqlx::query_scalar!(
            "UPDATE instances SET state = 'failed', health_status = 'unknown', reason_code = 'internal',
                 reason_message = 'no operation worked on it any more; retry the last one or delete the instance'
             WHERE id = ANY($1) AND NOT EXISTS (SELECT 1 FROM operations WHERE instance_id = instances.id AND status IN ('pending', 'running'))
             RETURNING id",
            &candidates
        )
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(ended.into_iter().map(InstanceId).collect())
    }

    /// Which of these the metadata knows, whether they are deleted, and whether their deletion kept the volumes.
    pub async fn known_instances(&self, ids: &[InstanceId]) -> Result<Vec<KnownInstance>> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        let rows = sqlx::query!(
            r#"SELECT id, state = 'deleted' AS "deleted!",
                   coalesce((SELECT keep_volumes FROM operations WHERE instance_id = instances.id AND kind = 'delete' AND status = 'succeeded'
                             ORDER BY created_at DESC LIMIT 1), true) AS "keep_volumes!"
               FROM instances WHERE id = ANY($1)"#,
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| KnownInstance { id: InstanceId(row.id), deleted: row.deleted, keep_volumes: row.keep_volumes }).collect())
    }

    /// Every running instance with its HealthCheck workflow.
    pub async fn running_instances(&self) -> Result<Vec<RunningInstance>> {
        let rows = sqlx::query!("SELECT id, health_check_orchestration_id, health_interval_seconds FROM instances WHERE state = 'running'")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| RunningInstance {
                id: InstanceId(row.id),
                health_check: row.health_check_orchestration_id,
                interval_seconds: row.health_interval_seconds,
            })
            .collect())
    }

    /// Allocates the id of the next HealthCheck workflow of a running instance, in place of `lost`. Only one caller wins.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the instance no longer runs or another caller was faster.
    pub async fn next_health_check(&self, id: InstanceId, lost: Option<&str>) -> Result<String> {
        sqlx::query_scalar!(
            r#"UPDATE instances SET health_generation = health_generation + 1,
                   health_check_orchestration_id = 'health-' || id || '-' || (health_generation + 1)
               WHERE id = $1 AND state = 'running' AND health_check_orchestration_id IS NOT DISTINCT FROM $2
               RETURNING health_check_orchestration_id AS "id!""#,
            id.0,
            lost
        )
        .fetch_optional(&self.pool)
        .await?
        .ok_or(Error::Superseded)
    }

    /// Writes a changed health (and endpoint, should it have moved) of a running instance, if `health_check` is the workflow
    /// that may. Returns whether anything changed.
    pub async fn set_health(
        &self,
        id: InstanceId,
        health_check: &str,
        health: HealthStatus,
        why: Option<&Reason>,
        moved_to: Option<(&Endpoint, &str)>,
    ) -> Result<bool> {
        let changed = sqlx::query!(
            "UPDATE instances SET health_status = $3, reason_code = $4, reason_message = $5, endpoint_host = coalesce($6, endpoint_host),
                 endpoint_port = coalesce($7, endpoint_port), connection_string = coalesce($8, connection_string)
             WHERE id = $1 AND state = 'running' AND health_check_orchestration_id = $2
               AND ((health_status, reason_code, reason_message) IS DISTINCT FROM ($3, $4, $5) OR $6::text IS NOT NULL)",
            id.0,
            health_check,
            health.as_str(),
            why.map(|why| why.code.as_str()),
            why.map(|why| why.message.as_str()),
            moved_to.map(|(endpoint, _)| endpoint.host.as_str()),
            moved_to.map(|(endpoint, _)| i32::from(endpoint.port)),
            moved_to.map(|(_, connection_string)| connection_string)
        )
        .execute(&self.pool)
        .await?;
        Ok(changed.rows_affected() > 0)
    }
}

/// The steps after a change of one of them; `None` if that changes nothing.
fn changed(steps: &[Step], name: StepName, change: impl Fn(&mut Step)) -> Option<Vec<Step>> {
    let mut after = steps.to_vec();
    let index = after.iter().position(|step| step.name == name).unwrap_or_else(|| {
        after.push(Step::planned(name));
        after.len() - 1
    });
    change(&mut after[index]);
    (after != steps).then_some(after)
}

fn begin(step: &mut Step) {
    step.status = StepStatus::Running;
    step.attempt += 1;
    step.started_at.get_or_insert_with(Utc::now);
    step.finished_at = None;
}

fn go_on(step: &mut Step) {
    if step.status != StepStatus::Running || step.finished_at.is_some() {
        begin(step);
    }
}

/// The operation, if this run is still the one that should work, as it is at this moment.
async fn seen_run(connection: &mut PgConnection, id: &OperationId, run: i32) -> Result<Operation> {
    let row = operation_query!("SELECT", "FROM operations WHERE id = $1", id.as_str()).fetch_optional(connection).await?;
    let now = operation(row.ok_or(Error::Superseded)?)?;
    if now.run != run || now.status.is_terminal() { Err(Error::Superseded) } else { Ok(now) }
}

/// For writes to the operation alone.
async fn live_run(connection: &mut PgConnection, id: &OperationId, run: i32) -> Result<Operation> {
    let now = operations::locked(connection, id).await.map_err(gone)?;
    if now.run != run || now.status.is_terminal() { Err(Error::Superseded) } else { Ok(now) }
}

/// For writes to the instance too, which is locked first, as everywhere.
async fn live_run_and_instance(connection: &mut PgConnection, id: &OperationId, run: i32) -> Result<Operation> {
    let (_, now) = locked_both(connection, id).await.map_err(gone)?;
    if now.run != run || now.status.is_terminal() { Err(Error::Superseded) } else { Ok(now) }
}

/// An operation that is not there is nobody's business any more.
fn gone(error: Error) -> Error {
    if matches!(error, Error::User(_)) { Error::Superseded } else { error }
}
