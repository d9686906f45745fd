//! Recovery of instances of which the metadata is lost: what an archive says of its instance, and what is in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    InstanceId,
    backup::{ArchiveId, BackupId, BackupSettings, Coverage},
    instance::{Instance, InstanceSpec},
    name::InstanceName,
    wal::{Lsn, Timeline},
};

/// What an archive says of its instance. A field that is added needs a default, because older archives lack it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// The name.
    pub name: InstanceName,
    /// The specification.
    pub spec: InstanceSpec,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// How it is backed up.
    pub backups: BackupSettings,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When somebody deleted it. Without that, its end is a loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
}

impl From<&Instance> for InstanceRecord {
    /// Whether it was deleted is not known of the instance alone: one that was imported is deleted too.
    fn from(instance: &Instance) -> Self {
        let Instance { name, spec, labels, backups, created_at, .. } = instance;
        Self { name: name.clone(), spec: spec.clone(), labels: labels.clone(), backups: *backups, created_at: *created_at, deleted_at: None }
    }
}

/// An archive that was found in a store.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundArchive {
    /// The instance.
    pub instance: InstanceId,
    /// The archive.
    pub archive: ArchiveId,
    /// What the archive says of its instance.
    pub record: InstanceRecord,
    /// The base backups, oldest first, by their directories.
    pub backups: Vec<(BackupId, CompleteBackup)>,
    /// What can be restored.
    pub coverage: Coverage,
    /// Bytes that it takes in the store.
    pub stored_bytes: u64,
}

/// What is known of a base backup that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompleteBackup {
    /// See [`crate::backup::Backup::bytes`].
    pub bytes: u64,
    /// See [`crate::backup::Backup::stored_bytes`].
    pub stored_bytes: u64,
    /// See [`crate::backup::Backup::wal`].
    pub wal: (Timeline, Lsn, Lsn),
    /// See [`crate::backup::Backup::server_version`].
    pub server_version: u32,
    /// See [`crate::backup::Backup::finished_at`].
    pub finished_at: DateTime<Utc>,
}
