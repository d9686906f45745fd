//! Delete: from any state to nothing, verified. An accepted deletion never fails: it continues until everything is gone.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::{backup::BackupId, instance::InstanceState};

/// The parameters of a deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// Whether the volumes are kept.
    #[serde(default)]
    pub keep_volumes: bool,
    /// For how many days its backups are kept; `None` for those of its policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_retention_days: Option<i32>,
    /// The base backup that is taken before anything is removed, if one was asked for. A later request can do without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_backup: Option<BackupId>,
    /// Whether its backups are kept, so that everything that it has committed is archived before it is removed.
    #[serde(default)]
    pub close_archive: bool,
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[StepName::StopWorkflows, StepName::TakeBackup, StepName::CloseArchive, StepName::DeletePostgres, StepName::UpdateMetadata],
    from: &[InstanceState::Creating, InstanceState::Running, InstanceState::Updating, InstanceState::Suspended, InstanceState::Failed],
    during: Some(InstanceState::Deleting),
    success: InstanceAfter::State(InstanceState::Deleted),
    failure: OnFailure::KeepTrying,
    cancellation: Cancellation::Before(StepName::CloseArchive),
    supersedes: true,
    excludes: true,
    refused_when_protected: true,
};
