//! Looks at what is in an archive: what can be restored, and what need not be kept. This is the only place that deletes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use metrics::counter;
use toygres_backup::{
    Archive, BackupError, BackupRecord, Coverage, FollowStatus, Layout, Listing, RetentionPolicy, StandbySettings, StoreErrorKind, expire,
    record_instance,
};
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
    counter!("toygres_backup_failures_total", "what" => "record").increment(listing.damaged.len() as u64);
    let present: BTreeSet<BackupId> = listing.backups.iter().map(|backup| backup.id).chain(listing.damaged.keys().copied()).collect();
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
    let expired = needless(remaining, rows, layout, &policy, subject.now);
    let mut paths = removal(listing, &requested);
    let backups: BTreeSet<BackupId> = paths.iter().chain(&expired).filter_map(|path| layout.parse_base(path)).map(|(id, _)| id).collect();
    paths.extend(expired);
    (backups.into_iter().collect(), paths)
}

async fn read(archive: &Archive, status: Option<&FollowStatus>) -> Result<Listing, Reason> {
    Ok(Listing::read(archive).await.map_err(|error| error.reason())?.with_status(status))
}

/// What a policy does not keep. A base backup whose record is damaged makes nothing older dispensable, and its WAL is kept as if it was intact.
fn needless(listing: Listing, rows: &[Backup], layout: &Layout, policy: &RetentionPolicy, now: DateTime<Utc>) -> Vec<String> {
    let mut expired = expire(&listing, layout, policy, now);
    if !listing.damaged.is_empty() {
        let needless: BTreeSet<String> = expire(&as_if_intact(listing, rows), layout, policy, now).into_iter().collect();
        expired.retain(|path| needless.contains(path));
    }
    expired
}

/// The archive as it is if its damaged records said what the metadata have of their backups.
fn as_if_intact(mut listing: Listing, rows: &[Backup]) -> Listing {
    let damaged = std::mem::take(&mut listing.damaged);
    let records = rows.iter().filter_map(|row| {
        let id = row.object.filter(|object| damaged.contains_key(object))?;
        let ((timeline, start, end), finished_at) = row.wal.zip(row.finished_at)?;
        Some(BackupRecord {
            id,
            server_version: 0,
            timeline,
            start,
            end,
            started_at: row.started_at.unwrap_or(finished_at),
            finished_at,
            settings: StandbySettings::default(),
            parts: Vec::new(),
            manifest_sha256: String::new(),
        })
    });
    listing.backups.extend(records);
    listing.backups.sort_by_key(|backup| (backup.finished_at, backup.id));
    listing
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
    use toygres_backup::{Object, WalObject};
    use toygres_domain::{
        backup::{BackupTrigger, BackupVerification, VerificationStatus},
        wal::{Lsn, Segment, SegmentSize, Timeline},
    };

    use super::*;

    const SIZE: SegmentSize = SegmentSize::DEFAULT;

    /// A base backup at the beginning of a segment, as the metadata have it.
    fn row(number: u64, finished_at: DateTime<Utc>) -> Backup {
        let start = SIZE.start(number);
        Backup {
            id: BackupId::generate(),
            instance: InstanceId::generate(),
            archive: ArchiveId::generate(),
            status: BackupStatus::Available,
            trigger: BackupTrigger::Schedule,
            operation: None,
            object: Some(BackupId::generate()),
            attempt: 1,
            bytes: 1,
            total_bytes: Some(1),
            stored_bytes: Some(1),
            wal: Some((Timeline(1), start, Lsn(start.0 + 1000))),
            server_version: Some(170_006),
            created_at: finished_at,
            started_at: Some(finished_at),
            finished_at: Some(finished_at),
            error: None,
            locked: false,
            keep_until: None,
            verification: BackupVerification { status: VerificationStatus::Verified, ended_at: None, restore_seconds: None, reason: None },
        }
    }

    /// The newest backup from before the horizon is the one that the points after the horizon need.
    #[test]
    fn retention_goes_on_beside_a_damaged_record_and_keeps_its_wal() {
        let now: DateTime<Utc> = "2026-11-29T10:00:00Z".parse().unwrap();
        let layout = Layout::new(InstanceId::generate(), ArchiveId::generate());
        let days = [3, 2, 1].map(|days| now - chrono::TimeDelta::days(days));
        let rows: Vec<_> = [10, 20, 30].into_iter().zip(days).map(|(number, at)| row(number, at)).collect();
        let objects: Vec<_> = rows.iter().filter_map(|row| row.object).collect();
        let file = |id, at, name: &str| Object { path: layout.base_file(id, name), bytes: 1, created_at: at };
        let mut damaged = Listing::empty(SIZE);
        for (id, at) in objects.iter().zip(days) {
            damaged.base_files.insert(*id, ["base.00000.tar.zst", "backup.json"].map(|name| file(*id, at, name)).into());
        }
        damaged.segments.extend((1..40).map(|number| Segment { timeline: Timeline(1), number }));
        let policy = RetentionPolicy { keep_for: chrono::TimeDelta::hours(36), locked: BTreeSet::new(), in_use: BTreeSet::new() };
        let segments = |expired: &[String]| {
            let segment = |path: &String| match layout.parse_wal(path, SIZE) {
                Some(WalObject::Complete(segment)) => Some(segment.number),
                _ => None,
            };
            expired.iter().filter_map(segment).max()
        };
        let bases = |expired: &[String]| {
            let ids: BTreeSet<_> = expired.iter().filter_map(|path| layout.parse_base(path)).map(|(id, _)| id).collect();
            ids.into_iter().collect::<Vec<_>>()
        };
        let intact = as_if_intact(Listing { damaged: objects.iter().map(|id| (*id, String::new())).collect(), ..damaged.clone() }, &rows);
        let expired = needless(intact.clone(), &rows, &layout, &policy, now);
        assert_eq!((bases(&expired), segments(&expired)), (vec![objects[0]], Some(19)), "the second begins the window");
        for (number, kept) in [(0, Some(19)), (1, Some(9)), (2, Some(19))] {
            let mut listing = intact.clone().without(&|id| *id == objects[number]);
            listing.base_files.clone_from(&damaged.base_files);
            listing.damaged.insert(objects[number], String::new());
            let expired = needless(listing, &rows, &layout, &policy, now);
            let others = if number == 2 { vec![objects[0]] } else { Vec::new() };
            assert_eq!((bases(&expired), segments(&expired)), (others, kept), "without that of backup {number}");
        }
        // Without an older one, all that is left to restore is the third; the WAL of the second is kept nevertheless.
        let mut listing = intact.without(&|id| *id != objects[2]);
        listing.base_files.insert(objects[1], damaged.base_files[&objects[1]].clone());
        listing.damaged.insert(objects[1], String::new());
        let expired = needless(listing, &rows, &layout, &policy, now);
        assert_eq!((bases(&expired), segments(&expired)), (Vec::new(), Some(19)));
    }

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
