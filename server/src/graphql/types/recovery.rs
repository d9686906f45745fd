//! `Recovery`: what can be restored of an instance.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use toygres_domain::backup::{Archive, CoverageGap, CoveredInterval};

use super::{BigInt, RecoveryGapReason};

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

impl From<&Archive> for Recovery {
    fn from(archive: &Archive) -> Self {
        let intervals = archive.intervals();
        Self {
            from: intervals.first().map(|interval| interval.from),
            to: intervals.last().map(|interval| interval.to),
            intervals: intervals.into_iter().map(Into::into).collect(),
            gaps: archive.coverage.gaps.iter().map(Into::into).collect(),
            last_durable_at: archive.durable_at,
            lag_seconds: archive.lag_seconds,
            archiving: archive.followed,
            stored_bytes: BigInt(archive.stored_bytes),
        }
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
