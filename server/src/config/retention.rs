//! How long records are kept.

use std::time::Duration;

use clap::{Args, value_parser};
use toygres_workflows::janitor::Retention;

/// How long records are kept.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Retention")]
pub struct RetentionConfig {
    /// Hours that events are kept, and with them the cursors that subscriptions resume from.
    #[arg(long, env = "TOYGRES_EVENT_RETENTION_HOURS", default_value = "168", value_parser = value_parser!(u32).range(1..=87_600))]
    pub event_retention_hours: u32,
    /// Hours that health checks are kept, and metrics as they were read.
    #[arg(long, env = "TOYGRES_HEALTH_RETENTION_HOURS", default_value = "48", value_parser = value_parser!(u32).range(24..=87_600))]
    pub health_retention_hours: u32,
    /// Days that the summaries of hours of metrics are kept.
    #[arg(long, env = "TOYGRES_METRICS_RETENTION_DAYS", default_value = "90", value_parser = value_parser!(u32).range(2..=3650))]
    pub metrics_retention_days: u32,
    /// Hours that the engine's record of a workflow is kept after the workflow has ended.
    #[arg(long, env = "TOYGRES_WORKFLOW_RETENTION_HOURS", default_value = "24", value_parser = value_parser!(u32).range(1..=87_600))]
    pub workflow_retention_hours: u32,
}

impl RetentionConfig {
    /// See [`Retention`].
    #[must_use]
    pub fn retention(&self) -> Retention {
        let hours = |hours: u32| Duration::from_secs(u64::from(hours) * 3600);
        Retention {
            events: hours(self.event_retention_hours),
            health_checks: hours(self.health_retention_hours),
            metrics: hours(self.metrics_retention_days * 24),
            workflows: hours(self.workflow_retention_hours),
        }
    }
}
