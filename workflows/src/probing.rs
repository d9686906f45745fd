//! The prober of a worker: checks healthy instances on their interval, in memory, so that their workflows can sleep.
//!
//! It observes, and the HealthCheck workflow of the instance decides. What is as the metadata say becomes a sample, and samples are stored in
//! batches, as measurements of volumes are. What is not becomes a nudge of the workflow, which checks the instance itself. So a prober that is wrong,
//! dead or cut off changes no health: a workflow that hears nothing checks by itself after a while, and the sweeper wakes those of instances without
//! samples.
//!
//! Every worker has a prober, and they share the instances by their ids: see `shares`.

mod measurements;
mod samples;
mod shares;
mod targets;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::Utc;
use metrics::{counter, histogram};
use tokio::task::JoinSet;
use toygres_domain::{
    Error, InstanceId, Result,
    event::Cursor,
    instance::{HealthStatus, Instance, InstanceFilter, InstanceState},
};
use toygres_store::{HealthSample, StorageMeasurement, changes::Changes};

use self::{
    measurements::Measurements,
    samples::Samples,
    shares::Shares,
    targets::{Due, Outcome, Refreshed, Targets},
};
use crate::{
    ActivityContext, Failure,
    activities::health_check::{Probed, probe},
    activity::catch_panic,
};

/// Probes in progress at a time. Each may log in, and so needs a file descriptor.
pub const AT_ONCE: usize = 128;
/// The counter of nudges of workflows by the prober.
pub const HINTS: &str = "toygres_probe_hints_total";
/// The counter of samples that could not be stored.
pub const LOST: &str = "toygres_health_samples_lost_total";
/// The gauge of instances that are this worker's share.
pub const PROBED: &str = "toygres_probed_instances";

/// How often what was found is stored.
const FLUSH: Duration = Duration::from_secs(1);
/// Events within this time are read together.
const COALESCE: Duration = Duration::from_millis(200);
/// Events that are read at a time.
const EVENTS: i64 = 1000;
/// How often all instances are read anew, whatever the events say.
const RELOAD: Duration = Duration::from_secs(300);
/// The pause after an error of the metadata database.
const RETRY: Duration = Duration::from_secs(1);

/// Whether instances are probed, and by whom. Clones are the same. The default has no prober: every check is one of a workflow.
#[derive(Clone, Debug, Default)]
pub struct Probing {
    prober: Option<Arc<Prober>>,
}

#[derive(Debug)]
struct Prober {
    look: Duration,
    shares: Shares,
    samples: Samples,
    measurements: Measurements,
}

impl Probing {
    /// With a prober in this process, once [`Self::run`] is called. The workflow of an instance that is probed checks by itself after `look`.
    #[must_use]
    pub fn new(look: Duration) -> Self {
        Self {
            prober: Some(Arc::new(Prober { look, shares: Shares::default(), samples: Samples::default(), measurements: Measurements::default() })),
        }
    }

    /// After what time the workflow of a healthy instance with this interval checks by itself; `None` if nobody probes.
    pub(crate) fn look(&self, interval: Duration) -> Option<Duration> {
        let prober = self.prober.as_ref()?;
        prober.shares.are_known().then(|| prober.look.max(interval))
    }

    /// Whether a check in this process may keep its connection to the instance: another worker that probes it has its own.
    pub(crate) fn keeps_connection(&self, instance: InstanceId) -> bool {
        self.prober.as_ref().is_none_or(|prober| !prober.shares.are_known() || prober.shares.has(instance))
    }

    /// Whether an instance is this prober's share.
    #[must_use]
    pub fn probes(&self, instance: InstanceId) -> bool {
        self.prober.as_ref().is_some_and(|prober| prober.shares.has(instance))
    }

    /// Probes until the shutdown of the server.
    pub async fn run(context: ActivityContext, changes: Changes) {
        let Some(prober) = context.probing.prober.clone() else { return context.shutdown.cancelled().await };
        for metric in [HINTS, LOST] {
            counter!(metric).increment(0);
        }
        let targets = Targets::default();
        let Prober { shares, samples, measurements, .. } = &*prober;
        futures::join!(
            shares.run(&context.store, &context.shutdown),
            follow(&context, shares, &targets, &changes),
            probe_targets(&context, &targets),
            samples.run(&context.store, &context.shutdown),
            measurements.run(&context.store, &context.shutdown),
        );
    }

    /// Hands in a sample, which is stored soon.
    fn record(&self, sample: HealthSample) {
        if let Some(prober) = &self.prober {
            prober.samples.add(sample);
        }
    }

    /// Hands in a measurement of a volume, which is stored soon.
    pub(crate) fn record_storage(&self, measurement: StorageMeasurement) {
        if let Some(prober) = &self.prober {
            prober.measurements.add(measurement);
        }
    }
}

/// Keeps the targets as the metadata have them.
async fn follow(context: &ActivityContext, shares: &Shares, targets: &Targets, changes: &Changes) {
    let (mut moves, mut is_first) = (shares.moves(), true);
    while context.shutdown.run_until_cancelled(shares.known()).await.is_some() {
        moves.borrow_and_update();
        let loaded = async {
            let cursor = load(context, shares, targets, is_first).await?;
            is_first = false;
            follow_events(context, shares, targets, changes, cursor).await
        };
        tokio::select! {
            () = context.shutdown.cancelled() => return,
            _ = moves.changed() => {}
            end = loaded => if let Err(error) = end {
                tracing::debug!(%error, "the prober could not read the instances");
                tokio::time::sleep(RETRY).await;
            },
        }
    }
}

/// Reads all instances. Returns the position of the log at that time.
async fn load(context: &ActivityContext, shares: &Shares, targets: &Targets, is_first: bool) -> Result<Cursor> {
    let running = InstanceFilter { states: Some(vec![InstanceState::Running]), ..InstanceFilter::default() };
    let (instances, head) = context.store.snapshot(&running).await?;
    let mine = instances.into_iter().filter(|instance| shares.has(instance.id));
    // What a dead worker has not probed is due. At the start there is nothing that anybody has probed, and the offsets spread the first probes.
    let catch_up = if is_first { Duration::ZERO } else { shares::LONGEST_MOVE };
    for lost in targets.replace_all(mine, catch_up) {
        context.prober.forget(lost);
    }
    Ok(head)
}

/// Reads the instances of the share that change, until all are to be read anew.
async fn follow_events(context: &ActivityContext, shares: &Shares, targets: &Targets, changes: &Changes, mut cursor: Cursor) -> Result<()> {
    let (mut wakes, begin) = (changes.events(), Instant::now());
    while begin.elapsed() < RELOAD {
        let events = match context.store.events_after(cursor, None, EVENTS).await {
            Err(Error::MustRefetch) => return Ok(()),
            events => events?,
        };
        if let Some(last) = events.last() {
            cursor = last.cursor;
        }
        let is_all = i64::try_from(events.len()).unwrap_or(EVENTS) < EVENTS;
        let mut changed: Vec<_> = events.iter().map(|event| event.instance).filter(|id| shares.has(*id)).collect();
        changed.sort_unstable();
        changed.dedup();
        if !changed.is_empty() {
            for instance in context.store.instances_by_id(&changed).await? {
                update(context, targets, instance);
            }
        }
        if is_all {
            // An error means that this server stops.
            let _ = tokio::time::timeout(RELOAD, wakes.changed()).await;
            tokio::time::sleep(COALESCE).await;
            wakes.borrow_and_update();
        }
    }
    Ok(())
}

fn update(context: &ActivityContext, targets: &Targets, instance: Instance) {
    let (id, state) = (instance.id, instance.state);
    // During an operation the connection tells of a death.
    if !targets.update(instance) && state != InstanceState::Updating {
        context.prober.forget(id);
    }
}

/// Probes what is due.
async fn probe_targets(context: &ActivityContext, targets: &Targets) {
    let mut tasks = JoinSet::new();
    loop {
        let room = AT_ONCE - tasks.len();
        for due in targets.take(Instant::now(), room) {
            tasks.spawn(attend(context.clone(), targets.clone(), due));
        }
        let next = targets.next().filter(|_| tasks.len() < AT_ONCE);
        tokio::select! {
            () = context.shutdown.cancelled() => return,
            // Panics are caught within.
            Some(_) = tasks.join_next() => {}
            () = targets.changed() => {}
            () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now).into()), if next.is_some() => {}
        }
    }
}

/// Probes one instance, and says when it is due again.
async fn attend(context: ActivityContext, targets: Targets, due: Due) {
    let instance = &*due.instance;
    if instance.health != HealthStatus::Healthy {
        // Its workflow checks it more often than this, unless it slept through an operation whose end it was not told of.
        hint(&context, &targets, instance).await;
        return targets.done(instance.id, Outcome::Hinted);
    }
    let probing = async {
        let outcome = probe(&context, instance, due.memory, || hint(&context, &targets, instance));
        let limit = context.timing.check;
        tokio::time::timeout(limit, outcome).await.unwrap_or_else(|_| Err(Failure::timed_out(limit)))
    };
    let outcome = match catch_panic(probing).await {
        Ok(Probed::Expected { success, memory, soon }) => {
            let at = context.store.now();
            context.probing.record(HealthSample { instance: instance.id, operation_count: instance.operation_count, at, success });
            Outcome::Expected { memory, soon }
        }
        Ok(Probed::Unexpected) => {
            hint(&context, &targets, instance).await;
            Outcome::Unexpected(context.timing.recovery)
        }
        // The metadata database, most likely.
        Err(failure) => {
            tracing::debug!(instance = %instance.id, ?failure, "an instance could not be probed");
            Outcome::Hinted
        }
    };
    histogram!("toygres_health_check_lag_seconds").record(due.at.elapsed());
    targets.done(instance.id, outcome);
}

/// Has the workflow of the instance check it, if the instance is as the probe knew it.
async fn hint(context: &ActivityContext, targets: &Targets, known: &Instance) {
    let now = match context.store.instance(known.id).await {
        Ok(now) => now,
        Err(error) => return tracing::debug!(%error, instance = %known.id, "a hint was lost"),
    };
    let Some(now) = now else { return targets.remove(known.id) };
    let workflow = now.health_check_orchestration_id.clone();
    let is_known = now.operation_count == known.operation_count && now.endpoint == known.endpoint && now.health == known.health;
    let (id, state) = (now.id, now.state);
    // One that is not there any more was removed by whoever follows the events and the shares, and comes back by them alone.
    if targets.refresh(now) == Refreshed::Removed && state != InstanceState::Updating {
        context.prober.forget(id);
    }
    let Some(workflow) = workflow.filter(|_| is_known && targets.permits_hint(known)) else { return };
    counter!(HINTS).increment(1);
    if let Err(error) = context.engine.nudge(&workflow, "").await {
        tracing::debug!(%error, instance = %known.id, "a hint was lost");
    }
}

/// How long until the next probe of an instance.
fn until_next(instance: &Instance) -> Duration {
    crate::activities::health_check::until_next(instance.id, interval(instance), Utc::now())
}

fn interval(instance: &Instance) -> Duration {
    Duration::from_secs(u64::from(instance.spec.health_check.interval_seconds.unsigned_abs()))
}
