//! The durable workflows of Toygres on duroxide, and everything that starts, follows and repairs them.
//!
//! [`operations`] holds one workflow per kind of operation; [`health_check`] and [`monitor_operation`] are endless. They call the
//! [`activities`], and are hosted by the [`engine`]. In the background, the [`dispatcher`] starts workflows for the rows of the
//! operations table; the [`sweeper`] repairs lost workflows and objects; [`repairs`] puts back what somebody deleted or edited of running instances; [`backups`] archives what instances commit; [`certificates`] issues and renews certificates; [`addresses`] gives renamed instances their address; [`configuration`] asks servers for theirs; [`nudges`] forwards nudges of the runtime to waiting
//! workflows; [`probing`] checks healthy instances while their workflows sleep; the [`janitor`] deletes old records; [`instance_metrics`] stores those of instances; [`gauges`] reports the content of the tables as metrics;
//! the [`heartbeat`] keeps deadlines and timers right across downtime and clock steps.
//!
//! A workflow's history is stored as plain JSON, so it contains only ids and never a secret.

pub mod activities;
pub mod activity;
pub mod addresses;
mod administration;
pub mod backups;
pub mod certificates;
pub mod configuration;
pub mod dispatcher;
pub mod engine;
mod failure;
pub mod gauges;
pub mod health_check;
pub mod heartbeat;
pub mod instance_metrics;
pub mod janitor;
pub mod monitor_operation;
mod notices;
pub mod nudges;
pub mod operations;
mod pauses;
pub mod probing;
pub mod registry;
pub mod repairs;
mod running_checks;
mod slow_checks;
pub mod sweeper;
mod timing;
pub mod workflow;

pub use activity::{Activity, ActivityContext, Run};
pub use engine::{Engine, EngineOptions};
pub use failure::Failure;
pub use instance_metrics::MetricsRecorder;
pub use probing::Probing;
pub use running_checks::RunningChecks;
pub use slow_checks::SlowChecks;
pub use timing::{RetryPolicy, Timing};
