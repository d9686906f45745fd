//! HealthCheck: one endless loop per running instance. Two turns an iteration: the timer (or a nudge), and the activity
//! that checks, records and judges; the metadata is written only when the health changes.
//!
//! The activity is not raced against a timer, as those of operations are: the timer would cost the engine a third row in its
//! queue for every check, and it would make an engine that has fallen a minute behind repeat every check, and so fall further. The
//! activity bounds itself, and a loop whose activity the engine has lost is replaced by the sweeper.

use std::time::Duration;

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

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::orchestration::health-check";
/// The version that is started: see [`crate::registry`].
pub const VERSION: &str = "1.0.0";

/// Iterations per execution: history is kept short, and continue_as_new, which costs a turn, rare. The first execution has
/// fewer, so that instances created (or replaced) together do not all continue, and leave the janitor their history, together.
const ITERATIONS: u64 = 10;

/// The loop's whole state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HealthCheckLoop {
    /// The instance to check.
    pub instance: InstanceId,
    /// The id of this workflow. It ends when the instance's row names another.
    pub workflow: String,
    /// Milliseconds until the next check.
    pub wait_ms: u64,
    /// When that is, in milliseconds since 1970, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
    /// Checks in a row that failed.
    pub failures: u32,
    /// Iterations of this execution, if they are not the usual number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
}

impl HealthCheckLoop {
    /// A loop that checks at once.
    #[must_use]
    pub fn new(instance: InstanceId, workflow: String) -> Self {
        Self { instance, workflow, wait_ms: 0, due_ms: None, failures: 0, iterations: Some(1 + instance.spread(ITERATIONS)) }
    }

    /// A loop in place of a lost one. Many may be lost at once, so they do not all check at once.
    #[must_use]
    pub fn replacing(instance: InstanceId, workflow: String, interval: Duration) -> Self {
        let within = interval.min(Duration::from_secs(10)).as_millis();
        Self { wait_ms: instance.spread(u64::try_from(within).unwrap_or(0)), ..Self::new(instance, workflow) }
    }
}

/// The workflow.
///
/// # Errors
/// Only when a step cannot be repeated any more; the sweeper then starts the next loop.
pub async fn health_check(ctx: OrchestrationContext, mut state: HealthCheckLoop, timing: Timing) -> Result<String, String> {
    for _ in 0..state.iterations.take().unwrap_or(ITERATIONS) {
        // A message says "look now", and can carry the death that the runtime saw.
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

/// One iteration; false when the loop has to end.
async fn check(ctx: &OrchestrationContext, state: &mut HealthCheckLoop, timing: &Timing, death: Option<Reason>) -> Result<bool, Failure> {
    let input =
        health_check::Input { instance: state.instance, workflow: state.workflow.clone(), failures: state.failures, death, due_ms: state.due_ms };
    match call::<HealthCheck>(ctx, &input, timing.health).await? {
        CheckOutcome::End => Ok(false),
        CheckOutcome::Checked { wait_ms, due_ms, failures, change } => {
            (state.wait_ms, state.due_ms, state.failures) = (wait_ms, due_ms, failures);
            if let Some(change) = change {
                let update = update_health::Input { instance: state.instance, workflow: state.workflow.clone(), change };
                call::<UpdateHealth>(ctx, &update, timing.metadata).await?;
            }
            Ok(true)
        }
    }
}
