//! The workflow engine.

use std::time::Duration;

use clap::{ArgAction, Args, value_parser};
use toygres_workflows::EngineOptions;

use super::values::{parse_bool, size};

/// The workflow engine.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Workflow engine")]
pub struct EngineConfig {
    /// Seconds that an operation may take.
    #[arg(long, env = "TOYGRES_OPERATION_DEADLINE_SECONDS", default_value = "600", value_parser = value_parser!(u32).range(5..=86_400))]
    pub operation_deadline_seconds: u32,
    /// Milliseconds between polls of the workflow engine, for timers and for what other servers have enqueued: fewer are quicker and cost
    /// more processor time when idle.
    #[arg(long, env = "TOYGRES_ENGINE_POLL_MS", default_value = "100", value_parser = value_parser!(u32).range(5..=10_000))]
    pub engine_poll_ms: u32,
    /// Workflow turns at once. More than 2 mostly wait for each other.
    #[arg(long, env = "TOYGRES_ENGINE_ORCHESTRATION_SLOTS", default_value = "2", value_parser = value_parser!(u32).range(1..=256))]
    pub engine_orchestration_slots: u32,
    /// Activities at once.
    #[arg(long, env = "TOYGRES_ENGINE_ACTIVITY_SLOTS", default_value = "8", value_parser = value_parser!(u32).range(1..=1024))]
    pub engine_activity_slots: u32,
    /// Seconds after which another server takes over the work of one that died.
    #[arg(long, env = "TOYGRES_ENGINE_LOCK_SECONDS", default_value = "15", value_parser = value_parser!(u32).range(5..=300))]
    pub engine_lock_seconds: u32,
    /// Take over the instances of a data directory or namespace that is lost for good: those that this server does not have become
    /// unhealthy, and can be deleted.
    #[arg(long, env = "TOYGRES_CLAIM_INSTANCES", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, value_parser = parse_bool)]
    pub claim_instances: bool,
}

impl EngineConfig {
    /// How long an operation may take.
    #[must_use]
    pub fn operation_deadline(&self) -> Duration {
        Duration::from_secs(self.operation_deadline_seconds.into())
    }

    /// See [`EngineOptions`].
    #[must_use]
    pub fn options(&self) -> EngineOptions {
        EngineOptions {
            poll_interval: Duration::from_millis(self.engine_poll_ms.into()),
            orchestration_slots: size(self.engine_orchestration_slots),
            activity_slots: size(self.engine_activity_slots),
            lock_timeout: Duration::from_secs(self.engine_lock_seconds.into()),
        }
    }
}
