//! `Recovery`: what can be restored of an instance.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use toygres_domain::backup::{Archive, CoverageGap, CoveredInterval, GapReason};

use super::{BigInt, Reason, RecoveryGapReason};

/// What can be restored of an instance, computed from what is durable in the store.
#[derive(Clone, Debug, SimpleObject)]
pub struct Recovery {
    /// The first point that can be restored. Null if there is none.
    from: Option<DateTime<Utc>>,
    /// The last point that can be restored: whatever was committed by then, by the clock of the server. Null if there is none.
    to: Option<DateTime<Utc>>,
    /// The ranges in which every point can be restored, oldest first.
    intervals: Vec<RecoveryInterval>,
    /// What is between them.
    gaps: Vec<RecoveryGap>,
    /// By the clock of the server: whatever was committed by then is durable in the store. It can be restored once a base backup is complete.
    last_durable_at: Option<DateTime<Utc>>,
    /// The seconds of commits that are not durable in the store yet. Null while that is not known.
    lag_seconds: Option<f64>,
    /// Whether a worker archives what the instance commits.
    archiving: bool,
    /// The bytes that the backups and the WAL take in the store.
    stored_bytes: BigInt,
    /// Why what an instance has committed last before its deletion may not be archived. Null if it is, or if the instance is not deleted.
    incomplete: Option<Reason>,
}

/// A range in which every point can be restored.
#[derive(Clone, Debug, SimpleObject)]
pub struct RecoveryInterval {
    /// The first point.
    from: DateTime<Utc>,
    /// The last point.
    to: DateTime<Utc>,
    /// The position of the first point in the WAL.
    from_lsn: String,
    /// The position of the last point in the WAL.
    to_lsn: String,
}

/// A range in which no point can be restored.
#[derive(Clone, Debug, SimpleObject)]
pub struct RecoveryGap {
    /// The last point before it.
    from: DateTime<Utc>,
    /// The first point after it.
    to: DateTime<Utc>,
    /// Why.
    reason: RecoveryGapReason,
}

impl Recovery {
    /// What the archives of an instance make together: the present one, if there is one, and those from before its upgrades, oldest first.
    pub(in crate::graphql) fn of(present: Option<&Archive>, retired: &[Archive]) -> Option<Self> {
        let archives: Vec<&Archive> = retired.iter().chain(present).collect();
        if archives.is_empty() {
            return None;
        }
        let (mut intervals, mut gaps): (Vec<CoveredInterval>, Vec<CoverageGap>) = (Vec::new(), Vec::new());
        for archive in &archives {
            let covered = archive.intervals();
            if let Some((last, first)) = intervals.last().zip(covered.first()) {
                gaps.push(CoverageGap { from: last.to, to: first.from, reason: GapReason::Upgraded });
            }
            gaps.extend(&archive.coverage.gaps);
            intervals.extend(covered);
        }
        Some(Self {
            from: intervals.first().map(|interval| interval.from),
            to: intervals.last().map(|interval| interval.to),
            intervals: intervals.into_iter().map(Into::into).collect(),
            gaps: gaps.iter().map(Into::into).collect(),
            last_durable_at: present.and_then(|archive| archive.durable_at),
            lag_seconds: present.and_then(|archive| archive.lag_seconds),
            archiving: present.is_some_and(|archive| archive.followed),
            stored_bytes: BigInt(archives.iter().map(|archive| archive.stored_bytes).sum()),
            incomplete: present.and_then(|archive| archive.incomplete.as_ref()).map(Into::into),
        })
    }
}

impl From<CoveredInterval> for RecoveryInterval {
    fn from(interval: CoveredInterval) -> Self {
        let CoveredInterval { from, to, from_lsn, to_lsn } = interval;
        Self { from, to, from_lsn: from_lsn.to_string(), to_lsn: to_lsn.to_string() }
    }
}

impl From<&CoverageGap> for RecoveryGap {
    fn from(gap: &CoverageGap) -> Self {
        let CoverageGap { from, to, reason } = *gap;
        Self { from, to, reason: reason.into() }
    }
}
