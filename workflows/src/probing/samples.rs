//! Samples that wait to be stored together.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metrics::counter;
use tokio_util::sync::CancellationToken;
use toygres_store::{HealthSample, Store};

use super::LOST;

/// How often samples are stored.
const FLUSH: Duration = Duration::from_secs(1);
/// Samples in one statement.
const BATCH: usize = 1000;
/// Samples that wait while the database does not answer; further ones are lost.
const WAITING: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Samples {
    waiting: Mutex<Vec<HealthSample>>,
}

impl Samples {
    pub(super) fn add(&self, sample: HealthSample) {
        let mut waiting = self.lock();
        if waiting.len() < WAITING {
            waiting.push(sample);
        } else {
            counter!(LOST).increment(1);
        }
    }

    /// Stores samples until `shutdown`, and then those that are left.
    pub(super) async fn run(&self, store: &Store, shutdown: &CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(FLUSH)).await.is_some() {
            self.flush(store).await;
        }
        self.flush(store).await;
    }

    async fn flush(&self, store: &Store) {
        let waiting = std::mem::take(&mut *self.lock());
        for batch in waiting.chunks(BATCH) {
            // Their time has passed: newer ones follow.
            if let Err(error) = store.record_health_checks(batch).await {
                counter!(LOST).increment(batch.len() as u64);
                tracing::warn!(%error, samples = batch.len(), "samples of health checks could not be stored");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<HealthSample>> {
        // No code panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
