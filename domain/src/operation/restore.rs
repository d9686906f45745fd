//! Restore: from a request to a running instance that has the data of a backup, or of another instance. A failed restoration removes what it
//! made.

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::instance::InstanceState;
/// Where the data comes from. The rest of what was asked for is in the row of the instance.
pub use crate::restoration::DataSource as Params;

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[
        StepName::RestoreData,
        StepName::DeployPostgres,
        StepName::GetInstanceStatus,
        StepName::GenerateConnectionString,
        StepName::UpdateMetadata,
    ],
    from: &[InstanceState::Failed],
    during: Some(InstanceState::Creating),
    success: InstanceAfter::State(InstanceState::Running),
    failure: OnFailure::End(InstanceAfter::State(InstanceState::Failed)),
    cancellation: Cancellation::ByWorkflow,
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
