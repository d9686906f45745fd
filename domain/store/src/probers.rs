//! The workers that probe instances, and instances that nobody has checked for too long.

use std::time::Duration;

use uuid::Uuid;

use super::{Store, errors::Classify};
use toygres_domain::{InstanceId, Result};

/// An instance without recent samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnobservedInstance {
    /// The instance.
    pub id: InstanceId,
    /// Its HealthCheck workflow.
    pub health_check: String,
}

impl Store {
    /// Records that a prober is alive. Returns all that have been alive within `expiry`, in order.
    pub async fn beat_prober(&self, id: Uuid, expiry: Duration) -> Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            r#"WITH beat AS (
                   INSERT INTO probers (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET at = clock_timestamp() RETURNING id),
               forgotten AS (DELETE FROM probers WHERE at < now() - interval '1 hour' AND id <> $1)
               SELECT id AS "id!" FROM (
                   SELECT id FROM beat UNION SELECT id FROM probers WHERE at > clock_timestamp() - make_interval(secs => $2)) alive ORDER BY id"#,
            id,
            expiry.as_secs_f64()
        )
        .fetch_all(&self.pool)
        .await
        .classify()
    }

    /// Records that a prober has stopped, so that others need not find out.
    pub async fn remove_prober(&self, id: Uuid) -> Result<()> {
        sqlx::query!("DELETE FROM probers WHERE id = $1", id).execute(&self.pool).await.classify()?;
        Ok(())
    }

    /// Up to `limit` running instances whose latest sample is older than three intervals with their time-outs, and `grace`.
    pub async fn unobserved_instances(&self, grace: Duration, limit: i64) -> Result<Vec<UnobservedInstance>> {
        let rows = sqlx::query!(
            r#"SELECT id, health_check_orchestration_id AS "health_check!"
               FROM instances CROSS JOIN LATERAL (SELECT make_interval(secs => 3 * (health_interval_seconds + health_timeout_seconds) + $1::float8) AS time) bound
               WHERE state = 'running' AND health_check_orchestration_id IS NOT NULL AND updated_at < now() - time
                 AND coalesce((SELECT at FROM health_checks WHERE instance_id = instances.id ORDER BY health_checks.id DESC LIMIT 1) < now() - time, true)
               LIMIT $2"#,
            grace.as_secs_f64(),
            limit
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        Ok(rows.into_iter().map(|row| UnobservedInstance { id: InstanceId(row.id), health_check: row.health_check }).collect())
    }
}
