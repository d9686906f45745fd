//! Rotate password: gives the owner's role of a running instance another password. The instance stays running, and open sessions stay
//! open unless they are to be ended. A failure puts the former password back.
//!
//! The password itself is no parameter: it is sealed in the metadata database when the operation is accepted.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::instance::InstanceState;

/// The parameters of a rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// Whether the sessions of the role are ended once the new password is confirmed.
    #[serde(default)]
    pub terminate_sessions: bool,
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::GetInstanceStatus, StepName::SetPassword, StepName::ConfirmPassword, StepName::UpdateMetadata],
    from: &[InstanceState::Running],
    during: None,
    success: InstanceAfter::Former,
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::Before(StepName::SetPassword),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
