//! MonitorOperation: follows the workflow of one operation until it ends, and ensures that the outcome is written.
//!
//! A workflow normally writes the outcome itself, together with the change of state, and nudges its monitor. The monitor handles
//! the other cases: a workflow that failed, was cancelled, panicked, was poisoned, was lost or is stuck.

use duroxide::OrchestrationContext;
use serde::{Deserialize, Serialize};
use toygres_domain::OperationId;

use crate::{
    Timing,
    engine::{SettleOperation, Settled},
    workflow::{call, encode, nudged},
};

/// The name of the workflow in the engine.
pub const NAME: &str = "toygres-workflows::orchestration::monitor-operation";
/// The version that is started: see [`crate::registry`].
pub const VERSION: &str = "1.0.0";

/// Polls per execution.
const ITERATIONS: usize = 20;

/// The input of the workflow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MonitorOperation {
    /// The operation.
    pub operation: OperationId,
}

/// The workflow.
///
/// # Errors
/// Only when the metadata cannot be written for hours; the sweeper then starts another monitor.
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
