//! The one listening connection of a server: it turns NOTIFY into wake-ups for whoever reads the metadata.
//!
//! A wake-up says only "look": what changed is read from the tables, from the reader's own position. So a lost connection
//! loses nothing: after each reconnect, and every few seconds besides, everybody is woken once.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::Store;
use crate::errors::Classify;
use toygres_domain::{Error, InstanceId, Result};

/// The channel that every write of an instance or operation notifies.
const EVENTS: &str = "toygres_events";
/// The channel that every health sample notifies.
const HEALTH: &str = "toygres_health";
/// The channel that a revoked token notifies.
const TOKENS: &str = "toygres_tokens";
/// The pause before a lost connection is made again; it doubles with each failure.
const FIRST_DELAY: Duration = Duration::from_millis(50);
/// The longest pause.
const LONGEST_DELAY: Duration = Duration::from_secs(2);
/// How often it is logged that the connection cannot be made.
const REPORT_EVERY: Duration = Duration::from_secs(30);
/// How long a lost notification can go unnoticed at the most.
const SAFETY_POLL: Duration = Duration::from_secs(5);

/// Wake-ups for readers. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Changes {
    events: watch::Sender<u64>,
    tokens: watch::Sender<u64>,
    health: broadcast::Sender<Option<InstanceId>>,
    health_watchers: watch::Sender<usize>,
    connected: watch::Sender<bool>,
}

/// Keeps the health channel open while it is held.
#[derive(Debug)]
pub struct HealthWatch {
    changes: Changes,
    samples: broadcast::Receiver<Option<InstanceId>>,
}

impl Changes {
    /// Wake-ups that come once [`Self::run`] runs.
    #[must_use]
    pub fn new() -> Self {
        Self {
            events: watch::Sender::new(0),
            tokens: watch::Sender::new(0),
            health: broadcast::Sender::new(1024),
            health_watchers: watch::Sender::new(0),
            connected: watch::Sender::new(false),
        }
    }

    /// Listens until `shutdown`, over one connection that is made again whenever it is lost.
    pub async fn run(self, store: Store, shutdown: CancellationToken) {
        let mut delay = FIRST_DELAY;
        let mut reported: Option<Instant> = None;
        loop {
            let lost = tokio::select! {
                () = shutdown.cancelled() => return,
                lost = self.listen(&store) => lost.err().map(|error| cause(&error)),
            };
            if self.connected.send_replace(false) {
                (delay, reported) = (FIRST_DELAY, None);
                tracing::warn!(error = lost, "the listening connection is lost; reconnecting");
            } else if reported.is_none_or(|at| at.elapsed() > REPORT_EVERY) {
                reported = Some(Instant::now());
                tracing::warn!(error = lost, "the listening connection cannot be made; trying again");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(delay) => {}
            }
            delay = (delay * 2).min(LONGEST_DELAY);
        }
    }

    /// The same on a task that nobody watches, for tests.
    #[cfg(feature = "test-support")]
    #[must_use]
    pub fn start(store: &Store, shutdown: CancellationToken) -> Self {
        let changes = Self::new();
        tokio::spawn(changes.clone().run(store.clone(), shutdown));
        changes
    }

    /// Changes its value whenever there may be new events.
    #[must_use]
    pub fn events(&self) -> watch::Receiver<u64> {
        self.events.subscribe()
    }

    /// Changes its value whenever a token may have been revoked.
    #[must_use]
    pub fn tokens(&self) -> watch::Receiver<u64> {
        self.tokens.subscribe()
    }

    /// Whether the listening connection stands.
    #[must_use]
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// Watches the samples of health checks. The server listens to them only while somebody does.
    #[must_use]
    pub fn watch_health(&self) -> HealthWatch {
        let samples = self.health.subscribe();
        self.health_watchers.send_modify(|count| *count += 1);
        HealthWatch { changes: self.clone(), samples }
    }

    async fn listen(&self, store: &Store) -> Result<()> {
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5)).connect_lazy_with(store.options().clone());
        let mut listener = PgListener::connect_with(&pool).await.classify()?;
        // The gap of a lost connection must be seen here, not healed below us.
        listener.eager_reconnect(false);
        listener.listen_all([EVENTS, TOKENS]).await.classify()?;
        let mut watchers = self.health_watchers.subscribe();
        let mut listens_to_health = false;
        self.connected.send_replace(true);
        metrics::counter!("toygres_listener_connects_total").increment(1);
        self.wake_all();
        loop {
            let wanted = *watchers.borrow_and_update() > 0;
            if wanted != listens_to_health {
                if wanted {
                    listener.listen(HEALTH).await.classify()?;
                    let _ = self.health.send(None);
                } else {
                    listener.unlisten(HEALTH).await.classify()?;
                }
                listens_to_health = wanted;
            }
            tokio::select! {
                notification = listener.try_recv() => match notification.classify()? {
                    None => return Ok(()),
                    Some(notification) if notification.channel() == HEALTH => {
                        let _ = self.health.send(notification.payload().parse().ok());
                    }
                    Some(notification) if notification.channel() == TOKENS => self.tokens.send_modify(|wakes| *wakes += 1),
                    Some(_) => self.events.send_modify(|wakes| *wakes += 1),
                },
                _ = watchers.changed() => {}
                () = tokio::time::sleep(SAFETY_POLL) => self.wake_all(),
            }
        }
    }

    fn wake_all(&self) {
        self.events.send_modify(|wakes| *wakes += 1);
        self.tokens.send_modify(|wakes| *wakes += 1);
        let _ = self.health.send(None);
    }
}

impl HealthWatch {
    /// Waits until there may be new samples of `instance`.
    pub async fn changed(&mut self, instance: InstanceId) {
        loop {
            match self.samples.recv().await {
                Ok(Some(other)) if other != instance => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The sender lives in `self`, so this cannot happen; waiting for ever is the safe answer.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}

/// An error with what caused it, for the log.
fn cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

impl Drop for HealthWatch {
    fn drop(&mut self) {
        self.changes.health_watchers.send_modify(|count| *count -= 1);
    }
}
