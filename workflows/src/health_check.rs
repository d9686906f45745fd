//! HealthCheck: one endless loop per running instance. An iteration takes two turns: the timer (or a nudge), and the activity that
//! checks the instance, records the result and evaluates it. The metadata is only written when the health changes.
//!
//! The activity has no timer in the workflow, unlike the activities of operations: the timer would add a third row to the engine's
//! queue for every check, and an engine that is a minute behind would repeat every check and fall further behind. The activity has
//! its own time-out, and the sweeper replaces a loop whose activity the engine has lost.

use std::time::Duration;

use chrono::Utc;
use duroxide::OrchestrationContext;
use serde::{Deserialize, Serialize};
use toygres_domain::{InstanceId, instance::Reason};

use crate::{
    Failure, Timing,
    activities::{
        HealthCheck, UpdateHealth,
        health_check::{self, CheckOutcome},
        update_health,
    },
    workflow::{call, encode, nudged},
};

/// The name of the workflow in the engine.
pub const NAME: &str = "toygres-workflows::orchestration::health-check";
/// The version that is started: see [`crate::registry`].
pub const VERSION: &str = "1.0.0";

/// Iterations per execution: few enough that the history is short, and enough that `continue_as_new`, which costs a turn, is rare.
/// The first execution has fewer, so that loops that start together do not all continue as new, and leave their histories to the
/// janitor, at the same time.
const ITERATIONS: u64 = 10;

/// The state of the loop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HealthCheckLoop {
    /// The instance to check.
    pub instance: InstanceId,
    /// The id of this workflow, which ends when the instance's row has another one.
    pub workflow: String,
    /// Milliseconds until the next check.
    pub wait_ms: u64,
    /// The time of the next check in milliseconds since 1970; `None` if that check has to observe the runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
    /// Consecutive failed checks.
    pub failures: u32,
    /// How often checks were postponed since the last one that succeeded.
    #[serde(default, skip_serializing_if = "health_check::is_zero")]
    pub postponed: u32,
    /// Iterations of this execution, if not the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
}

impl HealthCheckLoop {
    /// A loop that checks immediately.
    #[must_use]
    pub fn new(instance: InstanceId, workflow: String) -> Self {
        Self {
            instance,
            workflow,
            wait_ms: 0,
            due_ms: Some(Utc::now().timestamp_millis()),
            failures: 0,
            postponed: 0,
            iterations: Some(1 + instance.spread(ITERATIONS)),
        }
    }

    /// A loop that replaces a lost one. Many loops may be lost at the same time, so their first checks are spread.
    #[must_use]
    pub fn replacing(instance: InstanceId, workflow: String, interval: Duration) -> Self {
        let within = interval.min(Duration::from_secs(10)).as_millis();
        let wait_ms = instance.spread(u64::try_from(within).unwrap_or(0));
        Self { wait_ms, due_ms: Utc::now().timestamp_millis().checked_add_unsigned(wait_ms), ..Self::new(instance, workflow) }
    }
}

/// The workflow.
///
/// # Errors
/// Only when a step failed permanently; the sweeper then starts the next loop.
pub async fn health_check(ctx: OrchestrationContext, mut state: HealthCheckLoop, timing: Timing) -> Result<String, String> {
    for _ in 0..state.iterations.take().unwrap_or(ITERATIONS) {
        // A message triggers a check, and can contain the death of the server that the runtime reported.
        let death: Option<Reason> = match state.wait_ms {
            0 => None,
            wait => nudged(&ctx, Duration::from_millis(wait)).await.and_then(|payload| {
                state.due_ms = None;
                serde_json::from_str(&payload).ok()
            }),
        };
        if !check(&ctx, &mut state, &timing, death).await.map_err(|failure| failure.encode())? {
            return Ok("ended".to_owned());
        }
    }
    let next = encode(&state).map_err(|failure| failure.encode())?;
    ctx.continue_as_new(next).await
}

/// Runs one iteration. Returns `false` if the loop must end.
async fn check(ctx: &OrchestrationContext, state: &mut HealthCheckLoop, timing: &Timing, death: Option<Reason>) -> Result<bool, Failure> {
    let &mut HealthCheckLoop { instance, ref workflow, due_ms, failures, postponed, wait_ms: _, iterations: _ } = state;
    let input = health_check::Input { instance, workflow: workflow.clone(), failures, postponed, death, due_ms };
    match call::<HealthCheck>(ctx, &input, timing.health).await? {
        CheckOutcome::End => Ok(false),
        CheckOutcome::Checked { wait_ms, due_ms, failures, postponed, change } => {
            (state.wait_ms, state.due_ms, state.failures, state.postponed) = (wait_ms, due_ms, failures, postponed);
            if let Some(change) = change {
                let update = update_health::Input { instance: state.instance, workflow: state.workflow.clone(), change };
                call::<UpdateHealth>(ctx, &update, timing.metadata).await?;
            }
            Ok(true)
        }
    }
}
