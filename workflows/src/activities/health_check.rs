//! HealthCheck: logs in to the instance, asks it something, records the sample and judges what it means.

use std::time::Duration;

use chrono::{DateTime, Utc};
use duroxide::ActivityContext;
use metrics::{counter, histogram};
use serde::{Deserialize, Serialize};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, HealthStatus, Instance, InstanceState, Reason, ReasonCode},
    runtime::Observation,
};
use toygres_postgres::Target;

use super::World;
use crate::step::Failure;

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::activity::health-check";

/// What to check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The instance.
    pub instance: InstanceId,
    /// The loop that asks.
    pub workflow: String,
    /// Checks in a row that failed before this one.
    pub failures: u32,
    /// A death that the runtime saw.
    pub death: Option<Reason>,
    /// When this check was due, in milliseconds since 1970; none for one that a hint brought about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// This loop is no longer the one that should check.
    End,
    /// Checked.
    Checked {
        /// Milliseconds until the next check.
        wait_ms: u64,
        /// When that is, in milliseconds since 1970.
        #[serde(default)]
        due_ms: Option<i64>,
        /// Checks in a row that have failed now.
        failures: u32,
        /// The change to write, if there is one.
        change: Option<Change>,
    },
}

/// A change of health.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    /// The health from now on.
    pub health: HealthStatus,
    /// Why it is not healthy.
    pub reason: Option<Reason>,
    /// Where the instance listens, when it has moved.
    pub moved_to: Option<Endpoint>,
}

/// The activity.
///
/// # Errors
/// That the metadata could not be read or written, or that it took longer than it may.
pub async fn health_check(world: World, _: ActivityContext, input: Input) -> Result<Verdict, Failure> {
    let limit = world.pace.check;
    tokio::time::timeout(limit, check(&world, input)).await.unwrap_or_else(|_| Err(Failure::late(limit)))
}

async fn check(world: &World, input: Input) -> Result<Verdict, Failure> {
    let wanted =
        world.store.instance(input.instance).await?.filter(|instance| {
            instance.state == InstanceState::Running && instance.health_check_orchestration_id.as_deref() == Some(&input.workflow)
        });
    let Some((instance, endpoint)) = wanted.and_then(|instance| instance.endpoint.clone().map(|endpoint| (instance, endpoint))) else {
        world.prober.forget(input.instance);
        return Ok(Verdict::End);
    };
    // A death that the runtime saw is its own confirmation, even if the server is back by now; the next check tells.
    if let Some(death) = input.death {
        record(world, &instance, HealthStatus::Unhealthy, None, Some(&death)).await?;
        let change = changed(&instance, HealthStatus::Unhealthy, Some(death), None);
        return Ok(next(world.pace.recheck / 4, world.pace.confirmations, change));
    }
    let policy = instance.spec.health_check;
    let interval = seconds(policy.interval_seconds);
    let timeout = match input.failures {
        1.. if input.failures < world.pace.confirmations => seconds(policy.timeout_seconds).min(world.pace.recheck_timeout),
        _ => seconds(policy.timeout_seconds),
    };
    let internal_endpoint = world.runtime.internal_endpoint(&instance.name, &instance.spec.exposure, &endpoint);
    let outcome = match world.prober.ask(instance.id, &internal_endpoint, timeout).await {
        Some(outcome) => outcome,
        None => {
            let target = Target::new(internal_endpoint, &instance.spec, world.store.password(instance.id).await?);
            world.prober.log_in(instance.id, &target, timeout).await
        }
    };
    let verdict = match outcome {
        Ok(latency) => {
            record(world, &instance, HealthStatus::Healthy, Some(latency), None).await?;
            next(until_next(instance.id, interval, Utc::now()), 0, changed(&instance, HealthStatus::Healthy, None, None))
        }
        Err(symptom) => {
            let (reason, moved_to) = diagnose(world, &instance, &endpoint, symptom).await;
            record(world, &instance, HealthStatus::Unhealthy, None, Some(&reason)).await?;
            let failures = input.failures.saturating_add(1);
            // A server that is starting up answers, so it is no outage yet; but nor is it one for ever.
            let confirmations = world.pace.confirmations;
            let patience = if reason.code == ReasonCode::StartingUp { confirmations * 10 } else { confirmations };
            let change = if moved_to.is_some() {
                Some(Change { health: instance.health, reason: instance.reason.clone(), moved_to })
            } else if failures >= patience {
                changed(&instance, HealthStatus::Unhealthy, Some(reason), None)
            } else {
                None
            };
            let pause = if failures >= patience { world.pace.recovery } else { world.pace.recheck };
            next(pause.min(interval), failures, change)
        }
    };
    if let Some(due) = input.due_ms.and_then(DateTime::from_timestamp_millis) {
        histogram!("toygres_health_check_lag_seconds").record((Utc::now() - due).as_seconds_f64().max(0.0));
    }
    Ok(verdict)
}

/// Keeps a sample and counts it.
async fn record(world: &World, instance: &Instance, status: HealthStatus, latency: Option<Duration>, why: Option<&Reason>) -> Result<(), Failure> {
    world.store.record_health_check(instance.id, status, latency, why).await?;
    counter!("toygres_health_checks_total", "result" => why.map_or("healthy", |why| why.code.as_str())).increment(1);
    if let Some(latency) = latency {
        histogram!("toygres_health_check_latency_seconds").record(latency);
    }
    Ok(())
}

fn next(wait: Duration, failures: u32, change: Option<Change>) -> Verdict {
    let wait_ms = millis(wait);
    Verdict::Checked { wait_ms, due_ms: Utc::now().timestamp_millis().checked_add_unsigned(wait_ms), failures, change }
}

/// Every instance has a moment of its own within the interval, at which it is checked however late the last check came: so
/// that loops which a restart has lined up are apart again after one interval, and lateness does not add up.
fn until_next(instance: InstanceId, interval: Duration, now: DateTime<Utc>) -> Duration {
    let interval = millis(interval).max(1);
    let moment = instance.spread(interval);
    let now = u64::try_from(now.timestamp_millis()).unwrap_or(0) % interval;
    let wait = (interval + moment - now) % interval;
    // A check that came a little early is not repeated at its moment.
    Duration::from_millis(if wait < interval / 20 { wait + interval } else { wait })
}

fn seconds(number: i32) -> Duration {
    Duration::from_secs(u64::from(number.unsigned_abs()))
}

/// The runtime often knows better than the probe why nobody answers, and where the instance listens now.
async fn diagnose(world: &World, instance: &Instance, endpoint: &Endpoint, symptom: Reason) -> (Reason, Option<Endpoint>) {
    match world.runtime.observe(instance.id).await {
        Ok(Observation::Ready(now)) if now != *endpoint => (symptom, Some(now)),
        Ok(Observation::Pending(reason) | Observation::Failed(reason)) => (reason, None),
        Ok(Observation::Absent) => {
            (Reason::new(ReasonCode::ProcessExited, format!("{} has nothing of this instance any more", world.runtime.name())), None)
        }
        Ok(Observation::Ready(_)) | Err(_) => (symptom, None),
    }
}

fn changed(instance: &Instance, health: HealthStatus, reason: Option<Reason>, moved_to: Option<Endpoint>) -> Option<Change> {
    (instance.health != health || instance.reason != reason).then_some(Change { health, reason, moved_to })
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
