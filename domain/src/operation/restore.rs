//! Restore: from a request to a running instance that has the data of a backup. A failed restoration removes what it made.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::{
    InstanceId,
    backup::ArchiveId,
    instance::InstanceState,
    restoration::{Restoration, RestoreTarget},
};

/// What is restored. The rest of what was asked for is in the row of the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The instance that was backed up.
    pub source: InstanceId,
    /// Its archive.
    pub archive: ArchiveId,
    /// The point to restore.
    pub target: RestoreTarget,
}

impl From<Params> for Restoration {
    fn from(Params { source, archive, target }: Params) -> Self {
        Self { source, archive, target }
    }
}

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
