//! The janitor: keeps what grows bounded, in small batches beside the work. Several servers may do it at once; what one has
//! dropped the other does not find.
//!
//! - Events and health samples, by their age.
//! - Executions that a living HealthCheck has left behind by continuing as new. The engine never drops the one at work.
//! - Workflows that have ended. Others read from "the engine never heard of it" that a workflow has to be started (dispatcher,
//!   sweeper, monitors), so only those go that nobody asks for: of operations that are over, and health checks that no
//!   instance names. A generation of a health check is named once, before it starts, and never again.

use std::{
    collections::HashSet,
    time::{Duration, Instant, SystemTime},
};

use chrono::Utc;
use metrics::{counter, gauge, histogram};
use tokio_util::sync::CancellationToken;
use toygres_domain::{OperationId, Result, store::Store};

use crate::Engine;

/// How long things are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Events, and with them the cursors that can be resumed from.
    pub events: Duration,
    /// Health samples.
    pub health_checks: Duration,
    /// The engine's record of workflows that have ended.
    pub workflows: Duration,
}

/// What one round dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Events.
    pub events: u64,
    /// Health samples.
    pub health_checks: u64,
    /// Former executions of living health checks.
    pub executions: u64,
    /// Workflows that had ended.
    pub workflows: u64,
}

const PERIOD: Duration = Duration::from_secs(60);
/// Rows of a table at once.
const ROWS: i64 = 1000;
/// Workflows at once. The engine takes a statement or more for each.
const WORKFLOWS: usize = 100;
/// Between two batches of workflows, so that the loops come first.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs until `shutdown`.
pub async fn run(store: Store, engine: Engine, retention: Retention, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let began = Instant::now();
        tokio::select! {
            () = shutdown.cancelled() => {}
            done = round(&store, &engine, retention) => match done {
                Ok(dropped) => {
                    tracing::debug!(?dropped, "a round of the janitor is done");
                    histogram!("toygres_janitor_round_seconds").record(began.elapsed());
                    gauge!("toygres_janitor_last_round_timestamp_seconds").set(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
                }
                Err(error) => tracing::warn!(%error, "old records could not be dropped"),
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// One look at everything. The parts do not depend on each other, so one that fails keeps none of the others from working.
///
/// # Errors
/// The first thing that could not be done.
pub async fn round(store: &Store, engine: &Engine, retention: Retention) -> Result<Dropped> {
    let mut dropped = Dropped::default();
    let records = records(store, retention, &mut dropped).await;
    let executions = executions(store, engine, &mut dropped).await;
    let workflows = workflows(store, engine, retention, &mut dropped).await;
    let Dropped { events, health_checks, executions: former, workflows: ended } = dropped;
    for (what, count) in [("events", events), ("health_checks", health_checks), ("executions", former), ("workflows", ended)] {
        counter!("toygres_janitor_dropped_total", "what" => what).increment(count);
    }
    records.and(executions).and(workflows).map(|()| dropped)
}

async fn records(store: &Store, retention: Retention, dropped: &mut Dropped) -> Result<()> {
    loop {
        let batch = store.prune_events(retention.events, ROWS).await?;
        dropped.events += batch;
        if batch < ROWS as u64 {
            break;
        }
    }
    loop {
        let batch = store.prune_health_checks(retention.health_checks, ROWS).await?;
        dropped.health_checks += batch;
        if batch < ROWS as u64 {
            return Ok(());
        }
    }
}

async fn executions(store: &Store, engine: &Engine, dropped: &mut Dropped) -> Result<()> {
    let loops: Vec<_> = store.running_instances().await?.into_iter().filter_map(|running| running.health_check).collect();
    for batch in loops.chunks(WORKFLOWS) {
        dropped.executions += engine.prune(batch.to_vec()).await?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
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

/// Those of these ended workflows that nobody will ask for. What is not recognised stays.
async fn unneeded(store: &Store, ended: &[String], retention: Duration) -> Result<Vec<String>> {
    let (health_checks, others): (Vec<_>, Vec<_>) = ended.iter().cloned().partition(|workflow| workflow.starts_with("health-"));
    let named = if health_checks.is_empty() { HashSet::new() } else { store.named_health_checks(&health_checks).await? };
    let operations: Vec<_> = others.iter().map(|workflow| operation(workflow)).collect();
    let over = if operations.is_empty() { HashSet::new() } else { store.operations_over(&operations, retention).await? };
    let health_checks = health_checks.into_iter().filter(|workflow| !named.contains(workflow));
    let of_operations = others.into_iter().zip(operations).filter(|(_, operation)| over.contains(operation)).map(|(workflow, _)| workflow);
    Ok(health_checks.chain(of_operations).collect())
}

/// The operation that a workflow carries out, or follows.
fn operation(workflow: &str) -> OperationId {
    OperationId::from_any(workflow.strip_prefix("monitor-").unwrap_or(workflow))
}
