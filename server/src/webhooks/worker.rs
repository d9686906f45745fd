//! Owns the deliveries of this server: takes webhooks over, and runs one task for each.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use metrics::gauge;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use toygres_domain::{Result, webhook::WebhookId};
use toygres_store::{Store, WebhookTotals, changes::Changes};
use uuid::Uuid;

use super::{LAG, Sender, WEBHOOKS, delivery::Deliveries};

/// How often leases are renewed, and webhooks without an owner taken over.
const PERIOD: Duration = Duration::from_secs(5);
/// How long a server owns a webhook without renewing its lease.
const LEASE: Duration = Duration::from_secs(30);
/// How long it sends without renewing it: shorter than the lease, so that two servers never send at once.
const TRUSTED: Duration = Duration::from_secs(20);

/// Delivers to webhooks until `shutdown`.
pub async fn run(store: Store, sender: Sender, changes: Changes, shutdown: CancellationToken) {
    let worker = Worker { id: Uuid::new_v4(), store, sender, changes };
    let mut running = HashMap::new();
    let mut webhooks = worker.changes.webhooks();
    let mut renewed = Instant::now();
    loop {
        webhooks.mark_unchanged();
        match worker.renew(&mut running).await {
            Ok(()) => renewed = Instant::now(),
            Err(error) => {
                tracing::debug!(%error, "the leases of webhooks could not be renewed");
                if renewed.elapsed() > TRUSTED {
                    running.clear();
                }
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => break,
            // A webhook that was created or enabled is taken over at once.
            _ = webhooks.changed() => tokio::time::sleep(Duration::from_millis(50)).await,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
    drop(running);
    if let Err(error) = worker.store.release_webhooks(worker.id).await {
        tracing::debug!(%error, "the leases of webhooks could not be released; they end by themselves");
    }
}

struct Worker {
    id: Uuid,
    store: Store,
    sender: Sender,
    changes: Changes,
}

/// A task that ends with its handle, and the message that it sends at that moment with it.
struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Worker {
    /// Renews the leases, starts a task for each webhook that has none, and ends those of webhooks that are not this server's any more.
    async fn renew(&self, running: &mut HashMap<WebhookId, Running>) -> Result<()> {
        let asked = Instant::now();
        let owned = self.store.claim_webhooks(self.id, LEASE).await?;
        if asked.elapsed() > TRUSTED {
            // The answer came so late that the lease may be over.
            running.clear();
            return Ok(());
        }
        running.retain(|id, task| owned.contains(id) && !task.0.is_finished());
        for id in owned {
            running.entry(id).or_insert_with(|| {
                let Self { id: worker, store, sender, changes } = self;
                let deliveries =
                    Deliveries { id, worker: *worker, store: store.clone(), sender: sender.clone(), changes: changes.clone(), delivered: None };
                Running(tokio::spawn(deliveries.run()))
            });
        }
        report(self.store.webhook_totals().await?);
        Ok(())
    }
}

fn report(WebhookTotals { enabled, disabled, given_up, failing, lag_seconds }: WebhookTotals) {
    for (state, count) in [("enabled", enabled), ("failing", failing), ("disabled", disabled), ("given_up", given_up)] {
        gauge!(WEBHOOKS, "state" => state).set(count as f64);
    }
    gauge!(LAG).set(lag_seconds);
}
