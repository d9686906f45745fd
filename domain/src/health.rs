//! Health checks: single samples and what they add up to.

use chrono::{DateTime, Utc};

use crate::{
    InstanceId,
    instance::{HealthStatus, Reason},
};

/// One check of one instance.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    /// Its number, growing.
    pub id: i64,
    /// The instance that was checked.
    pub instance: InstanceId,
    /// When.
    pub at: DateTime<Utc>,
    /// What was found. A sample can be unhealthy while the instance is still healthy: one failure is not yet an outage.
    pub status: HealthStatus,
    /// How long logging in (or reusing a connection) and the query took, in microseconds.
    pub latency_us: Option<i64>,
    /// What went wrong.
    pub error: Option<Reason>,
}

/// What the samples of the last 24 hours add up to.
#[derive(Clone, Debug, Default)]
pub struct HealthSummary {
    /// Number of checks.
    pub checks: i64,
    /// The share of checks that succeeded, 0 to 1; none without checks.
    pub uptime: Option<f64>,
    /// Median latency of the successful checks in microseconds.
    pub latency_p50_us: Option<f64>,
    /// 99th percentile of the latency in microseconds.
    pub latency_p99_us: Option<f64>,
    /// The last failed check.
    pub last_failure_at: Option<DateTime<Utc>>,
}
