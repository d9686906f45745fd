//! Partitions by time. Each holds a day (UTC) of a table, and is dropped whole, so that retention deletes no rows.
//!
//! A row for whose time there is no partition goes to the default partition, so that no insert fails. That is rare, because partitions are created a
//! day ahead: nobody may have done it for longer, or a clock was set. Rows in the default partition are deleted by age.

use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::{PgConnection, Postgres, Transaction};

use super::{
    Store,
    errors::{Classify, is_lock_timeout},
};
use toygres_domain::{Error, Result};

/// How far ahead there are partitions.
const AHEAD: TimeDelta = TimeDelta::days(1);
/// How long others wait at most for a change of the partitions that waits for a lock itself.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '200ms'";
/// How often a change is tried, and the pause between. A later round of the janitor tries again.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// A table with partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionedTable {
    /// Samples of health checks.
    HealthChecks,
    /// Readings of metrics.
    InstanceMetrics,
}

/// The partitions that were dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DroppedPartitions {
    /// Their number.
    pub partitions: u64,
    /// Their rows, as PostgreSQL estimates them.
    pub rows: u64,
}

/// From a time, or from the beginning of time, to another, which is not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    from: Option<DateTime<Utc>>,
    to: DateTime<Utc>,
}

#[derive(Debug)]
struct Partition {
    name: String,
    bounds: Bounds,
    rows: i64,
}

impl PartitionedTable {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::HealthChecks, Self::InstanceMetrics];

    fn name(self) -> &'static str {
        match self {
            Self::HealthChecks => "health_checks",
            Self::InstanceMetrics => "instance_metrics",
        }
    }
}

impl Store {
    /// Creates the partitions of today and tomorrow that are missing, and returns their number. Repetitions are harmless, also at the same time.
    pub async fn create_partitions(&self) -> Result<u64> {
        let mut created = 0;
        for table in PartitionedTable::ALL {
            created += retry(|| self.create_partitions_of(table)).await?.unwrap_or_default();
        }
        Ok(created)
    }

    /// Drops the partitions whose rows are all older than `retention`. Repetitions are harmless, also at the same time. One that is in use for
    /// longer than others may wait is left for the next time.
    pub async fn drop_partitions(&self, table: PartitionedTable, retention: Duration) -> Result<DroppedPartitions> {
        let mut dropped = DroppedPartitions::default();
        while let Some(rows) = retry(|| self.drop_oldest_partition(table, retention)).await?.flatten() {
            dropped.partitions += 1;
            dropped.rows += rows;
        }
        Ok(dropped)
    }

    async fn create_partitions_of(&self, table: PartitionedTable) -> Result<u64> {
        let Some(mut transaction) = self.change_partitions().await? else { return Ok(0) };
        let (name, now) = (table.name(), now(&mut transaction).await?);
        let present: Vec<_> = partitions(&mut transaction, table).await?.into_iter().map(|partition| partition.bounds).collect();
        let mut created = 0;
        for Bounds { from, to } in gaps(now, now + AHEAD, &present) {
            // Rows are not moved, which would keep others from writing: those of this hour join them.
            let statement = format!("SELECT max(at) FROM {name}_default WHERE at >= $1 AND at < $2");
            let last: Option<DateTime<Utc>> = sqlx::query_scalar(&statement).bind(from).bind(to).fetch_one(&mut *transaction).await.classify()?;
            let from = last.map_or(Ok(from), |last| hour(last).map(|hour| Some(hour + TimeDelta::hours(1))))?;
            let Some(from) = from.filter(|from| *from < to) else { continue };
            let partition = format!("{name}_{}", from.format("%Y%m%d_%H%M"));
            sqlx::query!("SELECT create_partition($1, $2, $3, $4)", name, partition, from, to).fetch_one(&mut *transaction).await.classify()?;
            created += 1;
        }
        transaction.commit().await.classify()?;
        Ok(created)
    }

    /// Returns the number of rows that it had, unless there is none to drop.
    async fn drop_oldest_partition(&self, table: PartitionedTable, retention: Duration) -> Result<Option<u64>> {
        let Some(mut transaction) = self.change_partitions().await? else { return Ok(None) };
        let now = now(&mut transaction).await?;
        let kept = TimeDelta::from_std(retention).ok().and_then(|retention| now.checked_sub_signed(retention));
        let oldest = partitions(&mut transaction, table).await?.into_iter().min_by_key(|partition| partition.bounds.to);
        let Some(old) = oldest.filter(|oldest| kept.is_some_and(|kept| oldest.bounds.to <= kept)) else { return Ok(None) };
        sqlx::query!("SELECT drop_partition($1, $2)", table.name(), old.name).fetch_one(&mut *transaction).await.classify()?;
        transaction.commit().await.classify()?;
        tracing::debug!(partition = old.name, rows = old.rows, "a partition is older than its retention and was dropped");
        Ok(Some(old.rows.unsigned_abs()))
    }

    /// A transaction that changes partitions; `None` while another server does.
    async fn change_partitions(&self) -> Result<Option<Transaction<'static, Postgres>>> {
        let mut transaction = self.begin().await?;
        sqlx::query(LOCK_TIMEOUT).execute(&mut *transaction).await.classify()?;
        let is_locked = sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock(7096810444) AS "is_locked!""#).fetch_one(&mut *transaction).await;
        Ok(is_locked.classify()?.then_some(transaction))
    }
}

/// Tries a change again that had to wait for others for too long. Returns `None` if each time it had to.
async fn retry<T, F: Future<Output = Result<T>>>(change: impl Fn() -> F) -> Result<Option<T>> {
    for attempt in 1..=ATTEMPTS {
        match change().await {
            Err(error) if is_lock_timeout(&error) => {
                tracing::debug!(attempt, "a partition is in use and cannot be changed yet");
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome.map(Some),
        }
    }
    Ok(None)
}

async fn now(connection: &mut PgConnection) -> Result<DateTime<Utc>> {
    sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#).fetch_one(connection).await.classify()
}

/// The partitions of a table without the default.
async fn partitions(connection: &mut PgConnection, table: PartitionedTable) -> Result<Vec<Partition>> {
    let rows = sqlx::query!(
        r#"SELECT relname::text AS "name!", substring(bound FROM 'FROM \(''([^'']+)''\)')::timestamptz AS "from?",
                  substring(bound FROM 'TO \(''([^'']+)''\)')::timestamptz AS "to!",
                  (CASE WHEN reltuples < 0 THEN pg_stat_get_live_tuples(oid) ELSE reltuples END)::bigint AS "rows!"
           FROM (SELECT class.oid, relname, reltuples, pg_get_expr(relpartbound, class.oid) AS bound
                 FROM pg_inherits JOIN pg_class class ON class.oid = inhrelid WHERE inhparent = to_regclass($1)) partition
           WHERE bound <> 'DEFAULT'"#,
        table.name()
    )
    .fetch_all(connection)
    .await
    .classify()?;
    let partition = |name, from, to, rows| Partition { name, bounds: Bounds { from, to }, rows };
    Ok(rows.into_iter().map(|row| partition(row.name, row.from, row.to, row.rows)).collect())
}

/// What is not in a partition between two times, in days.
fn gaps(now: DateTime<Utc>, until: DateTime<Utc>, present: &[Bounds]) -> Vec<Bounds> {
    let (mut gaps, mut position) = (Vec::new(), now);
    while position <= until {
        if let Some(covering) = present.iter().find(|bounds| bounds.from.is_none_or(|from| from <= position) && position < bounds.to) {
            position = covering.to;
            continue;
        }
        let Ok(midnight) = position.duration_trunc(TimeDelta::days(1)) else { break };
        let from = present.iter().map(|bounds| bounds.to).filter(|to| *to <= position).max().map_or(midnight, |to| to.max(midnight));
        let next = midnight + TimeDelta::days(1);
        let to = present.iter().filter_map(|bounds| bounds.from).filter(|from| *from > position).min().map_or(next, |from| from.min(next));
        gaps.push(Bounds { from: Some(from), to });
        position = to;
    }
    gaps
}

fn hour(time: DateTime<Utc>) -> Result<DateTime<Utc>> {
    time.duration_trunc(TimeDelta::hours(1)).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        format!("2026-03-{text}:00Z").parse().unwrap()
    }

    fn bounds(from: &str, to: &str) -> Bounds {
        Bounds { from: (!from.is_empty()).then(|| time(from)), to: time(to) }
    }

    #[test]
    fn partitions_are_days_and_fill_what_others_leave() {
        let missing = |present: &[Bounds]| gaps(time("10T12:30"), time("11T12:30"), present);
        let (today, tomorrow) = (bounds("10T00:00", "11T00:00"), bounds("11T00:00", "12T00:00"));
        assert_eq!(missing(&[]), [today, tomorrow]);
        assert_eq!(missing(&[today]), [tomorrow]);
        assert_eq!(missing(&[tomorrow, today]), []);
        assert_eq!(missing(&[bounds("", "11T00:00")]), [tomorrow], "what was there before there were partitions");
        assert_eq!(missing(&[bounds("09T00:00", "10T03:00"), bounds("10T15:00", "11T00:00")]), [bounds("10T03:00", "10T15:00"), tomorrow]);
        assert_eq!(missing(&[bounds("10T13:00", "11T00:00")]), [bounds("10T00:00", "10T13:00"), tomorrow]);
        assert_eq!(gaps(time("10T00:00"), time("11T00:00"), &[]), [today, tomorrow], "a border belongs to the day that begins");
    }
}
