//! The janitor: deletes old records in small batches in the background, so that tables stay bounded. Several servers may run it at
//! the same time.
//!
//! - Events, health samples and metrics, by age. Health samples and readings of metrics go with their partitions, which it also creates ahead. Before
//!   that, hours of metrics are summarized.
//! - Former executions of a HealthCheck that has continued as new. The engine never deletes the current one.
//! - Finished workflows. If the engine does not have a workflow, others conclude that it must be started (dispatcher, sweeper,
//!   monitors), so only workflows that are not needed any more are deleted: those of finished operations, and health checks that no
//!   instance names. An instance names each HealthCheck id only once, before it starts, and never again.

use std::{
    collections::HashSet,
    time::{Duration, Instant, SystemTime},
};

use chrono::Utc;
use metrics::{counter, gauge, histogram};
use tokio_util::sync::CancellationToken;
use toygres_domain::{OperationId, Result};
use toygres_store::{DroppedPartitions, PartitionedTable, Store};

use crate::{Engine, engine::tables};

/// How long records are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Events, and so the cursors from which a client can resume.
    pub events: Duration,
    /// Health samples, and metrics as they were read.
    pub health_checks: Duration,
    /// Summaries of hours of metrics.
    pub metrics: Duration,
    /// The engine's records of finished workflows.
    pub workflows: Duration,
}

/// The number of records that one round deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Events.
    pub events: u64,
    /// Health samples. Those of partitions are estimated.
    pub health_checks: u64,
    /// Partitions of health samples, and of readings of metrics.
    pub partitions: u64,
    /// Readings of metrics, and summaries of their hours.
    pub metrics: u64,
    /// Finished workflows.
    pub workflows: u64,
}

const PERIOD: Duration = Duration::from_secs(60);
/// Rows of a table per batch.
const ROWS: i64 = 1000;
/// Finished workflows per batch. The engine needs at least one statement for each.
const WORKFLOWS: usize = 100;
/// The pause between two batches of finished workflows, so that the health checks have priority.
const PAUSE: Duration = Duration::from_millis(50);
/// Former executions are deleted soon after they end: 3,000 loops leave 10 per second, and deleting those of a minute at once
/// delayed the loops.
const EXECUTIONS_PERIOD: Duration = Duration::from_secs(2);
/// Former executions are deleted for this many loops at a time, with a pause after each batch: at most 100 per second.
const EXECUTIONS: usize = 10;
const EXECUTIONS_PAUSE: Duration = Duration::from_millis(100);

/// Runs until `shutdown`.
pub async fn run(store: Store, engine: Engine, retention: Retention, shutdown: CancellationToken) {
    let by_age = async {
        loop {
            let began = Instant::now();
            match round(&store, &engine, retention).await {
                Ok(dropped) => {
                    tracing::debug!(?dropped, "a round of the janitor is done");
                    histogram!("toygres_janitor_round_seconds").record(began.elapsed());
                    gauge!("toygres_janitor_last_round_timestamp_seconds").set(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
                }
                Err(error) => tracing::warn!(%error, "old records could not be dropped"),
            }
            tokio::time::sleep(PERIOD).await;
        }
    };
    let former = async {
        loop {
            if let Err(error) = executions(&store, &engine).await {
                tracing::warn!(%error, "former executions could not be dropped");
            }
            tokio::time::sleep(EXECUTIONS_PERIOD).await;
        }
    };
    shutdown.run_until_cancelled(async { tokio::join!(by_age, former) }).await;
}

/// Deletes the records that are too old. The parts are independent: if one fails, the others still run.
///
/// # Errors
/// The first error.
pub async fn round(store: &Store, engine: &Engine, retention: Retention) -> Result<Dropped> {
    let mut dropped = Dropped::default();
    let created = store.create_partitions().await;
    let records = records(store, retention, &mut dropped).await;
    let metrics = metrics(store, retention, &mut dropped).await;
    let workflows = workflows(store, engine, retention, &mut dropped).await;
    let Dropped { events, health_checks, partitions, metrics: readings, workflows: ended } = dropped;
    let counts = [("events", events), ("health_checks", health_checks), ("partitions", partitions), ("metrics", readings), ("workflows", ended)];
    for (what, count) in counts {
        counter!("toygres_janitor_dropped_total", "what" => what).increment(count);
    }
    created.and(records).and(metrics).and(workflows).map(|()| dropped)
}

/// Deletes the former executions of loops that have continued as new, and returns their number.
///
/// # Errors
/// When a database is unavailable.
pub async fn executions(store: &Store, engine: &Engine) -> Result<u64> {
    let mut dropped = 0;
    loop {
        let loops = tables::workflows_that_continued(store, EXECUTIONS).await?;
        let more = loops.len() == EXECUTIONS;
        let now = engine.prune(loops).await?;
        counter!("toygres_janitor_dropped_total", "what" => "executions").increment(now);
        dropped += now;
        // Another server may have deleted these concurrently; the next round continues.
        if !more || now == 0 {
            return Ok(dropped);
        }
        tokio::time::sleep(EXECUTIONS_PAUSE).await;
    }
}

async fn records(store: &Store, retention: Retention, dropped: &mut Dropped) -> Result<()> {
    loop {
        let batch = store.prune_events(retention.events, ROWS).await?;
        dropped.events += batch;
        if batch < ROWS as u64 {
            break;
        }
    }
    dropped.health_checks += partitions(store, PartitionedTable::HealthChecks, retention, dropped).await?;
    loop {
        let batch = store.prune_health_checks(retention.health_checks, ROWS).await?;
        dropped.health_checks += batch;
        if batch < ROWS as u64 {
            return Ok(());
        }
    }
}

/// Returns the number of rows in the partitions that were dropped.
async fn partitions(store: &Store, table: PartitionedTable, retention: Retention, dropped: &mut Dropped) -> Result<u64> {
    let DroppedPartitions { partitions, rows } = store.drop_partitions(table, retention.health_checks).await?;
    dropped.partitions += partitions;
    Ok(rows)
}

async fn metrics(store: &Store, retention: Retention, dropped: &mut Dropped) -> Result<()> {
    // First, so that no reading goes that is not summarized.
    store.summarize_metrics().await?;
    dropped.metrics += partitions(store, PartitionedTable::InstanceMetrics, retention, dropped).await?;
    loop {
        let batch = store.prune_metrics(retention.health_checks, ROWS).await?;
        dropped.metrics += batch;
        if batch < ROWS as u64 {
            break;
        }
    }
    loop {
        let batch = store.prune_metric_hours(retention.metrics, ROWS).await?;
        dropped.metrics += batch;
        if batch < ROWS as u64 {
            return Ok(());
        }
    }
}

async fn workflows(store: &Store, engine: &Engine, retention: Retention, dropped: &mut Dropped) -> Result<()> {
    let before = Utc::now() - retention.workflows;
    for batch in engine.ended().await?.chunks(WORKFLOWS) {
        let unneeded = unneeded(store, batch, retention.workflows).await?;
        if !unneeded.is_empty() {
            dropped.workflows += engine.forget(unneeded, before).await?;
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Selects the finished workflows that are not needed any more. Unknown ones are kept.
async fn unneeded(store: &Store, ended: &[String], retention: Duration) -> Result<Vec<String>> {
    let (health_checks, others): (Vec<_>, Vec<_>) = ended.iter().cloned().partition(|workflow| workflow.starts_with("health-"));
    let named = if health_checks.is_empty() { HashSet::new() } else { store.named_health_checks(&health_checks).await? };
    let operations: Vec<_> = others.iter().map(|workflow| operation(workflow)).collect();
    let over = if operations.is_empty() { HashSet::new() } else { store.operations_over(&operations, retention).await? };
    let health_checks = health_checks.into_iter().filter(|workflow| !named.contains(workflow));
    let of_operations = others.into_iter().zip(operations).filter(|(_, operation)| over.contains(operation)).map(|(workflow, _)| workflow);
    Ok(health_checks.chain(of_operations).collect())
}

/// The operation that a workflow carries out or monitors.
fn operation(workflow: &str) -> OperationId {
    OperationId::from_any(workflow.strip_prefix("monitor-").unwrap_or(workflow))
}
