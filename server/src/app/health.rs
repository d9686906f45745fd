//! The control plane's own health.

mod runtime;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Mutex, watch};
use toygres_domain::instance::ReasonCode;
use toygres_store::{Store, changes::Changes};

pub use runtime::Unreachable;

/// The health of this server's parts. Clones share it.
#[derive(Clone)]
pub struct Health {
    store: Store,
    changes: Changes,
    working: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
    database: Arc<Mutex<Option<Ping>>>,
    runtime: watch::Sender<Option<Unreachable>>,
}

/// Whether the metadata database answered, and when.
#[derive(Clone, Copy)]
struct Ping {
    at: Instant,
    answered: bool,
}

/// How long an answer of the metadata database is good for. Anybody may ask for the health, so the database is not asked each time.
const FRESH: Duration = Duration::from_millis(200);

/// A report of the health of the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthReport {
    /// The metadata database answers.
    pub database: bool,
    /// The listening connection is established, so that changes reach subscribers at once.
    pub live_delivery: bool,
    /// This server runs workflows, or is not meant to.
    pub workflows: bool,
    /// The server is about to stop.
    pub stopping: bool,
    /// Why the host of the instances does not answer, or has no space left. The server is ready without an answer: it answers queries, delivers
    /// changes and accepts operations, which wait and say for what. If it were not, all servers of one host would turn unready
    /// together, and nobody could ask why.
    pub unreachable: Option<Unreachable>,
}

impl HealthReport {
    /// Whether the server is ready to serve requests.
    #[must_use]
    pub fn ready(&self) -> bool {
        // The metadata may be on the same disk, and nothing that the server accepts could be carried out.
        let disk_full = self.unreachable.as_ref().is_some_and(|unreachable| unreachable.reason.code == ReasonCode::DiskFull);
        self.database && self.live_delivery && self.workflows && !self.stopping && !disk_full
    }
}

impl Health {
    /// The health of a server that has just started.
    #[must_use]
    pub fn new(store: Store, changes: Changes) -> Self {
        let runtime = watch::Sender::new(None);
        Self { store, changes, working: Arc::default(), stopping: Arc::default(), database: Arc::default(), runtime }
    }

    /// Records that this server runs its workflows.
    pub fn set_working(&self) {
        self.working.store(true, Ordering::Relaxed);
    }

    /// Records that the server is about to stop.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Checks the health. The metadata database is asked at most once per 200 ms, and has a second to answer.
    pub async fn report(&self) -> HealthReport {
        HealthReport {
            database: self.database_answers().await,
            live_delivery: *self.changes.connected().borrow(),
            workflows: self.working.load(Ordering::Relaxed),
            stopping: self.stopping.load(Ordering::Relaxed),
            unreachable: self.runtime.borrow().clone(),
        }
    }

    async fn database_answers(&self) -> bool {
        // One caller asks; the others wait for its answer.
        let mut last = self.database.lock().await;
        if let Some(ping) = last.filter(|ping| ping.at.elapsed() < FRESH) {
            return ping.answered;
        }
        let answered = matches!(tokio::time::timeout(Duration::from_secs(1), self.store.ping()).await, Ok(Ok(())));
        *last = Some(Ping { at: Instant::now(), answered });
        answered
    }
}
