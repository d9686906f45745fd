//! The base backups of instances. The worker that owns an archive takes them; their rows are what it is told, and what it reports.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Page, PageRequest, Store, errors::Classify, parsed, reason};
use toygres_domain::{
    Error, InstanceId, OperationId, Result, UserErrorCode,
    backup::{ArchiveId, Backup, BackupId, BackupStatus, BackupVerification},
    instance::{Instance, Reason, ReasonCode},
    operation::create_backup,
    recovery::CompleteBackup,
    wal::{Lsn, Timeline},
};

/// A change of a base backup. `None` leaves the field unchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct BackupUpdate {
    /// See [`Backup::locked`].
    pub locked: Option<bool>,
    /// See [`Backup::keep_until`].
    pub keep_until: Option<Option<DateTime<Utc>>>,
}

/// When base backups of an archive were taken last.
#[derive(Clone, Copy, Debug)]
pub struct LatestBackups {
    /// The archive.
    pub archive: ArchiveId,
    /// When the newest that can be restored was finished.
    pub available_at: Option<DateTime<Utc>>,
    /// When the newest that failed was requested.
    pub failed_at: Option<DateTime<Utc>>,
    /// Whether one is in progress.
    pub in_progress: bool,
    /// Whether the verification of the newest that can be restored has failed, and not that of the one before: a fresh one may be better.
    pub failed_verification: bool,
}

/// The position of a base backup in a list.
pub type BackupPosition = (DateTime<Utc>, Uuid);

struct BackupRow {
    id: Uuid,
    instance_id: Uuid,
    archive_id: Uuid,
    status: String,
    trigger: String,
    operation_id: Option<String>,
    object_id: Option<Uuid>,
    attempt: i32,
    bytes: i64,
    total_bytes: Option<i64>,
    stored_bytes: Option<i64>,
    timeline: Option<i64>,
    start_lsn: Option<String>,
    end_lsn: Option<String>,
    server_version: Option<i32>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    error_code: Option<String>,
    error_message: Option<String>,
    locked: bool,
    keep_until: Option<DateTime<Utc>>,
    verification: String,
    verification_ended_at: Option<DateTime<Utc>>,
    restore_seconds: Option<f64>,
    verification_code: Option<String>,
    verification_message: Option<String>,
}

/// `query_as!` with the columns of a backup between `$before` and `$after`.
macro_rules! backup_query {
    ($before:literal, $after:expr $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            BackupRow,
            $before
                + " id, instance_id, archive_id, status, trigger, operation_id, object_id, attempt, bytes, total_bytes, stored_bytes, timeline,
                    start_lsn, end_lsn, server_version, created_at, started_at, finished_at, error_code, error_message, locked, keep_until,
                    verification, verification_ended_at, restore_seconds, verification_code, verification_message "
                + $after
            $(, $arg)*
        )
    };
}

impl Store {
    /// A page of the base backups of each of several instances, the newest first.
    pub async fn backups_of(&self, instances: &[InstanceId], page: &PageRequest<BackupPosition>) -> Result<HashMap<InstanceId, Page<Backup>>> {
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        macro_rules! listing {
            ($order:literal) => {
                backup_query!(
                    "SELECT",
                    "FROM unnest($1::uuid[]) AS parent (parent_id) CROSS JOIN LATERAL (
                         SELECT * FROM backups
                         WHERE instance_id = parent_id AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
                           AND ($4::timestamptz IS NULL OR (created_at, id) > ($4, $5))
                         ORDER BY "
                        + $order
                        + " LIMIT $6) entry ORDER BY "
                        + $order,
                    &ids,
                    page.after.map(|(at, _)| at),
                    page.after.map(|(_, id)| id),
                    page.before.map(|(at, _)| at),
                    page.before.map(|(_, id)| id),
                    page.fetch()
                )
                .fetch_all(&self.pool)
                .await
                .classify()?
            };
        }
        let rows = if page.backward { listing!("created_at, id") } else { listing!("created_at DESC, id DESC") };
        let backups: Vec<_> = rows.into_iter().map(backup).collect::<Result<_>>()?;
        Ok(page.pages(instances, backups.into_iter().map(|backup| (backup.instance, backup))))
    }

    /// One base backup.
    pub async fn backup(&self, id: BackupId) -> Result<Option<Backup>> {
        backup_query!("SELECT", "FROM backups WHERE id = $1", id.0).fetch_optional(&self.pool).await.classify()?.map(backup).transpose()
    }

    /// Every base backup of an archive, the oldest first.
    pub async fn backups_in(&self, archive: ArchiveId) -> Result<Vec<Backup>> {
        let rows = backup_query!("SELECT", "FROM backups WHERE archive_id = $1 ORDER BY created_at, id", archive.0);
        rows.fetch_all(&self.pool).await.classify()?.into_iter().map(backup).collect()
    }

    /// The base backups that are in progress, or being deleted, of the archives that a worker owns.
    pub async fn open_backups(&self, worker: Uuid) -> Result<Vec<Backup>> {
        let rows = backup_query!(
            "SELECT",
            "FROM backups WHERE status IN ('pending', 'running', 'deleting') AND archive_id IN (SELECT id FROM archives WHERE worker_id = $1)
             ORDER BY created_at, id",
            worker
        );
        rows.fetch_all(&self.pool).await.classify()?.into_iter().map(backup).collect()
    }

    /// When base backups of the archives that a worker owns were taken last.
    pub async fn latest_backups(&self, worker: Uuid) -> Result<Vec<LatestBackups>> {
        let rows = sqlx::query!(
            r#"SELECT archives.id, max(finished_at) FILTER (WHERE status = 'available') AS available_at,
                   max(backups.created_at) FILTER (WHERE status = 'failed') AS failed_at,
                   coalesce(bool_or(status IN ('pending', 'running')), false) AS "in_progress!",
                   coalesce((array_agg(verification ORDER BY finished_at DESC) FILTER (WHERE status = 'available'))[1] = 'failed', false)
                       AND coalesce((array_agg(verification ORDER BY finished_at DESC) FILTER (WHERE status = 'available'))[2] <> 'failed', true)
                       AS "failed_verification!"
               FROM archives LEFT JOIN backups ON backups.archive_id = archives.id WHERE worker_id = $1 GROUP BY archives.id"#,
            worker
        );
        let rows = rows.fetch_all(&self.pool).await.classify()?;
        Ok(rows
            .into_iter()
            .map(|row| LatestBackups {
                archive: ArchiveId(row.id),
                available_at: row.available_at,
                failed_at: row.failed_at,
                in_progress: row.in_progress,
                failed_verification: row.failed_verification,
            })
            .collect())
    }

    /// Requests a base backup that is due, unless one is in progress.
    pub async fn schedule_backup(&self, archive: ArchiveId) -> Result<()> {
        sqlx::query!(
            "INSERT INTO backups (id, instance_id, archive_id, status, trigger)
             SELECT $2, instance_id, id, 'pending', 'schedule' FROM archives WHERE id = $1 ON CONFLICT DO NOTHING",
            archive.0,
            BackupId::generate().0
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Begins an attempt of a base backup, and returns whether it is wanted. `object` names its directory in the store.
    pub async fn begin_backup(&self, id: BackupId, object: BackupId) -> Result<bool> {
        let begun = sqlx::query!(
            "UPDATE backups SET status = 'running', object_id = $2, attempt = attempt + 1, started_at = clock_timestamp(), bytes = 0,
                 total_bytes = NULL
             WHERE id = $1 AND status IN ('pending', 'running')",
            id.0,
            object.0
        );
        Ok(begun.execute(&self.pool).await.classify()?.rows_affected() > 0)
    }

    /// Records how far an attempt is, and returns whether it is still wanted.
    pub async fn report_backup(&self, id: BackupId, object: BackupId, bytes: u64, total: Option<u64>) -> Result<bool> {
        let reported = sqlx::query!(
            "UPDATE backups SET bytes = $3, total_bytes = $4 WHERE id = $1 AND object_id = $2 AND status = 'running'",
            id.0,
            object.0,
            signed(bytes),
            total.map(signed)
        );
        Ok(reported.execute(&self.pool).await.classify()?.rows_affected() > 0)
    }

    /// Records that an attempt succeeded, and returns whether it was still wanted.
    pub async fn complete_backup(&self, id: BackupId, object: BackupId, complete: &CompleteBackup) -> Result<bool> {
        let CompleteBackup { bytes, stored_bytes, wal: (timeline, start, end), server_version, finished_at } = *complete;
        let completed = sqlx::query!(
            "UPDATE backups SET status = 'available', bytes = $3, total_bytes = $3, stored_bytes = $4, timeline = $5, start_lsn = $6,
                 end_lsn = $7, server_version = $8, finished_at = $9, error_code = NULL, error_message = NULL
             WHERE id = $1 AND object_id = $2 AND status = 'running'",
            id.0,
            object.0,
            signed(bytes),
            signed(stored_bytes),
            i64::from(timeline.0),
            start.to_string(),
            end.to_string(),
            i32::try_from(server_version).unwrap_or(i32::MAX),
            finished_at
        );
        Ok(completed.execute(&self.pool).await.classify()?.rows_affected() > 0)
    }

    /// Records that an attempt failed; with `retry`, another one follows. `object` is the directory of the attempt: one that is not the latest
    /// changes nothing. Without it, whichever is in progress ends.
    pub async fn fail_backup(&self, id: BackupId, object: Option<BackupId>, why: &Reason, retry: bool) -> Result<()> {
        sqlx::query!(
            "UPDATE backups SET status = CASE WHEN $4 THEN 'pending' ELSE 'failed' END, error_code = $2, error_message = $3
             WHERE id = $1 AND status IN ('pending', 'running') AND ($5::uuid IS NULL OR object_id = $5)",
            id.0,
            why.code.as_str(),
            why.message,
            retry,
            object.map(|object| object.0)
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Keeps a base backup, or does so no more.
    ///
    /// # Errors
    /// [`Error::User`] with `NotFound`, or `Conflict` when it is being deleted.
    pub async fn update_backup(&self, id: BackupId, update: &BackupUpdate) -> Result<Backup> {
        let mut transaction = self.begin().await?;
        let now = locked(&mut transaction, id).await?;
        if now.status == BackupStatus::Deleting {
            return Err(conflict("the backup is being deleted"));
        }
        let row = backup_query!(
            "UPDATE backups SET locked = $2, keep_until = $3 WHERE id = $1 RETURNING",
            "",
            id.0,
            update.locked.unwrap_or(now.locked),
            update.keep_until.unwrap_or(now.keep_until)
        );
        let row = row.fetch_one(&mut *transaction).await.classify()?;
        transaction.commit().await.classify()?;
        backup(row)
    }

    /// Requests the removal of a base backup from the store. `required`: a newer one that can be restored must remain, unless this one cannot
    /// be restored itself.
    ///
    /// # Errors
    /// [`Error::User`] with `NotFound`, or `Conflict` when it is locked, in progress or the last one that can be restored.
    pub async fn delete_backup(&self, id: BackupId, required: bool) -> Result<Backup> {
        let mut transaction = self.begin().await?;
        let now = locked(&mut transaction, id).await?;
        if now.locked {
            return Err(conflict("the backup is locked: unlock it first"));
        }
        if matches!(now.status, BackupStatus::Pending | BackupStatus::Running) {
            return Err(conflict("the backup is in progress: cancel its operation, or wait for it"));
        }
        // The same as `Backup::is_unusable`.
        let newer = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT FROM backups
                   WHERE archive_id = $1 AND status = 'available' AND finished_at > $2
                     AND NOT (verification = 'failed' AND verification_code IS DISTINCT FROM $3)) AS "newer!""#,
            now.archive.0,
            now.finished_at,
            ReasonCode::DataCorrupted.as_str()
        );
        let is_needed = required && now.status == BackupStatus::Available && !now.is_unusable();
        if is_needed && !newer.fetch_one(&mut *transaction).await.classify()? {
            return Err(conflict("it is the newest backup that can be restored: create another one first, or turn backups off"));
        }
        let row = backup_query!("UPDATE backups SET status = 'deleting' WHERE id = $1 RETURNING", "", id.0);
        let row = row.fetch_one(&mut *transaction).await.classify()?;
        transaction.commit().await.classify()?;
        backup(row)
    }

    /// Of each of several base backups: when the next one of the same archive was finished that is complete and can be relied on (see
    /// [`Backup::is_unusable`]), if there is one.
    pub async fn next_backups(&self, backups: &[BackupId]) -> Result<HashMap<BackupId, DateTime<Utc>>> {
        let ids: Vec<_> = backups.iter().map(|id| id.0).collect();
        let rows = sqlx::query!(
            r#"SELECT b.id, min(later.finished_at) AS "next!" FROM backups AS b
               JOIN backups AS later ON later.instance_id = b.instance_id AND later.archive_id = b.archive_id
                   AND later.status = 'available' AND later.finished_at > b.finished_at
                   AND NOT (later.verification = 'failed' AND later.verification_code IS DISTINCT FROM $2)
               WHERE b.id = ANY($1) GROUP BY b.id"#,
            &ids,
            ReasonCode::DataCorrupted.as_str()
        );
        Ok(rows.fetch_all(&self.pool).await.classify()?.into_iter().map(|row| (BackupId(row.id), row.next)).collect())
    }

    /// Marks base backups of an archive, by their directories, as being deleted, so that nobody can keep them any more. Returns whether that
    /// was possible for all: not for those that somebody has kept in the meantime.
    pub async fn expire_backups(&self, archive: ArchiveId, objects: &[BackupId]) -> Result<bool> {
        let objects: Vec<_> = objects.iter().map(|object| object.0).collect();
        let expired = sqlx::query_scalar!(
            r#"WITH expired AS (
                   UPDATE backups SET status = 'deleting'
                   WHERE archive_id = $1 AND object_id = ANY($2) AND status = 'available'
                     AND NOT locked AND (keep_until IS NULL OR keep_until <= clock_timestamp()) RETURNING id)
               SELECT NOT EXISTS (
                   SELECT FROM backups WHERE archive_id = $1 AND object_id = ANY($2) AND status = 'available' AND id NOT IN (SELECT id FROM expired)
               ) AS "all!""#,
            archive.0,
            &objects
        );
        expired.fetch_one(&self.pool).await.classify()
    }

    /// Deletes the record of a base backup that is not in the store any more.
    pub async fn forget_backup(&self, id: BackupId) -> Result<()> {
        sqlx::query!("DELETE FROM backups WHERE id = $1", id.0).execute(&self.pool).await.classify()?;
        Ok(())
    }
}

/// Requests the base backup of an operation of a locked instance. A retry requests the same one again.
pub(super) async fn request(connection: &mut PgConnection, now: &Instance, params: &create_backup::Params, operation: &OperationId) -> Result<()> {
    let in_progress = sqlx::query_scalar!("SELECT id FROM backups WHERE instance_id = $1 AND status IN ('pending', 'running')", now.id.0);
    if let Some(other) = in_progress.fetch_optional(&mut *connection).await.classify()? {
        return Err(conflict(&format!("'{}' has a backup in progress: {other}; wait for it", now.name)));
    }
    let requested = sqlx::query!(
        "INSERT INTO backups (id, instance_id, archive_id, status, trigger, operation_id)
         SELECT $2, instance_id, id, 'pending', 'request', $3 FROM archives WHERE instance_id = $1 AND retired_at IS NULL
         ON CONFLICT (id) DO UPDATE SET status = 'pending', operation_id = excluded.operation_id, error_code = NULL, error_message = NULL, attempt = 0",
        now.id.0,
        params.backup.0,
        operation.as_str()
    );
    if requested.execute(connection).await.classify()?.rows_affected() == 0 {
        return Err(conflict(&format!(
            "'{}' has no archive yet: its WAL is followed first, which begins within seconds; see backupPolicy.protection",
            now.name
        )));
    }
    Ok(())
}

async fn locked(connection: &mut PgConnection, id: BackupId) -> Result<Backup> {
    let row = backup_query!("SELECT", "FROM backups WHERE id = $1 FOR UPDATE", id.0).fetch_optional(connection).await.classify()?;
    row.map(backup).transpose()?.ok_or_else(|| Error::user(UserErrorCode::NotFound, "id", format!("no backup has the id {id}")))
}

fn conflict(message: &str) -> Error {
    Error::user(UserErrorCode::Conflict, "id", message)
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn backup(row: BackupRow) -> Result<Backup> {
    let lsn = |text: Option<String>| text.as_deref().map(parsed::<Lsn>).transpose();
    let timeline = row.timeline.map(u32::try_from).transpose().map_err(Error::internal)?.map(Timeline);
    let (start, end) = (lsn(row.start_lsn)?, lsn(row.end_lsn)?);
    Ok(Backup {
        id: BackupId(row.id),
        instance: InstanceId(row.instance_id),
        archive: ArchiveId(row.archive_id),
        status: parsed(&row.status)?,
        trigger: parsed(&row.trigger)?,
        operation: row.operation_id.map(|id| OperationId::from_any(&id)),
        object: row.object_id.map(BackupId),
        attempt: row.attempt,
        bytes: row.bytes,
        total_bytes: row.total_bytes,
        stored_bytes: row.stored_bytes,
        wal: timeline.zip(start).zip(end).map(|((timeline, start), end)| (timeline, start, end)),
        server_version: row.server_version,
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
        error: reason(row.error_code, row.error_message),
        locked: row.locked,
        keep_until: row.keep_until,
        verification: BackupVerification {
            status: parsed(&row.verification)?,
            ended_at: row.verification_ended_at,
            restore_seconds: row.restore_seconds,
            reason: reason(row.verification_code, row.verification_message),
        },
    })
}
