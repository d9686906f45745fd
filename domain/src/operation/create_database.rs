//! Create database: makes a database in a running instance.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::{instance::InstanceState, name::SqlName};

/// The parameters of the creation of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The name of the database.
    pub name: SqlName,
    /// The role that owns it.
    pub owner: SqlName,
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::GetInstanceStatus, StepName::CreateDatabase, StepName::UpdateMetadata],
    from: &[InstanceState::Running],
    during: None,
    success: InstanceAfter::Former,
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::Before(StepName::CreateDatabase),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
