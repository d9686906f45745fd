//! The listening connection of a server, which turns NOTIFY into wake-ups for the readers of the metadata.
//!
//! A wake-up has no content: readers read the changes from the tables, from their own position. Therefore a lost connection loses
//! no change: all readers are woken after each reconnect, and also every few seconds.

use std::time::{Duration, Instant};

use sqlx::{
    Acquire, Connection,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::{
    sync::{broadcast, watch},
    time::{MissedTickBehavior, interval_at, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::Store;
use crate::errors::Classify;
use toygres_domain::{Error, InstanceId, Result};

/// The channel that every write of an instance or operation notifies.
const EVENTS: &str = "toygres_events";
/// The channel that every health sample notifies.
const HEALTH: &str = "toygres_health";
/// The channel that new readings of metrics notify, with the instances that they are of.
const METRICS: &str = "toygres_metrics";
/// The channel that a revoked token notifies.
const TOKENS: &str = "toygres_tokens";
/// The channel that a new certificate authority notifies, and one that begins to issue.
const AUTHORITIES: &str = "toygres_authorities";
/// The channel that a change of a webhook notifies, and a delivery that fails.
const WEBHOOKS: &str = "toygres_webhooks";
/// The channel that the progress of backups notifies.
const BACKUPS: &str = "toygres_backups";
/// The channel that a change of how an instance is checked notifies.
pub(crate) const CHECKS: &str = "toygres_checks";
/// The first delay before a reconnect; it doubles with each failure.
const FIRST_DELAY: Duration = Duration::from_millis(50);
/// The longest delay.
const LONGEST_DELAY: Duration = Duration::from_secs(2);
/// How often failures to connect are logged.
const REPORT_EVERY: Duration = Duration::from_secs(30);
/// The interval of the wake-ups without a notification: the maximum delay if a notification is lost.
const SAFETY_POLL: Duration = Duration::from_secs(5);
/// How long the database may take to answer on the listening connection. Without a limit, the loss of a host that closes nothing, such as one
/// without power, would be found out only when the kernel gives up, which takes a quarter of an hour.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Wake-ups for readers. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Changes {
    events: watch::Sender<u64>,
    tokens: watch::Sender<u64>,
    authorities: watch::Sender<u64>,
    backups: watch::Sender<u64>,
    webhooks: watch::Sender<u64>,
    checks: broadcast::Sender<InstanceId>,
    health: Samples,
    metrics: Samples,
    connected: watch::Sender<bool>,
}

/// A channel that the server listens to while somebody watches.
#[derive(Clone, Debug)]
struct Samples {
    channel: &'static str,
    /// The instances that have new samples; `None` if any may have.
    of: broadcast::Sender<Option<InstanceId>>,
    watchers: watch::Sender<usize>,
}

/// A subscription to samples of instances. The server listens to their channel while one exists.
#[derive(Debug)]
pub struct SampleWatch {
    samples: Samples,
    of: broadcast::Receiver<Option<InstanceId>>,
}

impl Changes {
    /// Creates the wake-ups. There are none until [`Self::run`] is called.
    #[must_use]
    pub fn new() -> Self {
        Self {
            events: watch::Sender::new(0),
            tokens: watch::Sender::new(0),
            authorities: watch::Sender::new(0),
            backups: watch::Sender::new(0),
            webhooks: watch::Sender::new(0),
            checks: broadcast::Sender::new(1024),
            health: Samples::new(HEALTH),
            metrics: Samples::new(METRICS),
            connected: watch::Sender::new(false),
        }
    }

    /// Listens until `shutdown` on one connection, and reconnects when it is lost.
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

    /// Runs on a detached task, for tests.
    #[cfg(feature = "test-support")]
    #[must_use]
    pub fn start(store: &Store, shutdown: CancellationToken) -> Self {
        let changes = Self::new();
        tokio::spawn(changes.clone().run(store.clone(), shutdown));
        changes
    }

    /// A value that changes whenever there may be new events.
    #[must_use]
    pub fn events(&self) -> watch::Receiver<u64> {
        self.events.subscribe()
    }

    /// A value that changes whenever a token may have been revoked.
    #[must_use]
    pub fn tokens(&self) -> watch::Receiver<u64> {
        self.tokens.subscribe()
    }

    /// A value that changes when another certificate authority issues, or is published. Unlike the others it is not changed every few
    /// seconds: whoever waits for it also looks by itself now and then.
    #[must_use]
    pub fn authorities(&self) -> watch::Receiver<u64> {
        self.authorities.subscribe()
    }

    /// A value that changes whenever backups or archives may have changed.
    #[must_use]
    pub fn backups(&self) -> watch::Receiver<u64> {
        self.backups.subscribe()
    }

    /// A value that changes whenever a webhook may have changed, or has begun or ceased to fail.
    #[must_use]
    pub fn webhooks(&self) -> watch::Receiver<u64> {
        self.webhooks.subscribe()
    }

    /// The instances whose health is checked in another way from now on. Some are left out while the listening connection is lost.
    #[must_use]
    pub fn checks(&self) -> broadcast::Receiver<InstanceId> {
        self.checks.subscribe()
    }

    /// Whether the listening connection is established.
    #[must_use]
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// Subscribes to the samples of health checks. The server listens to their channel only while there is a subscriber.
    #[must_use]
    pub fn watch_health(&self) -> SampleWatch {
        self.health.watch()
    }

    /// Subscribes to the readings of metrics, likewise.
    #[must_use]
    pub fn watch_metrics(&self) -> SampleWatch {
        self.metrics.watch()
    }

    async fn listen(&self, store: &Store) -> Result<()> {
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5)).connect_lazy_with(store.options().clone());
        let mut listener = PgListener::connect_with(&pool).await.classify()?;
        // A lost connection must be visible here, because notifications are missed until the next one.
        listener.eager_reconnect(false);
        answered(listener.listen_all([EVENTS, TOKENS, AUTHORITIES, BACKUPS, WEBHOOKS, CHECKS])).await?;
        let (mut health_watchers, mut metrics_watchers) = (self.health.watchers.subscribe(), self.metrics.watchers.subscribe());
        let (mut listens_to_health, mut listens_to_metrics) = (false, false);
        self.connected.send_replace(true);
        metrics::counter!("toygres_listener_connects_total").increment(1);
        self.wake_all();
        // Ticks whether or not there are notifications: others than these may have been lost.
        let mut safety_poll = interval_at(tokio::time::Instant::now() + SAFETY_POLL, SAFETY_POLL);
        safety_poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            for (samples, watchers, listens) in
                [(&self.health, &mut health_watchers, &mut listens_to_health), (&self.metrics, &mut metrics_watchers, &mut listens_to_metrics)]
            {
                let wanted = *watchers.borrow_and_update() > 0;
                if wanted != *listens {
                    if wanted {
                        answered(listener.listen(samples.channel)).await?;
                        samples.tell(None);
                    } else {
                        answered(listener.unlisten(samples.channel)).await?;
                    }
                    *listens = wanted;
                }
            }
            tokio::select! {
                notification = listener.try_recv() => match notification.classify()? {
                    None => return Ok(()),
                    Some(notification) if notification.channel() == HEALTH => {
                        self.health.tell(notification.payload().parse().ok());
                    }
                    Some(notification) if notification.channel() == METRICS => {
                        notification.payload().split(',').for_each(|instance| self.metrics.tell(instance.parse().ok()));
                    }
                    Some(notification) if notification.channel() == CHECKS => {
                        if let Ok(instance) = notification.payload().parse() {
                            let _ = self.checks.send(instance);
                        }
                    }
                    Some(notification) if notification.channel() == TOKENS => self.tokens.send_modify(|wakes| *wakes += 1),
                    Some(notification) if notification.channel() == AUTHORITIES => self.authorities.send_modify(|wakes| *wakes += 1),
                    Some(notification) if notification.channel() == BACKUPS => self.backups.send_modify(|wakes| *wakes += 1),
                    Some(notification) if notification.channel() == WEBHOOKS => self.webhooks.send_modify(|wakes| *wakes += 1),
                    Some(_) => self.events.send_modify(|wakes| *wakes += 1),
                },
                _ = health_watchers.changed() => {}
                _ = metrics_watchers.changed() => {}
                _ = safety_poll.tick() => {
                    self.wake_all();
                    // Whoever only listens does not learn that the other side is gone.
                    answered(async { listener.acquire().await?.ping().await }).await?;
                }
            }
        }
    }

    fn wake_all(&self) {
        self.events.send_modify(|wakes| *wakes += 1);
        self.tokens.send_modify(|wakes| *wakes += 1);
        self.backups.send_modify(|wakes| *wakes += 1);
        self.webhooks.send_modify(|wakes| *wakes += 1);
        self.health.tell(None);
        self.metrics.tell(None);
    }
}

impl Samples {
    fn new(channel: &'static str) -> Self {
        Self { channel, of: broadcast::Sender::new(1024), watchers: watch::Sender::new(0) }
    }

    fn watch(&self) -> SampleWatch {
        let of = self.of.subscribe();
        self.watchers.send_modify(|count| *count += 1);
        SampleWatch { samples: self.clone(), of }
    }

    fn tell(&self, instance: Option<InstanceId>) {
        // An error means that nobody watches.
        let _ = self.of.send(instance);
    }
}

impl SampleWatch {
    /// Waits until there may be new samples of `instance`.
    pub async fn changed(&mut self, instance: InstanceId) {
        loop {
            match self.of.recv().await {
                Ok(Some(other)) if other != instance => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // Cannot happen, because `self` owns the sender.
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

/// The result of a statement on the listening connection, which is lost if there is none in time.
async fn answered(statement: impl Future<Output = Result<(), sqlx::Error>>) -> Result<()> {
    match timeout(ANSWER_TIMEOUT, statement).await {
        Ok(result) => result.classify(),
        Err(_) => Err(Error::Unavailable("the database does not answer".into())),
    }
}

/// An error with its cause, for the log.
fn cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

impl Drop for SampleWatch {
    fn drop(&mut self) {
        self.samples.watchers.send_modify(|count| *count -= 1);
    }
}
