//! What a server knows about backups, and the settings of an instance for them.

use toygres_domain::{
    UserErrorCode,
    backup::{BackupPolicy, BackupSettings, Durability},
};

use super::{input::FieldErrors, limits};

/// What the ids of backups begin with in the contract.
pub const ID_PREFIX: &str = "backup-";

/// What a server knows about backups.
#[derive(Clone, Debug)]
pub struct BackupSupport {
    /// The name of the store, and what it survives; `None` if there is none.
    pub store: Option<(String, Durability)>,
    /// The policy of instances for which nothing was chosen.
    pub policy: BackupPolicy,
    /// The store itself.
    pub objects: Option<toygres_backup::Store>,
}

/// What a caller chooses for the backups of an instance, unchecked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct BackupChoice {
    /// Whether it is backed up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// See [`limits::BACKUP_INTERVAL_HOURS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_hours: Option<i32>,
    /// See [`limits::BACKUP_RETENTION_DAYS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<i32>,
}

impl BackupSupport {
    /// The settings of an instance; adds an error for each that is not possible.
    pub(super) fn settings(&self, choice: BackupChoice, errors: &mut FieldErrors) -> BackupSettings {
        let BackupChoice { enabled, interval_hours, retention_days } = choice;
        if enabled == Some(true) && self.store.is_none() {
            let message = "there is no store for backups: the operator of the server sets TOYGRES_BACKUP_STORE";
            errors.add(UserErrorCode::Invalid, "backups.enabled", message);
        }
        BackupSettings {
            enabled,
            interval_hours: interval_hours
                .and_then(|hours| errors.in_range("backups.intervalHours", "hours", Some(hours), limits::BACKUP_INTERVAL_HOURS)),
            retention_days: retention_days
                .and_then(|days| errors.in_range("backups.retentionDays", "days", Some(days), limits::BACKUP_RETENTION_DAYS)),
        }
    }
}
