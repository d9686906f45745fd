//! Metrics of instances: readings, and summaries of hours.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Store, errors::Classify};
use toygres_domain::{
    InstanceId, Result,
    instance::HealthCheckPolicy,
    metric::{MetricName, MetricSummary, MetricValues, MetricWindow, Reading, SummaryPoint, longest_pause, merge, summarize},
};

/// Instances whose hours are summarized at a time. Each has up to 120 readings of an hour.
const INSTANCES: i64 = 50;
/// How long after its end an hour is summarized: by then its last readings are written.
const SETTLED: TimeDelta = TimeDelta::seconds(30);

/// The latest reading of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestReading {
    /// The instance.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// What was read.
    pub reading: Reading,
}

struct ReadingRow {
    instance_id: Uuid,
    at: DateTime<Utc>,
    epoch: i64,
    readings: Vec<Option<f64>>,
}

struct HourRow {
    instance_id: Uuid,
    at: DateTime<Utc>,
    readings: i32,
    averages: Vec<Option<f64>>,
    minimums: Vec<Option<f64>>,
    maximums: Vec<Option<f64>>,
}

impl Store {
    /// Records readings of instances, in one statement. A reading of the same instance at the same time is left out.
    pub async fn record_metrics(&self, readings: &[(InstanceId, Reading)]) -> Result<()> {
        let ids: Vec<_> = readings.iter().map(|(id, _)| id.0).collect();
        let times: Vec<_> = readings.iter().map(|(_, reading)| reading.at).collect();
        let epochs: Vec<_> = readings.iter().map(|(_, reading)| reading.epoch).collect();
        let values: Vec<_> = readings.iter().flat_map(|(_, reading)| reading.values.as_slice().iter().copied()).collect();
        // The ids in the notification have to fit into it, which the caller sees to.
        sqlx::query!(
            "WITH written AS (
                 INSERT INTO instance_metrics (instance_id, at, epoch, readings)
                 SELECT id, read_at, epoch, ($4::float8[])[(number - 1) * $5 + 1 : number * $5]
                 FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[]) WITH ORDINALITY AS read (id, read_at, epoch, number)
                 ON CONFLICT DO NOTHING RETURNING instance_id)
             SELECT pg_notify('toygres_metrics', string_agg(instance_id::text, ',')) AS notified FROM written HAVING count(*) > 0",
            &ids,
            &times,
            &epochs,
            values.as_slice() as &[Option<f64>],
            MetricName::COUNT as i64
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// The summaries of the steps of a window, of several instances with this policy, in order. Those of hours and longer are made of
    /// summaries of hours, and of readings where there are none yet. Instances without any are omitted.
    pub async fn metric_points(
        &self,
        instances: &[InstanceId],
        window: &MetricWindow,
        policy: &HealthCheckPolicy,
    ) -> Result<HashMap<InstanceId, Vec<SummaryPoint>>> {
        let pause = longest_pause(policy);
        let last = window.to - TimeDelta::microseconds(1);
        if !window.is_hourly() {
            let readings = self.metric_readings(instances, window.from - pause, last).await?;
            return Ok(readings.into_iter().map(|(id, readings)| (id, summarize(&readings, window.from, window.step(), pause))).collect());
        }
        let (mut hours, horizon) = self.metric_hours(instances, window.from, last).await?;
        let from = horizon.max(window.from);
        if from <= last {
            for (id, readings) in self.metric_readings(instances, from - pause, last).await? {
                hours.entry(id).or_default().extend(summarize(&readings, from, TimeDelta::hours(1), pause));
            }
        }
        Ok(hours.into_iter().map(|(id, hours)| (id, merge(&hours, window.step()))).collect())
    }

    /// The readings of several instances between two times, both included, in order. Instances without any are omitted.
    async fn metric_readings(&self, instances: &[InstanceId], from: DateTime<Utc>, to: DateTime<Utc>) -> Result<HashMap<InstanceId, Vec<Reading>>> {
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        let rows = sqlx::query_as!(
            ReadingRow,
            r#"SELECT instance_id, at, epoch, readings AS "readings!: Vec<Option<f64>>" FROM instance_metrics
               WHERE instance_id = ANY($1) AND at BETWEEN $2 AND $3 ORDER BY instance_id, at"#,
            &ids,
            from,
            to
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for row in rows {
            all.entry(InstanceId(row.instance_id)).or_default().push(reading(&row));
        }
        Ok(all)
    }

    /// The latest reading of an instance at each of these times, in order, unless it is older than `tolerance` then.
    pub async fn metric_readings_at(&self, instance: InstanceId, times: &[DateTime<Utc>], tolerance: TimeDelta) -> Result<Vec<Reading>> {
        let rows = sqlx::query_as!(
            ReadingRow,
            r#"SELECT instance_id, at, epoch, readings AS "readings!: Vec<Option<f64>>"
               FROM unnest($2::timestamptz[]) AS moment (until) CROSS JOIN LATERAL (
                   SELECT * FROM instance_metrics WHERE instance_id = $1 AND at <= until AND at > until - make_interval(secs => $3)
                   ORDER BY at DESC LIMIT 1) AS latest ORDER BY at"#,
            instance.0,
            times,
            tolerance.as_seconds_f64()
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        Ok(rows.iter().map(reading).collect())
    }

    /// The summaries of the hours of several instances that begin between two times, both included, in order, and the beginning of the first
    /// hour that is not summarized yet.
    async fn metric_hours(
        &self,
        instances: &[InstanceId],
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<(HashMap<InstanceId, Vec<SummaryPoint>>, DateTime<Utc>)> {
        // First, so that no hour is missed that is summarized meanwhile.
        let horizon = self.metrics_horizon().await?;
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        let rows = sqlx::query_as!(
            HourRow,
            r#"SELECT instance_id, at, readings, averages AS "averages!: Vec<Option<f64>>", minimums AS "minimums!: Vec<Option<f64>>",
                      maximums AS "maximums!: Vec<Option<f64>>"
               FROM instance_metrics_hourly WHERE instance_id = ANY($1) AND at BETWEEN $2 AND $3 AND at < $4 ORDER BY instance_id, at"#,
            &ids,
            from,
            to,
            horizon
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for row in rows {
            all.entry(InstanceId(row.instance_id)).or_default().push(hour(&row));
        }
        Ok((all, horizon))
    }

    /// The latest two readings of an instance, in order.
    pub async fn latest_metrics(&self, instance: InstanceId) -> Result<Vec<Reading>> {
        let rows = sqlx::query_as!(
            ReadingRow,
            r#"SELECT instance_id, at, epoch, readings AS "readings!: Vec<Option<f64>>" FROM instance_metrics
               WHERE instance_id = $1 ORDER BY at DESC LIMIT 2"#,
            instance.0
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        Ok(rows.iter().rev().map(reading).collect())
    }

    /// The latest reading of each running instance, by name. One that is older than [`longest_pause`] says nothing of now, and is left out.
    pub async fn latest_metrics_of_all(&self) -> Result<Vec<LatestReading>> {
        let rows = sqlx::query!(
            r#"SELECT id, name, latest.at, latest.epoch, latest.readings AS "readings!: Vec<Option<f64>>", health_interval_seconds
               FROM instances CROSS JOIN LATERAL
                   (SELECT at, epoch, readings FROM instance_metrics WHERE instance_id = instances.id ORDER BY at DESC LIMIT 1) AS latest
               WHERE state IN ('running', 'updating') ORDER BY name"#
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        let now = self.now();
        let latest = rows.into_iter().filter(|row| now - row.at <= longest_pause(&policy(row.health_interval_seconds))).map(|row| LatestReading {
            id: InstanceId(row.id),
            name: row.name,
            reading: Reading { at: row.at, epoch: row.epoch, values: MetricValues::from_slice(&row.readings) },
        });
        Ok(latest.collect())
    }

    /// Summarizes the hours that are over and are not summarized yet. Repetitions are harmless, also at the same time. Returns how many
    /// hours.
    pub async fn summarize_metrics(&self) -> Result<u64> {
        let mut hours = 0;
        loop {
            let from = self.metrics_horizon().await?;
            let to = from + TimeDelta::hours(1);
            if self.now() < to + SETTLED {
                return Ok(hours);
            }
            let mut after = Uuid::nil();
            loop {
                let instances = sqlx::query!(
                    "SELECT id, health_interval_seconds FROM instances WHERE id > $1 AND (deleted_at IS NULL OR deleted_at > $2) ORDER BY id LIMIT $3",
                    after,
                    from,
                    INSTANCES
                )
                .fetch_all(&self.pool)
                .await
                .classify()?;
                let Some(last) = instances.last() else { break };
                after = last.id;
                let policies: Vec<_> = instances.iter().map(|row| (InstanceId(row.id), policy(row.health_interval_seconds))).collect();
                self.summarize_hour(&policies, from, to).await?;
            }
            sqlx::query!("UPDATE metrics_horizon SET hour = $2 WHERE hour = $1", from, to).execute(&self.pool).await.classify()?;
            hours += 1;
        }
    }

    async fn summarize_hour(&self, instances: &[(InstanceId, HealthCheckPolicy)], from: DateTime<Utc>, to: DateTime<Utc>) -> Result<()> {
        let ids: Vec<_> = instances.iter().map(|(id, _)| *id).collect();
        let longest = instances.iter().map(|(_, policy)| longest_pause(policy)).max().unwrap_or_default();
        let readings = self.metric_readings(&ids, from - longest, to - TimeDelta::microseconds(1)).await?;
        for (id, policy) in instances {
            let Some(readings) = readings.get(id) else { continue };
            for point in summarize(readings, from, TimeDelta::hours(1), longest_pause(policy)) {
                let values =
                    |of: fn(MetricSummary) -> f64| -> Vec<Option<f64>> { point.metrics.as_slice().iter().map(|summary| summary.map(of)).collect() };
                let averages = values(|summary| summary.average);
                let (minimums, maximums) = (values(|summary| summary.minimum), values(|summary| summary.maximum));
                sqlx::query!(
                    "INSERT INTO instance_metrics_hourly (instance_id, at, readings, averages, minimums, maximums) VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT DO NOTHING",
                    id.0,
                    point.at,
                    point.readings,
                    averages.as_slice() as &[Option<f64>],
                    minimums.as_slice() as &[Option<f64>],
                    maximums.as_slice() as &[Option<f64>]
                )
                .execute(&self.pool)
                .await
                .classify()?;
            }
        }
        Ok(())
    }

    /// Deletes up to `limit` readings older than `retention` that are in no partition of a day, and returns their number. The others go with their
    /// partition: see [`Self::drop_partitions`].
    pub async fn prune_metrics(&self, retention: Duration, limit: i64) -> Result<u64> {
        let done = sqlx::query!(
            "DELETE FROM instance_metrics_default WHERE ctid = ANY(ARRAY(
                 SELECT ctid FROM instance_metrics_default WHERE at < now() - make_interval(secs => $1) ORDER BY at LIMIT $2))",
            retention.as_secs_f64(),
            limit
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(done.rows_affected())
    }

    /// Deletes up to `limit` summaries of hours older than `retention`, and returns their number.
    pub async fn prune_metric_hours(&self, retention: Duration, limit: i64) -> Result<u64> {
        let done = sqlx::query!(
            "DELETE FROM instance_metrics_hourly WHERE ctid = ANY(ARRAY(
                 SELECT ctid FROM instance_metrics_hourly WHERE at < now() - make_interval(secs => $1) ORDER BY at LIMIT $2))",
            retention.as_secs_f64(),
            limit
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(done.rows_affected())
    }

    async fn metrics_horizon(&self) -> Result<DateTime<Utc>> {
        sqlx::query_scalar!("SELECT hour FROM metrics_horizon").fetch_one(&self.pool).await.classify()
    }
}

fn reading(row: &ReadingRow) -> Reading {
    Reading { at: row.at, epoch: row.epoch, values: MetricValues::from_slice(&row.readings) }
}

fn hour(row: &HourRow) -> SummaryPoint {
    let mut metrics = MetricValues::default();
    for (index, metric) in MetricName::ALL.iter().enumerate() {
        let value = |values: &[Option<f64>]| values.get(index).copied().flatten();
        let summary = || Some(MetricSummary { average: value(&row.averages)?, minimum: value(&row.minimums)?, maximum: value(&row.maximums)? });
        metrics.set(*metric, summary());
    }
    SummaryPoint { at: row.at, readings: row.readings, metrics }
}

/// Only the interval counts here.
fn policy(interval_seconds: i32) -> HealthCheckPolicy {
    HealthCheckPolicy { interval_seconds, timeout_seconds: 0 }
}
