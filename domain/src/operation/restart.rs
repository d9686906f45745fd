//! Restart: stops the server of a running instance and starts it again. A failure leaves the instance running, with the reason.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::instance::InstanceState;

/// The parameters of a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// Seconds that the server may take to shut down gracefully before it is stopped immediately.
    pub timeout_seconds: i32,
}

impl Params {
    /// The values of `timeout_seconds`. PostgreSQL's own `pg_ctl stop` waits 60 seconds by default.
    pub const TIMEOUT_SECONDS: RangeInclusive<i32> = 1..=300;
    /// The default of `timeout_seconds`.
    pub const DEFAULT_TIMEOUT_SECONDS: i32 = 60;

    /// How long the server may take to shut down gracefully.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.unsigned_abs().into())
    }
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::RestartPostgres, StepName::GetInstanceStatus, StepName::GenerateConnectionString, StepName::UpdateMetadata],
    from: &[InstanceState::Running],
    during: Some(InstanceState::Updating),
    success: InstanceAfter::State(InstanceState::Running),
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::Before(StepName::RestartPostgres),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
