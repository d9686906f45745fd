//! `HealthSummary`.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use toygres_domain::health as domain;

/// A summary of the health checks of the last 24 hours.
#[derive(Clone, Debug, SimpleObject)]
pub struct HealthSummary {
    /// The number of checks.
    checks: i32,
    /// The share of the time in which the instance was available, from 0 to 1. A check counts for the time until the next one. A time
    /// without checks, such as planned maintenance, counts neither way. Null without checks.
    uptime: Option<f64>,
    /// The median latency of the checks that succeeded, in milliseconds.
    latency_p50_ms: Option<f64>,
    /// The 99th percentile of the latency, in milliseconds.
    latency_p99_ms: Option<f64>,
    /// When a check last failed.
    last_failure_at: Option<DateTime<Utc>>,
}

impl From<domain::HealthSummary> for HealthSummary {
    fn from(summary: domain::HealthSummary) -> Self {
        let domain::HealthSummary { checks, uptime, latency_p50_us, latency_p99_us, last_failure_at } = summary;
        Self {
            checks: i32::try_from(checks).unwrap_or(i32::MAX),
            uptime,
            latency_p50_ms: latency_p50_us.map(|us| us / 1000.0),
            latency_p99_ms: latency_p99_us.map(|us| us / 1000.0),
            last_failure_at,
        }
    }
}
