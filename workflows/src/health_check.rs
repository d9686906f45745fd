//! HealthCheck: one endless loop per running instance. Two turns an iteration: the timer (or a nudge), and the activity
//! that checks, records and judges; the metadata is written only when the health changes.

use std::time::Duration;

use duroxide::OrchestrationContext;
use serde::{Deserialize, Serialize};
use toygres_domain::{InstanceId, instance::Reason};

use crate::{
    activities::{
        health_check::{self, Verdict},
        update_metadata::{self, UpdateMetadata, Written},
    },
    step::{Failure, Pace, encode, nudged, step},
};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::orchestration::health-check";

/// Iterations per execution: history is kept short, and continue_as_new, which costs a turn, rare.
const ITERATIONS: usize = 10;

/// The loop's whole state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HealthCheckLoop {
    /// The instance to check.
    pub instance: InstanceId,
    /// The id of this workflow. It ends when the instance's row names another.
    pub workflow: String,
    /// Milliseconds until the next check.
    pub wait_ms: u64,
    /// Checks in a row that failed.
    pub failures: u32,
}

impl HealthCheckLoop {
    /// A loop that checks at once.
    #[must_use]
    pub fn new(instance: InstanceId, workflow: String) -> Self {
        Self { instance, workflow, wait_ms: 0, failures: 0 }
    }
}

/// The workflow.
///
/// # Errors
/// Only when a step cannot be repeated any more; the sweeper then starts the next loop.
pub async fn health_check(ctx: OrchestrationContext, mut state: HealthCheckLoop, pace: Pace) -> Result<String, String> {
    for _ in 0..ITERATIONS {
        // A message says "look now", and can carry the death that the runtime saw.
        let death: Option<Reason> = match state.wait_ms {
            0 => None,
            wait => nudged(&ctx, Duration::from_millis(wait)).await.and_then(|payload| serde_json::from_str(&payload).ok()),
        };
        if !check(&ctx, &mut state, &pace, death).await.map_err(|failure| failure.encode())? {
            return Ok("ended".to_owned());
        }
    }
    let next = encode(&state).map_err(|failure| failure.encode())?;
    ctx.continue_as_new(next).await
}

/// One iteration; false when the loop has to end.
async fn check(ctx: &OrchestrationContext, state: &mut HealthCheckLoop, pace: &Pace, death: Option<Reason>) -> Result<bool, Failure> {
    let input = health_check::Input { instance: state.instance, workflow: state.workflow.clone(), failures: state.failures, death };
    match step(ctx, health_check::NAME, &input, pace.health).await? {
        Verdict::End => Ok(false),
        Verdict::Checked { wait_ms, failures, change } => {
            (state.wait_ms, state.failures) = (wait_ms, failures);
            if let Some(change) = change {
                let update = UpdateMetadata::Health { instance: state.instance, workflow: state.workflow.clone(), change };
                let _: Written = step(ctx, update_metadata::NAME, &update, pace.metadata).await?;
            }
            Ok(true)
        }
    }
}
