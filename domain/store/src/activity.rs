//! Since when no client has used an instance that is suspended when idle.

use std::time::Duration;

use sqlx::PgConnection;

use super::{Store, errors::Classify};
use toygres_domain::{InstanceId, Result};

impl Store {
    /// Records what a health check saw of clients, and returns since when there was no sign of one. The first call counts as one. Nothing is
    /// recorded of an instance that is not suspended when idle any more.
    ///
    /// `sessions` is what the server counts the sessions of clients by: another value than at the last call means that there was one in
    /// between, also if it has ended. `is_active` means that there is one now, or that it is not known.
    pub async fn note_activity(&self, id: InstanceId, sessions: &str, is_active: bool) -> Result<Duration> {
        sqlx::query!(
            "INSERT INTO instance_activity (instance_id, sessions)
                 SELECT id, $2 FROM instances WHERE id = $1 AND idle_suspend_minutes IS NOT NULL FOR SHARE
             ON CONFLICT (instance_id) DO UPDATE SET sessions = $2, active_at = now() WHERE $3 OR instance_activity.sessions <> $2",
            id.0,
            sessions,
            is_active
        )
        .execute(&self.pool)
        .await
        .classify()?;
        let seconds = sqlx::query_scalar!(
            r#"SELECT extract(epoch FROM now() - active_at)::float8 AS "seconds!" FROM instance_activity WHERE instance_id = $1"#,
            id.0
        )
        .fetch_optional(&self.pool)
        .await
        .classify()?;
        // It was forgotten meanwhile.
        Ok(Duration::try_from_secs_f64(seconds.unwrap_or_default()).unwrap_or_default())
    }

    /// Starts the time anew, if it is counted: it is not known whether clients wanted to use the instance.
    pub async fn note_unknown_activity(&self, id: InstanceId) -> Result<()> {
        sqlx::query!("UPDATE instance_activity SET active_at = now() WHERE instance_id = $1", id.0).execute(&self.pool).await.classify()?;
        Ok(())
    }
}

/// Starts the time anew, with the next health check.
pub(super) async fn forget_activity(connection: &mut PgConnection, id: InstanceId) -> Result<()> {
    sqlx::query!("DELETE FROM instance_activity WHERE instance_id = $1", id.0).execute(connection).await.classify()?;
    Ok(())
}
