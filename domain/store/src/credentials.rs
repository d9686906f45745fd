//! Passwords of instances, sealed.

use super::Store;
use super::errors::Classify;
use toygres_domain::{Error, InstanceId, Result, secret::Secret};

impl Store {
    /// The unsealed password of an instance.
    ///
    /// # Errors
    /// [`Error::Internal`] when there is none or it was sealed with another key.
    pub async fn password(&self, id: InstanceId) -> Result<Secret> {
        let sealed = sqlx::query_scalar!("SELECT sealed_password FROM credentials WHERE instance_id = $1", id.0)
            .fetch_optional(&self.pool)
            .await
            .classify()?
            .ok_or_else(|| Error::internal(format!("instance {id} has no credentials")))?;
        self.keys.open(&sealed, &id.to_string())
    }

    /// The passwords of several instances. Instances without credentials are omitted.
    ///
    /// # Errors
    /// [`Error::Internal`] when one was sealed with another key.
    pub async fn passwords(&self, ids: &[InstanceId]) -> Result<Vec<(InstanceId, Secret)>> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        let rows = sqlx::query!("SELECT instance_id, sealed_password FROM credentials WHERE instance_id = ANY($1)", &ids)
            .fetch_all(&self.pool)
            .await
            .classify()?;
        rows.into_iter()
            .map(|row| {
                let id = InstanceId(row.instance_id);
                Ok((id, self.keys.open(&row.sealed_password, &id.to_string())?))
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
