//! Create: from a request to a running instance. A failed creation removes what it made.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::instance::InstanceState;

/// A creation has no parameters: the instance's row holds what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::DeployPostgres, StepName::GetInstanceStatus, StepName::GenerateConnectionString, StepName::UpdateMetadata],
    from: &[InstanceState::Failed],
    during: Some(InstanceState::Creating),
    success: InstanceAfter::State(InstanceState::Running),
    failure: OnFailure::End(InstanceAfter::State(InstanceState::Failed)),
    cancellation: Cancellation::ByWorkflow,
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
