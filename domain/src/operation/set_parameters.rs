//! Set parameters: changes the configuration of a running server, with a restart if that is needed and allowed. If the server does not
//! come back with it, it gets its former configuration again. A suspended server is started with it by its resumption.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::{instance::InstanceState, parameter::Changes};

/// The parameters of a change. Together with those of the other changes of an instance they are the history of each value, which a restore
/// needs: `max_connections` and its like must be what they were at most in the replayed log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The new values, checked.
    pub changes: Changes,
    /// Whether the server is restarted for those that need it. Otherwise they are pending until a restart. One that is suspended has none
    /// that are pending.
    pub allow_restart: bool,
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[
        StepName::ApplyConfiguration,
        StepName::RestartPostgres,
        StepName::GetInstanceStatus,
        StepName::GenerateConnectionString,
        StepName::VerifyConfiguration,
        StepName::UpdateMetadata,
    ],
    from: &[InstanceState::Running, InstanceState::Suspended],
    during: Some(InstanceState::Updating),
    success: InstanceAfter::Former,
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::Before(StepName::ApplyConfiguration),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};
