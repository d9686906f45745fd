//! Backups: the policy of an instance, its archive in the store, and the base backups in it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    InstanceId, OperationId,
    instance::{InstanceState, PostgresVersion, Reason, ReasonCode, text_enum},
    restoration::KnownCoverage,
    wal::{Lsn, Timeline},
};

/// The replication slot of an archive, in the server of its instance.
pub const ARCHIVE_SLOT: &str = "toygres_archive";
/// What the names of the temporary slots begin with by which a server keeps the WAL for a copy of it.
pub const COPY_SLOT: &str = "toygres_copy_";

/// Declares the identity of something that is backed up.
macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new, unique id.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// The identity of an archive. A restored or upgraded instance begins a new one.
    ArchiveId
}
id! {
    /// The identity of a base backup.
    BackupId
}

/// What was chosen for an instance. `None`: what the control plane is configured with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSettings {
    /// Whether it is backed up.
    pub enabled: Option<bool>,
    /// Hours from one base backup to the next.
    pub interval_hours: Option<i32>,
    /// For how many days every point in time stays restorable. It also counts from the deletion of the instance.
    pub retention_days: Option<i32>,
}

/// How an instance is backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupPolicy {
    /// Whether it is backed up.
    pub enabled: bool,
    /// Hours from one base backup to the next.
    pub interval_hours: i32,
    /// For how many days every point in time stays restorable.
    pub retention_days: i32,
}

impl BackupSettings {
    /// The policy that these settings and the configured policy make together.
    #[must_use]
    pub fn or(self, configured: BackupPolicy) -> BackupPolicy {
        BackupPolicy {
            enabled: self.enabled.unwrap_or(configured.enabled),
            interval_hours: self.interval_hours.unwrap_or(configured.interval_hours),
            retention_days: self.retention_days.unwrap_or(configured.retention_days),
        }
    }
}

impl BackupPolicy {
    /// See [`Self::interval_hours`].
    #[must_use]
    pub fn interval(&self) -> TimeDelta {
        TimeDelta::hours(self.interval_hours.into())
    }

    /// See [`Self::retention_days`].
    #[must_use]
    pub fn retention(&self) -> TimeDelta {
        TimeDelta::days(self.retention_days.into())
    }
}

text_enum! {
    /// What a store survives.
    pub enum Durability {
        /// Nothing that the machine of the control plane does not survive: the store is a directory.
        SameMachine,
        /// The loss of the machine: the store is another system.
        ObjectStore,
    }
}

text_enum! {
    /// Whether an instance is protected by backups.
    pub enum Protection {
        /// It can be restored, and what it commits is archived.
        Protected,
        /// Its first base backup is not complete yet.
        Starting,
        /// What it commits is not archived at the moment; the reason says why.
        Failing,
        /// Its server does not run, so nothing is committed.
        Stopped,
        /// Backups of it are turned off.
        Off,
        /// The control plane has no store for backups.
        NotConfigured,
        /// It was created by an earlier release, and has no role for replication.
        Unsupported,
    }
}

text_enum! {
    /// The stage of a base backup.
    pub enum BackupStatus {
        /// Requested, and not begun.
        Pending,
        /// In progress.
        Running,
        /// It can be restored.
        Available,
        /// It did not succeed.
        Failed,
        /// Being removed from the store.
        Deleting,
    }
}

text_enum! {
    /// Why a base backup was taken.
    pub enum BackupTrigger {
        /// It was due, or the first one, or the first after a gap.
        Schedule,
        /// Somebody asked for it.
        Request,
    }
}

text_enum! {
    /// Why a base backup is kept.
    pub enum KeptFor {
        /// It is locked: until it is unlocked.
        Locked,
        /// It is not older than the retention of its instance.
        Retention,
        /// It is older than the retention, and somebody has asked to keep it until its `keepUntil`.
        KeepUntil,
        /// It is older than the retention, and the first points within the retention are restored from it: the next backup is too new for them.
        RestorePoints,
        /// It is older than the retention, and the newest of its archive: the latest points are restored from it.
        Newest,
    }
}

text_enum! {
    /// Whether a base backup was restored to see that it can be.
    pub enum VerificationStatus {
        /// It will be.
        Pending,
        /// In progress.
        Running,
        /// It was restored, and everything in it was read.
        Verified,
        /// It cannot be restored, or the data in it is damaged.
        Failed,
        /// It is not verified.
        Skipped,
    }
}

text_enum! {
    /// How far the archive of an instance that is being deleted is from having everything that the instance has committed.
    pub enum Closing {
        /// The instance is followed until its server can be stopped.
        Following,
        /// The server is being stopped, which ends when everything is archived.
        Stopping,
        /// Everything that was committed before the server was stopped is archived.
        Closed,
        /// What was committed last may not be archived.
        Incomplete,
    }
}

impl Closing {
    /// Whether a worker follows the instance meanwhile.
    #[must_use]
    pub fn is_followed(self) -> bool {
        matches!(self, Self::Following | Self::Stopping)
    }
}

text_enum! {
    /// Why the WAL of a range was not archived.
    pub enum GapReason {
        /// The server kept no more WAL for its replication slot, because the store was away for too long (`max_slot_wal_keep_size`).
        SlotLost,
        /// The replication slot did not exist any more: it was dropped by SQL, or backups were turned off.
        SlotDropped,
        /// Segments are missing in the store, and nothing says why.
        Missing,
        /// It is older than the retention. The backup before it is kept nevertheless.
        Expired,
        /// The instance was upgraded, which begins a new archive.
        Upgraded,
    }
}

/// What came of the verification of a base backup.
#[derive(Clone, Debug, PartialEq)]
pub struct BackupVerification {
    /// The stage.
    pub status: VerificationStatus,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How long the restoration has taken, in seconds.
    pub restore_seconds: Option<f64>,
    /// Why it failed or is skipped, or why the last attempt failed.
    pub reason: Option<Reason>,
}

/// A base backup of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Backup {
    /// Its id.
    pub id: BackupId,
    /// The instance.
    pub instance: InstanceId,
    /// The archive that it is in.
    pub archive: ArchiveId,
    /// The stage.
    pub status: BackupStatus,
    /// Why it was taken.
    pub trigger: BackupTrigger,
    /// The operation that asked for it.
    pub operation: Option<OperationId>,
    /// What its directory in the store is called: its own id, or another one if it took several attempts.
    pub object: Option<BackupId>,
    /// How often it was begun.
    pub attempt: i32,
    /// Bytes of the cluster that are in it, so far.
    pub bytes: i64,
    /// About how many it will be.
    pub total_bytes: Option<i64>,
    /// Bytes that it takes in the store; `None` before it is complete.
    pub stored_bytes: Option<i64>,
    /// The timeline, and the positions in the WAL at which it began and is consistent.
    pub wal: Option<(Timeline, Lsn, Lsn)>,
    /// `server_version_num`, such as 170006.
    pub server_version: Option<i32>,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// When the latest attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// By the server's clock, the first time that can be restored from it.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed, or why the attempt before failed.
    pub error: Option<Reason>,
    /// Whether it is kept until it is unlocked.
    pub locked: bool,
    /// Until when it is kept at least.
    pub keep_until: Option<DateTime<Utc>>,
    /// Its verification.
    pub verification: BackupVerification,
}

impl Backup {
    /// Whether its verification has shown that it must not be relied on: its files are not what they were, or PostgreSQL cannot recover
    /// them. If the data is damaged but can be restored, the server of the instance probably has the same.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        let BackupVerification { status, reason, .. } = &self.verification;
        *status == VerificationStatus::Failed && reason.as_ref().is_none_or(|reason| reason.code != ReasonCode::DataCorrupted)
    }

    /// Whether it is kept whatever the retention of its instance.
    #[must_use]
    pub fn is_kept(&self, now: DateTime<Utc>) -> bool {
        self.locked || self.keep_until.is_some_and(|until| until > now)
    }

    /// When it is deleted at the earliest: when every point that needs it is older than the retention. `None` while it is locked or not
    /// complete. The newest one that can be restored is kept beyond.
    #[must_use]
    pub fn expires_at(&self, policy: BackupPolicy) -> Option<DateTime<Utc>> {
        if self.locked || self.status != BackupStatus::Available {
            return None;
        }
        let retained = self.finished_at? + policy.retention();
        Some(self.keep_until.map_or(retained, |until| until.max(retained)))
    }

    /// Why it is kept now. `None` if it is not complete, or nothing needs it any more. `next` is when the next one of its archive was finished
    /// that is complete and can be relied on.
    #[must_use]
    pub fn kept_for(&self, policy: BackupPolicy, next: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<KeptFor> {
        if self.status != BackupStatus::Available {
            return None;
        }
        let is_retained = |at: DateTime<Utc>| at + policy.retention() > now;
        match (self.finished_at?, next) {
            _ if self.locked => Some(KeptFor::Locked),
            (finished, _) if is_retained(finished) => Some(KeptFor::Retention),
            _ if self.is_kept(now) => Some(KeptFor::KeepUntil),
            // Points are restored from others.
            _ if self.is_unusable() => None,
            (_, None) => Some(KeptFor::Newest),
            (_, Some(next)) => is_retained(next).then_some(KeptFor::RestorePoints),
        }
    }
}

/// What can be restored of an instance, as far as it was archived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Ranges in which every point can be restored, oldest first.
    pub intervals: Vec<CoveredInterval>,
    /// What is between them.
    pub gaps: Vec<CoverageGap>,
    /// Whether what is archived now continues the last interval.
    #[serde(default)]
    pub continues: bool,
}

impl Archive {
    /// The last point that can be restored: a worker knows it, and the store may say less.
    #[must_use]
    pub fn known_coverage(&self) -> Option<KnownCoverage> {
        self.intervals().last().map(|last| KnownCoverage { at: last.to, durable: last.to_lsn })
    }

    /// Whether a time is not covered yet, and may be if the instance goes on being followed: it is not if there is a gap.
    #[must_use]
    pub fn may_cover(&self, time: DateTime<Utc>) -> bool {
        self.followed && self.intervals().last().is_some_and(|last| last.to < time)
    }

    /// The ranges in which every point can be restored, oldest first, with what was archived since they were recorded.
    #[must_use]
    pub fn intervals(&self) -> Vec<CoveredInterval> {
        let mut intervals = self.coverage.intervals.clone();
        if let Some(last) = intervals.last_mut().filter(|_| self.coverage.continues) {
            last.to = self.durable_at.map_or(last.to, |at| at.max(last.to));
            last.to_lsn = self.durable.map_or(last.to_lsn, |lsn| lsn.max(last.to_lsn));
        }
        intervals
    }
}

/// A range in which every point can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoveredInterval {
    /// The first point.
    pub from: DateTime<Utc>,
    /// The last point, by the server's clock.
    pub to: DateTime<Utc>,
    /// The position of `from`.
    pub from_lsn: Lsn,
    /// The position of `to`.
    pub to_lsn: Lsn,
}

/// A range in which no point can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageGap {
    /// The last point before it.
    pub from: DateTime<Utc>,
    /// The first point after it.
    pub to: DateTime<Utc>,
    /// Why.
    pub reason: GapReason,
}

/// The archive of an instance, as the worker that follows it last reported it.
#[derive(Clone, Debug, PartialEq)]
pub struct Archive {
    /// Its id.
    pub id: ArchiveId,
    /// The instance.
    pub instance: InstanceId,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// Whether a worker follows the WAL of the instance.
    pub followed: bool,
    /// Up to where the WAL is durable in the store.
    pub durable: Option<Lsn>,
    /// Up to where the server has flushed it.
    pub flushed: Option<Lsn>,
    /// By the server's clock: whatever was committed by then is durable in the store.
    pub durable_at: Option<DateTime<Utc>>,
    /// Seconds of commits that are not durable in the store.
    pub lag_seconds: Option<f64>,
    /// Why it is not followed, and since when.
    pub failure: Option<(Reason, DateTime<Utc>)>,
    /// What can be restored.
    pub coverage: Coverage,
    /// Bytes that it takes in the store.
    pub stored_bytes: i64,
    /// Whether it has ended, because the instance was upgraded.
    pub retired: Option<Retirement>,
    /// How far it is from its end, once the instance is being deleted; `None` if nothing more of the instance is to be archived.
    pub closing: Option<Closing>,
    /// Why what was committed last may not be in it.
    pub incomplete: Option<Reason>,
}

/// The end of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// When it was.
    pub at: DateTime<Utc>,
    /// The version of the cluster in it.
    pub version: PostgresVersion,
}

/// What is known about the protection of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whether the control plane has a store.
    pub configured: bool,
    /// The policy of the instance.
    pub policy: BackupPolicy,
    /// Its state.
    pub state: InstanceState,
    /// Whether it has roles of the platform.
    pub has_roles: bool,
    /// Its archive, if it has one.
    pub archive: Option<&'a Archive>,
}

/// Whether an instance is protected, and why it is not.
#[must_use]
pub fn protection(facts: Facts<'_>) -> (Protection, Option<Reason>) {
    let Facts { configured, policy, state, has_roles, archive } = facts;
    let failure = archive.and_then(|archive| archive.failure.as_ref());
    let protection = match state {
        _ if !configured => Protection::NotConfigured,
        _ if !policy.enabled => Protection::Off,
        InstanceState::Creating | InstanceState::Suspended | InstanceState::Deleting | InstanceState::Deleted | InstanceState::Failed => {
            Protection::Stopped
        }
        _ if !has_roles => Protection::Unsupported,
        InstanceState::Running if failure.is_some() => Protection::Failing,
        _ if archive.is_some_and(|archive| !archive.coverage.intervals.is_empty()) => Protection::Protected,
        _ => Protection::Starting,
    };
    (protection, failure.map(|(reason, _)| reason.clone()).filter(|_| protection == Protection::Failing))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: BackupPolicy = BackupPolicy { enabled: true, interval_hours: 24, retention_days: 7 };

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn archive(failure: Option<ReasonCode>, covered: bool) -> Archive {
        let time = at("2026-11-29T10:00:00Z");
        let interval = CoveredInterval { from: time, to: time, from_lsn: Lsn(1), to_lsn: Lsn(2) };
        Archive {
            id: ArchiveId::generate(),
            instance: InstanceId::generate(),
            created_at: time,
            followed: failure.is_none(),
            durable: None,
            flushed: None,
            durable_at: None,
            lag_seconds: None,
            failure: failure.map(|code| (Reason::new(code, "why"), time)),
            coverage: Coverage { intervals: if covered { vec![interval] } else { Vec::new() }, gaps: Vec::new(), continues: covered },
            stored_bytes: 0,
            retired: None,
            closing: None,
            incomplete: None,
        }
    }

    #[test]
    fn only_what_can_be_restored_and_is_archived_is_protected() {
        let (fine, new, failing) = (archive(None, true), archive(None, false), archive(Some(ReasonCode::StoreUnavailable), true));
        let facts = Facts { configured: true, policy: POLICY, state: InstanceState::Running, has_roles: true, archive: Some(&fine) };
        let of = |facts| protection(facts).0;
        assert_eq!(of(facts), Protection::Protected);
        assert_eq!(of(Facts { archive: Some(&new), ..facts }), Protection::Starting);
        assert_eq!(of(Facts { archive: None, ..facts }), Protection::Starting);
        assert_eq!(of(Facts { state: InstanceState::Suspended, ..facts }), Protection::Stopped);
        assert_eq!(of(Facts { has_roles: false, archive: None, ..facts }), Protection::Unsupported);
        assert_eq!(of(Facts { policy: BackupPolicy { enabled: false, ..POLICY }, ..facts }), Protection::Off);
        assert_eq!(of(Facts { configured: false, ..facts }), Protection::NotConfigured);
        let (status, reason) = protection(Facts { archive: Some(&failing), ..facts });
        assert_eq!((status, reason.map(|reason| reason.code)), (Protection::Failing, Some(ReasonCode::StoreUnavailable)));
        // An operation works on it: nothing is wrong yet.
        assert_eq!(protection(Facts { archive: Some(&failing), state: InstanceState::Updating, ..facts }), (Protection::Protected, None));
    }

    #[test]
    fn a_backup_expires_when_nothing_needs_it() {
        let mut backup = Backup {
            id: BackupId::generate(),
            instance: InstanceId::generate(),
            archive: ArchiveId::generate(),
            status: BackupStatus::Available,
            trigger: BackupTrigger::Schedule,
            operation: None,
            object: None,
            attempt: 1,
            bytes: 1,
            total_bytes: None,
            stored_bytes: Some(1),
            wal: None,
            server_version: None,
            created_at: at("2026-11-01T10:00:00Z"),
            started_at: None,
            finished_at: Some(at("2026-11-01T10:00:00Z")),
            error: None,
            locked: false,
            keep_until: None,
            verification: BackupVerification { status: VerificationStatus::Pending, ended_at: None, restore_seconds: None, reason: None },
        };
        assert_eq!(backup.expires_at(POLICY), Some(at("2026-11-08T10:00:00Z")));
        let (now, next) = (at("2026-11-20T00:00:00Z"), |text| Some(at(text)));
        let kept = |backup: &Backup, next| backup.kept_for(POLICY, next, now);
        assert_eq!(backup.kept_for(POLICY, None, at("2026-11-08T09:00:00Z")), Some(KeptFor::Retention));
        assert_eq!(kept(&backup, None), Some(KeptFor::Newest));
        assert_eq!(kept(&backup, next("2026-11-14T00:00:00Z")), Some(KeptFor::RestorePoints));
        assert_eq!(kept(&backup, next("2026-11-12T00:00:00Z")), None, "the next one restores every point of the last seven days");
        let verification = BackupVerification { status: VerificationStatus::Failed, ..backup.verification.clone() };
        let unusable = Backup { verification, ..backup.clone() };
        assert_eq!(kept(&unusable, next("2026-11-14T00:00:00Z")), None, "nothing is restored from it");
        assert_eq!(Backup { status: BackupStatus::Running, ..backup.clone() }.kept_for(POLICY, None, now), None);
        backup.keep_until = Some(at("2026-12-01T00:00:00Z"));
        assert_eq!(kept(&backup, next("2026-11-12T00:00:00Z")), Some(KeptFor::KeepUntil));
        assert_eq!(backup.expires_at(POLICY), backup.keep_until);
        assert!(backup.is_kept(at("2026-11-30T00:00:00Z")) && !backup.is_kept(at("2026-12-02T00:00:00Z")));
        backup.locked = true;
        assert_eq!(kept(&backup, None), Some(KeptFor::Locked));
        assert_eq!(backup.expires_at(POLICY), None);
        assert!(backup.is_kept(at("2026-12-02T00:00:00Z")));
    }

    #[test]
    fn settings_of_an_instance_precede_those_of_the_control_plane() {
        assert_eq!(BackupSettings::default().or(POLICY), POLICY);
        let own = BackupSettings { enabled: Some(false), retention_days: Some(30), interval_hours: None };
        assert_eq!(own.or(POLICY), BackupPolicy { enabled: false, retention_days: 30, interval_hours: 24 });
    }
}
