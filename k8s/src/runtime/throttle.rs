//! Limits how often an instance is observed.
//!
//! An observation takes five API calls, and a workflow that waits for an instance repeats it. An observation that closely follows
//! one with the result pending therefore first waits for a nudge: many instances that start at the same time would otherwise keep
//! the API server busy although nothing has changed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;
use toygres_domain::InstanceId;

/// The longest wait for a nudge. Changes that are not watched are seen after this time.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The throttle of all instances.
#[derive(Default)]
pub(super) struct Throttle {
    /// Whether [`Self::nudge`] is called on changes; without it there is nothing to wait for.
    watching: AtomicBool,
    instances: Mutex<HashMap<InstanceId, Pending>>,
}

/// An instance that was pending when it was observed last.
struct Pending {
    nudged: Arc<Notify>,
    observed: Instant,
}

impl Throttle {
    /// Waits for a nudge, but not for long, if the instance was pending a moment ago.
    pub(super) async fn wait(&self, id: InstanceId) {
        let Some((nudged, observed)) = self.instances().get(&id).map(|pending| (Arc::clone(&pending.nudged), pending.observed)) else { return };
        let rest = LONGEST_WAIT.saturating_sub(observed.elapsed());
        if self.watching.load(Ordering::Relaxed) && !rest.is_zero() {
            let _ = tokio::time::timeout(rest, nudged.notified()).await;
        }
    }

    /// Expects nudges from now on.
    pub(super) fn start_watching(&self) {
        self.watching.store(true, Ordering::Relaxed);
    }

    /// Records that the instance was pending when it was observed.
    pub(super) fn observed_pending(&self, id: InstanceId) {
        let mut instances = self.instances();
        instances.retain(|_, pending| pending.observed.elapsed() < LONGEST_WAIT);
        let pending = instances.entry(id).or_insert_with(|| Pending { nudged: Arc::default(), observed: Instant::now() });
        pending.observed = Instant::now();
    }

    /// Ends the wait for the instance. A nudge during an observation ends the next wait.
    pub(super) fn nudge(&self, id: InstanceId) {
        if let Some(pending) = self.instances().get(&id) {
            pending.nudged.notify_one();
        }
    }

    fn instances(&self) -> MutexGuard<'_, HashMap<InstanceId, Pending>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_observation_waits_for_a_nudge_for_a_bounded_time() {
        let (throttle, id, other) = (Throttle::default(), InstanceId::generate(), InstanceId::generate());
        let waited = async |id| {
            let started = Instant::now();
            throttle.wait(id).await;
            started.elapsed()
        };
        assert!(waited(id).await < LONGEST_WAIT / 2, "the first observation");
        throttle.observed_pending(id);
        assert!(waited(id).await < LONGEST_WAIT / 2, "nothing is watched");
        throttle.start_watching();
        assert!(waited(other).await < LONGEST_WAIT / 2, "another instance");
        let long = waited(id).await;
        assert!(long > LONGEST_WAIT / 2 && long < LONGEST_WAIT * 4, "no nudge: {long:?}");
        throttle.observed_pending(id);
        throttle.nudge(id);
        assert!(waited(id).await < LONGEST_WAIT / 2, "an earlier nudge");
    }
}
