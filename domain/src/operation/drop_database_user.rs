//! Drop database user: gives what a role owns to another one, and drops it.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::{instance::InstanceState, name::SqlName};

/// The parameters of the removal of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The name of the role.
    pub name: SqlName,
    /// The role that gets what it owns.
    pub reassign_to: SqlName,
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::GetInstanceStatus, StepName::DropDatabaseUser, StepName::UpdateMetadata],
    from: &[InstanceState::Running],
    during: None,
    success: InstanceAfter::Former,
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::Before(StepName::DropDatabaseUser),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
