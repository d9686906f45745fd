//! HealthCheck: logs in to the instance, asks it something, records the sample and judges what it means.

use std::time::Duration;

use duroxide::ActivityContext;
use serde::{Deserialize, Serialize};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, HealthStatus, Instance, InstanceState, Reason, ReasonCode},
    probe::{self, Target},
    runtime::Observation,
};

use super::World;
use crate::step::Failure;

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::activity::health-check";

/// Failed checks in a row that make an outage, when only the probe saw them.
const CONFIRMATIONS: u32 = 3;
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
/// That the metadata could not be read or written.
pub async fn health_check(world: World, _: ActivityContext, input: Input) -> Result<Verdict, Failure> {
    let Some(instance) = world.store.instance(input.instance).await? else { return Ok(Verdict::End) };
    if instance.state != InstanceState::Running || instance.health_check_orchestration_id.as_deref() != Some(&input.workflow) {
        return Ok(Verdict::End);
    }
    let Some(endpoint) = instance.endpoint.clone() else { return Ok(Verdict::End) };
    // A death that the runtime saw is its own confirmation, even if the server is back by now; the next check tells.
    if let Some(death) = input.death {
        world.store.record_health_check(instance.id, HealthStatus::Unhealthy, None, Some(&death)).await?;
        return Ok(Verdict::Checked {
            wait_ms: millis(world.pace.recheck) / 4,
            failures: CONFIRMATIONS,
            change: changed(&instance, HealthStatus::Unhealthy, Some(death), None),
        });
    }
    let timeout = Duration::from_secs(u64::try_from(instance.spec.health_check.timeout_seconds).unwrap_or(5));
    let interval_ms = u64::try_from(instance.spec.health_check.interval_seconds).unwrap_or(30) * 1000;
    let target = Target::new(endpoint.clone(), &instance.spec, world.store.password(instance.id).await?);
    match probe::check(&target, timeout).await {
        Ok(latency) => {
            world.store.record_health_check(instance.id, HealthStatus::Healthy, Some(latency), None).await?;
            Ok(Verdict::Checked { wait_ms: interval_ms, failures: 0, change: changed(&instance, HealthStatus::Healthy, None, None) })
        }
        Err(symptom) => {
            let (reason, moved_to) = diagnose(&world, &instance, &endpoint, symptom).await;
            world.store.record_health_check(instance.id, HealthStatus::Unhealthy, None, Some(&reason)).await?;
            let failures = input.failures.saturating_add(1);
            // A server that is starting up answers, so it is no outage yet; but nor is it one for ever.
            let patience = if reason.code == ReasonCode::StartingUp { CONFIRMATIONS * 10 } else { CONFIRMATIONS };
            let change = if moved_to.is_some() {
                Some(Change { health: instance.health, reason: instance.reason.clone(), moved_to })
            } else if failures >= patience {
                changed(&instance, HealthStatus::Unhealthy, Some(reason), None)
            } else {
                None
            };
            let pause = if failures >= patience { world.pace.recovery } else { world.pace.recheck };
            let wait_ms = millis(pause).min(interval_ms);
            Ok(Verdict::Checked { wait_ms, failures, change })
        }
    }
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
