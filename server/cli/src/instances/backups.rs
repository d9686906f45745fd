//! The options of commands that choose how an instance is backed up.

use clap::Args;

use crate::contract::schema;

/// How an instance is backed up.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct BackupOptions {
    /// Back the instance up, or with `=false` do not [default: a setting of the server].
    #[arg(long = "backups", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    backups_enabled: Option<bool>,
    /// Hours from one base backup to the next.
    #[arg(long = "backup-interval-hours", value_name = "HOURS")]
    backups_interval_hours: Option<i32>,
    /// Days for which every point in time stays restorable.
    #[arg(long = "backup-retention-days", value_name = "DAYS")]
    backups_retention_days: Option<i32>,
}

#[derive(Clone, Copy, cynic::InputObject)]
pub(super) struct BackupPolicyInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    interval_hours: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    retention_days: Option<i32>,
}

impl BackupOptions {
    /// The input; `None` if nothing was chosen.
    pub(super) fn input(self) -> Option<BackupPolicyInput> {
        let Self { backups_enabled: enabled, backups_interval_hours: interval_hours, backups_retention_days: retention_days } = self;
        let is_chosen = enabled.is_some() || interval_hours.is_some() || retention_days.is_some();
        is_chosen.then_some(BackupPolicyInput { enabled, interval_hours, retention_days })
    }
}
