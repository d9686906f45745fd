//! Samples that wait to be stored together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use metrics::counter;
use tokio_util::sync::CancellationToken;
use toygres_domain::Error;
use toygres_store::{HealthSample, Store};

use super::{FLUSH, LOST};

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
        counter!(LOST).increment(std::mem::take(&mut *self.lock()).len() as u64);
    }

    async fn flush(&self, store: &Store) {
        let waiting = std::mem::take(&mut *self.lock());
        let mut batches = waiting.chunks(BATCH);
        let mut left = Vec::new();
        for batch in batches.by_ref() {
            match store.record_health_checks(batch).await {
                Ok(()) => {}
                // If only the answer was lost, these are stored twice, which moves no summary noticeably.
                Err(Error::Unavailable(cause)) => {
                    tracing::debug!(%cause, samples = batch.len(), "samples of health checks wait for the metadata database");
                    left.extend_from_slice(batch);
                    break;
                }
                Err(error) => {
                    counter!(LOST).increment(batch.len() as u64);
                    tracing::warn!(%error, samples = batch.len(), "samples of health checks could not be stored");
                }
            }
        }
        left.extend(batches.flatten());
        self.put_back(left);
    }

    /// Before those that were added meanwhile. The newest are lost if there are too many.
    fn put_back(&self, mut left: Vec<HealthSample>) {
        let mut waiting = self.lock();
        left.append(&mut waiting);
        counter!(LOST).increment(left.len().saturating_sub(WAITING) as u64);
        left.truncate(WAITING);
        *waiting = left;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<HealthSample>> {
        // No code panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
