//! What a restore needs.

use chrono::{DateTime, Utc};
pub use toygres_domain::restoration::RestoreTarget as Target;
use toygres_domain::{
    restoration::KnownCoverage,
    wal::{Lsn, Segment, SegmentSize, Timeline},
};

use crate::{
    BackupError, Coverage,
    coverage::{Path, Run},
    layout::Partial,
    listing::{BackupRecord, Listing},
    recovery::Stop,
};

/// What a restore needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The base backup.
    pub backup: BackupRecord,
    /// The complete segments, in their order.
    pub segments: Vec<Segment>,
    /// The segment after them, up to where it is archived.
    pub partial: Option<Partial>,
    /// The timelines whose histories are needed.
    pub histories: Vec<Timeline>,
    /// The timeline that recovery follows.
    pub timeline: Timeline,
    /// Where recovery stops, if there is a record behind it.
    pub stop: Stop,
    segment_size: SegmentSize,
}

impl Plan {
    /// The bytes of the base backup and of all the WAL, of which a restore to an earlier point needs less.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let segments = self.segments.len() + usize::from(self.partial.is_some());
        self.backup.bytes() + segments as u64 * self.segment_size.bytes()
    }

    /// The end of the WAL.
    pub(super) fn end(&self) -> Lsn {
        let complete = self.segments.last().map(|last| self.segment_size.start(last.number + 1));
        let partial = self.partial.map(|partial| partial.end(self.segment_size));
        complete.max(partial).unwrap_or(self.backup.end)
    }
}

/// Chooses the base backup and the WAL for a target: the newest backup from before it, so that the least WAL is replayed.
///
/// # Errors
/// [`BackupError::NotCovered`] with what can be restored; [`BackupError::Damaged`] if the target is a backup whose record is damaged.
pub fn plan(listing: &Listing, target: Target) -> Result<Plan, BackupError> {
    if let Target::Backup(id) = target
        && let Some(why) = listing.damaged.get(&id)
    {
        return Err(BackupError::Damaged(why.clone()));
    }
    let path = Path::of(listing);
    let coverage = Coverage::of(listing);
    let covers = |backup: &BackupRecord, run: &Run| match target {
        Target::Latest => true,
        Target::Time(time) => {
            let interval = coverage.intervals.iter().find(|interval| interval.backups.contains(&backup.id));
            backup.finished_at <= time && interval.is_some_and(|interval| time <= interval.to)
        }
        Target::Lsn(lsn) => (backup.end..=run.end).contains(&lsn),
        Target::Backup(id) => backup.id == id,
    };
    let runs = listing.backups.iter().rev().filter_map(|backup| Some((backup, listing.run_of(&path, backup)?)));
    let Some((backup, run)) = runs.into_iter().find(|(backup, run)| covers(backup, run)) else {
        return Err(not_covered(target, available(&coverage)));
    };
    let Run { complete: mut segments, last: mut partial, timeline, .. } = run;
    let (stop, timeline) = match target {
        Target::Latest => (Stop::EndOfWal, timeline),
        Target::Time(time) => (Stop::Time(time), timeline),
        Target::Lsn(lsn) => (Stop::Lsn(lsn), timeline),
        Target::Backup(_) => {
            let last = backup.end.0.saturating_sub(1) / listing.segment_size.bytes();
            segments.retain(|segment| segment.number <= last);
            partial = partial.filter(|partial| partial.segment.number <= last);
            (Stop::Consistent, backup.timeline)
        }
    };
    let histories = path.timelines().filter(|ancestor| *ancestor <= timeline && listing.histories.contains_key(ancestor)).collect();
    Ok(Plan { backup: backup.clone(), segments, partial, histories, timeline, stop, segment_size: listing.segment_size })
}

/// The refusal to restore everything with a plan that ends before a point that the archive had.
pub(super) fn less_than_known(listing: &Listing, plan: &Plan, known: KnownCoverage) -> BackupError {
    let KnownCoverage { at, durable } = known;
    let missing = plan.segment_size.file_name(plan.segment_size.segment(plan.timeline, plan.end()));
    let target =
        format!("the latest point, {} ({durable}), for which the segment {missing} is missing in the store,", at.format("%Y-%m-%d %H:%M:%S%.3fZ"));
    BackupError::NotCovered { target, available: available(&Coverage::of(listing)) }
}

pub(super) fn not_covered(target: Target, available: Vec<(DateTime<Utc>, DateTime<Utc>, Lsn, Lsn)>) -> BackupError {
    BackupError::NotCovered { target: describe(target), available }
}

fn available(coverage: &Coverage) -> Vec<(DateTime<Utc>, DateTime<Utc>, Lsn, Lsn)> {
    coverage.intervals.iter().map(|interval| (interval.from, interval.to, interval.from_lsn, interval.to_lsn)).collect()
}

fn describe(target: Target) -> String {
    match target {
        Target::Latest => "the latest point".to_owned(),
        Target::Time(time) => format!("the time {}", time.format("%Y-%m-%d %H:%M:%S%.6fZ")),
        Target::Lsn(lsn) => format!("the position {lsn}"),
        Target::Backup(id) => format!("the backup {id}"),
    }
}
