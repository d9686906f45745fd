//! Partitions of health samples and of readings: they are created ahead, dropped whole, and never missed.

use std::time::{Duration, Instant};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use toygres_domain::{
    InstanceId,
    instance::HealthStatus,
    metric::{MetricValues, Reading},
};
use toygres_store::{HealthSample, PartitionedTable, SuccessfulCheck};

use crate::support::{Harness, eventually};

const HOUR: Duration = Duration::from_secs(3600);

async fn rows(harness: &Harness, statement: &str) -> Vec<String> {
    harness.store.select_foreign(statement.to_owned()).await.unwrap()
}

/// The partitions without the default.
async fn partitions(harness: &Harness, table: &str) -> Vec<String> {
    let statement = format!(
        "SELECT relname::text FROM pg_inherits JOIN pg_class ON oid = inhrelid
         WHERE inhparent = 'toygres.{table}'::regclass AND relname <> '{table}_default' ORDER BY 1"
    );
    rows(harness, &statement).await
}

/// Creates the partition of a day, as it was created when that day was the next one.
async fn make_partition(harness: &Harness, day: DateTime<Utc>) -> String {
    let name = format!("health_checks_{}", day.format("%Y%m%d_%H%M"));
    let (from, to) = (day.to_rfc3339(), (day + TimeDelta::days(1)).to_rfc3339());
    harness.database.run(&format!("CREATE TABLE toygres.{name} PARTITION OF toygres.health_checks FOR VALUES FROM ('{from}') TO ('{to}')")).await;
    name
}

async fn make_sample(harness: &Harness, id: InstanceId, at: DateTime<Utc>) {
    harness
        .database
        .run(&format!("INSERT INTO toygres.health_checks (instance_id, at, status) VALUES ('{id}', '{}', 'healthy')", at.to_rfc3339()))
        .await;
}

/// The partitions that hold the samples of an instance.
async fn places(harness: &Harness, id: InstanceId) -> Vec<String> {
    rows(
        harness,
        &format!(
            "SELECT DISTINCT replace(tableoid::regclass::text, 'toygres.', '') FROM toygres.health_checks WHERE instance_id = '{id}' ORDER BY 1"
        ),
    )
    .await
}

fn midnight() -> DateTime<Utc> {
    Utc::now().duration_trunc(TimeDelta::days(1)).unwrap()
}

/// A retention that ends this long before a time.
fn until(time: DateTime<Utc>, before: TimeDelta) -> Duration {
    (Utc::now() - time + before).to_std().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_falls_into_no_partition_is_stored_and_goes_when_it_is_old() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    eventually("it is healthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;
    assert_eq!(places(&harness, id).await, ["health_checks_default"], "nobody has created a partition yet");
    let reading = |at| (id, Reading { at, epoch: 1, values: MetricValues::default() });
    harness.store.record_metrics(&[reading(Utc::now() - TimeDelta::days(5))]).await.unwrap();
    let before = harness.samples(id).await.len();
    assert!(harness.store.create_partitions().await.unwrap() >= 2);
    assert!(harness.samples(id).await.len() >= before);

    // Those of this hour stay where others of this hour are; tomorrow has its own place.
    let tomorrow = midnight() + TimeDelta::days(1);
    make_sample(&harness, id, tomorrow).await;
    let name = format!("health_checks_{}", tomorrow.format("%Y%m%d_%H%M"));
    assert!(places(&harness, id).await.contains(&name), "{:?}", places(&harness, id).await);
    harness.store.create_partitions().await.unwrap();

    // A clock that is a week behind, and one that is years ahead.
    for days in [-7, 3000] {
        make_sample(&harness, id, Utc::now() + TimeDelta::days(days)).await;
    }
    let old = "SELECT count(*)::text FROM toygres.health_checks_default WHERE at < now() - interval '2 days'";
    assert_eq!(rows(&harness, old).await, ["1"]);
    assert!(harness.store.retention_lag(HOUR, 48 * HOUR).await.unwrap().health_checks > 4.9 * 86_400.0);
    assert_eq!(harness.store.prune_health_checks(48 * HOUR, 10).await.unwrap(), 1);
    assert_eq!(harness.store.prune_metrics(48 * HOUR, 10).await.unwrap(), 1);
    assert_eq!((rows(&harness, old).await, harness.store.retention_lag(HOUR, 48 * HOUR).await.unwrap().health_checks), (vec!["0".to_owned()], 0.0));
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_drops_whole_days_and_keeps_their_borders() {
    let harness = Harness::start().await;
    let id = InstanceId::generate();
    let border = midnight() - TimeDelta::days(2);
    let old = make_partition(&harness, border - TimeDelta::days(1)).await;
    let young = make_partition(&harness, border).await;
    let (last, first) = (border - TimeDelta::microseconds(1), border);
    for at in [border - TimeDelta::days(1), last, first] {
        make_sample(&harness, id, at).await;
    }
    assert_eq!(places(&harness, id).await, [old.clone(), young.clone()]);
    let table = PartitionedTable::HealthChecks;
    let kept = harness.store.drop_partitions(table, until(border, TimeDelta::minutes(1))).await.unwrap();
    assert_eq!((kept.partitions, places(&harness, id).await.len()), (0, 2), "its last row is not old enough");
    let retention = until(border, TimeDelta::minutes(-1));
    let lag = harness.store.retention_lag(HOUR, retention).await.unwrap().health_checks;
    assert!((55.0..90.0).contains(&lag), "{lag}");
    assert_eq!(harness.store.drop_partitions(table, retention).await.unwrap().partitions, 1);
    assert_eq!(places(&harness, id).await, [young]);
    assert_eq!(harness.samples(id).await.iter().map(|sample| sample.at).collect::<Vec<_>>(), [first]);
    assert_eq!(harness.store.retention_lag(HOUR, retention).await.unwrap().health_checks, 0.0);
    // Sizes are those of the table, whatever partitions it has.
    let sizes = harness.store.table_sizes(&["toygres"]).await.unwrap();
    assert_eq!(
        sizes.iter().filter(|size| size.table.starts_with("health_checks")).map(|size| size.table.as_str()).collect::<Vec<_>>(),
        ["health_checks"]
    );
    harness.finish().await;
}

/// As a dump of the metadata database does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_in_use_is_dropped_later_and_keeps_no_sample_waiting() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let day = midnight() - TimeDelta::days(9);
    make_partition(&harness, day).await;
    let reading = "BEGIN; SELECT count(*) FROM toygres.health_checks; SELECT pg_sleep(8); COMMIT";
    let reading = harness.database.run(reading);
    let table = PartitionedTable::HealthChecks;
    let writing = async {
        let locks = "SELECT 1::text FROM pg_locks WHERE mode = 'AccessShareLock' AND relation = 'toygres.health_checks_default'::regclass";
        eventually("somebody reads", || async { (!rows(&harness, locks).await.is_empty()).then_some(()) }).await;
        let operation_count = harness.instance(id).await.operation_count;
        let dropping = harness.store.drop_partitions(table, 48 * HOUR);
        let storing = async {
            let mut longest = Duration::ZERO;
            for _ in 0..30 {
                let success = SuccessfulCheck { latency: Duration::from_millis(1), logged_in: false };
                let (sample, begin) = (HealthSample { instance: id, operation_count, at: Utc::now(), success }, Instant::now());
                harness.store.record_health_checks(&[sample]).await.unwrap();
                longest = longest.max(begin.elapsed());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            longest
        };
        let (dropped, longest) = tokio::join!(dropping, storing);
        assert_eq!(dropped.unwrap().partitions, 0);
        assert!(longest < Duration::from_millis(900), "a sample waited for {longest:?}");
    };
    tokio::join!(reading, writing);
    assert_eq!(harness.store.drop_partitions(table, 48 * HOUR).await.unwrap().partitions, 1);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_create_and_drop_partitions_at_the_same_time() {
    let harness = Harness::start().await;
    harness.database.run("TRUNCATE toygres.health_checks, toygres.instance_metrics").await;
    let stores = [(); 4].map(|()| harness.database.store());
    let created: Vec<_> = futures::future::join_all(stores.iter().map(|store| store.create_partitions())).await;
    let created: u64 = created.into_iter().map(Result::unwrap).sum();
    let found = partitions(&harness, "health_checks").await.len() + partitions(&harness, "instance_metrics").await.len();
    assert_eq!((created, found), (4, 4), "today and tomorrow, of both");
    assert_eq!(harness.store.create_partitions().await.unwrap(), 0);
    for days in 5..9 {
        make_partition(&harness, midnight() - TimeDelta::days(days)).await;
    }
    let dropping = stores.iter().map(|store| store.drop_partitions(PartitionedTable::HealthChecks, 48 * HOUR));
    let dropped: u64 = futures::future::join_all(dropping).await.into_iter().map(|dropped| dropped.unwrap().partitions).sum();
    assert_eq!((dropped, partitions(&harness, "health_checks").await.len()), (4, 2));
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_of_a_deleted_instance_go_with_their_partition() {
    let harness = Harness::start().await;
    let (id, day) = (harness.running().await, midnight() - TimeDelta::days(4));
    let partition = make_partition(&harness, day).await;
    make_sample(&harness, id, day).await;
    let deletion = harness.delete(id).await;
    harness.assert_settled("deleted", &deletion).await;
    assert!(places(&harness, id).await.contains(&partition), "they are no part of the deletion");
    harness.store.drop_partitions(PartitionedTable::HealthChecks, 48 * HOUR).await.unwrap();
    assert!(!places(&harness, id).await.contains(&partition));
    harness.finish().await;
}
