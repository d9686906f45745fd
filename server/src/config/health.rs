//! Health checks.

use std::{ops::RangeInclusive, time::Duration};

use clap::{Args, value_parser};
use toygres_domain::{instance::HealthCheckPolicy, metric};
use toygres_postgres::Prober;
use toygres_workflows::{MetricsRecorder, Probing, Timing};

use super::values::size;
use crate::app::limits::{HEALTH_CHECK_INTERVAL_SECONDS, HEALTH_CHECK_TIMEOUT_SECONDS, IntRange};

/// Rates over longer times would be taken for gaps.
const METRICS_INTERVAL: u64 = metric::INTERVAL.as_secs();

/// Health checks.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Health checks")]
pub struct HealthConfig {
    /// Connections kept open between checks, one per instance; further instances are logged in to each time. Mind the limit of
    /// open files.
    #[arg(long, env = "TOYGRES_PROBE_CONNECTIONS", default_value = "500", value_parser = value_parser!(u32).range(0..=100_000))]
    pub probe_connections: u32,
    /// Every nth check of an instance logs in afresh although a connection is kept.
    #[arg(long, env = "TOYGRES_PROBE_LOGIN_EVERY", default_value = "10", value_parser = value_parser!(u32).range(1..=1000))]
    pub probe_login_every: u32,
    /// Seconds between health checks, unless the instance has a setting of its own.
    #[arg(long, env = "TOYGRES_HEALTH_INTERVAL_SECONDS", default_value = "30",
        value_parser = value_parser!(i32).range(range(HEALTH_CHECK_INTERVAL_SECONDS)))]
    pub health_interval_seconds: i32,
    /// Seconds that a health check may take, unless the instance has a setting of its own.
    #[arg(long, env = "TOYGRES_HEALTH_TIMEOUT_SECONDS", default_value = "5",
        value_parser = value_parser!(i32).range(range(HEALTH_CHECK_TIMEOUT_SECONDS)))]
    pub health_timeout_seconds: i32,
    /// Failed checks in a row that make an outage, when only the probe saw them.
    #[arg(long, env = "TOYGRES_HEALTH_CONFIRMATIONS", default_value = "3", value_parser = value_parser!(u32).range(2..=20))]
    pub health_confirmations: u32,
    /// Milliseconds between a failed check and its repetition.
    #[arg(long, env = "TOYGRES_HEALTH_RECHECK_MS", default_value = "500", value_parser = value_parser!(u32).range(100..=60_000))]
    pub health_recheck_ms: u32,
    /// Seconds after which the workflow of a healthy instance checks it by itself. Meanwhile the probers of the workers check it on its interval;
    /// 0 runs no prober in this server, and its workflows check on the interval of the instance.
    #[arg(long, env = "TOYGRES_HEALTH_LOOK_SECONDS", default_value = "900", value_parser = value_parser!(u64).range(0..=86_400))]
    pub health_look_seconds: u64,
    /// Seconds between two readings of the metrics of an instance, which are made with its health checks; 0 reads none.
    #[arg(long, env = "TOYGRES_METRICS_INTERVAL_SECONDS", default_value_t = METRICS_INTERVAL, value_parser = value_parser!(u64).range(0..=METRICS_INTERVAL))]
    pub metrics_interval_seconds: u64,
}

impl HealthConfig {
    /// See [`Prober`].
    #[must_use]
    pub fn prober(&self) -> Prober {
        Prober::new(size(self.probe_connections), self.probe_login_every)
    }

    /// See [`Probing`].
    #[must_use]
    pub fn probing(&self) -> Probing {
        match self.health_look_seconds {
            0 => Probing::default(),
            seconds => Probing::new(Duration::from_secs(seconds)),
        }
    }

    /// See [`MetricsRecorder`].
    #[must_use]
    pub fn metrics(&self) -> MetricsRecorder {
        match self.metrics_interval_seconds {
            0 => MetricsRecorder::default(),
            seconds => MetricsRecorder::new(Duration::from_secs(seconds)),
        }
    }

    /// See [`Timing`].
    #[must_use]
    pub fn timing(&self) -> Timing {
        Timing { confirmations: self.health_confirmations, recheck: Duration::from_millis(self.health_recheck_ms.into()), ..Timing::default() }
    }

    /// The settings of instances without settings of their own.
    #[must_use]
    pub fn policy(&self) -> HealthCheckPolicy {
        HealthCheckPolicy { interval_seconds: self.health_interval_seconds, timeout_seconds: self.health_timeout_seconds }
    }
}

fn range(limits: IntRange) -> RangeInclusive<i64> {
    limits.min.into()..=limits.max.into()
}
