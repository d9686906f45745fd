//! What instances use of their volumes.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

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

/// A measurement to be recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StorageMeasurement {
    /// The instance.
    pub instance: InstanceId,
    /// What it uses.
    pub usage: Usage,
    /// Bytes of its databases, which are among those that are used.
    pub database_bytes: i64,
    /// Whether its server is kept from taking writes.
    pub is_read_only: bool,
    /// When it was measured, by [`Store::now`].
    pub at: DateTime<Utc>,
    /// How long after that the next measurement is due.
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

/// Whether a measurement is an event is decided before it is written, so that only rows of `instances` are locked that are about to change. One
/// that was made due by somebody else after it was made stays due.
macro_rules! record {
    ($store:expr, $measurements:expr, $lock:literal) => {{
        let measurements: &[StorageMeasurement] = $measurements;
        let ids: Vec<_> = measurements.iter().map(|measurement| measurement.instance.0).collect();
        let used: Vec<_> = measurements.iter().map(|measurement| measurement.usage.used_bytes).collect();
        let capacities: Vec<_> = measurements.iter().map(|measurement| measurement.usage.capacity_bytes).collect();
        let databases: Vec<_> = measurements.iter().map(|measurement| measurement.database_bytes).collect();
        let read_only: Vec<_> = measurements.iter().map(|measurement| measurement.is_read_only).collect();
        let times: Vec<_> = measurements.iter().map(|measurement| measurement.at).collect();
        let due_in: Vec<_> = measurements.iter().map(|measurement| measurement.due_in.as_secs_f64()).collect();
        sqlx::query_scalar!(
            "WITH found AS (
                 SELECT measured.*, former.announced_bytes,
                        CASE WHEN former.instance_id IS NULL THEN health_status = 'healthy'
                             ELSE abs(former.announced_bytes - measured.used_bytes) * 100 >= measured.capacity_bytes
                                 OR former.capacity_bytes <> measured.capacity_bytes OR former.read_only <> measured.read_only END AS is_event
                 FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[], $6::timestamptz[], $7::float8[])
                          AS measured (id, used_bytes, capacity_bytes, database_bytes, read_only, at, due_in)
                 JOIN instances ON instances.id = measured.id AND state = 'running'
                 LEFT JOIN instance_storage former ON former.instance_id = measured.id),
             locked AS (
                 SELECT instances.id FROM instances JOIN found ON found.id = instances.id AND is_event WHERE state = 'running'
                 ORDER BY instances.id FOR NO KEY UPDATE OF instances"
                + $lock
                + "),
             written AS (
                 INSERT INTO instance_storage AS stored
                     (instance_id, used_bytes, capacity_bytes, database_bytes, read_only, measured_at, due_at, announced_bytes)
                 SELECT id, used_bytes, capacity_bytes, database_bytes, read_only, at, at + make_interval(secs => due_in),
                        CASE WHEN is_event THEN used_bytes ELSE coalesce(announced_bytes, used_bytes) END
                 FROM found LEFT JOIN locked USING (id) WHERE NOT is_event OR locked.id IS NOT NULL ORDER BY id
                 ON CONFLICT (instance_id) DO UPDATE SET used_bytes = excluded.used_bytes, capacity_bytes = excluded.capacity_bytes,
                     database_bytes = excluded.database_bytes, read_only = excluded.read_only, measured_at = excluded.measured_at,
                     due_at = CASE WHEN stored.due_at BETWEEN excluded.measured_at AND now() THEN stored.due_at ELSE excluded.due_at END,
                     announced_bytes = excluded.announced_bytes
                 -- A clock that was set back does not keep new measurements out.
                 WHERE stored.measured_at <= excluded.measured_at OR stored.measured_at > clock_timestamp()
                 RETURNING instance_id),
             told AS (
                 UPDATE instances SET updated_at = clock_timestamp() FROM written JOIN locked ON locked.id = written.instance_id
                 WHERE instances.id = written.instance_id)
             SELECT found.id AS \"id!\" FROM found LEFT JOIN locked USING (id) WHERE is_event AND locked.id IS NULL",
            &ids,
            &used,
            &capacities,
            &databases,
            &read_only,
            &times,
            &due_in
        )
        .fetch_all(&$store.pool)
        .await
        .classify()?
    }};
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

    /// Records a measurement of a running instance, unless there is a later one. It is an event if the usage has moved by a hundredth of the
    /// capacity since the last one that was, or if anything else has changed. The first measurement of an instance that is not healthy yet
    /// is none, because its health is about to change.
    pub async fn record_storage(&self, measurement: &StorageMeasurement) -> Result<()> {
        record!(self, std::slice::from_ref(measurement), "");
        Ok(())
    }

    /// Records measurements of different running instances, in one statement, like [`Self::record_storage`]. Returns the instances whose row is
    /// locked, because an operation begins or ends, while theirs is an event. Theirs is not recorded: those of others do not wait for it.
    pub async fn record_storages(&self, measurements: &[StorageMeasurement]) -> Result<HashSet<InstanceId>> {
        let locked = record!(self, measurements, " SKIP LOCKED");
        Ok(locked.into_iter().map(InstanceId).collect())
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
