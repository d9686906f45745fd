//! Import of archives of which the metadata is lost.

use std::collections::HashSet;

use sqlx::types::Json;

use super::{
    Store,
    errors::Classify,
    instances::{instance, instance_query},
};
use toygres_domain::{
    InstanceId, Result,
    backup::Closing,
    instance::{Instance, InstanceSpec},
    recovery::{CompleteBackup, FoundArchive, InstanceRecord},
};

impl Store {
    /// The ids of all instances, deleted ones too.
    pub async fn instance_ids(&self) -> Result<HashSet<InstanceId>> {
        let ids = sqlx::query_scalar!("SELECT id FROM instances").fetch_all(&self.pool).await.classify()?;
        Ok(ids.into_iter().map(InstanceId).collect())
    }

    /// The instances that were imported, and of which no restoration has succeeded or is in progress.
    pub async fn imported_instances(&self) -> Result<Vec<InstanceId>> {
        // Nothing was ever done to one that was imported; that of another begins with its creation.
        let ids = sqlx::query_scalar!(
            "SELECT id FROM instances
             WHERE state = 'deleted' AND NOT EXISTS (SELECT FROM operations WHERE instance_id = instances.id)
                 AND EXISTS (SELECT FROM archives WHERE instance_id = instances.id)
                 AND NOT EXISTS (SELECT FROM operations WHERE kind = 'restore' AND params ->> 'source' = instances.id::text
                                     AND status IN ('pending', 'running', 'succeeded'))"
        );
        Ok(ids.fetch_all(&self.pool).await.classify()?.into_iter().map(InstanceId).collect())
    }

    /// Makes a deleted instance of an archive, with its base backups, of which the newest is locked. Returns `None` if there is the instance.
    pub async fn import_archive(&self, found: &FoundArchive) -> Result<Option<Instance>> {
        let FoundArchive { instance: id, archive, record, backups, coverage, stored_bytes } = found;
        let InstanceRecord { name, spec, labels, backups: settings, created_at, deleted_at } = record;
        let InstanceSpec { postgres_version, storage_gb, cpu_millis, memory_mb, username, database, exposure, require_tls, health_check, parameters } =
            spec;
        let mut transaction = self.begin().await?;
        let row = instance_query!(
            "INSERT INTO instances (id, name, state, postgres_version, storage_gb, cpu_millis, memory_mb, username, database_name, exposure,
                 health_interval_seconds, health_timeout_seconds, labels, require_tls, parameters, backups_enabled, backup_interval_hours,
                 backup_retention_days, created_at, deleted_at)
             VALUES ($1, $2, 'deleted', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, coalesce($19, clock_timestamp()))
             ON CONFLICT DO NOTHING RETURNING",
            "",
            id.0,
            name.as_str(),
            i32::from(postgres_version.0),
            storage_gb,
            cpu_millis,
            memory_mb,
            username.as_str(),
            database.as_str(),
            Json(exposure) as _,
            health_check.interval_seconds,
            health_check.timeout_seconds,
            Json(labels) as _,
            require_tls,
            Json(parameters) as _,
            settings.enabled,
            settings.interval_hours,
            settings.retention_days,
            *created_at,
            *deleted_at
        );
        let Some(row) = row.fetch_optional(&mut *transaction).await.classify()? else { return Ok(None) };
        sqlx::query!(
            "INSERT INTO archives (id, instance_id, coverage, stored_bytes, closing) VALUES ($1, $2, $3, $4, $5)",
            archive.0,
            id.0,
            Json(coverage) as _,
            i64::try_from(*stored_bytes).unwrap_or(i64::MAX),
            // As after its deletion, of which the archive then still says.
            deleted_at.map(|_| Closing::Closed.as_str())
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        for (number, (object, complete)) in backups.iter().enumerate() {
            let CompleteBackup { bytes, stored_bytes, wal: (timeline, start, end), server_version, finished_at } = *complete;
            sqlx::query!(
                "INSERT INTO backups (id, instance_id, archive_id, status, trigger, object_id, attempt, bytes, total_bytes, stored_bytes, timeline,
                     start_lsn, end_lsn, server_version, created_at, started_at, finished_at, locked)
                 VALUES ($1, $2, $3, 'available', 'schedule', $1, 1, $4, $4, $5, $6, $7, $8, $9, $10, $10, $10, $11)",
                object.0,
                id.0,
                archive.0,
                i64::try_from(bytes).unwrap_or(i64::MAX),
                i64::try_from(stored_bytes).unwrap_or(i64::MAX),
                i64::from(timeline.0),
                start.to_string(),
                end.to_string(),
                i32::try_from(server_version).unwrap_or(i32::MAX),
                finished_at,
                // Somebody else may still need it.
                number + 1 == backups.len()
            )
            .execute(&mut *transaction)
            .await
            .classify()?;
        }
        transaction.commit().await.classify()?;
        instance(row).map(Some)
    }
}
