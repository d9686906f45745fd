//! Passwords of instances, sealed.

use super::Store;
use crate::{Error, InstanceId, Result, secret::Secret};

impl Store {
    /// The password of an instance, unsealed: for the activity that needs it and the resolver that guards it.
    ///
    /// # Errors
    /// [`Error::Internal`] when there is none or it was sealed with another key.
    pub async fn password(&self, id: InstanceId) -> Result<Secret> {
        let sealed = sqlx::query_scalar!("SELECT sealed_password FROM credentials WHERE instance_id = $1", id.0)
            .fetch_optional(&self.pool)
            .await?
            .ok_or_else(|| Error::internal(format!("instance {id} has no credentials")))?;
        self.key.open(&sealed, &id.to_string())
    }

    /// The passwords of several instances; those without credentials are left out.
    ///
    /// # Errors
    /// [`Error::Internal`] when one was sealed with another key.
    pub async fn passwords(&self, ids: &[InstanceId]) -> Result<Vec<(InstanceId, Secret)>> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        let rows =
            sqlx::query!("SELECT instance_id, sealed_password FROM credentials WHERE instance_id = ANY($1)", &ids).fetch_all(&self.pool).await?;
        rows.into_iter()
            .map(|row| {
                let id = InstanceId(row.instance_id);
                Ok((id, self.key.open(&row.sealed_password, &id.to_string())?))
            })
            .collect()
    }
}
