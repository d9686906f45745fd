//! The dispatcher: gives every pending operation of the table to the engine, and tells the workflows of those that somebody
//! wants cancelled. Woken by NOTIFY, and by itself now and then; it may run on several servers at once, because starting
//! twice is starting once.

use std::{collections::HashSet, time::Duration};

use tokio_util::sync::CancellationToken;
use toygres_domain::Result;
use toygres_store::Store;
use toygres_store::changes::Changes;

use crate::Engine;

/// How long an operation waits at the most when a wake-up was lost.
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
        // Once is enough, as the workflow also looks by itself; and its queue must not fill up.
        if told.insert(operation.engine_id()) {
            engine.nudge_operation(&operation.id, operation.run).await?;
        }
    }
    Ok(())
}
