//! Queries for the janitor and for metrics.

use std::{collections::HashSet, time::Duration};

use super::Store;
use super::errors::Classify;
use toygres_domain::{OperationId, Result};

/// A table and its size on disk, with that of its partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSize {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// The number of rows that PostgreSQL estimates.
    pub rows: f64,
    /// The size in bytes, with indexes and TOAST.
    pub bytes: f64,
}

/// The number of instances in one state and health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceCount {
    /// The state.
    pub state: String,
    /// The health.
    pub health: String,
    /// The number.
    pub count: i64,
}

/// The number of unfinished operations of one kind and status.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationCount {
    /// The kind.
    pub kind: String,
    /// The status: pending or running.
    pub status: String,
    /// The number.
    pub count: i64,
    /// The age of the oldest in seconds.
    pub oldest_seconds: f64,
}

/// By how many seconds the oldest records exceed their retention; 0 if none do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetentionLag {
    /// Of the event log.
    pub events: f64,
    /// Of the health samples: from when on a partition can be dropped.
    pub health_checks: f64,
}

impl Store {
    /// Returns those of these operations that have been finished for longer than `retention`, whose workflows are not needed any
    /// more.
    pub async fn operations_over(&self, ids: &[OperationId], retention: Duration) -> Result<HashSet<OperationId>> {
        let ids: Vec<_> = ids.iter().map(|id| id.as_str().to_owned()).collect();
        let over = sqlx::query_scalar!(
            "SELECT id FROM operations WHERE id = ANY($1) AND finished_at < now() - make_interval(secs => $2)",
            &ids,
            retention.as_secs_f64()
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        Ok(over.iter().map(|id| OperationId::from_any(id)).collect())
    }

    /// Returns those of these HealthCheck workflows that an instance names.
    pub async fn named_health_checks(&self, workflows: &[String]) -> Result<HashSet<String>> {
        let named = sqlx::query_scalar!(
            r#"SELECT health_check_orchestration_id AS "id!" FROM instances WHERE health_check_orchestration_id = ANY($1)"#,
            workflows
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        Ok(named.into_iter().collect())
    }

    /// Lists the tables of these schemas. It reads only the system catalogs, so it is cheap however large the tables are.
    pub async fn table_sizes(&self, schemas: &[&str]) -> Result<Vec<TableSize>> {
        let schemas: Vec<_> = schemas.iter().map(|&schema| schema.to_owned()).collect();
        let rows = sqlx::query!(
            r#"SELECT nspname::text AS "schema!", coalesce(parent.relname, class.relname)::text AS "table!",
                      sum(CASE WHEN class.reltuples < 0 THEN pg_stat_get_live_tuples(class.oid) ELSE class.reltuples END)::float8 AS "rows!",
                      sum(pg_total_relation_size(class.oid))::float8 AS "bytes!"
               FROM pg_class class JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
                    LEFT JOIN pg_inherits ON inhrelid = class.oid LEFT JOIN pg_class parent ON parent.oid = inhparent
               WHERE class.relkind = 'r' AND nspname = ANY($1) GROUP BY 1, 2"#,
            &schemas
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        Ok(rows.into_iter().map(|row| TableSize { schema: row.schema, table: row.table, rows: row.rows, bytes: row.bytes }).collect())
    }

    /// Counts the instances that are not deleted, by state and health.
    pub async fn instance_counts(&self) -> Result<Vec<InstanceCount>> {
        let counts = sqlx::query_as!(
            InstanceCount,
            r#"SELECT state, health_status AS health, count(*) AS "count!" FROM instances WHERE state <> 'deleted' GROUP BY 1, 2"#
        );
        counts.fetch_all(&self.pool).await.classify()
    }

    /// Counts the notices of instances, by code. Codes without any are omitted.
    pub async fn notice_counts(&self) -> Result<Vec<(String, i64)>> {
        let counts = sqlx::query!(
            r#"SELECT notice->>'code' AS "code!", count(*) AS "count!" FROM instances, jsonb_array_elements(notices) AS notice
               WHERE state <> 'deleted' GROUP BY 1"#
        );
        Ok(counts.fetch_all(&self.pool).await.classify()?.into_iter().map(|row| (row.code, row.count)).collect())
    }

    /// Counts the unfinished operations, by kind and status.
    pub async fn operation_counts(&self) -> Result<Vec<OperationCount>> {
        let counts = sqlx::query_as!(
            OperationCount,
            r#"SELECT kind, status, count(*) AS "count!", extract(epoch FROM now() - min(created_at))::float8 AS "oldest_seconds!"
               FROM operations WHERE status IN ('pending', 'running') GROUP BY 1, 2"#
        );
        counts.fetch_all(&self.pool).await.classify()
    }

    /// The delay of the janitor.
    pub async fn retention_lag(&self, events: Duration, health_checks: Duration) -> Result<RetentionLag> {
        let lag = sqlx::query_as!(
            RetentionLag,
            r#"SELECT greatest(0, coalesce(extract(epoch FROM now() - (SELECT min(at) FROM events)), 0) - $1::float8)::float8 AS "events!",
                      greatest(0, coalesce(extract(epoch FROM now() - least((SELECT min(at) FROM health_checks_default),
                          (SELECT min(substring(pg_get_expr(relpartbound, oid) FROM 'TO \(''([^'']+)''\)')::timestamptz)
                           FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = to_regclass('health_checks')))), 0)
                          - $2::float8)::float8 AS "health_checks!""#,
            events.as_secs_f64(),
            health_checks.as_secs_f64()
        );
        lag.fetch_one(&self.pool).await.classify()
    }
}
