//! Instances whose server may present a certificate that is not its own.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;
use toygres_domain::InstanceId;

/// The instances that health checks could not verify, until somebody has looked at them. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct SuspectCertificates(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    instances: Mutex<HashSet<InstanceId>>,
    added: Notify,
}

impl SuspectCertificates {
    /// Has what the server of an instance presents compared with its certificate soon.
    pub(crate) fn add(&self, id: InstanceId) {
        if self.instances().insert(id) {
            self.0.added.notify_one();
        }
    }

    /// Completes when there are some that nobody has waited for.
    pub(super) async fn added(&self) {
        self.0.added.notified().await;
    }

    pub(super) fn take(&self) -> HashSet<InstanceId> {
        std::mem::take(&mut *self.instances())
    }

    fn instances(&self) -> std::sync::MutexGuard<'_, HashSet<InstanceId>> {
        self.0.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
