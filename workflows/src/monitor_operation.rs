//! MonitorOperation: follows the workflow of one operation to its end, whatever that is, and writes an honest end for it.
//!
//! A workflow that ends as it should writes the end itself, together with the change of state, and nudges its monitor. The
//! monitor is there for the rest: a workflow that failed, was cancelled, panicked, was poisoned, vanished or is stuck.

use duroxide::OrchestrationContext;
use serde::{Deserialize, Serialize};
use toygres_domain::OperationId;

use crate::{
    activities::update_metadata::{self, UpdateMetadata, Written},
    step::{Pace, encode, nudged, step},
};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::orchestration::monitor-operation";

/// Looks per execution.
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
pub async fn monitor_operation(ctx: OrchestrationContext, input: MonitorOperation, pace: Pace) -> Result<String, String> {
    for _ in 0..ITERATIONS {
        nudged(&ctx, pace.monitor).await;
        let settle = UpdateMetadata::Settle { operation: input.operation.clone() };
        match step(&ctx, update_metadata::NAME, &settle, pace.metadata).await.map_err(|failure| failure.encode())? {
            Written::Live => {}
            _ => return Ok("over".to_owned()),
        }
    }
    let next = encode(&input).map_err(|failure| failure.encode())?;
    ctx.continue_as_new(next).await
}
