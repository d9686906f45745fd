//! Create backup: takes a base backup of a running instance, which stays running. A restart in the middle ends an attempt, and another one follows.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::{backup::BackupId, instance::InstanceState};

/// The parameters of a base backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// Its id.
    pub backup: BackupId,
}

/// See [`Policy`]. It excludes nothing, because it can take hours; at most one base backup of an instance is in progress.
pub const POLICY: Policy = Policy {
    steps: &[StepName::GetInstanceStatus, StepName::TakeBackup, StepName::UpdateMetadata],
    from: &[InstanceState::Running],
    during: None,
    success: InstanceAfter::Former,
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::ByWorkflow,
    supersedes: false,
    excludes: false,
    refused_when_protected: false,
};
