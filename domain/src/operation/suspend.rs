//! Suspend: stops the server of a running instance and keeps it stopped; its data stays. A failure leaves the instance running, with the
//! reason.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName, restart};
use crate::instance::{InstanceState, Reason, ReasonCode};

/// The parameters of a suspension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// Seconds that the server may take to shut down gracefully before it is stopped immediately.
    pub timeout_seconds: i32,
    /// The minutes that the instance had been idle for, if the control plane suspends it because of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_minutes: Option<i32>,
}

impl Params {
    /// The values of `timeout_seconds`: those of a restart.
    pub const TIMEOUT_SECONDS: RangeInclusive<i32> = restart::Params::TIMEOUT_SECONDS;
    /// The default of `timeout_seconds`.
    pub const DEFAULT_TIMEOUT_SECONDS: i32 = restart::Params::DEFAULT_TIMEOUT_SECONDS;
    /// The minutes without a client's session after which an instance can be suspended by the control plane: at least a few intervals of
    /// ordinary health checks, at most a week.
    pub const IDLE_MINUTES: RangeInclusive<i32> = 5..=10_080;

    /// How long the server may take to shut down gracefully.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.unsigned_abs().into())
    }

    /// The reason of the suspended instance.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self.idle_minutes {
            None => reason(),
            Some(minutes) => Reason::new(ReasonCode::Suspended, format!("No client was connected for {minutes} minutes. {REMEDY}")),
        }
    }
}

/// What a suspended instance is, and how that ends.
const REMEDY: &str = "Its server is stopped and its data is kept: nobody can connect until it is resumed (resumeInstance)";

/// The reason of a suspended instance when nothing more is known.
#[must_use]
pub fn reason() -> Reason {
    Reason::new(ReasonCode::Suspended, REMEDY)
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::StopPostgres, StepName::UpdateMetadata],
    from: &[InstanceState::Running],
    during: Some(InstanceState::Updating),
    success: InstanceAfter::State(InstanceState::Suspended),
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::Before(StepName::StopPostgres),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
