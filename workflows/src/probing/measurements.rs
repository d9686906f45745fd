//! Measurements of volumes that wait to be stored together.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;
use toygres_domain::{Error, InstanceId};
use toygres_store::{StorageMeasurement, Store};

use super::FLUSH;

/// Measurements in one statement.
const BATCH: usize = 1000;

/// The latest one of each instance, so there are never more than instances.
#[derive(Debug, Default)]
pub(super) struct Measurements {
    waiting: Mutex<HashMap<InstanceId, StorageMeasurement>>,
}

impl Measurements {
    pub(super) fn add(&self, measurement: StorageMeasurement) {
        self.lock().insert(measurement.instance, measurement);
    }

    /// Stores measurements until `shutdown`, and then those that are left.
    pub(super) async fn run(&self, store: &Store, shutdown: &CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(FLUSH)).await.is_some() {
            self.flush(store).await;
        }
        self.flush(store).await;
    }

    async fn flush(&self, store: &Store) {
        let waiting: Vec<_> = std::mem::take(&mut *self.lock()).into_values().collect();
        for batch in waiting.chunks(BATCH) {
            match store.record_storages(batch).await {
                Ok(locked) => self.put_back(batch.iter().filter(|measurement| locked.contains(&measurement.instance))),
                Err(Error::Unavailable(cause)) => {
                    tracing::debug!(%cause, measurements = batch.len(), "measurements of volumes wait for the metadata database");
                    self.put_back(batch.iter());
                }
                // Newer ones follow.
                Err(error) => tracing::warn!(%error, measurements = batch.len(), "measurements of volumes could not be stored"),
            }
        }
    }

    fn put_back<'a>(&self, measurements: impl Iterator<Item = &'a StorageMeasurement>) {
        let mut waiting = self.lock();
        for measurement in measurements {
            if let Entry::Vacant(place) = waiting.entry(measurement.instance) {
                place.insert(*measurement);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<InstanceId, StorageMeasurement>> {
        // No code panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
