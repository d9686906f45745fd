//! The decision of an upgrade: from here on an instance has the new version.

use sqlx::{PgConnection, types::Json};
use toygres_domain::{
    Error, InstanceId, OperationId, Result,
    instance::{PostgresVersion, Reason, ReasonCode},
    operation::{Step, StepName},
};

use super::{Store, errors::Classify, operations::locked_both, runs::superseded_if_gone, steps::changed};

impl Store {
    /// Decides for the version that an upgrade leads to, and retires the archive of the former. In the same transaction the step
    /// [`StepName::ConfirmUpgrade`] begins, so that from then on the operation cannot be cancelled. Returns `false` if it was cancelled before.
    /// A repetition changes nothing. `tls`: whether a server of that version speaks it; one that does not has no certificate.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or reverted, or another run has taken over.
    pub async fn confirm_upgrade(&self, id: &OperationId, run: i32, tls: bool) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let (instance, now) = locked_both(&mut transaction, id).await.map_err(superseded_if_gone)?;
        if now.run != run || now.status.is_terminal() || now.is_reverting() {
            return Err(Error::Superseded);
        }
        if now.cancel_requested {
            return Ok(false);
        }
        let target = now.target(&instance.spec);
        let former = instance.spec.postgres_version;
        if target.postgres_version != former {
            sqlx::query!(
                "UPDATE instances SET postgres_version = $2, parameters = $3 WHERE id = $1",
                instance.id.0,
                i32::from(target.postgres_version.0),
                Json(target.parameters) as _
            )
            .execute(&mut *transaction)
            .await
            .classify()?;
            retire_archive(&mut transaction, instance.id, former).await?;
            if !tls {
                sqlx::query!("DELETE FROM instance_certificates WHERE instance_id = $1", instance.id.0)
                    .execute(&mut *transaction)
                    .await
                    .classify()?;
            }
        }
        if let Some(steps) = changed(&now.steps, StepName::ConfirmUpgrade, Step::resume) {
            sqlx::query!("UPDATE operations SET steps = $2 WHERE id = $1", id.as_str(), Json(steps) as _)
                .execute(&mut *transaction)
                .await
                .classify()?;
        }
        transaction.commit().await.classify()?;
        Ok(true)
    }
}

impl Store {
    /// Forgets the certificate of an instance whose server does not speak TLS any more.
    pub async fn forget_certificate(&self, id: InstanceId) -> Result<()> {
        sqlx::query!("DELETE FROM instance_certificates WHERE instance_id = $1", id.0).execute(&self.pool).await.classify()?;
        Ok(())
    }
}

/// Ends the archive of an instance, whose WAL is not continued any more, and the base backups that have not been taken.
async fn retire_archive(connection: &mut PgConnection, id: InstanceId, version: PostgresVersion) -> Result<()> {
    let why = Reason::new(ReasonCode::BackupFailed, "the instance was upgraded before it was complete");
    sqlx::query!(
        "UPDATE backups SET status = 'failed', error_code = $2, error_message = $3
         FROM archives WHERE archives.id = archive_id AND archives.instance_id = $1 AND retired_at IS NULL AND status IN ('pending', 'running')",
        id.0,
        why.code.as_str(),
        why.message
    )
    .execute(&mut *connection)
    .await
    .classify()?;
    sqlx::query!(
        "UPDATE archives SET retired_at = clock_timestamp(), postgres_version = $2, has_slot = false, followed = false, lag_seconds = NULL,
             failure_code = NULL, failure_message = NULL, failing_since = NULL
         WHERE instance_id = $1 AND retired_at IS NULL",
        id.0,
        i32::from(version.0)
    )
    .execute(connection)
    .await
    .classify()?;
    Ok(())
}
