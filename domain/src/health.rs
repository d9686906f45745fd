//! Health checks: single samples and their summary.

use chrono::{DateTime, Utc};

use crate::{
    InstanceId,
    instance::{HealthStatus, Reason},
};

/// One check of one instance.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    /// Grows with each sample.
    pub id: i64,
    /// The instance that was checked.
    pub instance: InstanceId,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// The result. A sample can be unhealthy while the instance is still healthy: one failure is not yet an outage.
    pub status: HealthStatus,
    /// How long logging in (or reusing a connection) and the query took, in microseconds.
    pub latency_us: Option<i64>,
    /// Whether it logged in, of one that succeeded; otherwise a connection was reused. `None` if that was not recorded.
    pub logged_in: Option<bool>,
    /// Why it failed.
    pub error: Option<Reason>,
}

/// The summary of the samples of the last 24 hours.
#[derive(Clone, Debug, Default)]
pub struct HealthSummary {
    /// Number of checks.
    pub checks: i64,
    /// The share of the checked time in which the instance was available, 0 to 1; none without checks.
    pub uptime: Option<f64>,
    /// Median latency of the successful checks in microseconds.
    pub latency_p50_us: Option<f64>,
    /// 99th percentile of the latency in microseconds.
    pub latency_p99_us: Option<f64>,
    /// The last failed check.
    pub last_failure_at: Option<DateTime<Utc>>,
}
