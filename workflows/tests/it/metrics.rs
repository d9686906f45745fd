//! Metrics: what health checks read, summaries of hours, and how long both are kept.

use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use toygres_domain::{
    InstanceId,
    instance::HealthCheckPolicy,
    metric::{MetricName, MetricSummary, MetricValues, MetricWindow, Reading, SummaryPoint},
};
use toygres_workflows::janitor::{Dropped, Retention, round};

use crate::support::{Harness, eventually};

const HOUR: Duration = Duration::from_secs(3600);
const POLICY: HealthCheckPolicy = HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 };

/// The beginning of the present hour.
fn this_hour() -> DateTime<Utc> {
    Utc::now().duration_trunc(TimeDelta::hours(1)).unwrap()
}

/// Readings every 30 seconds, of a counter that grows by `rate` a second, and a gauge that is the number of the reading.
fn readings(from: DateTime<Utc>, to: DateTime<Utc>, rate: f64, epoch: i64) -> Vec<Reading> {
    let mut all = Vec::new();
    let mut at = from;
    while at < to {
        let mut values = MetricValues::default();
        values.set(MetricName::Commits, Some((at - from).as_seconds_f64() * rate));
        values.set(MetricName::Connections, Some(all.len() as f64));
        all.push(Reading { at, epoch, values });
        at += TimeDelta::seconds(30);
    }
    all
}

async fn record(harness: &Harness, id: InstanceId, readings: Vec<Reading>) {
    let readings: Vec<_> = readings.into_iter().map(|reading| (id, reading)).collect();
    for batch in readings.chunks(200) {
        harness.store.record_metrics(batch).await.unwrap();
    }
}

async fn points(harness: &Harness, id: InstanceId, from: DateTime<Utc>, to: DateTime<Utc>, step_seconds: i32) -> Vec<SummaryPoint> {
    let window = MetricWindow::new(Some(from), Some(to), Some(step_seconds), Utc::now()).unwrap();
    harness.store.metric_points(&[id], &window, &POLICY).await.unwrap().remove(&id).unwrap_or_default()
}

fn summary(point: &SummaryPoint, name: MetricName) -> (f64, f64, f64) {
    let MetricSummary { average, minimum, maximum } = point.metrics.get(name).unwrap();
    (average, minimum, maximum)
}

async fn clean(harness: &Harness, health_checks: Duration, metrics: Duration) -> Dropped {
    let day = Duration::from_secs(86_400);
    round(&harness.store, &harness.engine, Retention { events: day, health_checks, metrics, workflows: day }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_are_summarized_exactly_and_outlive_what_was_read() {
    let harness = Harness::start().await;
    let id = harness.run(harness.new_instance()).await;
    let hour = this_hour();
    let from = hour - TimeDelta::hours(3);
    // Nothing of what its checks read meanwhile is in those hours.
    record(&harness, id, readings(from, from + TimeDelta::hours(1), 2.0, 1)).await;
    // A restart, and half an hour without anybody who reads.
    record(&harness, id, readings(from + TimeDelta::minutes(90), hour, 4.0, 2)).await;
    harness.database.run(&format!("UPDATE toygres.metrics_horizon SET hour = '{}'", from.to_rfc3339())).await;
    let before = points(&harness, id, from, hour, 3600).await;

    let kept = clean(&harness, 4 * HOUR, 30 * HOUR).await;
    assert_eq!(kept.metrics, 0, "nothing is old");
    let points_now = points(&harness, id, from, hour, 3600).await;
    assert_eq!(points_now, before, "summaries that are stored are those of what was read");
    let of = |number: usize| (points_now[number].at, points_now[number].readings);
    assert_eq!((of(0), of(1), of(2)), ((from, 120), (from + TimeDelta::hours(1), 60), (from + TimeDelta::hours(2), 120)));
    assert_eq!(summary(&points_now[0], MetricName::Commits), (2.0, 2.0, 2.0));
    assert_eq!(summary(&points_now[1], MetricName::Commits), (4.0, 4.0, 4.0), "and not what the counter was before");
    assert_eq!(summary(&points_now[0], MetricName::Connections), (59.5, 0.0, 119.0));
    assert_eq!(summary(&points_now[2], MetricName::Connections), (119.5, 60.0, 179.0));
    assert_eq!(points_now[0].metrics.get(MetricName::SlotWal), None);
    // A day is made of its hours, each of which counts as often as it was read.
    let day = points(&harness, id, from, hour, 86_400).await;
    let total: f64 = day.iter().map(|point| summary(point, MetricName::Commits).0 * f64::from(point.readings)).sum();
    assert!((total - (2.0 * 120.0 + 4.0 * 180.0)).abs() < 1e-6, "{day:?}");

    // What was read goes with its age, in whatever hour it is; the summaries stay.
    let long_ago = Utc::now() - TimeDelta::seconds(7200);
    let gone = readings(from, hour, 0.0, 0)
        .iter()
        .filter(|reading| reading.at < long_ago && (reading.at < from + TimeDelta::hours(1) || reading.at >= from + TimeDelta::minutes(90)))
        .count();
    assert!(gone > 0);
    assert_eq!(clean(&harness, 2 * HOUR, 30 * HOUR).await.metrics, gone as u64);
    assert_eq!(points(&harness, id, from, hour, 3600).await, points_now);
    let fine = points(&harness, id, from, hour, 60).await;
    assert!(fine.iter().all(|point| point.at + TimeDelta::minutes(1) >= long_ago), "{:?}", fine.first());
    assert!(!fine.is_empty());

    // And the summaries with theirs.
    let dropped = clean(&harness, 100 * HOUR, Duration::from_secs(2 * 3600)).await.metrics;
    let left = points(&harness, id, from, hour, 3600).await;
    assert_eq!(dropped as usize + left.len(), 3, "{left:?}");
    assert!(left.iter().all(|point| point.at > Utc::now() - TimeDelta::hours(2) - TimeDelta::minutes(1)));
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_that_is_not_over_is_made_of_what_was_read() {
    let harness = Harness::start().await;
    let id = harness.run(harness.new_instance()).await;
    let hour = this_hour();
    record(&harness, id, readings(hour - TimeDelta::hours(1), hour + TimeDelta::minutes(2), 3.0, 1)).await;
    harness.database.run(&format!("UPDATE toygres.metrics_horizon SET hour = '{}'", (hour - TimeDelta::hours(1)).to_rfc3339())).await;
    // It may be over by a moment only, when it is not summarized yet.
    harness.store.summarize_metrics().await.unwrap();
    let all = points(&harness, id, hour - TimeDelta::hours(1), hour + TimeDelta::minutes(2), 3600).await;
    assert_eq!(all.iter().map(|point| (point.at, point.readings)).collect::<Vec<_>>(), [(hour - TimeDelta::hours(1), 120), (hour, 4)]);
    assert_eq!(summary(&all[1], MetricName::Commits), (3.0, 3.0, 3.0), "its first rate is one with the hour before");
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_reading_is_stored_once() {
    let harness = Harness::start().await;
    let id = InstanceId::generate();
    let reading = readings(this_hour(), this_hour() + TimeDelta::seconds(30), 1.0, 7).remove(0);
    for _ in 0..2 {
        harness.store.record_metrics(&[(id, reading.clone())]).await.unwrap();
    }
    assert_eq!(harness.store.latest_metrics(id).await.unwrap(), [reading]);
    harness.finish().await;
}

/// A lost worker leaves a gap, and another one that takes over begins with a reading of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_read_metrics_where_there_are_roles_of_the_platform() {
    let harness = Harness::start().await;
    let id = harness.run(harness.new_instance()).await;
    let workflow = eventually("it is checked", || async { harness.instance(id).await.health_check_orchestration_id }).await;
    let latest = eventually("it was read twice", || async {
        harness.engine.nudge(&workflow, "").await.unwrap();
        harness.context.metrics.flush(&harness.store).await;
        let latest = harness.store.latest_metrics(id).await.unwrap();
        (latest.len() == 2).then_some(latest)
    })
    .await;
    assert!(latest[0].at < latest[1].at);
    for name in [MetricName::Connections, MetricName::Commits, MetricName::WalBytes] {
        assert!(latest[1].values.get(name).is_some(), "{name}: {latest:?}");
    }
    harness.finish().await;
}
