//! The dispatcher: starts a workflow for every pending operation of the table, and notifies the workflows of operations whose
//! cancellation was requested. It runs on NOTIFY and periodically. Several servers may run it at the same time, because starting a
//! workflow is idempotent.

use std::{collections::HashSet, time::Duration};

use tokio_util::sync::CancellationToken;
use toygres_domain::Result;
use toygres_store::Store;
use toygres_store::changes::Changes;

use crate::Engine;

/// The interval of the periodic runs: the maximum delay of an operation whose notification was lost.
const PERIOD: Duration = Duration::from_secs(2);

/// Runs until `shutdown`.
pub async fn run(store: Store, engine: Engine, changes: Changes, shutdown: CancellationToken) {
    let mut events = changes.events();
    let mut told = HashSet::new();
    while !shutdown.is_cancelled() {
        events.mark_unchanged();
        if let Err(error) = dispatch(&store, &engine, &mut told).await {
            tracing::warn!(%error, "pending operations could not be started yet");
            tokio::time::sleep(Duration::from_millis(500)).await;
            continue;
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = events.changed() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

async fn dispatch(store: &Store, engine: &Engine, told: &mut HashSet<String>) -> Result<()> {
    loop {
        let pending = store.pending_operations(100).await?;
        for operation in &pending {
            engine.start_operation(operation).await?;
            store.mark_dispatched(&operation.id, operation.run).await?;
        }
        if pending.is_empty() {
            break;
        }
    }
    let cancelling = store.cancelling_operations().await?;
    told.retain(|engine_id| cancelling.iter().any(|operation| operation.engine_id() == *engine_id));
    for operation in cancelling {
        // One nudge is enough, because the workflow also polls. More of them would fill its queue.
        if told.insert(operation.engine_id()) {
            engine.nudge_operation(&operation.id, operation.run).await?;
        }
    }
    Ok(())
}
