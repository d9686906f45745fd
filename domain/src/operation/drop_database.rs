//! Drop database: drops a database with everything in it.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::{instance::InstanceState, name::SqlName};

/// The parameters of the removal of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The name of the database.
    pub name: SqlName,
    /// Whether open sessions in it are ended.
    pub force: bool,
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::GetInstanceStatus, StepName::DropDatabase, StepName::UpdateMetadata],
    from: &[InstanceState::Running],
    during: None,
    success: InstanceAfter::Former,
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::Before(StepName::DropDatabase),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
