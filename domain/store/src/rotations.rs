//! Rotations of the password of an instance's owner. Both passwords are kept, sealed, until it is certain which of them the owner's role
//! has; callers are told the one that it has as far as is known.

use sqlx::PgConnection;
use toygres_domain::{Error, InstanceId, OperationId, Result, instance::Instance, notice::NoticeCode, operation::OperationKind, secret::Secret};

use super::{
    Store,
    credentials::context,
    errors::Classify,
    instances::{locked, touch},
    notices::write_notice,
    runs::live_run_and_instance,
};

/// The role part of what a sealed verifier is bound to: see [`context`].
pub(super) const VERIFIER: &str = "former verifier of the owner";

impl Store {
    /// Stores the password that a rotation sets: `new`, or for a retry the one of the rotation before it.
    pub(super) async fn begin_rotation(&self, connection: &mut PgConnection, id: InstanceId, new: Option<&Secret>) -> Result<()> {
        let seal = |password: &Secret| self.keys.seal(password, &id.to_string());
        // What is in use as far as is known is what the rotation replaces.
        sqlx::query!(
            "UPDATE credentials SET sealed_password = CASE WHEN pending_in_use THEN pending_password ELSE sealed_password END,
                 pending_password = coalesce($2, pending_password, $3), pending_in_use = false, former_verifier = NULL,
                 updated_at = clock_timestamp()
             WHERE instance_id = $1",
            id.0,
            new.map(seal),
            seal(&Secret::generate())
        )
        .execute(connection)
        .await
        .classify()?;
        Ok(())
    }

    /// The password that a rotation sets.
    ///
    /// # Errors
    /// [`Error::Superseded`] when there is none any more.
    pub async fn pending_password(&self, id: InstanceId) -> Result<Secret> {
        let sealed = sqlx::query_scalar!("SELECT pending_password FROM credentials WHERE instance_id = $1", id.0)
            .fetch_optional(&self.pool)
            .await
            .classify()?;
        self.keys.open(&sealed.flatten().ok_or(Error::Superseded)?, &id.to_string())
    }

    /// Keeps the verifier that the owner's role had before a rotation. A repetition keeps the first.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn keep_former_verifier(&self, id: &OperationId, run: i32, verifier: &Secret) -> Result<()> {
        let mut transaction = self.begin().await?;
        let now = live_run_and_instance(&mut transaction, id, run).await?;
        sqlx::query!(
            "UPDATE credentials SET former_verifier = $2 WHERE instance_id = $1 AND former_verifier IS NULL",
            now.instance.0,
            self.keys.seal(verifier, &context(now.instance, VERIFIER))
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        transaction.commit().await.classify()
    }

    /// What [`Self::keep_former_verifier`] kept; `None` if the rotation has not come so far.
    pub async fn former_verifier(&self, id: InstanceId) -> Result<Option<Secret>> {
        let sealed = sqlx::query_scalar!("SELECT former_verifier FROM credentials WHERE instance_id = $1", id.0)
            .fetch_optional(&self.pool)
            .await
            .classify()?;
        sealed.flatten().map(|sealed| self.keys.open(&sealed, &context(id, VERIFIER))).transpose()
    }

    /// Records whether the owner's role has the new password, which callers are then told.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn note_pending_password(&self, id: &OperationId, run: i32, in_use: bool) -> Result<()> {
        let mut transaction = self.begin().await?;
        let now = live_run_and_instance(&mut transaction, id, run).await?;
        sqlx::query!(
            "UPDATE credentials SET pending_in_use = $2, updated_at = clock_timestamp()
             WHERE instance_id = $1 AND pending_password IS NOT NULL AND pending_in_use <> $2",
            now.instance.0,
            in_use
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        transaction.commit().await.classify()
    }

    /// Stores that a health check found the other one of both passwords in use, which a rotation left that could not be finished. `seen` is
    /// the instance as the check has read it.
    pub async fn adopt_other_password(&self, seen: &Instance) -> Result<()> {
        let mut transaction = self.begin().await?;
        let Some(now) = unchanged(&mut transaction, seen).await? else { return Ok(()) };
        sqlx::query!(
            "UPDATE credentials SET sealed_password = CASE WHEN pending_in_use THEN sealed_password ELSE pending_password END,
                 pending_password = NULL, pending_in_use = false, updated_at = clock_timestamp()
             WHERE instance_id = $1 AND pending_password IS NOT NULL",
            now.id.0
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        without_notice(&mut transaction, &now).await?;
        touch(&mut transaction, now.id).await?;
        transaction.commit().await.classify()
    }

    /// Sets the notice that the owner has changed their password, or removes it (`None`), unless the instance has changed since the check
    /// read it as `seen`, or a rotation is in progress.
    pub async fn note_changed_password(&self, seen: &Instance, message: Option<&str>) -> Result<()> {
        let mut transaction = self.begin().await?;
        if let Some(now) = unchanged(&mut transaction, seen).await? {
            write_notice(&mut transaction, now, NoticeCode::PasswordChanged, message).await?;
            transaction.commit().await.classify()?;
        }
        Ok(())
    }
}

/// The locked instance, if a check that has read it as `seen` may write about its password.
async fn unchanged(connection: &mut PgConnection, seen: &Instance) -> Result<Option<Instance>> {
    let now = locked(&mut *connection, seen.id).await?;
    let rotates = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM operations WHERE instance_id = $1 AND kind = $2 AND status IN ('pending', 'running')) AS "rotates!""#,
        seen.id.0,
        OperationKind::RotatePassword.as_str()
    )
    .fetch_one(connection)
    .await
    .classify()?;
    Ok((now.revision == seen.revision && !rotates).then_some(now))
}

/// Makes the new password the stored one, and drops the former.
pub(super) async fn succeed(connection: &mut PgConnection, now: &Instance) -> Result<()> {
    sqlx::query!(
        "UPDATE credentials SET sealed_password = pending_password, pending_password = NULL, pending_in_use = false, former_verifier = NULL,
             updated_at = clock_timestamp()
         WHERE instance_id = $1 AND pending_password IS NOT NULL",
        now.id.0
    )
    .execute(&mut *connection)
    .await
    .classify()?;
    without_notice(connection, now).await
}

/// Removes the notice that the stored password is not the owner's.
async fn without_notice(connection: &mut PgConnection, now: &Instance) -> Result<()> {
    write_notice(connection, now.clone(), NoticeCode::PasswordChanged, None).await.map(drop)
}
