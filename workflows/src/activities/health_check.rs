//! HealthCheck: logs in to the instance, runs a query, records the sample and evaluates it.

mod examination;
mod idle;
mod probe;
mod storage;
mod trend;

use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{counter, histogram};
use serde::{Deserialize, Serialize};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, HealthStatus, Instance, InstanceState, Reason, ReasonCode},
    notice::{NoticeCode, Vitals, pending_restart},
};
use toygres_postgres::{Answer, Measure, OwnerPassword};
use toygres_store::SuccessfulCheck;

pub(crate) use self::probe::{Memory, Probed, probe};
use self::{
    examination::{Examination, Finding},
    idle::suspend_if_idle,
    storage::{StorageFinding, Volume},
    trend::note_trend,
};
use super::update_health::HealthChange;
use crate::{
    Failure,
    activity::{Activity, ActivityContext},
    instance_metrics::reading,
    notices::update_notice,
    slow_checks::{POSTPONEMENTS, Standing},
};

/// The activity.
pub struct HealthCheck;

/// What to check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The instance.
    pub instance: InstanceId,
    /// The id of the loop that runs the check.
    pub workflow: String,
    /// Consecutive failed checks before this one.
    pub failures: u32,
    /// How often checks were postponed since the last one that succeeded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub postponed: u32,
    /// A death of the server that the runtime reported.
    pub death: Option<Reason>,
    /// When this check was due, in milliseconds since 1970. `None` if a nudge triggered it, or the last check found the instance in
    /// between two states: then the runtime is observed too, and no kept connection is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
}

/// The result of a check.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// The loop ends: it is not, or no longer, the one that the instance's row names.
    End,
    /// Checked, or postponed.
    Checked {
        /// Milliseconds until the next check.
        wait_ms: u64,
        /// The time of the next check in milliseconds since 1970; `None` if that check has to observe the runtime.
        #[serde(default)]
        due_ms: Option<i64>,
        /// Consecutive failed checks, including this one.
        failures: u32,
        /// How often checks were postponed since the last one that succeeded.
        #[serde(default, skip_serializing_if = "is_zero")]
        postponed: u32,
        /// The change to write, if there is one.
        change: Option<HealthChange>,
    },
}

impl Activity for HealthCheck {
    const NAME: &'static str = "toygres-workflows::activity::health-check";
    type Input = Input;
    type Output = CheckOutcome;

    async fn run(context: ActivityContext, input: Input) -> Result<CheckOutcome, Failure> {
        let limit = context.timing.check;
        tokio::time::timeout(limit, check(&context, input)).await.unwrap_or_else(|_| Err(Failure::timed_out(limit)))
    }
}

async fn check(context: &ActivityContext, input: Input) -> Result<CheckOutcome, Failure> {
    let named = context.store.instance(input.instance).await?.filter(|instance| {
        matches!(instance.state, InstanceState::Running | InstanceState::Updating)
            && instance.health_check_orchestration_id.as_deref() == Some(&input.workflow)
    });
    let Some((instance, endpoint)) = named.and_then(|instance| instance.endpoint.clone().map(|endpoint| (instance, endpoint))) else {
        context.prober.forget(input.instance);
        return Ok(CheckOutcome::End);
    };
    // An operation makes the instance unreachable on purpose, so a check would be meaningless.
    if instance.state == InstanceState::Updating {
        return Ok(next(context.timing.paused, true, 0, 0, None));
    }
    // A death that the runtime reported needs no confirmation, even if the server is already back: the next check finds out. Of an
    // outage that is confirmed it says nothing new, and it may be older than the reason that a check has found meanwhile.
    if let Some(death) = input.death.clone().filter(|_| instance.health != HealthStatus::Unhealthy) {
        return unhealthy(context, &instance, context.timing.recheck / 4, input.postponed, death).await;
    }
    let policy = instance.spec.health_check;
    let interval = seconds(policy.interval_seconds);
    let timeout = match input.failures {
        1.. if input.failures < context.timing.confirmations => seconds(policy.timeout_seconds).min(context.timing.recheck_timeout),
        _ => seconds(policy.timeout_seconds),
    };
    // A check after one that failed may run in a server that keeps a connection from before.
    let anew = input.due_ms.is_none() || input.failures > 0;
    let volume = Volume::of(context, &instance).await?;
    let storage = volume.is_some_and(|volume| volume.is_due(&instance));
    let metrics = context.metrics.is_due(instance.id);
    let measure = Measure { storage, vitals: storage || metrics };
    let examination =
        Examination { context, instance: &instance, endpoint: &endpoint, anew, keep: context.probing.keeps_connection(instance.id), measure };
    let standing = standing(&input, timeout <= context.timing.prompt);
    let Some(finding) = context.slow_checks.run(standing, timeout, context.timing.prompt, |timeout| examination.run(timeout)).await else {
        counter!("toygres_health_checks_postponed_total").increment(1);
        let pause = context.timing.postponed.saturating_mul(2u32.saturating_pow(input.postponed)).min(interval);
        return Ok(next(pause, anew, input.failures, input.postponed.saturating_add(1), None));
    };
    let soon = context.timing.recovery.min(interval);
    let found = match finding? {
        Finding::Answered { answer, settled } => {
            let storage = match volume {
                Some(volume) => volume.attend(context, &instance, &answer).await?,
                None => StorageFinding::default(),
            };
            attend(context, &instance, volume, &answer, metrics).await?;
            // No connection was kept after a change, because the network may follow it with a delay: another login is due soon.
            // A prober checks a healthy instance meanwhile, and measures its volume.
            let look = context.probing.look(interval).filter(|_| storage.read_only.is_none());
            let wait = if anew || !settled { soon } else { until_next(instance.id, look.unwrap_or(interval), Utc::now()) };
            let wait = storage.soon.filter(|_| look.is_none()).map_or(wait, |soon| wait.min(soon));
            let (health, reason) = match storage.read_only {
                Some(reason) => (HealthStatus::Unhealthy, Some(reason)),
                None => {
                    suspend_if_idle(context, &instance, &answer.activity, input.failures == 0).await?;
                    (HealthStatus::Healthy, None)
                }
            };
            let success = SuccessfulCheck { latency: answer.latency, logged_in: answer.logged_in };
            record(context, &instance, health, (health == HealthStatus::Healthy).then_some(success), reason.as_ref()).await?;
            next(wait, !settled, 0, 0, changed(&instance, health, reason, None))
        }
        Finding::Failed(reason) => {
            rescue(context, &instance, volume, &reason).await?;
            if reason.code == ReasonCode::TlsFailed {
                context.suspect_certificates.add(instance.id);
            }
            record(context, &instance, HealthStatus::Unhealthy, None, Some(&reason)).await?;
            let failures = input.failures.saturating_add(1);
            // A server that is starting up responds, so more failed checks are required before this counts as an outage.
            let confirmations = context.timing.confirmations;
            let limit = if reason.code == ReasonCode::StartingUp { confirmations * 10 } else { confirmations };
            let is_outage = failures >= limit;
            let change = if is_outage { changed(&instance, HealthStatus::Unhealthy, Some(reason), None) } else { None };
            let pause = if is_outage { context.timing.recovery } else { context.timing.recheck };
            next(pause.min(interval), false, failures, input.postponed, change)
        }
        Finding::Moved(symptom, to) => {
            record(context, &instance, HealthStatus::Unhealthy, None, Some(&symptom)).await?;
            let change = HealthChange {
                health: instance.health,
                reason: instance.reason.clone(),
                moved_to: Some(to),
                operation_count: instance.operation_count,
            };
            next(context.timing.recheck.min(interval), false, input.failures.saturating_add(1), input.postponed, Some(change))
        }
        Finding::Unusable(reason) => {
            rescue(context, &instance, volume, &reason).await?;
            unhealthy(context, &instance, soon, input.postponed, reason).await?
        }
        Finding::Died => next(context.timing.recheck, true, input.failures, input.postponed, None),
    };
    if let Some(due) = input.due_ms.and_then(DateTime::from_timestamp_millis) {
        histogram!("toygres_health_check_lag_seconds").record((Utc::now() - due).as_seconds_f64().max(0.0));
    }
    Ok(found)
}

/// Does what an answer requires that changes no health: notices and metrics.
async fn attend(context: &ActivityContext, instance: &Instance, volume: Option<Volume>, answer: &Answer, metrics: bool) -> Result<(), Failure> {
    note_password(context, instance, answer.owner_password).await?;
    note_collations(context, instance, answer.outdated_collations.as_deref()).await?;
    let vitals = answer.vitals.as_ref().map(|(vitals, _)| vitals);
    note_conditions(context, instance, vitals).await?;
    if let Some(vitals) = vitals {
        note_trend(context, instance, vitals, volume).await?;
    }
    if let Some((_, server)) = answer.vitals.as_ref().filter(|_| metrics) {
        let sizes = volume.and_then(|volume| volume.sizes(answer));
        context.metrics.record(instance.id, reading(&context.store, server, sizes));
    }
    Ok(())
}

/// Has the volume of a server grow that is down because it is full.
async fn rescue(context: &ActivityContext, instance: &Instance, volume: Option<Volume>, reason: &Reason) -> Result<(), Failure> {
    match volume {
        Some(volume) if reason.code == ReasonCode::DiskFull => volume.rescue(context, instance).await,
        _ => Ok(()),
    }
}

/// Sets or removes the notice about the owner's password, or keeps the one that a rotation left in use. An instance whose owner has
/// changed it is as healthy as before.
async fn note_password(context: &ActivityContext, instance: &Instance, password: OwnerPassword) -> Result<(), Failure> {
    let is_changed = match password {
        OwnerPassword::Changed => true,
        OwnerPassword::Current => false,
        OwnerPassword::Other => return Ok(context.store.adopt_other_password(instance).await?),
        OwnerPassword::Untold => return Ok(()),
    };
    if is_changed != instance.has_notice(NoticeCode::PasswordChanged) {
        let role = &instance.spec.username;
        let message = format!("the password of the role {role} was changed by SQL; the stored one does not log in any more: rotate the password");
        context.store.note_changed_password(instance, is_changed.then_some(message.as_str())).await?;
    }
    Ok(())
}

/// Sets or removes the notice about databases whose collation has changed.
async fn note_collations(context: &ActivityContext, instance: &Instance, outdated: Option<&str>) -> Result<(), Failure> {
    let code = NoticeCode::CollationVersionMismatch;
    let message = match outdated {
        None => return Ok(()),
        Some("") if !instance.has_notice(code) => return Ok(()),
        Some("") => None,
        Some(databases) => Some(format!(
            "the library that sorts text has another version than the indexes of {databases} were built with: run REINDEX DATABASE, then \
             ALTER DATABASE ... REFRESH COLLATION VERSION"
        )),
    };
    Ok(update_notice(context, instance, code, message.as_deref()).await?)
}

/// Sets or removes the notices about what can become an outage, and about parameters that wait for a restart.
async fn note_conditions(context: &ActivityContext, instance: &Instance, vitals: Option<&Vitals>) -> Result<(), Failure> {
    let pending = pending_restart(&instance.spec.parameters);
    update_notice(context, instance, NoticeCode::PendingRestart, pending.as_deref()).await?;
    for (code, message) in vitals.into_iter().flat_map(|vitals| vitals.notices(&instance.spec, |code| instance.has_notice(code))) {
        update_notice(context, instance, code, message.as_deref()).await?;
    }
    Ok(())
}

/// An instance that did not answer is checked again only with a permit, so that it does not take a slot for nothing. After the last
/// postponement a brief permit suffices, so an outage is confirmed however many others are silent.
fn standing(input: &Input, is_short: bool) -> Standing {
    match (input.failures, input.postponed) {
        (0, 0) => Standing::Responsive,
        (1.., _) if is_short => Standing::Due,
        (_, POSTPONEMENTS..) => Standing::Due,
        _ => Standing::Suspect,
    }
}

/// For fields that are newer than some histories of workflows.
pub(crate) fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Records a sample and updates the metrics.
async fn record(
    context: &ActivityContext,
    instance: &Instance,
    status: HealthStatus,
    success: Option<SuccessfulCheck>,
    why: Option<&Reason>,
) -> Result<(), Failure> {
    context.store.record_health_check(instance.id, instance.operation_count, status, success, why).await?;
    count(success, why);
    Ok(())
}

/// Updates the metrics.
fn count(success: Option<SuccessfulCheck>, why: Option<&Reason>) {
    counter!("toygres_health_checks_total", "result" => why.map_or("healthy", |why| why.code.as_str())).increment(1);
    if let Some(SuccessfulCheck { latency, .. }) = success {
        histogram!("toygres_health_check_latency_seconds").record(latency);
    }
}

/// What the runtime has observed is an outage without further checks.
async fn unhealthy(context: &ActivityContext, instance: &Instance, wait: Duration, postponed: u32, why: Reason) -> Result<CheckOutcome, Failure> {
    record(context, instance, HealthStatus::Unhealthy, None, Some(&why)).await?;
    let change = changed(instance, HealthStatus::Unhealthy, Some(why), None);
    Ok(next(wait, true, context.timing.confirmations, postponed, change))
}

/// The outcome after which the next check is made in `wait`, and `anew` if the runtime has to be observed again.
fn next(wait: Duration, anew: bool, failures: u32, postponed: u32, change: Option<HealthChange>) -> CheckOutcome {
    let wait_ms = millis(wait);
    let due_ms = if anew { None } else { Utc::now().timestamp_millis().checked_add_unsigned(wait_ms) };
    CheckOutcome::Checked { wait_ms, due_ms, failures, postponed, change }
}

/// Every instance is checked at a fixed offset within the interval, however late the last check was. Loops that a restart has
/// synchronized are therefore spread again after one interval, and delays do not accumulate.
pub(crate) fn until_next(instance: InstanceId, interval: Duration, now: DateTime<Utc>) -> Duration {
    let interval = millis(interval).max(1);
    let moment = instance.spread(interval);
    let now = u64::try_from(now.timestamp_millis()).unwrap_or(0) % interval;
    let wait = (interval + moment - now) % interval;
    // A check that was slightly early is not repeated at its offset.
    Duration::from_millis(if wait < interval / 20 { wait + interval } else { wait })
}

fn seconds(number: i32) -> Duration {
    Duration::from_secs(u64::from(number.unsigned_abs()))
}

fn changed(instance: &Instance, health: HealthStatus, reason: Option<Reason>, moved_to: Option<Endpoint>) -> Option<HealthChange> {
    match &instance.reason {
        // The repairs found it out, and they end it.
        Some(lost) if lost.code == ReasonCode::DataLost && reason.as_ref().is_none_or(|reason| reason.code != lost.code) => return None,
        Some(notice) if notice.code.is_notice() && instance.health == health && reason.is_none() => return None,
        _ => {}
    }
    (instance.health != health || instance.reason != reason).then_some(HealthChange {
        health,
        reason,
        moved_to,
        operation_count: instance.operation_count,
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_apart_and_lateness_does_not_add_up() {
        let (interval, now) = (Duration::from_secs(30), Utc::now());
        let waits: Vec<_> = (0..3000).map(|_| until_next(InstanceId::generate(), interval, now)).collect();
        assert!(waits.iter().all(|wait| (1500..31_500).contains(&millis(*wait))));
        for second in 2..30 {
            let within = waits.iter().filter(|wait| wait.as_secs() == second).count();
            assert!((50..200).contains(&within), "{within} of 3000 in second {second}");
        }
        let id = InstanceId::generate();
        let due = now + until_next(id, interval, now);
        let late = until_next(id, interval, due + Duration::from_secs(7));
        assert_eq!(late, Duration::from_secs(23));
        assert_eq!(until_next(id, interval, due - Duration::from_millis(20)), Duration::from_millis(30_020));
    }
}
