//! Which points in time can be restored.

use chrono::{DateTime, Utc};
use toygres_domain::{
    backup as domain,
    wal::{Lsn, Segment, Timeline, TimelineHistory},
};

use crate::{
    layout::{BackupId, GapReason, Partial},
    listing::{BackupRecord, Listing},
};

/// The points that can be restored, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Ranges without gaps.
    pub intervals: Vec<Interval>,
    /// What is between them: one less than there are intervals.
    pub gaps: Vec<Gap>,
}

/// A range in which every point can be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The end of its first base backup.
    pub from: DateTime<Utc>,
    /// By the server's clock: whatever was committed by then can be restored.
    pub to: DateTime<Utc>,
    /// The position of `from`.
    pub from_lsn: Lsn,
    /// The position up to which the WAL is durable.
    pub to_lsn: Lsn,
    /// The timeline of that position.
    pub timeline: Timeline,
    /// The base backups in it, oldest first.
    pub backups: Vec<BackupId>,
}

/// A range in which no point can be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last point before it.
    pub from: DateTime<Utc>,
    /// The first point after it.
    pub to: DateTime<Utc>,
    /// Why.
    pub reason: GapReason,
}

/// How far the WAL goes from a position without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Complete segments and, at its end, perhaps a partial one.
    pub(crate) complete: Vec<Segment>,
    pub(crate) last: Option<Partial>,
    /// Its end, and the timeline of that.
    pub(crate) end: Lsn,
    pub(crate) timeline: Timeline,
    /// The latest time that a partial segment within says is covered.
    pub(crate) covers: Option<DateTime<Utc>>,
}

impl Coverage {
    /// As the metadata has it. `continues`: what is archived now continues the last interval.
    #[must_use]
    pub fn to_domain(&self, continues: bool) -> domain::Coverage {
        let interval = |Interval { from, to, from_lsn, to_lsn, .. }: &Interval| domain::CoveredInterval {
            from: *from,
            to: *to,
            from_lsn: *from_lsn,
            to_lsn: *to_lsn,
        };
        let gap = |Gap { from, to, reason }: &Gap| domain::CoverageGap { from: *from, to: *to, reason: *reason };
        domain::Coverage { intervals: self.intervals.iter().map(interval).collect(), gaps: self.gaps.iter().map(gap).collect(), continues }
    }

    /// Computes it from what is durable in the store, without any clock.
    #[must_use]
    pub fn of(listing: &Listing) -> Self {
        let mut coverage = Self::default();
        let path = Path::of(listing);
        for backup in &listing.backups {
            let Some(run) = listing.run_of(&path, backup) else { continue };
            let to = run.covers.unwrap_or(backup.finished_at).max(backup.finished_at);
            match coverage.intervals.last_mut() {
                Some(interval) if interval.to_lsn == run.end && interval.timeline == run.timeline => {
                    interval.backups.push(backup.id);
                    interval.to = interval.to.max(to);
                }
                last => {
                    if let Some(last) = last {
                        let reason = listing.gap_between(last.to_lsn, backup.start);
                        coverage.gaps.push(Gap { from: last.to, to: backup.finished_at, reason });
                    }
                    coverage.intervals.push(Interval {
                        from: backup.finished_at,
                        to,
                        from_lsn: backup.end,
                        to_lsn: run.end,
                        timeline: run.timeline,
                        backups: vec![backup.id],
                    });
                }
            }
        }
        coverage
    }

    /// Whether a base backup can be restored.
    #[must_use]
    pub fn includes(&self, backup: BackupId) -> bool {
        self.intervals.iter().any(|interval| interval.backups.contains(&backup))
    }

    /// The interval in which a time lies.
    #[must_use]
    pub fn interval_at(&self, time: DateTime<Utc>) -> Option<&Interval> {
        self.intervals.iter().find(|interval| (interval.from..=interval.to).contains(&time))
    }
}

/// The timelines that lead to the newest one, oldest first, each with the position at which it begins.
#[derive(Clone, Debug)]
pub(crate) struct Path(Vec<(Timeline, Lsn)>);

impl Path {
    /// The path to the newest timeline of an archive.
    pub(crate) fn of(listing: &Listing) -> Self {
        let segments = listing.segments.iter().chain(listing.partials.iter().map(|partial| &partial.segment));
        let newest = segments.map(|segment| segment.timeline).chain(listing.backups.iter().map(|backup| backup.timeline)).max();
        let newest = newest.unwrap_or(Timeline(1));
        let none = TimelineHistory::default();
        let history = listing.histories.get(&newest).unwrap_or(&none);
        let mut begin = Lsn(0);
        let mut path = Vec::new();
        for (timeline, left_at) in &history.0 {
            path.push((*timeline, begin));
            begin = *left_at;
        }
        path.push((newest, begin));
        Self(path)
    }

    /// The timeline in whose files PostgreSQL looks for a segment: the newest that had begun by its end, because a new timeline's first
    /// segment begins with a copy of what the old one has in it.
    fn timeline_of(&self, number: u64, listing: &Listing) -> Timeline {
        let begun = self.0.iter().rev().find(|(_, begin)| begin.0 / listing.segment_size.bytes() <= number);
        begun.map_or(Timeline(1), |(timeline, _)| *timeline)
    }

    /// Whether a position on a timeline is on the path.
    fn contains(&self, timeline: Timeline, lsn: Lsn) -> bool {
        let Some(index) = self.0.iter().position(|(candidate, _)| *candidate == timeline) else { return false };
        lsn >= self.0[index].1 && self.0.get(index + 1).is_none_or(|(_, next)| lsn <= *next)
    }

    /// The newest timeline.
    pub(crate) fn newest(&self) -> Timeline {
        self.0.last().map_or(Timeline(1), |(timeline, _)| *timeline)
    }

    /// The timelines.
    pub(crate) fn timelines(&self) -> impl Iterator<Item = Timeline> {
        self.0.iter().map(|(timeline, _)| *timeline)
    }
}

impl Listing {
    /// How far the WAL goes from a base backup; `None` if the backup cannot be restored, because its own WAL is not complete, or because it
    /// is on a timeline that was abandoned.
    pub(crate) fn run_of(&self, path: &Path, backup: &BackupRecord) -> Option<Run> {
        path.contains(backup.timeline, backup.end).then(|| self.run_from(path, backup.start)).filter(|run| run.end >= backup.end)
    }

    /// How far the WAL goes from a position.
    pub(crate) fn run_from(&self, path: &Path, start: Lsn) -> Run {
        let size = self.segment_size;
        let mut number = start.0 / size.bytes();
        let mut run = Run { complete: Vec::new(), last: None, end: size.start(number), timeline: path.timeline_of(number, self), covers: None };
        loop {
            let segment = Segment { timeline: path.timeline_of(number, self), number };
            if self.segments.contains(&segment) {
                run.complete.push(segment);
                (run.end, run.timeline) = (size.start(number + 1), segment.timeline);
                number += 1;
                continue;
            }
            if let Some(partial) = self.longest_partial(segment) {
                run.last = Some(partial);
                (run.end, run.timeline) = (partial.end(size), segment.timeline);
            }
            break;
        }
        let within = |partial: &&Partial| {
            let on_path = path.timeline_of(partial.segment.number, self) == partial.segment.timeline
                || path.contains(partial.segment.timeline, partial.end(size));
            on_path && partial.end(size) <= run.end && partial.segment.number >= start.0 / size.bytes()
        };
        let followed = self.followed.filter(|followed| followed.timeline == run.timeline && followed.durable <= run.end);
        let covers = self.partials.iter().filter(within).map(|partial| partial.covers);
        run.covers = covers.chain(followed.map(|followed| followed.covers)).max();
        run
    }

    /// Of what is archived of a segment that is not complete, the longest.
    pub(crate) fn longest_partial(&self, segment: Segment) -> Option<Partial> {
        self.partials.iter().filter(|partial| partial.segment == segment).max_by_key(|partial| (partial.offset, partial.covers)).copied()
    }

    fn gap_between(&self, from: Lsn, to: Lsn) -> GapReason {
        let (from, to) = (from.0 / self.segment_size.bytes(), to.0 / self.segment_size.bytes());
        let mut recorded = self.gaps.iter().filter(|(segment, _)| (from..=to).contains(&segment.number));
        recorded.next().map_or(GapReason::Missing, |(_, reason)| *reason)
    }
}
