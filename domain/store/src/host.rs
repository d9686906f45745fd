//! The host on which the instances of this control plane are.

use super::{Store, errors::Classify};
use toygres_domain::{Result, runtime::Host};

impl Store {
    /// Whether there are instances although no host was recorded: a release before recorded none.
    pub async fn has_instances_of_an_unknown_host(&self) -> Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM runtime_host WHERE id IS NULL)
                  AND EXISTS (SELECT FROM instances WHERE state IN ('running', 'updating', 'suspended', 'deleting')) AS "there_are!""#
        )
        .fetch_one(&self.pool)
        .await
        .classify()
    }

    /// Records that the instances are on `host`, if there are none yet, they are there already, or `by_force`. Otherwise returns the
    /// description of the host that has them.
    pub async fn claim_host(&self, host: &Host, by_force: bool) -> Result<Option<String>> {
        let claimed = sqlx::query!(
            "UPDATE runtime_host SET id = $1, description = $2
             WHERE $3 OR id IS NULL OR id = $1 OR NOT EXISTS (SELECT FROM instances WHERE state <> 'deleted')",
            host.id,
            host.description,
            by_force
        );
        if claimed.execute(&self.pool).await.classify()?.rows_affected() == 1 {
            return Ok(None);
        }
        sqlx::query_scalar!("SELECT description FROM runtime_host").fetch_one(&self.pool).await.classify()
    }
}
