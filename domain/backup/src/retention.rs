//! What an archive does not need any more.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use toygres_domain::wal::Segment;

use crate::{
    coverage::Path,
    layout::{BackupId, Layout, RECORD, WalObject},
    listing::{BackupRecord, Listing},
};

/// How long files of a base backup that was not finished are kept, by the store's clock.
const ABANDONED_AFTER: TimeDelta = TimeDelta::days(1);

/// What an archive has to keep.
#[derive(Clone, Debug)]
pub struct RetentionPolicy {
    /// For how long every point in time stays restorable.
    pub keep_for: TimeDelta,
    /// Backups that are kept whatever their age. They can be restored to their end.
    pub locked: BTreeSet<BackupId>,
    /// Backups that are being taken, or restored from.
    pub in_use: BTreeSet<BackupId>,
}

/// The paths of the objects that an archive does not need, in the order in which to delete them: if the deletion stops at any point, what
/// remains is consistent. The newest backup that can be restored is never among them, nor is any WAL while no backup can be restored.
#[must_use]
pub fn expire(listing: &Listing, layout: &Layout, policy: &RetentionPolicy, now: DateTime<Utc>) -> Vec<String> {
    let retained = Retained::of(listing, policy, now);
    let mut expired = Vec::new();
    for backup in listing.backups.iter().filter(|backup| !retained.backups.contains(&backup.id)) {
        // Without its record it does not count as a backup, so the record goes first.
        expired.push(layout.base_file(backup.id, RECORD));
        expired.extend(files(listing, backup.id).filter(|path| !path.ends_with(&format!("/{RECORD}"))));
    }
    let complete: BTreeSet<BackupId> = listing.backups.iter().map(|backup| backup.id).collect();
    let is_abandoned = |id: &BackupId| !complete.contains(id) && !listing.damaged.contains_key(id) && !policy.in_use.contains(id);
    for (id, objects) in listing.base_files.iter().filter(|(id, _)| is_abandoned(id)) {
        if objects.iter().all(|object| object.created_at < now - ABANDONED_AFTER) {
            expired.extend(files(listing, *id));
        }
    }
    let wal = |object| layout.wal_object(object, listing.segment_size);
    expired.extend(listing.segments.iter().filter(|segment| !retained.needs(**segment)).map(|segment| wal(WalObject::Complete(*segment))));
    expired.extend(
        listing.gaps.iter().filter(|(segment, _)| !retained.needs(**segment)).map(|(segment, reason)| wal(WalObject::Gap(*segment, *reason))),
    );
    expired.extend(superseded(listing, &retained).into_iter().map(wal));
    expired
}

fn files(listing: &Listing, id: BackupId) -> impl Iterator<Item = String> {
    listing.base_files.get(&id).into_iter().flatten().map(|object| object.path.clone())
}

/// What a policy keeps.
struct Retained {
    backups: BTreeSet<BackupId>,
    /// The WAL from this segment on is needed; `None` if all is kept.
    from: Option<u64>,
    /// Ranges of segments before it that locked backups need.
    locked: Vec<(u64, u64)>,
}

impl Retained {
    fn of(listing: &Listing, policy: &RetentionPolicy, now: DateTime<Utc>) -> Self {
        let path = Path::of(listing);
        let size = listing.segment_size.bytes();
        let horizon = now - policy.keep_for;
        let restorable: Vec<&BackupRecord> = listing.backups.iter().filter(|backup| listing.run_of(&path, backup).is_some()).collect();
        // Whoever takes a backup records it before its WAL is complete, so what cannot be restored yet may be what is newest.
        let Some(newest) = restorable.last() else {
            return Self { backups: listing.backups.iter().map(|backup| backup.id).collect(), from: None, locked: Vec::new() };
        };
        // The newest backup from before the horizon restores the points from the horizon to the next backup.
        let first = restorable.iter().rfind(|backup| backup.finished_at <= horizon).unwrap_or(&restorable[0]);
        let is_in_window = |backup: &&BackupRecord| backup.finished_at >= first.finished_at.min(newest.finished_at);
        let window: Vec<&BackupRecord> = listing.backups.iter().filter(is_in_window).collect();
        let from = window.iter().map(|backup| backup.start.0 / size).min();
        let single = |backup: &&BackupRecord| policy.locked.contains(&backup.id) || policy.in_use.contains(&backup.id);
        let singles: Vec<&BackupRecord> = listing.backups.iter().filter(single).collect();
        Self {
            backups: window.iter().chain(&singles).map(|backup| backup.id).collect(),
            from,
            locked: singles.iter().map(|backup| (backup.start.0 / size, backup.end.0 / size)).collect(),
        }
    }

    fn needs(&self, segment: Segment) -> bool {
        let Some(from) = self.from else { return true };
        segment.number >= from || self.locked.iter().any(|(from, to)| (*from..=*to).contains(&segment.number))
    }
}

/// The partial segments that are not needed: a complete or a longer one has what is in them, and a later one tells what time is covered.
fn superseded(listing: &Listing, retained: &Retained) -> Vec<WalObject> {
    let is_superseded = |partial: &crate::Partial| {
        if !retained.needs(partial.segment) {
            return true;
        }
        let same_or_next = |later: &crate::Partial| {
            let follows = later.segment == partial.segment
                || (later.segment.timeline == partial.segment.timeline
                    && later.segment.number > partial.segment.number
                    && (partial.segment.number..later.segment.number)
                        .all(|number| listing.segments.contains(&Segment { number, ..partial.segment })));
            follows && later != partial && later.end(listing.segment_size) >= partial.end(listing.segment_size) && later.covers >= partial.covers
        };
        listing.partials.iter().any(same_or_next)
    };
    listing.partials.iter().filter(|partial| is_superseded(partial)).copied().map(WalObject::Partial).collect()
}
