//! Metrics of instances: what their servers count and measure, read with health checks.
//!
//! [`MetricName`] is the one table of metrics: its doc comments are the descriptions in the API, and [`MetricName::definition`] has the rest.
//! A [`Reading`] holds what a server has answered, with counters as they are there; [`summarize`] makes rates of them.

mod summary;
mod window;

use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

pub use self::{
    summary::{MetricSummary, SummaryPoint, merge, summarize},
    window::{MAX_ALL_POINTS, MAX_POINTS, MetricWindow, STEP_SECONDS},
};
use crate::instance::{HealthCheckPolicy, text_enum};

/// How often an instance is read, at the most.
pub const INTERVAL: Duration = Duration::from_secs(30);
/// How much longer than expected the time between two readings may be until there is no rate between them.
const GAP: i32 = 3;

text_enum! {
    /// The metrics of instances. Stored readings are arrays in this order, so new ones are added at the end, and none is removed.
    pub enum MetricName {
        /// Sessions of clients.
        Connections,
        /// Sessions of clients that run a statement.
        ActiveConnections,
        /// Sessions of clients that wait for a lock, which are among the active ones.
        BlockedConnections,
        /// Sessions of clients that wait for the next statement outside of a transaction.
        IdleConnections,
        /// Sessions of clients that wait for the next statement within a transaction.
        IdleInTransactionConnections,
        /// Sessions that clients can have.
        MaxConnections,
        /// Transactions that were committed, in all databases of clients.
        Commits,
        /// Transactions that were rolled back.
        Rollbacks,
        /// Rows that scans of tables have read, and entries that scans of indexes have returned.
        RowsRead,
        /// Rows that were inserted, updated or deleted.
        RowsWritten,
        /// Blocks that were found in the cache of the server (`shared_buffers`).
        BlocksHit,
        /// Blocks that were read from files, or from the cache of the operating system.
        BlocksRead,
        /// The part of the blocks that were found in the cache of the server: 0 to 1. Absent if none were needed.
        CacheHitRatio,
        /// Bytes that were written to temporary files, by sorts and joins that are larger than `work_mem`.
        TemporaryBytes,
        /// Deadlocks, each of which has ended a transaction.
        Deadlocks,
        /// The age of the oldest transaction of a client.
        LongestTransaction,
        /// The age, in transactions, of the oldest transaction or multixact that is not frozen. At about 2.1 billion the server takes no more
        /// writes.
        OldestUnfrozenAge,
        /// Bytes that were written to the WAL.
        WalBytes,
        /// Checkpoints that were due after `checkpoint_timeout`.
        TimedCheckpoints,
        /// Checkpoints that were requested. Most are because the WAL had reached `max_wal_size`.
        RequestedCheckpoints,
        /// The size of all databases, with their temporary files.
        DatabaseSize,
        /// What the instance uses of its volume: its databases, its WAL and its temporary files.
        VolumeUsed,
        /// What is free on the volume.
        VolumeAvailable,
        /// The WAL that the replication slot that is the furthest behind keeps.
        SlotWal,
    }
}

text_enum! {
    /// The unit of a metric.
    pub enum MetricUnit {
        /// A number of things.
        Count,
        /// A number of things per second.
        PerSecond,
        /// Bytes.
        Bytes,
        /// Bytes per second.
        BytesPerSecond,
        /// Seconds.
        Seconds,
        /// A part of a whole: 0 to 1.
        Ratio,
    }
}

/// How the values of a metric come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It is as it was read.
    Gauge,
    /// The server counts it; its value is by how much it grows in a second.
    Counter,
    /// The part that the growth of the first counter has in that of both.
    Share(MetricName, MetricName),
}

/// What there is to know about a metric beside its description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricDefinition {
    /// How its values come about.
    pub kind: MetricKind,
    /// The unit of its values.
    pub unit: MetricUnit,
    /// Its name for Prometheus, which gets counters as they were read. `None` if it is computed from others there.
    pub prometheus: Option<&'static str>,
}

impl MetricName {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Its line of the table.
    #[must_use]
    pub const fn definition(self) -> MetricDefinition {
        use MetricUnit::{Bytes, BytesPerSecond, Count, PerSecond, Ratio, Seconds};
        const fn gauge(unit: MetricUnit, prometheus: &'static str) -> MetricDefinition {
            MetricDefinition { kind: MetricKind::Gauge, unit, prometheus: Some(prometheus) }
        }
        const fn counter(unit: MetricUnit, prometheus: &'static str) -> MetricDefinition {
            MetricDefinition { kind: MetricKind::Counter, unit, prometheus: Some(prometheus) }
        }
        match self {
            Self::Connections => gauge(Count, "toygres_postgres_connections"),
            Self::ActiveConnections => gauge(Count, "toygres_postgres_connections_active"),
            Self::BlockedConnections => gauge(Count, "toygres_postgres_connections_blocked"),
            Self::IdleConnections => gauge(Count, "toygres_postgres_connections_idle"),
            Self::IdleInTransactionConnections => gauge(Count, "toygres_postgres_connections_idle_in_transaction"),
            Self::MaxConnections => gauge(Count, "toygres_postgres_connections_max"),
            Self::Commits => counter(PerSecond, "toygres_postgres_commits_total"),
            Self::Rollbacks => counter(PerSecond, "toygres_postgres_rollbacks_total"),
            Self::RowsRead => counter(PerSecond, "toygres_postgres_rows_read_total"),
            Self::RowsWritten => counter(PerSecond, "toygres_postgres_rows_written_total"),
            Self::BlocksHit => counter(PerSecond, "toygres_postgres_blocks_hit_total"),
            Self::BlocksRead => counter(PerSecond, "toygres_postgres_blocks_read_total"),
            Self::CacheHitRatio => MetricDefinition { kind: MetricKind::Share(Self::BlocksHit, Self::BlocksRead), unit: Ratio, prometheus: None },
            Self::TemporaryBytes => counter(BytesPerSecond, "toygres_postgres_temporary_bytes_total"),
            Self::Deadlocks => counter(PerSecond, "toygres_postgres_deadlocks_total"),
            Self::LongestTransaction => gauge(Seconds, "toygres_postgres_longest_transaction_seconds"),
            Self::OldestUnfrozenAge => gauge(Count, "toygres_postgres_oldest_unfrozen_age_transactions"),
            Self::WalBytes => counter(BytesPerSecond, "toygres_postgres_wal_bytes_total"),
            Self::TimedCheckpoints => counter(PerSecond, "toygres_postgres_checkpoints_timed_total"),
            Self::RequestedCheckpoints => counter(PerSecond, "toygres_postgres_checkpoints_requested_total"),
            Self::DatabaseSize => gauge(Bytes, "toygres_postgres_database_size_bytes"),
            Self::VolumeUsed => gauge(Bytes, "toygres_postgres_volume_used_bytes"),
            Self::VolumeAvailable => gauge(Bytes, "toygres_postgres_volume_available_bytes"),
            Self::SlotWal => gauge(Bytes, "toygres_postgres_slot_wal_bytes"),
        }
    }

    /// Its description for people: its doc comment.
    #[must_use]
    pub fn description(self) -> &'static str {
        strum::EnumMessage::get_documentation(&self).unwrap_or_default()
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// A value for each metric, as far as there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricValues<T = f64>(Vec<Option<T>>);

impl<T: Copy> Default for MetricValues<T> {
    fn default() -> Self {
        Self(vec![None; MetricName::COUNT])
    }
}

impl<T: Copy> MetricValues<T> {
    /// The value of a metric.
    #[must_use]
    pub fn get(&self, name: MetricName) -> Option<T> {
        self.0[name.index()]
    }

    /// Sets the value of a metric.
    pub fn set(&mut self, name: MetricName, value: Option<T>) {
        self.0[name.index()] = value;
    }

    /// The values in the order of [`MetricName::ALL`].
    #[must_use]
    pub fn as_slice(&self) -> &[Option<T>] {
        &self.0
    }

    /// Values in the order of [`MetricName::ALL`], of which an earlier release has fewer.
    #[must_use]
    pub fn from_slice(values: &[Option<T>]) -> Self {
        Self((0..MetricName::COUNT).map(|index| values.get(index).copied().flatten()).collect())
    }
}

/// What a server has answered at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When.
    pub at: DateTime<Utc>,
    /// The server's counters have another epoch after they were reset, or the server was started anew: then they may begin again.
    pub epoch: i64,
    /// Gauges, and counters as the server counts them.
    pub values: MetricValues,
}

/// The longest time between two readings of an instance with this policy between which there are rates.
#[must_use]
pub fn longest_pause(policy: &HealthCheckPolicy) -> TimeDelta {
    let expected = i64::from(policy.interval_seconds).max(INTERVAL.as_secs() as i64);
    TimeDelta::seconds(expected) * GAP
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Stored arrays have this order.
    #[test]
    fn the_order_of_metrics_is_that_of_what_is_stored() {
        let names: Vec<_> = MetricName::ALL.iter().map(|name| name.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "connections active_connections blocked_connections idle_connections idle_in_transaction_connections max_connections commits rollbacks \
             rows_read rows_written blocks_hit blocks_read cache_hit_ratio temporary_bytes deadlocks longest_transaction oldest_unfrozen_age \
             wal_bytes timed_checkpoints requested_checkpoints database_size volume_used volume_available slot_wal"
        );
    }

    #[test]
    fn names_for_prometheus_follow_its_conventions() {
        let mut seen = BTreeSet::new();
        for metric in MetricName::ALL {
            let MetricDefinition { kind, unit, prometheus } = metric.definition();
            assert!(!metric.description().is_empty(), "{metric} has no description");
            let is_rate = matches!(unit, MetricUnit::PerSecond | MetricUnit::BytesPerSecond);
            assert_eq!(kind == MetricKind::Counter, is_rate, "{metric}");
            let Some(name) = prometheus else { continue };
            assert!(seen.insert(name), "{name} is there twice");
            assert_eq!(name.ends_with("_total"), kind == MetricKind::Counter, "{name}");
            let base_unit = match unit {
                MetricUnit::Bytes | MetricUnit::BytesPerSecond => "bytes",
                MetricUnit::Seconds => "seconds",
                _ => "",
            };
            assert!(name.trim_end_matches("_total").ends_with(base_unit), "{name}");
        }
    }

    #[test]
    fn values_of_an_earlier_release_are_read() {
        let old = MetricValues::from_slice(&[Some(7.0), None]);
        assert_eq!((old.get(MetricName::Connections), old.get(MetricName::SlotWal)), (Some(7.0), None));
        assert_eq!(MetricValues::from_slice(old.as_slice()), old);
    }

    #[test]
    fn checks_that_are_rare_have_longer_pauses() {
        let pause = |interval_seconds| longest_pause(&HealthCheckPolicy { interval_seconds, timeout_seconds: 5 }).num_seconds();
        assert_eq!([pause(1), pause(30), pause(3600)], [90, 90, 10_800]);
    }
}
