//! The sweeper: repairs what got lost on the way. It compares what should be (the rows) with what is (the engine's
//! workflows, the runtime's objects), at start and every half minute, and takes no other input; any number of servers may sweep.
//!
//! - An unfinished operation has a live monitor, and past all patience an honest end.
//! - An instance on its way has an operation, or else an honest end.
//! - A running instance has exactly one live HealthCheck.
//! - The runtime has nothing of a deleted instance. What has no row at all is reported and never touched.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::Utc;
use metrics::counter;
use toygres_domain::{Error, InstanceId, Result, operation::OperationStatus, runtime::Progress};
use toygres_store::KnownInstance;

use crate::{
    ActivityContext, Engine,
    engine::{WorkflowStatus, tables},
    health_check::HealthCheckLoop,
};

const PERIOD: Duration = Duration::from_secs(30);

/// What one sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Monitors that were started.
    pub monitors: usize,
    /// Operations that were settled in place of their monitor.
    pub settled: usize,
    /// Instances whose way had no operation, and that are failed now.
    pub orphans: Vec<InstanceId>,
    /// HealthChecks that were started.
    pub health_checks: usize,
    /// HealthChecks that no instance names, and that were ended.
    pub strays: usize,
    /// Deleted instances of which the runtime had something, removed.
    pub removed: Vec<InstanceId>,
    /// Instances of the runtime that have no row.
    pub unknown: Vec<InstanceId>,
}

/// Runs until the world shuts down.
pub async fn run(context: ActivityContext, engine: Engine) {
    let mut reported = HashSet::new();
    while !context.shutdown.is_cancelled() {
        match sweep(&context, &engine).await {
            Ok(swept) => {
                reported.retain(|id| swept.unknown.contains(id));
                for id in &swept.unknown {
                    if reported.insert(*id) {
                        tracing::warn!(instance = %id, runtime = context.runtime.name(), "the runtime has an instance that the metadata does not know; it is left alone");
                    }
                }
                if swept != (Swept { unknown: swept.unknown.clone(), ..Swept::default() }) {
                    tracing::info!(?swept, "the sweeper had something to repair");
                    count(&swept);
                }
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "the sweeper could not look everywhere");
            }
        }
        tokio::select! {
            () = context.shutdown.cancelled() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

fn count(swept: &Swept) {
    let Swept { monitors, settled, orphans, health_checks, strays, removed, unknown: _ } = swept;
    for (what, count) in [
        ("monitors", *monitors),
        ("operations", *settled),
        ("orphans", orphans.len()),
        ("health_checks", *health_checks),
        ("stray_health_checks", *strays),
        ("remains", removed.len()),
    ] {
        counter!("toygres_sweeper_repairs_total", "what" => what).increment(count as u64);
    }
}

/// One look at everything. The parts do not depend on each other, so one that fails keeps none of the others from working.
///
/// # Errors
/// The first thing that could not be looked at.
pub async fn sweep(context: &ActivityContext, engine: &Engine) -> Result<Swept> {
    let mut swept = Swept::default();
    let rows = orphans(context, &mut swept).await;
    let workflows = workflows(context, engine, &mut swept).await;
    let objects = objects(context, &mut swept).await;
    rows.and(workflows).and(objects).map(|()| swept)
}

async fn orphans(context: &ActivityContext, swept: &mut Swept) -> Result<()> {
    swept.orphans = context.store.end_orphans().await?;
    Ok(())
}

async fn workflows(context: &ActivityContext, engine: &Engine, swept: &mut Swept) -> Result<()> {
    // The workflows before the rows: an id is in its row before its workflow starts, so a loop that is seen here and named
    // by no row below is really a stray.
    let live = engine.running().await?;
    // One workflow that the engine cannot tell of keeps none of the others from being repaired.
    let mut first_trouble = None;
    for operation in context.store.unfinished_operations().await? {
        let looked = async {
            // A pending one is the dispatcher's, and the start of one that was dispatched just now may be in the queue still.
            let mut unfollowed = false;
            let settled_in = operation.dispatched_at.is_none_or(|at| Utc::now() > at + context.timing.start);
            if operation.status == OperationStatus::Running && settled_in && !live.contains(&operation.id.monitor_id()) {
                match engine.ensure_monitor(&operation.id).await {
                    Ok(started) => swept.monitors += usize::from(started),
                    // A database that went away in its first turn can leave the engine with the end of a monitor that it can
                    // neither start again nor forget.
                    Err(error) => {
                        let cause = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::warn!(operation = %operation.id, cause, "there can be no monitor; the sweeper takes its place");
                        unfollowed = true;
                    }
                }
            }
            // A running monitor would have settled this long ago.
            let due = operation.deadline.unwrap_or(operation.dispatched_at.unwrap_or(operation.created_at) + context.timing.run);
            if unfollowed || Utc::now() > due + context.timing.stuck * 3 {
                engine.settle(&context.store, &context.timing, &operation.id).await?;
                swept.settled += 1;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = looked.await {
            first_trouble.get_or_insert(error);
        }
    }
    // After the workflows: one that was live above and has nothing ahead of it now is dead, not about to end.
    let stuck = tables::health_checks_without_future(&context.store).await?;
    let mut named = HashSet::new();
    for running in context.store.running_instances().await? {
        let interval = Duration::from_secs(u64::from(running.interval_seconds.unsigned_abs()));
        if let Some(workflow) = running.health_check.clone() {
            let status = match live.contains(&workflow) {
                // The engine waits for nothing on its behalf. The next loop takes its place, and it is ended as a stray.
                _ if stuck.contains(&workflow) => WorkflowStatus::Ended,
                true => WorkflowStatus::Running,
                false => engine.status(&workflow).await?,
            };
            if status == WorkflowStatus::Ended {
                tracing::warn!(instance = %running.id, workflow, "a health check was lost");
            }
            match status {
                WorkflowStatus::Running => {
                    named.insert(workflow);
                    continue;
                }
                // Its start got lost, or is under way still: a second start does no harm.
                WorkflowStatus::Unknown => {
                    named.insert(workflow.clone());
                    engine.start_health_check(&HealthCheckLoop::replacing(running.id, workflow, interval)).await?;
                    swept.health_checks += 1;
                    continue;
                }
                // The engine ignores a start under an id that it has seen end, so the next loop gets a new id.
                WorkflowStatus::Ended => {}
            }
        }
        let workflow = match context.store.next_health_check(running.id, running.health_check.as_deref()).await {
            Ok(workflow) => workflow,
            Err(Error::Superseded) => continue,
            Err(error) => return Err(error),
        };
        engine.start_health_check(&HealthCheckLoop::replacing(running.id, workflow, interval)).await?;
        swept.health_checks += 1;
    }
    // A loop ends by itself when it sees that it is not the one; one that cannot is ended here.
    for stray in live.iter().filter(|workflow| workflow.starts_with("health-") && !named.contains(*workflow)) {
        engine.cancel(stray, "no instance names this loop").await?;
        swept.strays += 1;
    }
    first_trouble.map_or(Ok(()), Err)
}

async fn objects(context: &ActivityContext, swept: &mut Swept) -> Result<()> {
    // The objects before the rows: a row is there before anything is deployed for it.
    let there = context.runtime.list().await.map_err(|error| Error::Unavailable(error.into()))?;
    let known: HashMap<_, KnownInstance> = context.store.known_instances(&there).await?.into_iter().map(|known| (known.id, known)).collect();
    for id in there {
        match known.get(&id) {
            None => swept.unknown.push(id),
            Some(known) if known.deleted => {
                let _lock = context.store.lock_instance(id).await?;
                match context.runtime.remove(id, known.keep_volumes).await {
                    Ok(Progress::Done) => swept.removed.push(id),
                    Ok(Progress::InProgress(reason)) => {
                        tracing::info!(instance = %id, reason = reason.message, "something of a deleted instance is being removed")
                    }
                    Err(error) => tracing::warn!(instance = %id, %error, "something of a deleted instance could not be removed yet"),
                }
            }
            Some(_) => {}
        }
    }
    Ok(())
}
