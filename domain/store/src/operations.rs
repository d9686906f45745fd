//! Reads operations.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::errors::Classify;
use super::{Page, PageRequest, Store, instances, parsed, reason};
use toygres_domain::{
    Error, InstanceId, OperationId, Result, UserErrorCode,
    instance::Instance,
    operation::{Operation, OperationKind, OperationStatus, Params, Step},
};

/// Selects operations that meet every given condition.
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
    pub(super) params: Value,
    pub(super) former_state: Option<String>,
    pub(super) cancel_requested: bool,
    pub(super) requested_by: Option<String>,
    pub(super) deadline: Option<DateTime<Utc>>,
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
                + r#" id, instance_id, kind, run, status, steps AS "steps: _", error_code, error_message, params, former_state,
                      cancel_requested, requested_by, deadline, created_at, started_at, dispatched_at, finished_at "#
                + $after
            $(, $arg)*
        )
    };
}
pub(super) use operation_query;

impl Store {
    /// One operation, by its id or by one of its engine ids.
    pub async fn operation(&self, id: &OperationId) -> Result<Option<Operation>> {
        operation_query!("SELECT", "FROM operations WHERE id = $1", id.as_str())
            .fetch_optional(&self.pool)
            .await
            .classify()?
            .map(operation)
            .transpose()
    }

    /// Several operations, in no particular order.
    pub async fn operations_by_id(&self, ids: &[OperationId]) -> Result<Vec<Operation>> {
        let ids: Vec<_> = ids.iter().map(|id| id.as_str().to_owned()).collect();
        let rows = operation_query!("SELECT", "FROM operations WHERE id = ANY($1)", &ids).fetch_all(&self.pool).await.classify()?;
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
                .await
                .classify()?
            };
        }
        let rows = if page.backward { listing!("created_at, id") } else { listing!("created_at DESC, id DESC") };
        Ok(page.page(rows.into_iter().map(operation).collect::<Result<_>>()?))
    }

    /// The number of operations that match `filter`.
    pub async fn count_operations(&self, filter: &OperationFilter) -> Result<i64> {
        let (kinds, statuses) = filter.arguments();
        sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM operations
               WHERE ($1::uuid IS NULL OR instance_id = $1) AND ($2::text[] IS NULL OR kind = ANY($2))
                 AND ($3::text[] IS NULL OR status = ANY($3))"#,
            filter.instance.map(|id| id.0),
            kinds.as_deref() as _,
            statuses.as_deref() as _
        )
        .fetch_one(&self.pool)
        .await
        .classify()
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
                .await.classify()?
            };
        }
        let rows = if page.backward { listing!("created_at, id") } else { listing!("created_at DESC, id DESC") };
        let operations: Vec<_> = rows.into_iter().map(operation).collect::<Result<_>>()?;
        Ok(page.pages(instances, operations.into_iter().map(|operation| (operation.instance, operation))))
    }

    /// The number of operations that match `filter` for each of several instances; `filter.instance` has no effect. Instances
    /// without any are omitted.
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
        .await
        .classify()?;
        Ok(rows.into_iter().map(|row| (InstanceId(row.instance_id), row.count)).collect())
    }

    pub(super) async fn operation_by_key(&self, kind: OperationKind, key: &str) -> Result<Option<(Operation, Option<Vec<u8>>)>> {
        let Some(found) = sqlx::query!("SELECT id, input_digest FROM operations WHERE kind = $1 AND idempotency_key = $2", kind.as_str(), key)
            .fetch_optional(&self.pool)
            .await
            .classify()?
        else {
            return Ok(None);
        };
        let operation = self.operation(&OperationId::from_any(&found.id)).await?;
        Ok(operation.map(|operation| (operation, found.input_digest)))
    }
}

/// The operations of an instance that are not finished, the oldest first, locked until the transaction ends.
pub(super) async fn unfinished(connection: &mut PgConnection, instance: InstanceId) -> Result<Vec<Operation>> {
    let rows = operation_query!(
        "SELECT",
        "FROM operations WHERE instance_id = $1 AND status IN ('pending', 'running') ORDER BY created_at, id FOR UPDATE",
        instance.0
    )
    .fetch_all(connection)
    .await
    .classify()?;
    rows.into_iter().map(operation).collect()
}

/// An operation and its instance, locked in the same order everywhere to avoid deadlocks.
pub(super) async fn locked_both(connection: &mut PgConnection, id: &OperationId) -> Result<(Instance, Operation)> {
    let instance = sqlx::query_scalar!("SELECT instance_id FROM operations WHERE id = $1", id.as_str())
        .fetch_optional(&mut *connection)
        .await
        .classify()?
        .ok_or_else(|| not_found(id))?;
    let instance = instances::locked(connection, InstanceId(instance)).await?;
    Ok((instance, locked(connection, id).await?))
}

pub(super) async fn locked(connection: &mut PgConnection, id: &OperationId) -> Result<Operation> {
    operation_query!("SELECT", "FROM operations WHERE id = $1 FOR UPDATE", id.as_str())
        .fetch_optional(connection)
        .await
        .classify()?
        .map(operation)
        .transpose()?
        .ok_or_else(|| not_found(id))
}

pub(super) fn operation(row: OperationRow) -> Result<Operation> {
    Ok(Operation {
        id: OperationId::from_any(&row.id),
        params: Params::from_json(parsed(&row.kind)?, row.params).map_err(Error::internal)?,
        instance: InstanceId(row.instance_id),
        former_state: row.former_state.as_deref().map(parsed).transpose()?,
        status: parsed(&row.status)?,
        run: row.run,
        steps: row.steps.0,
        error: reason(row.error_code, row.error_message),
        cancel_requested: row.cancel_requested,
        requested_by: row.requested_by,
        deadline: row.deadline,
        created_at: row.created_at,
        started_at: row.started_at,
        dispatched_at: row.dispatched_at,
        finished_at: row.finished_at,
    })
}

pub(super) fn not_found(id: &OperationId) -> Error {
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
