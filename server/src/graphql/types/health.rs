//! `HealthCheck` and `HealthSummary`.

use async_graphql::{ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::health as domain;

use super::instance::{HealthStatus, Reason};

/// One check of one instance.
#[derive(Clone)]
pub struct HealthCheck(pub domain::HealthCheck);

/// One check of one instance.
#[Object]
impl HealthCheck {
    /// Its place among the checks of the instance, to resume from.
    async fn cursor(&self) -> String {
        self.0.id.to_string()
    }
    /// The instance that was checked.
    async fn instance_id(&self) -> ID {
        self.0.instance.to_string().into()
    }
    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
    /// What was found. One failure is not an outage yet, so this can differ from the instance's health.
    async fn status(&self) -> HealthStatus {
        self.0.status.into()
    }
    /// Milliseconds until the answer.
    async fn latency_ms(&self) -> Option<f64> {
        self.0.latency_us.map(|us| us as f64 / 1000.0)
    }
    /// What went wrong.
    async fn error(&self) -> Option<Reason> {
        self.0.error.as_ref().map(Reason::from)
    }
}

/// What the checks of the last 24 hours add up to.
#[derive(Clone, Debug, SimpleObject)]
pub struct HealthSummary {
    /// Number of checks.
    checks: i32,
    /// The share of checks that succeeded, 0 to 1; null without checks.
    uptime: Option<f64>,
    /// Median latency of the successful checks in milliseconds.
    latency_p50_ms: Option<f64>,
    /// 99th percentile of the latency in milliseconds.
    latency_p99_ms: Option<f64>,
    /// The last failed check.
    last_failure_at: Option<DateTime<Utc>>,
}

impl From<domain::HealthSummary> for HealthSummary {
    fn from(summary: domain::HealthSummary) -> Self {
        Self {
            checks: i32::try_from(summary.checks).unwrap_or(i32::MAX),
            uptime: summary.uptime,
            latency_p50_ms: summary.latency_p50_us.map(|us| us / 1000.0),
            latency_p99_ms: summary.latency_p99_us.map(|us| us / 1000.0),
            last_failure_at: summary.last_failure_at,
        }
    }
}
