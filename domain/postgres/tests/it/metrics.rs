//! The metrics of servers under a load that is known, on the oldest and the newest version.

use std::time::Duration;

use tokio_postgres::Client;
use toygres_domain::{
    InstanceId,
    metric::{
        MetricName::{self, *},
        MetricValues,
    },
};
use toygres_postgres::{Prober, ServerMetrics};

use crate::{hostile::running, server::eventually, storage::Instance};

/// An instance whose statistics nobody changes but the test.
struct Measured {
    instance: Instance,
    prober: Prober,
    id: InstanceId,
    _running: tokio_util::sync::DropGuard,
}

impl Measured {
    async fn start(version: u16) -> Self {
        let instance = if version == 15 { Instance::start().await } else { Instance::start_version(version).await };
        for setting in ["autovacuum = off", "max_prepared_transactions = 0", "checkpoint_timeout = '1d'"] {
            instance.server.execute(&format!("ALTER SYSTEM SET {setting}"));
        }
        instance.server.execute("SELECT pg_reload_conf()");
        let (prober, running) = running(1000);
        Self { instance, prober, id: InstanceId::generate(), _running: running }
    }

    async fn read(&self) -> ServerMetrics {
        self.instance.checked(&self.prober, self.id).await.vitals.expect("it tells").1
    }

    /// By how much the counters have grown since `before`. The statistics must not have been reset.
    async fn growth(&self, before: &ServerMetrics) -> Box<dyn Fn(MetricName) -> f64> {
        let now = self.read().await;
        assert_eq!(now.epoch, before.epoch, "nothing was reset");
        let before = before.values.clone();
        Box::new(move |name| value(&now.values, name) - value(&before, name))
    }

    /// Polls until the metrics are as they should be.
    async fn until(&self, what: &str, holds: impl Fn(&MetricValues) -> bool) {
        eventually(what, async || {
            let values = self.read().await.values;
            let there = holds(&values);
            if !there {
                println!("not yet {what}: {values:?}");
            }
            there
        })
        .await;
    }
}

fn value(values: &MetricValues, name: MetricName) -> f64 {
    values.get(name).unwrap_or_else(|| panic!("{name} is told"))
}

/// Has the session report what it has counted, which is one transaction more.
async fn flush(client: &Client) {
    client.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
}

async fn counters(version: u16) {
    let measured = Measured::start(version).await;
    let client = measured.instance.connect().await;
    client.batch_execute("CREATE TABLE t (a int PRIMARY KEY, b int); SET work_mem = '64kB'; SET max_parallel_workers_per_gather = 0").await.unwrap();
    client.batch_execute("INSERT INTO t SELECT n, 0 FROM generate_series(1, 1000) AS n; SELECT count(*) FROM t").await.unwrap();
    flush(&client).await;

    let before = measured.read().await;
    for number in 0..20 {
        client.batch_execute(&format!("UPDATE t SET b = b + 1 WHERE a = {number} + 1")).await.unwrap();
    }
    client.batch_execute("INSERT INTO t SELECT n, 0 FROM generate_series(1001, 1300) AS n").await.unwrap();
    client.batch_execute("DELETE FROM t WHERE a > 1200").await.unwrap();
    for _ in 0..7 {
        client.batch_execute("BEGIN; INSERT INTO t VALUES (5000, 0); ROLLBACK").await.unwrap();
    }
    flush(&client).await;
    let growth = measured.growth(&before).await;
    // 20 updates, the two that follow, and the flush.
    assert_eq!((growth(Commits), growth(Rollbacks)), (23.0, 7.0), "PostgreSQL {version}");
    // What was rolled back counts too.
    assert_eq!(growth(RowsWritten), 20.0 + 300.0 + 100.0 + 7.0, "PostgreSQL {version}");
    assert!(growth(BlocksHit) > 300.0, "PostgreSQL {version}: {}", growth(BlocksHit));
    assert_eq!((growth(Deadlocks), growth(TemporaryBytes)), (0.0, 0.0), "PostgreSQL {version}");
    let wal = growth(WalBytes);
    assert!((30_000.0..1_000_000.0).contains(&wal), "PostgreSQL {version}: {wal} bytes of WAL for 420 small rows");

    let before = measured.read().await;
    client.batch_execute("SELECT count(b) FROM t").await.unwrap();
    flush(&client).await;
    let growth = measured.growth(&before).await;
    // The catalogs are read too.
    assert!((1200.0..1300.0).contains(&growth(RowsRead)), "PostgreSQL {version}: {}", growth(RowsRead));
    assert_eq!(growth(RowsWritten), 0.0);

    // A sort of 100,000 rows of at least 16 bytes, in 64 kB.
    let before = measured.read().await;
    client.batch_execute("SELECT count(*) FROM (SELECT n FROM generate_series(1, 100000) AS n ORDER BY -n OFFSET 0) AS sorted").await.unwrap();
    flush(&client).await;
    let temporary = measured.growth(&before).await(TemporaryBytes);
    assert!((1_000_000.0..10_000_000.0).contains(&temporary), "PostgreSQL {version}: {temporary} temporary bytes");

    let before = measured.read().await;
    for _ in 0..3 {
        measured.instance.server.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000))");
        measured.instance.server.execute("CHECKPOINT");
    }
    measured
        .until("three checkpoints were requested", |now| value(now, RequestedCheckpoints) - value(&before.values, RequestedCheckpoints) == 3.0)
        .await;
    measured
        .until("3 MB of WAL were written", |now| (3_000_000.0..3_300_000.0).contains(&(value(now, WalBytes) - value(&before.values, WalBytes))))
        .await;
    assert_eq!(measured.growth(&before).await(TimedCheckpoints), 0.0);

    let before = measured.read().await;
    let other = measured.instance.connect().await;
    for (session, row) in [(&client, 1), (&other, 2)] {
        session.batch_execute(&format!("BEGIN; UPDATE t SET b = 1 WHERE a = {row}")).await.unwrap();
    }
    let crossing = (client.batch_execute("UPDATE t SET b = 2 WHERE a = 2"), other.batch_execute("UPDATE t SET b = 2 WHERE a = 1"));
    let (one, two) = tokio::join!(crossing.0, crossing.1);
    assert!(one.is_err() != two.is_err(), "one of them is ended");
    for session in [&client, &other] {
        session.batch_execute("ROLLBACK").await.unwrap();
        flush(session).await;
    }
    let growth = measured.growth(&before).await;
    assert_eq!((growth(Deadlocks), growth(Rollbacks)), (1.0, 2.0), "PostgreSQL {version}");
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_are_what_was_done_on_15() {
    counters(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_are_what_was_done_on_18() {
    counters(18).await;
}

async fn gauges(version: u16) {
    let measured = Measured::start(version).await;
    let values = measured.read().await.values;
    let sessions = |values: &MetricValues| {
        [Connections, ActiveConnections, BlockedConnections, IdleConnections, IdleInTransactionConnections].map(|name| value(values, name))
    };
    assert_eq!(sessions(&values), [0.0; 5], "those of the platform do not count");
    assert!(value(&values, MaxConnections) > 20.0);
    assert_eq!(value(&values, LongestTransaction), 0.0);

    let connect = || measured.instance.connect();
    let (idle, holder, blocked, active) = (connect().await, connect().await, connect().await, connect().await);
    idle.batch_execute("CREATE TABLE t (a int)").await.unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE t").await.unwrap();
    let waiting = tokio::spawn(async move { blocked.batch_execute("BEGIN; LOCK TABLE t").await });
    let sleeping = tokio::spawn(async move { active.batch_execute("SELECT pg_sleep(60)").await });
    measured.until("each session is what it is", |now| sessions(now) == [4.0, 2.0, 1.0, 1.0, 1.0]).await;
    measured.until("the transaction has lasted for two seconds", |now| (2.0..60.0).contains(&value(now, LongestTransaction))).await;
    waiting.abort();
    sleeping.abort();
    drop((idle, holder));

    // A slot keeps what was written since it was made.
    assert_eq!(value(&values, SlotWal), 0.0);
    measured.instance.server.execute("SELECT pg_create_physical_replication_slot('forgotten', true)");
    measured.instance.server.execute("SELECT pg_logical_emit_message(true, 'test', repeat('x', 5000000))");
    measured.until("the slot keeps 5 MB", |now| (5_000_000.0..30_000_000.0).contains(&value(now, SlotWal))).await;

    assert!((0.0..100_000.0).contains(&value(&values, OldestUnfrozenAge)));
    measured
        .instance
        .server
        .execute("UPDATE pg_database SET datfrozenxid = (((txid_current() - 1500000000) & 4294967295)::text)::xid WHERE datname = 'shop'");
    measured.until("the oldest transaction is told", |now| (1.499e9..1.501e9).contains(&value(now, OldestUnfrozenAge))).await;

    let storage = measured.instance.checked(&measured.prober, measured.id).await.storage.unwrap();
    let databases: i64 = measured.instance.server.execute("SELECT sum(pg_database_size(oid)) FROM pg_database").parse().unwrap();
    assert!((storage.database_bytes - databases).abs() < databases / 50, "{storage:?}, databases of {databases} bytes");
    assert!(storage.database_bytes < storage.used_bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn gauges_are_what_is_there_on_15() {
    gauges(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gauges_are_what_is_there_on_18() {
    gauges(18).await;
}

async fn epochs(version: u16) {
    let measured = Measured::start(version).await;
    let client = measured.instance.connect().await;
    let mut known = measured.read().await.epoch;
    let mut differs = async |what: &str, is_same: bool| {
        let now = measured.read().await.epoch;
        assert_eq!(now == known, is_same, "PostgreSQL {version}: {what}");
        known = now;
    };
    client.batch_execute("CREATE TABLE t (a int)").await.unwrap();
    flush(&client).await;
    differs("work resets nothing", true).await;
    measured.instance.server.execute_as("postgres", "shop", "SELECT pg_stat_reset()");
    differs("the statistics of a database were reset", false).await;
    measured.instance.server.execute("SELECT pg_stat_reset_shared('wal')");
    differs("those of the WAL were reset", false).await;
    let checkpoints = if version < 17 { "bgwriter" } else { "checkpointer" };
    measured.instance.server.execute(&format!("SELECT pg_stat_reset_shared('{checkpoints}')"));
    differs("those of checkpoints were reset", false).await;
    measured.instance.server.execute("CREATE DATABASE another");
    differs("there is another database", false).await;
    measured.instance.server.execute("DROP DATABASE another");
    differs("it was dropped", false).await;
    drop(client);
    measured.instance.server.halt();
    measured.instance.server.resume();
    let mut again = None;
    eventually("it answers again", async || {
        again = tokio::time::timeout(Duration::from_secs(5), measured.instance.try_checked(&measured.prober, measured.id)).await.ok().flatten();
        again.is_some()
    })
    .await;
    assert_ne!(again.unwrap().vitals.unwrap().1.epoch, known, "PostgreSQL {version}: it was started anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_resets_a_counter_begins_another_epoch_on_15() {
    epochs(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_resets_a_counter_begins_another_epoch_on_18() {
    epochs(18).await;
}
