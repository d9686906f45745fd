//! The control plane's own health.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use toygres_store::Store;
use toygres_store::changes::Changes;

/// Asks the parts of this server how they are.
#[derive(Clone)]
pub struct Health {
    store: Store,
    changes: Changes,
    working: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
}

/// How the parts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthReport {
    /// The metadata database answers.
    pub database: bool,
    /// The listening connection stands, so that subscriptions are live.
    pub live_delivery: bool,
    /// The workflows are at work in this server, or are not meant to be.
    pub workflows: bool,
    /// The server is about to stop.
    pub stopping: bool,
}

impl HealthReport {
    /// Whether requests are served as they should be.
    #[must_use]
    pub fn ready(self) -> bool {
        self.database && self.live_delivery && self.workflows && !self.stopping
    }
}

impl Health {
    /// Nothing works yet.
    #[must_use]
    pub fn new(store: Store, changes: Changes) -> Self {
        Self { store, changes, working: Arc::default(), stopping: Arc::default() }
    }

    /// Notes that the workflows of this server are at work.
    pub fn set_working(&self) {
        self.working.store(true, Ordering::Relaxed);
    }

    /// Notes that the server is about to stop.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Asks now; takes a second at the most.
    pub async fn report(&self) -> HealthReport {
        let database = matches!(tokio::time::timeout(Duration::from_secs(1), self.store.ping()).await, Ok(Ok(())));
        HealthReport {
            database,
            live_delivery: *self.changes.connected().borrow(),
            workflows: self.working.load(Ordering::Relaxed),
            stopping: self.stopping.load(Ordering::Relaxed),
        }
    }
}
