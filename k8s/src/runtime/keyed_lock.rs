//! A lock for each instance, so that the verbs on one instance exclude each other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;
use toygres_domain::InstanceId;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// The locks of all instances. A lock that nobody holds or waits for is discarded.
#[derive(Default)]
pub(super) struct KeyedLock {
    locks: Mutex<HashMap<InstanceId, Lock>>,
}

impl KeyedLock {
    /// Waits until no other verb of this process works on the instance. Other processes are excluded by the advisory lock
    /// of the database that activities hold.
    pub(super) async fn lock(&self, id: InstanceId) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry(id).or_default())
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_instance_is_locked_once() {
        let (locks, id) = (KeyedLock::default(), InstanceId::generate());
        let first = locks.lock(id).await;
        locks.lock(InstanceId::generate()).await;
        assert!(tokio::time::timeout(Duration::from_millis(20), locks.lock(id)).await.is_err());
        drop(first);
        locks.lock(id).await;
    }
}
