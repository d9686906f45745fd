//! Create database user: makes a role that logs in to a running instance. Its verifier is no parameter: it is sealed in the metadata database.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::{database_user::DatabaseAccess, instance::InstanceState, name::SqlName};

/// The parameters of the creation of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The name of the role.
    pub name: SqlName,
    /// What it may do.
    pub access: DatabaseAccess,
    /// The database in which it may do that.
    pub database: Option<SqlName>,
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::GetInstanceStatus, StepName::CreateDatabaseUser, StepName::UpdateMetadata],
    from: &[InstanceState::Running],
    during: None,
    success: InstanceAfter::Former,
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::Before(StepName::CreateDatabaseUser),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
