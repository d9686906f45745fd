//! Looks at what is in an archive: what can be restored, and what need not be kept. This is the only place that deletes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use toygres_backup::{Archive, BackupError, Coverage, FollowStatus, Layout, Listing, RetentionPolicy, StoreErrorKind, expire, record_instance};
use toygres_domain::{
    InstanceId,
    backup::{self, ArchiveId, Backup, BackupId, BackupPolicy, BackupStatus, GapReason},
    instance::Reason,
    recovery::InstanceRecord,
    wal::{Lsn, Timeline},
};
use toygres_store::Store;
use uuid::Uuid;

use crate::Failure;

/// What is looked at.
pub(super) struct Subject {
    /// The worker that owns the archive.
    pub(super) worker: Uuid,
    pub(super) instance: InstanceId,
    pub(super) archive: ArchiveId,
    pub(super) policy: BackupPolicy,
    /// What the archive says of the instance.
    pub(super) record: InstanceRecord,
    /// Whether the instance was deleted or upgraded, and the days for which its backups are kept are over.
    pub(super) is_over: bool,
    /// How far the follower is, if there is one.
    pub(super) status: Option<FollowStatus>,
    /// Whether something is being restored from it, so that nothing is deleted.
    pub(super) is_restored: bool,
    /// Base backups that are being taken.
    pub(super) in_use: BTreeSet<BackupId>,
    /// The time of the metadata database.
    pub(super) now: DateTime<Utc>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Whether what is archived now continues what can be restored: otherwise a base backup is needed.
    pub(super) continues: bool,
    /// Whether a base backup is kept whatever the retention, and the archive with it.
    pub(super) keeps: bool,
    /// Where the newest base backup that can be restored begins.
    pub(super) base: Option<(Timeline, Lsn)>,
}

/// Deletes what need not be kept, and records what can be restored.
pub(super) async fn maintain(store: &Store, objects: &toygres_backup::Store, subject: &Subject) -> Result<Found, Reason> {
    let unexpected = |error| Failure::from(error).reason();
    let layout = Layout::new(subject.instance, subject.archive);
    let before = subject.status.as_ref();
    let (archive, rows, listing, expired) = loop {
        let rows = store.backups_in(subject.archive).await.map_err(unexpected)?;
        if subject.is_over && !keeps(&rows, subject.now) {
            remove(store, objects, subject.archive, &layout).await?;
            return Ok(Found { continues: false, keeps: false, base: None });
        }
        let archive = match Archive::open(objects.clone(), layout.clone()).await {
            Ok(archive) => archive,
            // Nothing has been archived yet.
            Err(BackupError::Store(error)) if error.kind == StoreErrorKind::NotFound => {
                return Ok(Found { continues: false, keeps: false, base: None });
            }
            Err(error) => return Err(error.reason()),
        };
        record_instance(&archive, &subject.record).await.map_err(|error| error.reason())?;
        // After the rows: a backup that they say is available is in the listing, unless it is gone.
        let listing = read(&archive, before).await?;
        let (backups, expired) = expired(subject, &layout, &rows, &listing);
        if backups.is_empty() || store.expire_backups(subject.archive, &backups).await.map_err(unexpected)? {
            break (archive, rows, listing, expired);
        }
        // Somebody has locked one of them in the meantime.
    };
    for path in &expired {
        objects.delete(path).await.map_err(|error| BackupError::from(error).reason())?;
    }
    let listing = if expired.is_empty() { listing } else { read(&archive, before).await? };
    let present: BTreeSet<BackupId> = listing.backups.iter().map(|backup| backup.id).collect();
    let keeps = keeps(&rows, subject.now);
    let unusable = unusable(&rows);
    for row in rows {
        let is_gone = match row.status {
            BackupStatus::Deleting | BackupStatus::Available => row.object.is_none_or(|object| !present.contains(&object)),
            BackupStatus::Failed => row.created_at < subject.now - subject.policy.retention(),
            BackupStatus::Pending | BackupStatus::Running => false,
        };
        if is_gone {
            store.forget_backup(row.id).await.map_err(unexpected)?;
        }
    }
    let covered = Coverage::of(&listing.clone().without(&|id| unusable.contains(id)));
    let last = covered.intervals.last();
    let continues = before.is_some_and(|status| last.is_some_and(|last| last.timeline == status.timeline && last.to_lsn >= status.durable));
    let recorded = recorded(&covered, continues, subject.now - subject.policy.retention());
    store.record_coverage(subject.worker, subject.archive, &recorded, listing.bytes).await.map_err(unexpected)?;
    let base = listing.backups.iter().rev().find(|backup| covered.includes(backup.id)).map(|backup| (backup.timeline, backup.start));
    Ok(Found { continues, keeps, base })
}

/// Whether a base backup is kept whatever the retention.
fn keeps(rows: &[Backup], now: DateTime<Utc>) -> bool {
    rows.iter().any(|row| row.status == BackupStatus::Available && row.is_kept(now))
}

/// The directories of base backups that must not be relied on.
fn unusable(rows: &[Backup]) -> BTreeSet<BackupId> {
    rows.iter().filter(|row| row.is_unusable()).filter_map(|row| row.object).collect()
}

/// Deletes an archive.
async fn remove(store: &Store, objects: &toygres_backup::Store, archive: ArchiveId, layout: &Layout) -> Result<(), Reason> {
    tracing::info!(%archive, directory = layout.root(), "the backups of an instance that was deleted or upgraded are removed");
    objects.delete_all(layout.root()).await.map_err(|error| BackupError::from(error).reason())?;
    store.forget_archive(archive).await.map_err(|error| Failure::from(error).reason())
}

/// What need not be kept: base backups, by their directories, and all objects in the order in which to delete them.
fn expired(subject: &Subject, layout: &Layout, rows: &[Backup], listing: &Listing) -> (Vec<BackupId>, Vec<String>) {
    if subject.is_restored {
        return (Vec::new(), Vec::new());
    }
    // One that must not be relied on makes no older one dispensable, and goes as if it were the oldest.
    let unusable = unusable(rows);
    let outdated = rows.iter().filter(|row| row.is_unusable() && row.expires_at(subject.policy).is_some_and(|at| at <= subject.now));
    let requested = rows.iter().filter(|row| row.status == BackupStatus::Deleting).chain(outdated).filter_map(|row| row.object);
    let requested: BTreeSet<BackupId> = requested.collect();
    let kept = rows.iter().filter(|row| row.is_kept(subject.now)).filter_map(|row| row.object).collect();
    let policy = RetentionPolicy { keep_for: subject.policy.retention(), locked: kept, in_use: subject.in_use.clone() };
    let remaining = listing.clone().without(&|id| requested.contains(id) || unusable.contains(id));
    let expired = expire(&remaining, layout, &policy, subject.now);
    let mut paths = removal(listing, &requested);
    let backups: BTreeSet<BackupId> = paths.iter().chain(&expired).filter_map(|path| layout.parse_base(path)).map(|(id, _)| id).collect();
    paths.extend(expired);
    (backups.into_iter().collect(), paths)
}

async fn read(archive: &Archive, status: Option<&FollowStatus>) -> Result<Listing, Reason> {
    Ok(Listing::read(archive).await.map_err(|error| error.reason())?.with_status(status))
}

/// The objects of base backups, the record of each first: without it, the rest is no backup.
fn removal(listing: &Listing, backups: &BTreeSet<BackupId>) -> Vec<String> {
    let mut paths: Vec<_> = backups.iter().flat_map(|id| listing.base_files.get(id)).flatten().map(|object| object.path.clone()).collect();
    paths.sort_by_key(|path| !path.ends_with("/backup.json"));
    paths
}

/// What was found, as it is recorded. Before the horizon, it is retention that has deleted WAL.
fn recorded(coverage: &Coverage, continues: bool, horizon: DateTime<Utc>) -> backup::Coverage {
    let mut recorded = coverage.to_domain(continues);
    for gap in recorded.gaps.iter_mut().filter(|gap| gap.reason == GapReason::Missing && gap.to <= horizon) {
        gap.reason = GapReason::Expired;
    }
    recorded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_retention_has_deleted_is_not_missing() {
        let horizon: DateTime<Utc> = "2026-11-29T10:00:00Z".parse().unwrap();
        let hour = chrono::TimeDelta::hours(1);
        let gap = |to, reason| toygres_backup::Gap { from: to - hour, to, reason };
        let gaps = vec![gap(horizon, GapReason::Missing), gap(horizon, GapReason::SlotLost), gap(horizon + hour, GapReason::Missing)];
        let recorded = recorded(&Coverage { intervals: Vec::new(), gaps }, true, horizon);
        let reasons: Vec<_> = recorded.gaps.iter().map(|gap| gap.reason).collect();
        assert_eq!(reasons, [GapReason::Expired, GapReason::SlotLost, GapReason::Missing]);
    }
}
