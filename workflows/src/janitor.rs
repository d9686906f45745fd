//! The janitor: keeps the event log and the health samples bounded, in small batches beside the work.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use toygres_domain::{Result, store::Store};

/// How long things are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Events, and with them the cursors that can be resumed from.
    pub events: Duration,
    /// Health samples.
    pub health_checks: Duration,
}

const PERIOD: Duration = Duration::from_secs(60);
const BATCH: i64 = 1000;

/// Runs until `shutdown`.
pub async fn run(store: Store, retention: Retention, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = prune(&store, retention).await {
            tracing::warn!(%error, "old records could not be dropped");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

async fn prune(store: &Store, retention: Retention) -> Result<()> {
    while store.prune_events(retention.events, BATCH).await? == BATCH as u64 {}
    while store.prune_health_checks(retention.health_checks, BATCH).await? == BATCH as u64 {}
    Ok(())
}
