//! `BackupPolicy`, and what is chosen of it.

use async_graphql::{InputObject, SimpleObject};
use toygres_domain::backup::{Archive, Facts, protection};
use toygres_domain::instance::Instance;

use super::{BackupDurability, BackupProtection, Reason};
use crate::app::backups::{BackupChoice, BackupSupport};

/// How an instance is backed up, and whether that protects it.
#[derive(Clone, Debug, SimpleObject)]
pub struct BackupPolicy {
    /// Whether the instance is backed up, if there is a store.
    enabled: bool,
    /// The hours from one base backup to the next. In between, every commit is archived within seconds.
    interval_hours: i32,
    /// The days for which every point in time stays restorable. From the deletion of the instance, its backups are kept for as long.
    retention_days: i32,
    /// Where backups go. Null if there is no store.
    store: Option<String>,
    /// What the store survives. Null if there is no store.
    durability: Option<BackupDurability>,
    /// Whether the instance is protected by backups.
    protection: BackupProtection,
    /// Why what the instance commits is not archived at the moment.
    reason: Option<Reason>,
}

impl BackupPolicy {
    /// The policy of an instance. `has_roles` says whether it has roles of the platform.
    pub(in crate::graphql) fn new(instance: &Instance, support: &BackupSupport, has_roles: bool, archive: Option<&Archive>) -> Self {
        let policy = instance.backups.or(support.policy);
        let (protection, reason) = protection(Facts { configured: support.store.is_some(), policy, state: instance.state, has_roles, archive });
        Self {
            enabled: policy.enabled,
            interval_hours: policy.interval_hours,
            retention_days: policy.retention_days,
            store: support.store.as_ref().map(|(name, _)| name.clone()),
            durability: support.store.as_ref().map(|(_, durability)| (*durability).into()),
            protection: protection.into(),
            reason: reason.as_ref().map(Reason::from),
        }
    }
}

/// What is chosen for the backups of an instance.
#[derive(Clone, Copy, InputObject)]
pub struct BackupPolicyInput {
    /// Whether the instance is backed up (default: a setting of the server).
    enabled: Option<bool>,
    /// The hours from one base backup to the next (default: `controlPlane.limits`).
    interval_hours: Option<i32>,
    /// The days for which every point in time stays restorable (default: `controlPlane.limits`).
    retention_days: Option<i32>,
}

impl From<BackupPolicyInput> for BackupChoice {
    fn from(input: BackupPolicyInput) -> Self {
        let BackupPolicyInput { enabled, interval_hours, retention_days } = input;
        Self { enabled, interval_hours, retention_days }
    }
}
