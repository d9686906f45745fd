//! The sweeper: reconciles the rows (the desired state) with the engine's workflows and the runtime's objects (the actual state),
//! at start and every half minute. It has no other input, and any number of servers may run it.
//!
//! - An unfinished operation has a running monitor, and is settled by the sweeper if it is long overdue.
//! - An instance in a transitional state has an operation, or else it is failed.
//! - A running instance has exactly one running HealthCheck.
//! - A running instance has recent samples, or else its HealthCheck is nudged: it sleeps as long as a prober checks the instance.
//! - The runtime has no objects of a deleted instance. Objects without a row are reported and never changed.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use metrics::counter;
use toygres_domain::{Error, InstanceId, Result, instance::Reason, operation::OperationStatus, runtime::Progress};
use toygres_store::{KnownInstance, UnobservedInstance};

use crate::{
    ActivityContext, Engine,
    engine::{WorkflowStatus, tables},
    health_check::HealthCheckLoop,
};

const PERIOD: Duration = Duration::from_secs(30);
/// How much later than three intervals a sample may be.
const GRACE: Duration = Duration::from_secs(30);
/// Loops that are nudged at a time, so that they do not delay operations.
const WOKEN: i64 = 500;

/// The repairs of one sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Monitors that were started.
    pub monitors: usize,
    /// Operations that were settled in place of their monitor.
    pub settled: usize,
    /// Instances in a transitional state without an operation, which have been failed.
    pub orphans: Vec<InstanceId>,
    /// HealthChecks that were started.
    pub health_checks: usize,
    /// HealthChecks that no instance names, which were cancelled.
    pub strays: usize,
    /// Deleted instances whose remaining objects were removed from the runtime.
    pub removed: Vec<InstanceId>,
    /// Instances of the runtime that have no row.
    pub unknown: Vec<InstanceId>,
    /// Why the runtime did not list its instances.
    pub unlisted: Option<Reason>,
}

/// Runs until the shutdown of the server.
pub async fn run(context: ActivityContext, engine: Engine) {
    let (mut reported, mut listed, begin) = (HashSet::new(), true, Instant::now());
    while !context.shutdown.is_cancelled() {
        match sweep(&context, &engine).await {
            Ok(swept) => {
                if let Some(reason) = swept.unlisted.as_ref().filter(|_| listed) {
                    let runtime = context.runtime.name();
                    tracing::warn!(
                        runtime,
                        error = reason.message,
                        "the runtime did not list its instances; the sweeper asks again every half minute"
                    );
                }
                listed = swept.unlisted.is_none();
                reported.retain(|id| swept.unknown.contains(id));
                for id in &swept.unknown {
                    if reported.insert(*id) {
                        tracing::warn!(instance = %id, runtime = context.runtime.name(), "the runtime has an instance that the metadata does not know; it is left alone");
                    }
                }
                if swept != (Swept { unknown: swept.unknown.clone(), unlisted: swept.unlisted.clone(), ..Swept::default() }) {
                    tracing::info!(?swept, "the sweeper had something to repair");
                    count(&swept);
                }
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "the sweeper could not look everywhere");
            }
        }
        // After a downtime the probers and loops of this server are given time for their own first checks.
        if begin.elapsed() > GRACE
            && let Err(error) = wake_unobserved(&context, &engine, GRACE).await
        {
            tracing::debug!(%error, "the sweeper could not look for instances without samples");
        }
        tokio::select! {
            () = context.shutdown.cancelled() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

fn count(swept: &Swept) {
    let Swept { monitors, settled, orphans, health_checks, strays, removed, unknown: _, unlisted: _ } = swept;
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

/// Runs one sweep. The parts are independent: if one fails, the others still run.
///
/// # Errors
/// The first error.
pub async fn sweep(context: &ActivityContext, engine: &Engine) -> Result<Swept> {
    let mut swept = Swept::default();
    let rows = orphans(context, &mut swept).await;
    let workflows = workflows(context, engine, &mut swept).await;
    let objects = objects(context, &mut swept).await;
    rows.and(workflows).and(objects).map(|()| swept)
}

/// Nudges the HealthChecks of instances that nobody has checked for three intervals and `grace`. Returns their number.
///
/// # Errors
/// When the metadata database or the engine's is unavailable.
pub async fn wake_unobserved(context: &ActivityContext, engine: &Engine, grace: Duration) -> Result<usize> {
    let unobserved = context.store.unobserved_instances(grace, WOKEN).await?;
    for UnobservedInstance { id, health_check } in &unobserved {
        tracing::debug!(instance = %id, "nobody has checked an instance for long; its health check is woken");
        engine.nudge(health_check, "").await?;
    }
    counter!("toygres_sweeper_repairs_total", "what" => "unobserved").increment(unobserved.len() as u64);
    Ok(unobserved.len())
}

async fn orphans(context: &ActivityContext, swept: &mut Swept) -> Result<()> {
    swept.orphans = context.store.end_orphans().await?;
    Ok(())
}

async fn workflows(context: &ActivityContext, engine: &Engine, swept: &mut Swept) -> Result<()> {
    // The workflows are listed before the rows are read: an id is written to its row before its workflow starts, so a loop that is
    // listed here but not named by a row below is an orphan.
    let live = engine.running().await?;
    // An error about one workflow does not prevent the repair of the others.
    let mut first_trouble = None;
    for operation in context.store.unfinished_operations().await? {
        let looked = async {
            // The dispatcher starts pending operations, and the start of one that was dispatched recently may still be in the
            // queue.
            let mut unfollowed = false;
            let settled_in = operation.dispatched_at.is_none_or(|at| context.store.now() > at + context.timing.start);
            if operation.status == OperationStatus::Running && settled_in && !live.contains(&operation.id.monitor_id()) {
                match engine.ensure_monitor(&operation.id).await {
                    Ok(started) => swept.monitors += usize::from(started),
                    // If the database fails during the first turn of a monitor, the engine can be left with a finished monitor that
                    // it can neither restart nor delete.
                    Err(error) => {
                        let cause = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::warn!(operation = %operation.id, cause, "there can be no monitor; the sweeper takes its place");
                        unfollowed = true;
                    }
                }
            }
            // A working monitor would have settled this operation long before.
            let due = operation.deadline.unwrap_or(operation.dispatched_at.unwrap_or(operation.created_at) + context.timing.run);
            if unfollowed || context.store.now() > due + context.timing.stuck * 3 {
                engine.settle(&context.store, &context.timing, &operation.id).await?;
                swept.settled += 1;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = looked.await {
            first_trouble.get_or_insert(error);
        }
    }
    // Read after the workflows: one that was running above and now has nothing in the queues is stuck, not about to finish.
    let stuck = tables::health_checks_without_future(&context.store).await?;
    let mut named = HashSet::new();
    for running in context.store.running_instances().await? {
        let interval = Duration::from_secs(u64::from(running.interval_seconds.unsigned_abs()));
        if let Some(workflow) = running.health_check.clone() {
            let status = match live.contains(&workflow) {
                // Nothing will wake this loop. Another one replaces it, and it is cancelled as an orphan.
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
                // Its start was lost, or is still in the queue. A second start is harmless.
                WorkflowStatus::Unknown => {
                    named.insert(workflow.clone());
                    engine.start_health_check(&HealthCheckLoop::replacing(running.id, workflow, interval)).await?;
                    swept.health_checks += 1;
                    continue;
                }
                // The engine ignores a start with the id of a finished workflow, so the next loop gets a new id.
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
    // A loop ends by itself when its instance names another one. A loop that cannot is cancelled here.
    for stray in live.iter().filter(|workflow| workflow.starts_with("health-") && !named.contains(*workflow)) {
        engine.cancel(stray, "no instance names this loop").await?;
        swept.strays += 1;
    }
    first_trouble.map_or(Ok(()), Err)
}

async fn objects(context: &ActivityContext, swept: &mut Swept) -> Result<()> {
    // The objects are listed before the rows are read: a row exists before anything is deployed for it.
    let there = match context.runtime.list().await {
        Ok(there) => there,
        Err(error) => {
            swept.unlisted = Some(error.reason);
            return Ok(());
        }
    };
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
