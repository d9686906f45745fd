//! Metrics of instances: health checks hand in what servers have told, and a background task stores it in batches.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use metrics::counter;
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    InstanceId,
    metric::{INTERVAL, MetricName, Reading},
    notice::Trend,
};
use toygres_store::{Measured, Store};

use toygres_postgres::{ServerMetrics, storage::Measurement};

/// How often readings are stored.
const FLUSH: Duration = Duration::from_secs(1);
/// Readings in one statement. The ids of their instances fit into a notification, which has 8,000 bytes.
const BATCH: usize = 200;
/// Readings that wait while the database does not answer; further ones are lost. Each has a few hundred bytes.
const WAITING: usize = 20_000;
/// By what part of the interval a reading may be early, because checks are not exactly as far apart as theirs.
const EARLY: u32 = 10;
/// After this time it does not matter any more when an instance was read.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// The metric of readings, by what became of them.
pub const READINGS: &str = "toygres_metric_readings_total";

/// Takes readings of this worker. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MetricsRecorder {
    /// `None` if metrics are off.
    shared: Option<Arc<Mutex<Shared>>>,
    interval: Duration,
}

#[derive(Debug, Default)]
struct Shared {
    /// When this worker has read each instance.
    read: HashMap<InstanceId, Instant>,
    /// When this worker has looked at the trend of each instance.
    judged: HashMap<InstanceId, Instant>,
    waiting: Vec<(InstanceId, Reading)>,
}

impl MetricsRecorder {
    /// Creates a recorder of readings that are this far apart, at most [`INTERVAL`]. It stores nothing until [`Self::run`] is called. One that is
    /// the default takes no readings.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self { shared: Some(Arc::default()), interval: interval.min(INTERVAL) }
    }

    /// Whether an instance is to be read. The interval holds for each worker, so it does not have to be asked of the database; checks of an
    /// instance that are as far apart as that are read by whichever worker runs them.
    pub(crate) fn is_due(&self, instance: InstanceId) -> bool {
        self.lock().is_some_and(|shared| shared.read.get(&instance).is_none_or(|read| read.elapsed() + self.interval / EARLY >= self.interval))
    }

    /// Whether the trend of an instance is to be looked at. It counts as looked at then.
    pub(crate) fn is_trend_due(&self, instance: InstanceId) -> bool {
        let Some(mut shared) = self.lock() else { return false };
        let is_due = shared.judged.get(&instance).is_none_or(|judged| judged.elapsed() >= Trend::INTERVAL);
        if is_due {
            shared.judged.insert(instance, Instant::now());
        }
        is_due
    }

    /// Takes a reading.
    pub(crate) fn record(&self, instance: InstanceId, reading: Reading) {
        let Some(mut shared) = self.lock() else { return };
        shared.read.insert(instance, Instant::now());
        if shared.waiting.len() < WAITING {
            shared.waiting.push((instance, reading));
        } else {
            counter!(READINGS, "result" => "lost").increment(1);
        }
    }

    /// Stores readings until `shutdown`, and then those that are left.
    pub async fn run(self, store: Store, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(FLUSH)).await.is_some() {
            self.flush(&store).await;
        }
        self.flush(&store).await;
    }

    /// Stores what waits. A batch that cannot be stored is lost, because the next readings follow soon.
    pub async fn flush(&self, store: &Store) {
        let waiting = {
            let Some(mut shared) = self.lock() else { return };
            shared.read.retain(|_, read| read.elapsed() < FORGOTTEN);
            shared.judged.retain(|_, judged| judged.elapsed() < FORGOTTEN);
            std::mem::take(&mut shared.waiting)
        };
        for batch in waiting.chunks(BATCH) {
            let result = match store.record_metrics(batch).await {
                Ok(()) => "stored",
                Err(error) => {
                    tracing::warn!(%error, readings = batch.len(), "metrics could not be stored");
                    "lost"
                }
            };
            counter!(READINGS, "result" => result).increment(batch.len() as u64);
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Shared>> {
        // No code panics while it holds the lock.
        self.shared.as_ref().map(|shared| shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A reading of what a server has told, and of the latest measurement of its volume.
pub(crate) fn reading(store: &Store, server: &ServerMetrics, volume: Option<VolumeSizes>) -> Reading {
    let mut values = server.values.clone();
    if let Some(VolumeSizes { database, used, available }) = volume {
        values.set(MetricName::DatabaseSize, database.map(|bytes| bytes as f64));
        values.set(MetricName::VolumeUsed, Some(used as f64));
        values.set(MetricName::VolumeAvailable, Some(available as f64));
    }
    Reading { at: store.now(), epoch: server.epoch, values }
}

/// What an instance uses of its volume, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VolumeSizes {
    database: Option<i64>,
    used: i64,
    available: i64,
}

impl VolumeSizes {
    /// Those of this measurement, or of the former one.
    pub(crate) fn of(capacity_bytes: i64, now: Option<&Measurement>, before: Option<&Measured>) -> Option<Self> {
        let (used, database) = match (now, before) {
            (Some(now), _) => (now.used_bytes, Some(now.database_bytes)),
            (None, Some(before)) => (before.usage.used_bytes, before.database_bytes),
            (None, None) => return None,
        };
        Some(Self { database, used, available: capacity_bytes.saturating_sub(used).max(0) })
    }
}
