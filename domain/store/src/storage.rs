//! What instances use of their volumes.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Store, errors::Classify, reason};
use toygres_domain::{
    InstanceId, Result,
    storage::{FailedGrowth, StorageUsage, Usage},
};

/// The former measurement of an instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// What it was.
    pub usage: Usage,
    /// Bytes of the databases, which are among those that are used; `None` in a measurement of an earlier release.
    pub database_bytes: Option<i64>,
    /// How long ago.
    pub ago: Duration,
    /// When the next one is due; 0 if it is.
    pub due_in: Duration,
}

/// What all instances that are not deleted use together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StorageTotals {
    /// Bytes that are used.
    pub used_bytes: f64,
    /// Bytes that they can use.
    pub capacity_bytes: f64,
    /// Instances whose server is kept from taking writes.
    pub read_only: i64,
}

struct UsageRow {
    instance_id: Uuid,
    used_bytes: i64,
    capacity_bytes: i64,
    read_only: bool,
    measured_at: DateTime<Utc>,
}

impl Store {
    /// The latest measurement of an instance; `None` if there is none.
    pub async fn measured(&self, id: InstanceId) -> Result<Option<Measured>> {
        let row = sqlx::query!(
            r#"SELECT used_bytes, capacity_bytes, database_bytes, extract(epoch FROM now() - measured_at)::float8 AS "seconds!",
                      extract(epoch FROM due_at - now())::float8 AS "due_in!"
               FROM instance_storage WHERE instance_id = $1"#,
            id.0
        )
        .fetch_optional(&self.pool)
        .await
        .classify()?;
        Ok(row.map(|row| Measured {
            usage: Usage { used_bytes: row.used_bytes, capacity_bytes: row.capacity_bytes },
            database_bytes: row.database_bytes,
            ago: Duration::try_from_secs_f64(row.seconds).unwrap_or_default(),
            // One that is overdue is negative.
            due_in: Duration::try_from_secs_f64(row.due_in).unwrap_or_default(),
        }))
    }

    /// Records a measurement of a running instance; the next one is due in `next`. It is an event if the usage has moved by a hundredth of the
    /// capacity since the last one that was, or if anything else has changed. The first measurement of an instance that is not healthy yet
    /// is none, because its health is about to change.
    pub async fn record_storage(&self, id: InstanceId, usage: Usage, database_bytes: i64, read_only: bool, next: Duration) -> Result<()> {
        sqlx::query!(
            "WITH former AS (SELECT capacity_bytes, read_only, announced_bytes FROM instance_storage WHERE instance_id = $1),
                  written AS (
                      INSERT INTO instance_storage AS stored (instance_id, used_bytes, capacity_bytes, read_only, due_at, announced_bytes, database_bytes)
                      SELECT id, $2, $3, $4, now() + make_interval(secs => $5), $2, $6 FROM instances WHERE id = $1 AND state = 'running'
                      ON CONFLICT (instance_id) DO UPDATE SET used_bytes = $2, capacity_bytes = $3, read_only = $4, measured_at = now(),
                          due_at = excluded.due_at, database_bytes = excluded.database_bytes, announced_bytes = CASE WHEN abs(stored.announced_bytes - $2) * 100 >= $3
                              OR stored.capacity_bytes <> $3 OR stored.read_only <> $4 THEN $2 ELSE stored.announced_bytes END
                      RETURNING announced_bytes)
             UPDATE instances SET updated_at = clock_timestamp()
             FROM written LEFT JOIN former ON true
             WHERE id = $1 AND CASE WHEN former.read_only IS NULL THEN health_status = 'healthy'
                 ELSE former.announced_bytes <> written.announced_bytes OR former.capacity_bytes <> $3 OR former.read_only <> $4 END",
            id.0,
            usage.used_bytes,
            usage.capacity_bytes,
            read_only,
            next.as_secs_f64(),
            database_bytes
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// The latest measurements of several instances, in one statement. Instances without one are omitted.
    pub async fn storage_usages(&self, instances: &[InstanceId]) -> Result<HashMap<InstanceId, StorageUsage>> {
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        let rows = sqlx::query_as!(
            UsageRow,
            "SELECT instance_id, used_bytes, capacity_bytes, read_only, measured_at FROM instance_storage WHERE instance_id = ANY($1)",
            &ids
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        let usage = |row: &UsageRow| StorageUsage {
            usage: Usage { used_bytes: row.used_bytes, capacity_bytes: row.capacity_bytes },
            is_read_only: row.read_only,
            measured_at: row.measured_at,
        };
        Ok(rows.iter().map(|row| (InstanceId(row.instance_id), usage(row))).collect())
    }

    /// The sums for metrics.
    pub async fn storage_totals(&self) -> Result<StorageTotals> {
        sqlx::query_as!(
            StorageTotals,
            r#"SELECT coalesce(sum(used_bytes), 0)::float8 AS "used_bytes!", coalesce(sum(capacity_bytes), 0)::float8 AS "capacity_bytes!",
                      count(*) FILTER (WHERE read_only) AS "read_only!"
               FROM instance_storage"#
        )
        .fetch_one(&self.pool)
        .await
        .classify()
    }

    /// The latest automatic growth of an instance, if it has failed.
    pub async fn failed_growth(&self, id: InstanceId) -> Result<Option<FailedGrowth>> {
        let row = sqlx::query!(
            "SELECT status, finished_at, error_code, error_message FROM operations
             WHERE instance_id = $1 AND kind = 'resize' AND params ? 'automatic' ORDER BY created_at DESC LIMIT 1",
            id.0
        )
        .fetch_optional(&self.pool)
        .await
        .classify()?;
        let Some(row) = row.filter(|row| matches!(row.status.as_str(), "failed" | "cancelled")) else { return Ok(None) };
        let (at, reason) = (row.finished_at, reason(row.error_code, row.error_message));
        Ok(at.zip(reason).map(|(at, reason)| FailedGrowth { at, reason }))
    }
}
