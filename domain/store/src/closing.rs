//! The end of archives: an instance whose backups are kept is removed when everything that it has committed is archived.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Store, backups, errors::Classify};
use toygres_domain::{
    InstanceId, OperationId, Result,
    backup::{ArchiveId, Closing},
    instance::{Endpoint, Instance, Reason, ReasonCode},
    operation::{create_backup, delete},
    wal::Lsn,
};

impl Store {
    /// Begins to count the time within which an archive is to be closed, if that was not done. Returns when it is over. Time in which no worker
    /// is alive does not count.
    pub async fn close_by(&self, id: ArchiveId, within: Duration) -> Result<DateTime<Utc>> {
        sqlx::query_scalar!(
            r#"UPDATE archives SET close_by = coalesce(close_by, clock_timestamp() + make_interval(secs => $2)) WHERE id = $1
               RETURNING close_by AS "close_by!""#,
            id.0,
            within.as_secs_f64()
        )
        .fetch_one(&self.pool)
        .await
        .classify()
    }

    /// Records how far the end of an archive is, if it is where the caller believes it to be.
    pub async fn record_closing(&self, id: ArchiveId, from: Closing, to: Closing) -> Result<()> {
        sqlx::query!("UPDATE archives SET closing = $3 WHERE id = $1 AND closing = $2", id.0, from.as_str(), to.as_str())
            .execute(&self.pool)
            .await
            .classify()?;
        Ok(())
    }

    /// Records that the server of an instance was shut down when everything up to `durable` was archived, which is all. Returns whether that is
    /// the end of the archive: otherwise the server will be started again.
    pub async fn record_closed(&self, id: ArchiveId, durable: Lsn, durable_at: Option<DateTime<Utc>>) -> Result<bool> {
        let closed = sqlx::query!(
            "UPDATE archives SET closing = 'closed', followed = false, durable_lsn = $2, flushed_lsn = $2,
                 durable_at = greatest($3, durable_at), lag_seconds = NULL
             WHERE id = $1 AND closing = 'stopping'",
            id.0,
            durable.to_string(),
            durable_at
        );
        Ok(closed.execute(&self.pool).await.classify()?.rows_affected() > 0)
    }

    /// Records that the archive ends without what was committed last, and why.
    pub async fn record_incomplete(&self, id: ArchiveId, why: &Reason) -> Result<()> {
        sqlx::query!(
            "UPDATE archives SET closing = 'incomplete', incomplete_code = $2, incomplete_message = $3
             WHERE id = $1 AND closing IN ('following', 'stopping')",
            id.0,
            why.code.as_str(),
            why.message
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Records where an instance that is being deleted is reached, for whoever follows it.
    pub async fn record_last_endpoint(&self, id: InstanceId, endpoint: &Endpoint) -> Result<()> {
        sqlx::query!(
            "UPDATE instances SET endpoint_host = $2, endpoint_port = $3
             WHERE id = $1 AND state = 'deleting' AND (endpoint_host, endpoint_port) IS DISTINCT FROM ($2, $3)",
            id.0,
            endpoint.host,
            i32::from(endpoint.port)
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Requests the final base backup of a deletion again, if it has failed or is gone.
    pub async fn request_final_backup(&self, id: InstanceId, params: &create_backup::Params, operation: &OperationId) -> Result<()> {
        sqlx::query!(
            "INSERT INTO backups (id, instance_id, archive_id, status, trigger, operation_id)
             SELECT $2, instance_id, id, 'pending', 'request', $3 FROM archives WHERE instance_id = $1 AND retired_at IS NULL
             ON CONFLICT (id) DO UPDATE SET status = 'pending', attempt = 0, created_at = now() WHERE backups.status = 'failed'",
            id.0,
            params.backup.0,
            operation.as_str()
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Has a deletion that waits for its final base backup go on without it.
    pub async fn waive_final_backup(&self, id: &OperationId) -> Result<()> {
        let mut transaction = self.begin().await?;
        sqlx::query!(
            "UPDATE operations SET params = params - 'final_backup' WHERE id = $1 AND kind = 'delete' AND status IN ('pending', 'running')",
            id.as_str()
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        abandon_backups(&mut transaction, id, "the instance is deleted without it").await?;
        transaction.commit().await.classify()
    }
}

/// Has the archive of a locked instance closed before the instance is removed, if there is something in it that it continues. Base backups in
/// progress are ended, and the final one is requested.
pub(super) async fn begin(connection: &mut PgConnection, now: &Instance, params: &delete::Params, operation: &OperationId) -> Result<()> {
    sqlx::query!(
        "UPDATE backups SET status = 'failed', error_code = $2, error_message = 'the instance is deleted'
         WHERE instance_id = $1 AND status IN ('pending', 'running')",
        now.id.0,
        ReasonCode::BackupFailed.as_str()
    )
    .execute(&mut *connection)
    .await
    .classify()?;
    if let Some(backup) = params.final_backup {
        backups::request(connection, now, &create_backup::Params { backup }, operation).await?;
    }
    if params.close_archive {
        sqlx::query!(
            "UPDATE archives SET closing = 'following', close_by = NULL, incomplete_code = NULL, incomplete_message = NULL
             WHERE instance_id = $1 AND retired_at IS NULL AND ($2 OR EXISTS (SELECT FROM backups WHERE archive_id = archives.id AND status = 'available'))",
            now.id.0,
            params.final_backup.is_some()
        )
        .execute(connection)
        .await
        .classify()?;
    }
    Ok(())
}

/// Reverts [`begin`], after the deletion of a locked instance was cancelled.
pub(super) async fn revert(connection: &mut PgConnection, id: InstanceId, operation: &OperationId) -> Result<()> {
    sqlx::query!("UPDATE archives SET closing = NULL, close_by = NULL WHERE instance_id = $1 AND closing IS NOT NULL", id.0)
        .execute(&mut *connection)
        .await
        .classify()?;
    abandon_backups(connection, operation, "the deletion of the instance was cancelled").await
}

async fn abandon_backups(connection: &mut PgConnection, operation: &OperationId, why: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE backups SET status = 'failed', error_code = $2, error_message = $3 WHERE operation_id = $1 AND status IN ('pending', 'running')",
        operation.as_str(),
        ReasonCode::Cancelled.as_str(),
        why
    )
    .execute(connection)
    .await
    .classify()?;
    Ok(())
}
