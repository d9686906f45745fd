//! MonitorOperation: follows the workflow of one operation to its end, whatever that is, and sees to it that the end is written.
//!
//! A workflow that ends as it should writes the end itself, together with the change of state, and nudges its monitor. The
//! monitor is there for the rest: a workflow that failed, was cancelled, panicked, was poisoned, vanished or is stuck.

use duroxide::OrchestrationContext;
use serde::{Deserialize, Serialize};
use toygres_domain::OperationId;

use crate::{
    Timing,
    engine::{SettleOperation, Settled},
    workflow::{call, encode, nudged},
};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::orchestration::monitor-operation";
/// The version that is started: see [`crate::registry`].
pub const VERSION: &str = "1.0.0";

/// Polls per execution.
const ITERATIONS: usize = 20;

/// What is followed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MonitorOperation {
    /// The operation.
    pub operation: OperationId,
}

/// The workflow.
///
/// # Errors
/// Only when the metadata cannot be written for hours; the sweeper then starts another.
pub async fn monitor_operation(ctx: OrchestrationContext, input: MonitorOperation, timing: Timing) -> Result<String, String> {
    for _ in 0..ITERATIONS {
        nudged(&ctx, timing.monitor).await;
        match call::<SettleOperation>(&ctx, &input.operation, timing.metadata).await.map_err(|failure| failure.encode())? {
            Settled::InProgress => {}
            Settled::Finished => return Ok("finished".to_owned()),
        }
    }
    let next = encode(&input).map_err(|failure| failure.encode())?;
    ctx.continue_as_new(next).await
}
