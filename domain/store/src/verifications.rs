//! What came of the verification of base backups. The worker that owns an archive has them verified.

use uuid::Uuid;

use super::{Store, errors::Classify};
use toygres_domain::{
    Result,
    backup::{BackupId, BackupVerification},
};

impl Store {
    /// The base backups that are to be verified, of the archives that a worker owns, the newest first.
    pub async fn unverified_backups(&self, worker: Uuid) -> Result<Vec<BackupId>> {
        let ids = sqlx::query_scalar!(
            "SELECT id FROM backups
             WHERE status = 'available' AND verification IN ('pending', 'running') AND archive_id IN (SELECT id FROM archives WHERE worker_id = $1)
             ORDER BY finished_at DESC",
            worker
        );
        Ok(ids.fetch_all(&self.pool).await.classify()?.into_iter().map(BackupId).collect())
    }

    /// Records how far the verification of a base backup is, unless that is being deleted.
    pub async fn record_verification(&self, backup: BackupId, verification: &BackupVerification) -> Result<()> {
        let BackupVerification { status, ended_at, restore_seconds, reason } = verification;
        sqlx::query!(
            "UPDATE backups SET verification = $2, verification_ended_at = $3, restore_seconds = $4, verification_code = $5,
                 verification_message = $6
             WHERE id = $1 AND status = 'available'",
            backup.0,
            status.as_str(),
            *ended_at,
            *restore_seconds,
            reason.as_ref().map(|reason| reason.code.as_str()),
            reason.as_ref().map(|reason| reason.message.as_str())
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// The number of archives, of those that a worker owns, whose newest base backup was verified and must be looked at.
    pub async fn failed_verifications(&self, worker: Uuid) -> Result<i64> {
        let failed = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM (
                   SELECT DISTINCT ON (archive_id) verification FROM backups
                   WHERE status = 'available' AND verification IN ('verified', 'failed')
                     AND archive_id IN (SELECT id FROM archives WHERE worker_id = $1)
                   ORDER BY archive_id, finished_at DESC) AS newest
               WHERE verification = 'failed'"#,
            worker
        );
        failed.fetch_one(&self.pool).await.classify()
    }
}
