//! The host on which the instances of this control plane are.

use super::{Store, errors::Classify};
use toygres_domain::{Result, runtime::Host};

impl Store {
    /// Records that the instances are on `host`, unless there are instances on another one: then it returns the description of that
    /// host.
    pub async fn claim_host(&self, host: &Host) -> Result<Option<String>> {
        let claimed = sqlx::query!(
            "UPDATE runtime_host SET id = $1, description = $2
             WHERE id IS NULL OR id = $1 OR NOT EXISTS (SELECT FROM instances WHERE state <> 'deleted')",
            host.id,
            host.description
        );
        if claimed.execute(&self.pool).await.classify()?.rows_affected() == 1 {
            return Ok(None);
        }
        sqlx::query_scalar!("SELECT description FROM runtime_host").fetch_one(&self.pool).await.classify()
    }
}
