//! Repair: puts back what somebody has deleted or edited of a running instance, and waits until it is ready. The server is neither
//! stopped nor started unless what is put back requires it.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::instance::InstanceState;

/// A repair has no parameters: what was deployed follows from the instance's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::RepairPostgres, StepName::GetInstanceStatus, StepName::GenerateConnectionString, StepName::UpdateMetadata],
    from: &[InstanceState::Running],
    during: Some(InstanceState::Updating),
    success: InstanceAfter::State(InstanceState::Running),
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::Before(StepName::RepairPostgres),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
