//! Repairs running and suspended instances: what somebody has deleted or edited of one is put back, without an operation.
//!
//! An instance is inspected soon after a nudge of the runtime, and all of them every half minute, because nudges may be lost. What was put
//! back is an event of the instance; what cannot be put back is its reason. A repair runs under the lock of the instance and only while
//! no operation works on it. If somebody reverts it again and again, there is a back-off.

mod backoff;
mod maintenance;

use std::{
    collections::HashMap,
    future::pending,
    time::{Duration, Instant},
};

use metrics::counter;
use tokio::sync::mpsc;
use toygres_domain::{
    Error, InstanceId, Result,
    address::Address,
    data::Data,
    drift::{Drift, Expected, Inspection, not_put_back, put_back},
    instance::{HealthStatus, Instance, InstanceSpec, InstanceState, Reason, ReasonCode},
    notice::NoticeCode,
    roles::Roles,
    runtime::RuntimeError,
};

use self::{backoff::Backoff, maintenance::update_in_window};
use crate::{ActivityContext, activities::deploy_postgres::deployment};

/// How long after a nudge an instance is inspected: several objects are often changed together.
const COALESCE: Duration = Duration::from_millis(200);
/// The shortest time between two inspections of one instance, whatever nudges there are.
const SHORTEST: Duration = Duration::from_secs(1);

/// Where nudges go. Clones are the same.
#[derive(Clone, Debug)]
pub struct Suspects(mpsc::UnboundedSender<InstanceId>);

impl Suspects {
    /// Has an instance inspected soon.
    pub fn add(&self, id: InstanceId) {
        // An error means that the server is stopping.
        let _ = self.0.send(id);
    }
}

/// The task that repairs instances.
#[derive(Debug)]
pub struct Repairs {
    suspects: mpsc::UnboundedReceiver<InstanceId>,
}

/// Makes the task, and where nudges for it go.
#[must_use]
pub fn repairs() -> (Suspects, Repairs) {
    let (sender, suspects) = mpsc::unbounded_channel();
    (Suspects(sender), Repairs { suspects })
}

impl Repairs {
    /// Runs until the shutdown of the server.
    pub async fn run(mut self, context: ActivityContext) {
        let mut schedule = Schedule::default();
        let mut next_round = Instant::now();
        loop {
            let next = schedule.next().map_or(next_round, |next| next.min(next_round));
            tokio::select! {
                () = context.shutdown.cancelled() => return,
                suspect = self.suspects.recv() => match suspect {
                    Some(id) => schedule.suspect(id, Instant::now()),
                    // Nobody sends nudges any more.
                    None => pending().await,
                },
                () = tokio::time::sleep_until(next.into()) => {
                    let now = Instant::now();
                    let is_round = now >= next_round;
                    if is_round {
                        next_round = now + context.timing.inspection;
                    }
                    let due = schedule.take_due(now, is_round);
                    // What is interrupted is inspected again after the next start.
                    let inspected = tokio::select! {
                        () = context.shutdown.cancelled() => return,
                        inspected = inspect(&context, (!is_round).then_some(due.as_slice()), &mut schedule) => inspected,
                    };
                    if let Err(error) = inspected {
                        let cause = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::debug!(%error, cause, "instances could not be inspected");
                        for id in due {
                            schedule.retry(id, Instant::now());
                        }
                    }
                }
            }
        }
    }
}

/// When which instances are inspected.
#[derive(Debug, Default)]
struct Schedule {
    due: HashMap<InstanceId, Instant>,
    inspected: HashMap<InstanceId, Instant>,
    backoff: Backoff,
}

impl Schedule {
    fn next(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }

    fn suspect(&mut self, id: InstanceId, now: Instant) {
        let earliest = self.inspected.get(&id).map_or(now, |at| *at + SHORTEST);
        self.due.entry(id).or_insert(earliest.max(now + COALESCE));
    }

    fn retry(&mut self, id: InstanceId, at: Instant) {
        self.due.entry(id).or_insert(at + SHORTEST);
    }

    /// The instances that are due, or all that are waiting.
    fn take_due(&mut self, now: Instant, all: bool) -> Vec<InstanceId> {
        let due: Vec<_> = self.due.extract_if(|_, at| all || *at <= now).map(|(id, _)| id).collect();
        self.inspected.retain(|_, at| now < *at + SHORTEST);
        self.inspected.extend(due.iter().map(|id| (*id, now)));
        due
    }
}

/// Inspects these instances, or all, and repairs those that need it.
async fn inspect(context: &ActivityContext, ids: Option<&[InstanceId]>, schedule: &mut Schedule) -> Result<()> {
    let running = context.store.deployed_with_data(ids).await?;
    let expected: Vec<_> = running.iter().map(|(instance, data, roles)| expected(instance, data, *roles)).collect();
    let mut found: HashMap<_, Inspection> = in_time(context, context.runtime.inspect(&expected))
        .await?
        .map_err(|error| Error::Unavailable(error.into()))?
        .into_iter()
        .map(|inspection| (inspection.id, inspection))
        .collect();
    // One instance that cannot be repaired does not keep the others from it.
    let mut first_trouble = None;
    for (instance, data, _) in running {
        let id = instance.id;
        if let Err(error) = treat(context, instance, data, found.remove(&id), schedule).await {
            first_trouble.get_or_insert(error);
        }
    }
    first_trouble.map_or(Ok(()), Err)
}

async fn treat(context: &ActivityContext, instance: Instance, data: Data, found: Option<Inspection>, schedule: &mut Schedule) -> Result<()> {
    let id = instance.id;
    if data.volume().is_none() && instance.health == HealthStatus::Healthy {
        // An earlier release deployed it. It is healthy with the volume that it has.
        if let Ok(Some(volume)) = in_time(context, context.runtime.volume(id)).await? {
            context.store.record_volume(id, &volume).await?;
        }
    }
    let update = found.as_ref().and_then(|found| found.update.as_ref());
    if update != instance.update_available.as_ref() || update.is_some() != instance.has_notice(NoticeCode::UpdateAvailable) {
        context.store.record_update(id, update).await?;
    } else if found.as_ref().is_some_and(|found| found.drift.is_empty() && found.data.is_none()) {
        update_in_window(context, &instance).await?;
    }
    let found = found.filter(|found| !found.drift.is_empty() || found.data.is_some());
    let Some(Inspection { id: _, drift, data: finding, update: _ }) = found else {
        if instance.reason.is_some_and(|reason| reason.code.is_notice() || reason.code == ReasonCode::DataLost) {
            context.store.clear_finding(id).await?;
        }
        return Ok(());
    };
    if let Some(reason) = finding {
        return context.store.report_finding(id, &reason).await;
    }
    let now = Instant::now();
    if let Err(at) = schedule.backoff.permits(id, &drift, now) {
        schedule.due.entry(id).or_insert(at);
        return Ok(());
    }
    match repair(context, id, data).await? {
        None => {}
        Some(Ok(repaired)) if repaired.is_empty() => {}
        Some(Ok(repaired)) => {
            let what = put_back(&repaired);
            tracing::warn!(instance = %id, "{}", what.message);
            for drift in &repaired {
                counter!("toygres_repairs_total", "what" => drift.kind.as_str()).increment(1);
            }
            context.store.record_repair(id, None, &what).await?;
            context.store.clear_finding(id).await?;
            check_anew(context, &instance).await;
            // Somebody may fight it, which only another look shows.
            schedule.suspect(id, Instant::now());
        }
        Some(Err(RuntimeError { reason, retryable })) => {
            tracing::warn!(instance = %id, cause = reason.message, retryable, "an instance could not be repaired");
            if !retryable {
                context.store.report_finding(id, &refusal(&drift, reason)).await?;
            }
            schedule.retry(id, Instant::now());
        }
    }
    Ok(())
}

/// Has the health of an instance checked at once that was repaired, or has another address: clients may have to connect to another address, and no nudge of the runtime is
/// certain to come.
pub(crate) async fn check_anew(context: &ActivityContext, instance: &Instance) {
    if instance.state != InstanceState::Running {
        return;
    }
    context.prober.forget(instance.id);
    if let Some(health_check) = &instance.health_check_orchestration_id
        && let Err(error) = context.engine.nudge(health_check, "").await
    {
        tracing::debug!(%error, instance = %instance.id, "the check of a changed instance comes with its interval");
    }
}

/// The reason to show for a repair that is refused for good.
fn refusal(drift: &[Drift], why: Reason) -> Reason {
    if why.code == ReasonCode::DataLost { why } else { not_put_back(drift, &why) }
}

/// Repairs an instance; `None` if an operation works on it.
async fn repair(context: &ActivityContext, id: InstanceId, data: Data) -> Result<Option<std::result::Result<Vec<Drift>, RuntimeError>>> {
    let _lock = context.store.lock_instance(id).await?;
    // Read again under the lock: an operation may have changed it.
    let Some(instance) = context.store.instance(id).await? else { return Ok(None) };
    if !context.store.is_idle(&instance).await? {
        return Ok(None);
    }
    let deployment = match deployment(context, instance, data).await {
        Ok(deployment) => deployment,
        Err(failure) => return Err(Error::Unavailable(failure.reason().message.into())),
    };
    in_time(context, context.runtime.repair(&deployment)).await.map(Some)
}

async fn in_time<T>(context: &ActivityContext, verb: impl Future<Output = T>) -> Result<T> {
    let limit = context.timing.verb;
    tokio::time::timeout(limit, verb)
        .await
        .map_err(|_| Error::Unavailable(format!("{} gave no answer within {} s", context.runtime.name(), limit.as_secs()).into()))
}

/// What is deployed of an instance as it is.
pub(crate) fn expected(instance: &Instance, data: &Data, roles: Roles) -> Expected {
    let Address { name, exposure } = instance.address();
    Expected {
        id: instance.id,
        name,
        first_name: instance.first_name.clone(),
        spec: InstanceSpec { exposure, ..instance.spec.clone() },
        roles,
        data: data.clone(),
        suspended: instance.state == InstanceState::Suspended,
    }
}
