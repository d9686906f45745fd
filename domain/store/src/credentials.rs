//! Passwords of instances, sealed: that of the owner's role, and those of the platform's roles.

use super::Store;
use super::errors::Classify;
use sqlx::PgConnection;
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    instance::Instance,
    roles::{Credentials, MONITOR, PlatformCredentials, SUPERUSER},
    secret::Secret,
};

impl Store {
    /// The unsealed passwords of an instance. The owner's is the one that their role has as far as is known.
    ///
    /// # Errors
    /// [`Error::Internal`] when there is none or one was sealed with another key.
    pub async fn credentials(&self, id: InstanceId) -> Result<Credentials> {
        Ok(self.credentials_to_check(id).await?.0)
    }

    /// The unsealed passwords of an instance, and the other one that the owner's role may have instead, after a rotation that did not
    /// succeed.
    ///
    /// # Errors
    /// As [`Self::credentials`].
    pub async fn credentials_to_check(&self, id: InstanceId) -> Result<(Credentials, Option<Secret>)> {
        let sealed = sqlx::query!(
            r#"SELECT CASE WHEN pending_in_use THEN pending_password ELSE owner.sealed_password END AS "owner!",
                   CASE WHEN pending_in_use THEN owner.sealed_password ELSE pending_password END AS other, superuser.sealed_password AS "superuser?", monitor.sealed_password AS "monitor?"
               FROM credentials AS owner
               LEFT JOIN platform_passwords AS superuser ON superuser.instance_id = owner.instance_id AND superuser.role = $2
               LEFT JOIN platform_passwords AS monitor ON monitor.instance_id = owner.instance_id AND monitor.role = $3
               WHERE owner.instance_id = $1"#,
            id.0,
            SUPERUSER,
            MONITOR
        )
        .fetch_optional(&self.pool)
        .await
        .classify()?
        .ok_or_else(|| Error::internal(format!("instance {id} has no credentials")))?;
        let open = |sealed: &[u8], role| self.keys.open(sealed, &context(id, role));
        let platform = match (sealed.superuser, sealed.monitor) {
            (Some(superuser), Some(monitor)) => {
                Some(PlatformCredentials { superuser: open(&superuser, SUPERUSER)?, monitor: open(&monitor, MONITOR)? })
            }
            _ => None,
        };
        let open = |sealed: &[u8]| self.keys.open(sealed, &id.to_string());
        Ok((Credentials { owner: open(&sealed.owner)?, platform }, sealed.other.as_deref().map(open).transpose()?))
    }

    /// The unsealed passwords of an instance that has not run. Those of the platform's roles are made here and not when it is accepted: a
    /// server of an earlier release, which may carry out the creation, makes no such roles, and the instance is known to have none.
    ///
    /// # Errors
    /// As [`Self::credentials`].
    pub async fn credentials_to_create(&self, id: InstanceId) -> Result<Credentials> {
        let credentials = self.credentials(id).await?;
        if credentials.platform.is_some() {
            return Ok(credentials);
        }
        let mut transaction = self.begin().await?;
        self.insert_platform_passwords(&mut transaction, id).await?;
        transaction.commit().await.classify()?;
        self.credentials(id).await
    }

    /// Seals and inserts the password of the owner.
    pub(super) async fn insert_password(&self, connection: &mut PgConnection, id: InstanceId, owner: &Secret) -> Result<()> {
        sqlx::query!("INSERT INTO credentials (instance_id, sealed_password) VALUES ($1, $2)", id.0, self.keys.seal(owner, &id.to_string()))
            .execute(connection)
            .await
            .classify()?;
        Ok(())
    }

    async fn insert_platform_passwords(&self, connection: &mut PgConnection, id: InstanceId) -> Result<()> {
        let PlatformCredentials { superuser, monitor } = PlatformCredentials::generate();
        for (role, password) in [(SUPERUSER, superuser), (MONITOR, monitor)] {
            sqlx::query!(
                "INSERT INTO platform_passwords (instance_id, role, sealed_password) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                id.0,
                role,
                self.keys.seal(&password, &context(id, role))
            )
            .execute(&mut *connection)
            .await
            .classify()?;
        }
        Ok(())
    }

    /// The passwords that the owners of several instances have as far as is known. Instances without credentials are omitted.
    ///
    /// # Errors
    /// [`Error::Internal`] when one was sealed with another key.
    pub async fn passwords(&self, ids: &[InstanceId]) -> Result<Vec<(InstanceId, Secret)>> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        let rows = sqlx::query!(
            r#"SELECT instance_id, CASE WHEN pending_in_use THEN pending_password ELSE sealed_password END AS "password!"
               FROM credentials WHERE instance_id = ANY($1)"#,
            &ids
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        rows.into_iter()
            .map(|row| {
                let id = InstanceId(row.instance_id);
                Ok((id, self.keys.open(&row.password, &id.to_string())?))
            })
            .collect()
    }

    /// Checks the keys with one of the passwords in the database.
    ///
    /// # Errors
    /// [`Error::Internal`] when it was sealed with a key that is not among ours.
    pub async fn check_keys(&self) -> Result<()> {
        let newest = sqlx::query!("SELECT instance_id, sealed_password FROM credentials ORDER BY updated_at DESC LIMIT 1");
        if let Some(row) = newest.fetch_optional(&self.pool).await.classify()? {
            self.keys.open(&row.sealed_password, &InstanceId(row.instance_id).to_string())?;
        }
        Ok(())
    }
}

/// Refuses an instance that has no roles of the platform, by which its other roles are changed.
pub(super) async fn require_platform(connection: &mut PgConnection, now: &Instance) -> Result<()> {
    let has_platform = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM platform_passwords WHERE instance_id = $1 AND role = $2) AS "has_platform!""#,
        now.id.0,
        SUPERUSER
    );
    if has_platform.fetch_one(connection).await.classify()? {
        return Ok(());
    }
    let message = format!(
        "'{}' was created by an earlier release, in which the control plane logs in as the owner and changes no roles: create another instance \
         and copy the data",
        now.name
    );
    Err(Error::user(UserErrorCode::Conflict, "id", message))
}

/// What the sealed password of a platform's role is bound to.
pub(super) fn context(id: InstanceId, role: &str) -> String {
    format!("{id}/{role}")
}
