//! Samples of health checks, and summaries of them.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::errors::Classify;
use super::{Page, PageRequest, Store, parsed, reason};
use toygres_domain::{
    InstanceId, Result,
    health::{HealthCheck, HealthSummary},
    instance::{HealthStatus, Reason},
};

/// A check that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuccessfulCheck {
    /// How long it took.
    pub latency: Duration,
    /// Whether it logged in; otherwise a connection was reused.
    pub logged_in: bool,
}

/// A check that succeeded, to be recorded together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthSample {
    /// The instance.
    pub instance: InstanceId,
    /// The number of its operations when it was checked.
    pub operation_count: i64,
    /// When it was checked, by [`Store::now`].
    pub at: DateTime<Utc>,
    /// What was found.
    pub success: SuccessfulCheck,
}

struct HealthCheckRow {
    id: i64,
    instance_id: Uuid,
    at: DateTime<Utc>,
    status: String,
    latency_us: Option<i64>,
    logged_in: Option<bool>,
    error_code: Option<String>,
    error_message: Option<String>,
}

struct SummaryRow {
    instance_id: Uuid,
    checks: i64,
    uptime: Option<f64>,
    p50: Option<f64>,
    p99: Option<f64>,
    last_failure_at: Option<DateTime<Utc>>,
}

macro_rules! health_check_query {
    ($after:expr $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            HealthCheckRow,
            "SELECT id, instance_id, at, status, latency_us, logged_in, error_code, error_message " + $after
            $(, $arg)*
        )
    };
}

impl Store {
    /// Records a sample of a running instance. A sample from before the latest operation is outdated and is not recorded.
    pub async fn record_health_check(
        &self,
        instance: InstanceId,
        operation_count: i64,
        status: HealthStatus,
        success: Option<SuccessfulCheck>,
        error: Option<&Reason>,
    ) -> Result<()> {
        sqlx::query!(
            "INSERT INTO health_checks (instance_id, status, latency_us, logged_in, error_code, error_message)
             SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (
                 SELECT 1 FROM instances WHERE id = $1 AND state = 'running' AND operation_count = $7)",
            instance.0,
            status.as_str(),
            success.map(|success| microseconds(success.latency)),
            success.map(|success| success.logged_in),
            error.map(|error| error.code.as_str()),
            error.map(|error| error.message.as_str()),
            operation_count
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Records samples of running instances, in one statement, like [`Self::record_health_check`].
    pub async fn record_health_checks(&self, samples: &[HealthSample]) -> Result<()> {
        let ids: Vec<_> = samples.iter().map(|sample| sample.instance.0).collect();
        let times: Vec<_> = samples.iter().map(|sample| sample.at).collect();
        let latencies: Vec<_> = samples.iter().map(|sample| microseconds(sample.success.latency)).collect();
        let logins: Vec<_> = samples.iter().map(|sample| sample.success.logged_in).collect();
        let counts: Vec<_> = samples.iter().map(|sample| sample.operation_count).collect();
        sqlx::query!(
            "INSERT INTO health_checks (instance_id, at, status, latency_us, logged_in)
             SELECT sample.id, sample.at, 'healthy', sample.latency_us, sample.logged_in
             FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::boolean[], $5::bigint[])
                      AS sample (id, at, latency_us, logged_in, operation_count)
             JOIN instances ON instances.id = sample.id AND state = 'running' AND instances.operation_count = sample.operation_count
             ORDER BY sample.at",
            &ids,
            &times,
            &latencies,
            &logins,
            &counts
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// A page of one instance's samples, the newest first.
    pub async fn health_checks(&self, instance: InstanceId, page: &PageRequest<i64>) -> Result<Page<HealthCheck>> {
        let mut pages = self.health_checks_of(&[instance], page).await?;
        Ok(pages.remove(&instance).unwrap_or_else(|| page.page(Vec::new())))
    }

    /// The same page of the samples of several instances, the newest first, in one statement.
    pub async fn health_checks_of(&self, instances: &[InstanceId], page: &PageRequest<i64>) -> Result<HashMap<InstanceId, Page<HealthCheck>>> {
        let (below, above) = (page.after.unwrap_or(i64::MAX), page.before.unwrap_or(0));
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        macro_rules! listing {
            ($order:literal) => {
                health_check_query!(
                    "FROM unnest($1::uuid[]) AS parent (parent_id) CROSS JOIN LATERAL (
                         SELECT * FROM health_checks WHERE instance_id = parent_id AND id < $2 AND id > $3 ORDER BY "
                        + $order
                        + " LIMIT $4) entry ORDER BY "
                        + $order,
                    &ids,
                    below,
                    above,
                    page.fetch()
                )
                .fetch_all(&self.pool)
                .await
                .classify()?
            };
        }
        let rows = if page.backward { listing!("id") } else { listing!("id DESC") };
        let checks: Vec<_> = rows.into_iter().map(health_check).collect::<Result<_>>()?;
        Ok(page.pages(instances, checks.into_iter().map(|check| (check.instance, check))))
    }

    /// One instance's samples after the one with number `id`, the oldest first.
    pub async fn health_checks_after(&self, instance: InstanceId, id: i64, limit: i64) -> Result<Vec<HealthCheck>> {
        let rows = health_check_query!("FROM health_checks WHERE instance_id = $1 AND id > $2 ORDER BY id LIMIT $3", instance.0, id, limit)
            .fetch_all(&self.pool)
            .await
            .classify()?;
        rows.into_iter().map(health_check).collect()
    }

    /// A summary of the samples of the last 24 hours for each of several instances, in one statement. Instances without samples are
    /// omitted.
    ///
    /// A sample counts for the time until the next one, at most for two intervals with their timeouts: the quick repetitions after a failure
    /// weigh no more than their time, and a time without checks counts neither way.
    pub async fn health_summaries(&self, instances: &[InstanceId]) -> Result<HashMap<InstanceId, HealthSummary>> {
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        let rows = sqlx::query_as!(
            SummaryRow,
            r#"SELECT instance_id AS "instance_id!", count(*) AS "checks!",
                      sum(held) FILTER (WHERE status = 'healthy') / sum(held) AS uptime,
                      percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_us) FILTER (WHERE status = 'healthy') AS p50,
                      percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_us) FILTER (WHERE status = 'healthy') AS p99,
                      max(at) FILTER (WHERE status <> 'healthy') AS last_failure_at
               FROM (SELECT instance_id, status, latency_us, at,
                            greatest(0.001, least(2 * (health_interval_seconds + health_timeout_seconds)::float8,
                                extract(epoch FROM lead(at, 1, now()) OVER (PARTITION BY instance_id ORDER BY health_checks.id) - at)::float8)) AS held
                     FROM health_checks JOIN instances ON instances.id = instance_id
                     WHERE instance_id = ANY($1) AND at > now() - interval '24 hours') AS checked
               GROUP BY instance_id"#,
            &ids
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        let summary = |row: SummaryRow| HealthSummary {
            checks: row.checks,
            uptime: row.uptime,
            latency_p50_us: row.p50,
            latency_p99_us: row.p99,
            last_failure_at: row.last_failure_at,
        };
        Ok(rows.into_iter().map(|row| (InstanceId(row.instance_id), summary(row))).collect())
    }

    /// Deletes up to `limit` samples older than `retention` that are in no partition of a day, and returns their number. The others go with their
    /// partition: see [`Self::drop_partitions`].
    pub async fn prune_health_checks(&self, retention: Duration, limit: i64) -> Result<u64> {
        let done = sqlx::query!(
            "DELETE FROM health_checks_default WHERE ctid = ANY(ARRAY(
                 SELECT ctid FROM health_checks_default WHERE at < now() - make_interval(secs => $1) ORDER BY at LIMIT $2))",
            retention.as_secs_f64(),
            limit
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(done.rows_affected())
    }
}

fn microseconds(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn health_check(row: HealthCheckRow) -> Result<HealthCheck> {
    Ok(HealthCheck {
        id: row.id,
        instance: InstanceId(row.instance_id),
        at: row.at,
        status: parsed(&row.status)?,
        latency_us: row.latency_us,
        logged_in: row.logged_in,
        error: reason(row.error_code, row.error_message),
    })
}
