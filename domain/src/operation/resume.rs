//! Resume: starts the server of a suspended instance. A failure leaves the instance suspended, with the reason.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::instance::InstanceState;

/// Resuming has no parameters: what is started follows from the instance's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::StartPostgres, StepName::GetInstanceStatus, StepName::GenerateConnectionString, StepName::UpdateMetadata],
    from: &[InstanceState::Suspended],
    during: Some(InstanceState::Updating),
    success: InstanceAfter::State(InstanceState::Running),
    failure: OnFailure::End(InstanceAfter::State(InstanceState::Suspended)),
    cancellation: Cancellation::Before(StepName::StartPostgres),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
