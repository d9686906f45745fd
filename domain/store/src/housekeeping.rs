//! What the janitor has to know before it forgets something, and what the metrics say about the whole.

use std::{collections::HashSet, time::Duration};

use super::Store;
use super::errors::Classify;
use toygres_domain::{OperationId, Result};

/// A table and what it takes on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSize {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// Rows, as PostgreSQL estimates them.
    pub rows: f64,
    /// Bytes with indexes and out-of-line values.
    pub bytes: f64,
}

/// How many instances are in one state and health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceCount {
    /// The state.
    pub state: String,
    /// The health.
    pub health: String,
    /// How many.
    pub count: i64,
}

/// How many operations of one kind are under way.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationCount {
    /// The kind.
    pub kind: String,
    /// The status: pending or running.
    pub status: String,
    /// How many.
    pub count: i64,
    /// The age of the oldest in seconds.
    pub oldest_seconds: f64,
}

/// How far the oldest record of the bounded tables is behind its retention, in seconds; 0 when nothing is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetentionLag {
    /// Of the event log.
    pub events: f64,
    /// Of the health samples.
    pub health_checks: f64,
}

impl Store {
    /// Those of these operations that have been over for longer than `retention`: nobody will ask the engine for them again.
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

    /// Those of these HealthCheck workflows that an instance names as its own.
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

    /// The tables of these schemas. It reads the catalogue alone, so it is cheap however large they are.
    pub async fn table_sizes(&self, schemas: &[&str]) -> Result<Vec<TableSize>> {
        let schemas: Vec<_> = schemas.iter().map(|&schema| schema.to_owned()).collect();
        let rows = sqlx::query!(
            r#"SELECT nspname::text AS "schema!", relname::text AS "table!", CASE WHEN reltuples < 0 THEN pg_stat_get_live_tuples(pg_class.oid) ELSE reltuples END::float8 AS "rows!",
                      pg_total_relation_size(pg_class.oid)::float8 AS "bytes!"
               FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind = 'r' AND nspname = ANY($1)"#,
            &schemas
        )
        .fetch_all(&self.pool)
        .await.classify()?;
        Ok(rows.into_iter().map(|row| TableSize { schema: row.schema, table: row.table, rows: row.rows, bytes: row.bytes }).collect())
    }

    /// The instances that are not deleted, by state and health.
    pub async fn instance_counts(&self) -> Result<Vec<InstanceCount>> {
        let counts = sqlx::query_as!(
            InstanceCount,
            r#"SELECT state, health_status AS health, count(*) AS "count!" FROM instances WHERE state <> 'deleted' GROUP BY 1, 2"#
        );
        counts.fetch_all(&self.pool).await.classify()
    }

    /// The operations that are not over, by kind and status.
    pub async fn operation_counts(&self) -> Result<Vec<OperationCount>> {
        let counts = sqlx::query_as!(
            OperationCount,
            r#"SELECT kind, status, count(*) AS "count!", extract(epoch FROM now() - min(created_at))::float8 AS "oldest_seconds!"
               FROM operations WHERE status IN ('pending', 'running') GROUP BY 1, 2"#
        );
        counts.fetch_all(&self.pool).await.classify()
    }

    /// How far the janitor is behind.
    pub async fn retention_lag(&self, events: Duration, health_checks: Duration) -> Result<RetentionLag> {
        let lag = sqlx::query_as!(
            RetentionLag,
            r#"SELECT greatest(0, coalesce(extract(epoch FROM now() - (SELECT min(at) FROM events)), 0) - $1::float8)::float8 AS "events!",
                      greatest(0, coalesce(extract(epoch FROM now() - (SELECT min(at) FROM health_checks)), 0) - $2::float8)::float8 AS "health_checks!""#,
            events.as_secs_f64(),
            health_checks.as_secs_f64()
        );
        lag.fetch_one(&self.pool).await.classify()
    }
}
