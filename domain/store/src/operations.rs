//! Operations: accepted, looked up, cancelled, retried.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{
    Accepted, Page, PageRequest, Request, Store,
    instances::{self, instance, instance_query},
    parsed, reason,
};
use toygres_domain::{Error, InstanceId, OperationId, Result, UserErrorCode, instance::{Instance, InstanceState, Reason, ReasonCode}, operation::{Operation, OperationKind, OperationStatus, Step, StepName}};

/// Which operations are meant: every given condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OperationFilter {
    /// Of this instance.
    pub instance: Option<InstanceId>,
    /// Of one of these kinds.
    pub kinds: Option<Vec<OperationKind>>,
    /// In one of these states.
    pub statuses: Option<Vec<OperationStatus>>,
}

pub(super) struct OperationRow {
    pub(super) id: String,
    pub(super) instance_id: Uuid,
    pub(super) kind: String,
    pub(super) run: i32,
    pub(super) status: String,
    pub(super) steps: Json<Vec<Step>>,
    pub(super) error_code: Option<String>,
    pub(super) error_message: Option<String>,
    pub(super) cancel_requested: bool,
    pub(super) keep_volumes: bool,
    pub(super) deadline: DateTime<Utc>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) dispatched_at: Option<DateTime<Utc>>,
    pub(super) finished_at: Option<DateTime<Utc>>,
}

/// `query_as!` with the columns of an operation between `$before` and `$after`.
macro_rules! operation_query {
    ($before:literal, $after:expr $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::operations::OperationRow,
            $before
                + r#" id, instance_id, kind, run, status, steps AS "steps: _", error_code, error_message, cancel_requested, keep_volumes,
                      deadline, created_at, started_at, dispatched_at, finished_at "#
                + $after
            $(, $arg)*
        )
    };
}
pub(super) use operation_query;

impl Store {
    /// One operation, by its own id or by one of its engine ids.
    pub async fn operation(&self, id: &OperationId) -> Result<Option<Operation>> {
        operation_query!("SELECT", "FROM operations WHERE id = $1", id.as_str()).fetch_optional(&self.pool).await?.map(operation).transpose()
    }

    /// Several operations, in no order.
    pub async fn operations_by_id(&self, ids: &[OperationId]) -> Result<Vec<Operation>> {
        let ids: Vec<_> = ids.iter().map(|id| id.as_str().to_owned()).collect();
        let rows = operation_query!("SELECT", "FROM operations WHERE id = ANY($1)", &ids).fetch_all(&self.pool).await?;
        rows.into_iter().map(operation).collect()
    }

    /// A page of operations, the newest first. The position of an entry is its time and id.
    pub async fn operations(&self, filter: &OperationFilter, page: &PageRequest<(DateTime<Utc>, String)>) -> Result<Page<Operation>> {
        let (kinds, statuses) = filter.arguments();
        macro_rules! listing {
            ($order:literal) => {
                operation_query!(
                    "SELECT",
                    "FROM operations
                     WHERE ($1::uuid IS NULL OR instance_id = $1) AND ($2::text[] IS NULL OR kind = ANY($2))
                       AND ($3::text[] IS NULL OR status = ANY($3))
                       AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5))
                       AND ($6::timestamptz IS NULL OR (created_at, id) > ($6, $7))
                     ORDER BY "
                        + $order
                        + " LIMIT $8",
                    filter.instance.map(|id| id.0),
                    kinds.as_deref() as _,
                    statuses.as_deref() as _,
                    page.after.as_ref().map(|(at, _)| *at),
                    page.after.as_ref().map(|(_, id)| id.clone()),
                    page.before.as_ref().map(|(at, _)| *at),
                    page.before.as_ref().map(|(_, id)| id.clone()),
                    page.fetch()
                )
                .fetch_all(&self.pool)
                .await?
            };
        }
        let rows = if page.backward { listing!("created_at, id") } else { listing!("created_at DESC, id DESC") };
        Ok(page.page(rows.into_iter().map(operation).collect::<Result<_>>()?))
    }

    /// How many operations `filter` lets through.
    pub async fn count_operations(&self, filter: &OperationFilter) -> Result<i64> {
        let (kinds, statuses) = filter.arguments();
        Ok(sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM operations
               WHERE ($1::uuid IS NULL OR instance_id = $1) AND ($2::text[] IS NULL OR kind = ANY($2))
                 AND ($3::text[] IS NULL OR status = ANY($3))"#,
            filter.instance.map(|id| id.0),
            kinds.as_deref() as _,
            statuses.as_deref() as _
        )
        .fetch_one(&self.pool)
        .await?)
    }

    /// The same page of the operations of several instances, in one statement; `filter.instance` has no effect.
    pub async fn operations_of(
        &self,
        instances: &[InstanceId],
        filter: &OperationFilter,
        page: &PageRequest<(DateTime<Utc>, String)>,
    ) -> Result<HashMap<InstanceId, Page<Operation>>> {
        let (kinds, statuses) = filter.arguments();
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        macro_rules! listing {
            ($order:literal) => {
                operation_query!(
                    "SELECT",
                    "FROM unnest($1::uuid[]) AS parent (parent_id) CROSS JOIN LATERAL (
                         SELECT * FROM operations
                         WHERE instance_id = parent_id AND ($2::text[] IS NULL OR kind = ANY($2)) AND ($3::text[] IS NULL OR status = ANY($3))
                           AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5))
                           AND ($6::timestamptz IS NULL OR (created_at, id) > ($6, $7))
                         ORDER BY "
                        + $order
                        + " LIMIT $8) entry ORDER BY "
                        + $order,
                    &ids,
                    kinds.as_deref() as _,
                    statuses.as_deref() as _,
                    page.after.as_ref().map(|(at, _)| *at),
                    page.after.as_ref().map(|(_, id)| id.clone()),
                    page.before.as_ref().map(|(at, _)| *at),
                    page.before.as_ref().map(|(_, id)| id.clone()),
                    page.fetch()
                )
                .fetch_all(&self.pool)
                .await?
            };
        }
        let rows = if page.backward { listing!("created_at, id") } else { listing!("created_at DESC, id DESC") };
        let operations: Vec<_> = rows.into_iter().map(operation).collect::<Result<_>>()?;
        Ok(page.pages(instances, operations.into_iter().map(|operation| (operation.instance, operation))))
    }

    /// How many operations of each of several instances `filter` lets through; `filter.instance` has no effect. Instances
    /// without any are left out.
    pub async fn count_operations_of(&self, instances: &[InstanceId], filter: &OperationFilter) -> Result<HashMap<InstanceId, i64>> {
        let (kinds, statuses) = filter.arguments();
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        let rows = sqlx::query!(
            r#"SELECT instance_id, count(*) AS "count!" FROM operations
               WHERE instance_id = ANY($1) AND ($2::text[] IS NULL OR kind = ANY($2)) AND ($3::text[] IS NULL OR status = ANY($3))
               GROUP BY instance_id"#,
            &ids,
            kinds.as_deref() as _,
            statuses.as_deref() as _
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (InstanceId(row.instance_id), row.count)).collect())
    }

    /// Asks an operation to stop. The workflow of a creation notices, cleans up, and ends it as cancelled. A deletion ends here,
    /// and the instance is what it was, as long as nothing has been removed.
    ///
    /// # Errors
    /// [`Error::User`] with `NotFound`, or `Conflict` when it is over or removal has begun.
    pub async fn request_cancel(&self, id: &OperationId) -> Result<Accepted> {
        let mut transaction = self.begin().await?;
        let (instance, now) = locked_both(&mut transaction, id).await?;
        if now.status.is_terminal() {
            return Err(Error::user(UserErrorCode::Conflict, "id", format!("the operation is over already: it {}", now.status)));
        }
        let accepted = match now.kind {
            OperationKind::Create => {
                let row = operation_query!("UPDATE operations SET cancel_requested = true WHERE id = $1 RETURNING", "", id.as_str())
                    .fetch_one(&mut *transaction)
                    .await?;
                Accepted { instance, operation: operation(row)? }
            }
            OperationKind::Delete => take_back(&mut transaction, &now).await?,
        };
        transaction.commit().await?;
        Ok(accepted)
    }

    /// Starts a failed or cancelled operation again, as a new operation of the same kind.
    ///
    /// # Errors
    /// [`Error::User`] with `NotFound`, or `Conflict` when it did not fail or the instance is not in the failed state.
    pub async fn retry_operation(&self, id: &OperationId, request: &Request) -> Result<Accepted> {
        let first = self.operation(id).await?.ok_or_else(|| not_found(id))?;
        if let Some(replayed) = self.replay(first.kind, request).await? {
            return Ok(replayed);
        }
        let mut transaction = self.begin().await?;
        // The instance is locked before its operations, as everywhere, so that two callers cannot deadlock.
        let now = instances::locked(&mut transaction, first.instance).await?;
        let failed = locked(&mut transaction, id).await?;
        if !matches!(failed.status, OperationStatus::Failed | OperationStatus::Cancelled) {
            return Err(Error::user(UserErrorCode::Conflict, "id", format!("only a failed operation can be retried; this one is {}", failed.status)));
        }
        let next = match failed.kind {
            OperationKind::Create => InstanceState::Creating,
            OperationKind::Delete => InstanceState::Deleting,
        };
        let latest = operation_query!("SELECT", "FROM operations WHERE instance_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1", now.id.0)
            .fetch_one(&mut *transaction)
            .await?;
        if latest.id != failed.id.as_str() || now.state != InstanceState::Failed {
            return Err(Error::user(
                UserErrorCode::Conflict,
                "id",
                format!("'{}' is {} and has had other operations since, so {next} it again makes no sense", now.name, now.state),
            ));
        }
        let accepted = begin(&mut transaction, &now, failed.kind, failed.keep_volumes, request).await?;
        transaction.commit().await?;
        Ok(accepted)
    }

    pub(super) async fn operation_by_key(&self, kind: OperationKind, key: &str) -> Result<Option<(Operation, Option<Vec<u8>>)>> {
        let Some(found) = sqlx::query!("SELECT id, input_digest FROM operations WHERE kind = $1 AND idempotency_key = $2", kind.as_str(), key)
            .fetch_optional(&self.pool)
            .await?
        else {
            return Ok(None);
        };
        let operation = self.operation(&OperationId::from_any(&found.id)).await?;
        Ok(operation.map(|operation| (operation, found.input_digest)))
    }
}

/// Moves a locked instance into the state of a new operation and writes that operation; other live operations of the
/// instance end as superseded.
pub(super) async fn begin(
    connection: &mut PgConnection,
    now: &Instance,
    kind: OperationKind,
    keep_volumes: bool,
    request: &Request,
) -> Result<Accepted> {
    let state = match kind {
        OperationKind::Create => InstanceState::Creating,
        OperationKind::Delete => InstanceState::Deleting,
    };
    let row = instance_query!(
        "UPDATE instances SET state = $2, reason_code = NULL, reason_message = NULL, health_status = 'unknown',
             operation_count = operation_count + 1
         WHERE id = $1 AND state = ANY($3) RETURNING",
        "",
        now.id.0,
        state.as_str(),
        &sources(state)
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(Error::Superseded)?;
    let n = sqlx::query_scalar!("SELECT operation_count FROM instances WHERE id = $1", now.id.0).fetch_one(&mut *connection).await?;
    let id = OperationId::new(kind, now.id, n);
    let superseded = Reason::new(ReasonCode::Superseded, format!("{id} took over"));
    for live in operation_query!("SELECT", "FROM operations WHERE instance_id = $1 AND status IN ('pending', 'running') FOR UPDATE", now.id.0)
        .fetch_all(&mut *connection)
        .await?
    {
        end(connection, &operation(live)?, OperationStatus::Cancelled, Some(&superseded)).await?;
    }
    let operation = insert(connection, &id, kind, now.id, keep_volumes, Some(now.state), request).await?;
    Ok(Accepted { instance: instance(row)?, operation })
}

/// Undoes the acceptance of a deletion. Removing begins with a write to its step, under the lock of this row, so either that
/// comes first or this; the workflow of an operation that is over does nothing more.
async fn take_back(connection: &mut PgConnection, now: &Operation) -> Result<Accepted> {
    let begun = now.steps.iter().any(|step| step.name == StepName::DeletePostgres && step.attempt > 0);
    let former = sqlx::query_scalar!("SELECT former_state FROM operations WHERE id = $1", now.id.as_str()).fetch_one(&mut *connection).await?;
    let former = former.as_deref().filter(|former| !begun && (*former == "running" || *former == "failed"));
    let Some(former) = former else {
        let message = "removal has begun and cannot be cancelled; create the instance anew instead";
        return Err(Error::user(UserErrorCode::Conflict, "id", message));
    };
    // An instance that had failed gets its reason back. The health check may have been ended: the sweeper starts the next.
    let row = instance_query!(
        "UPDATE instances SET state = $2, health_status = 'unknown', health_check_orchestration_id = NULL,
             (reason_code, reason_message) = (SELECT error_code, error_message FROM operations
                 WHERE instance_id = $1 AND id <> $3 AND $2 = 'failed' AND status IN ('failed', 'cancelled') ORDER BY created_at DESC LIMIT 1)
         WHERE id = $1 AND state = 'deleting' RETURNING",
        "",
        now.instance.0,
        former,
        now.id.as_str()
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(Error::Superseded)?;
    sqlx::query!("UPDATE operations SET cancel_requested = true WHERE id = $1", now.id.as_str()).execute(&mut *connection).await?;
    let why = Reason::new(ReasonCode::Cancelled, "the deletion was cancelled before anything was removed");
    end(connection, now, OperationStatus::Cancelled, Some(&why)).await?;
    let operation = locked(connection, &now.id).await?;
    Ok(Accepted { instance: instance(row)?, operation })
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    id: &OperationId,
    kind: OperationKind,
    instance: InstanceId,
    keep_volumes: bool,
    former: Option<InstanceState>,
    request: &Request,
) -> Result<Operation> {
    let (key, digest) = request.idempotency.as_ref().map(|(key, digests)| (key.as_str(), digests.first().map(Vec::as_slice))).unzip();
    let digest = digest.flatten();
    let row = operation_query!(
        "INSERT INTO operations (id, instance_id, kind, engine_id, status, steps, keep_volumes, idempotency_key, input_digest, requested_by, former_state,
             deadline)
         VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, $9, $10, now() + make_interval(secs => $11)) RETURNING",
        "",
        id.as_str(),
        instance.0,
        kind.as_str(),
        id.engine_id(1),
        Json(kind.plan()) as _,
        keep_volumes,
        key,
        digest,
        request.requested_by,
        former.map(InstanceState::as_str),
        request.deadline.as_secs_f64()
    )
    .fetch_one(connection)
    .await?;
    operation(row)
}

/// Ends a live operation. Steps under way fail with it, steps not begun are skipped; on success all are done.
pub(super) async fn end(connection: &mut PgConnection, now: &Operation, status: OperationStatus, why: Option<&Reason>) -> Result<()> {
    use toygres_domain::operation::StepStatus;
    let mut steps = now.steps.clone();
    let at = Utc::now();
    for step in &mut steps {
        step.status = match (step.status, status) {
            (StepStatus::Running, OperationStatus::Succeeded) => StepStatus::Succeeded,
            (StepStatus::Pending, OperationStatus::Succeeded) if step.name == StepName::UpdateMetadata => StepStatus::Succeeded,
            (StepStatus::Running, _) => StepStatus::Failed,
            (StepStatus::Pending, _) => StepStatus::Skipped,
            (done, _) => done,
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
    .await?;
    // The transaction may still come to nothing, which is rare and only counts one too many.
    if ended.rows_affected() > 0 {
        let took = (at - now.created_at).as_seconds_f64().max(0.0);
        metrics::histogram!("toygres_operation_seconds", "kind" => now.kind.as_str(), "result" => status.as_str()).record(took);
    }
    Ok(())
}

pub(super) async fn live(connection: &mut PgConnection, instance: InstanceId, kind: OperationKind) -> Result<Option<Operation>> {
    operation_query!("SELECT", "FROM operations WHERE instance_id = $1 AND kind = $2 AND status IN ('pending', 'running')", instance.0, kind.as_str())
        .fetch_optional(connection)
        .await?
        .map(operation)
        .transpose()
}

/// An operation and its instance, locked in the order in which everybody locks them, so that nobody deadlocks.
pub(super) async fn locked_both(connection: &mut PgConnection, id: &OperationId) -> Result<(Instance, Operation)> {
    let instance = sqlx::query_scalar!("SELECT instance_id FROM operations WHERE id = $1", id.as_str())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| not_found(id))?;
    let instance = instances::locked(connection, InstanceId(instance)).await?;
    Ok((instance, locked(connection, id).await?))
}

pub(super) async fn locked(connection: &mut PgConnection, id: &OperationId) -> Result<Operation> {
    operation_query!("SELECT", "FROM operations WHERE id = $1 FOR UPDATE", id.as_str())
        .fetch_optional(connection)
        .await?
        .map(operation)
        .transpose()?
        .ok_or_else(|| not_found(id))
}

pub(super) fn operation(row: OperationRow) -> Result<Operation> {
    Ok(Operation {
        id: OperationId::from_any(&row.id),
        kind: parsed(&row.kind)?,
        instance: InstanceId(row.instance_id),
        status: parsed(&row.status)?,
        run: row.run,
        steps: row.steps.0,
        error: reason(row.error_code, row.error_message)?,
        cancel_requested: row.cancel_requested,
        keep_volumes: row.keep_volumes,
        deadline: row.deadline,
        created_at: row.created_at,
        started_at: row.started_at,
        dispatched_at: row.dispatched_at,
        finished_at: row.finished_at,
    })
}

/// The states from which `next` can be reached, as the guard of an update.
pub(super) fn sources(next: InstanceState) -> Vec<String> {
    InstanceState::sources_of(next).iter().map(ToString::to_string).collect()
}

fn not_found(id: &OperationId) -> Error {
    Error::user(UserErrorCode::NotFound, "id", format!("no operation has the id {id}"))
}

type TextArrays = (Option<Vec<String>>, Option<Vec<String>>);

impl OperationFilter {
    fn arguments(&self) -> TextArrays {
        (
            self.kinds.as_ref().map(|all| all.iter().map(ToString::to_string).collect()),
            self.statuses.as_ref().map(|all| all.iter().map(ToString::to_string).collect()),
        )
    }
}
