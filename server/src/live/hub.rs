//! The hub: reads the event log once for all subscribers of this server.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{broadcast, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    Error, InstanceId, OperationId, Result,
    event::{Cursor, Event},
    instance::Instance,
    operation::Operation,
};
use toygres_store::Store;
use toygres_store::changes::Changes;

use super::Feed;

/// The number of events that are read at a time.
const BATCH: i64 = 500;
/// The number of deliveries that a subscriber of all instances may lag behind before it reads from the table instead.
const BUFFER_ALL: usize = 4096;
/// The same for a subscriber of one instance. Small, because there are many.
const BUFFER_ONE: usize = 32;
/// How long the database may take for a batch. Without a limit, the loss of a host that closes nothing, such as one without power, would be
/// found out only when the kernel gives up, which takes a quarter of an hour.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// An event with its instance and operation as they were when the event was read, which is at least as new as the event.
#[derive(Debug)]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// The instance that the event belongs to.
    pub instance: Option<Arc<Instance>>,
    /// The operation that the event belongs to, if any.
    pub operation: Option<Arc<Operation>>,
    /// Whether every subscriber gets this very delivery, rather than one of its own.
    pub broadcast: bool,
}

/// What the hub sends to a feed: a delivery, or `None` for a gap: the hub continues from a later position, and a feed that has
/// not read that far must read the table.
pub(super) type HubMessage = Option<Arc<Delivery>>;

/// The hub. Clones share one.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    changes: Changes,
    /// The position up to which the log has been read; `None` until the first read.
    position: watch::Sender<Option<Cursor>>,
    all: broadcast::Sender<HubMessage>,
    by_instance: Mutex<HashMap<InstanceId, broadcast::Sender<HubMessage>>>,
}

impl Hub {
    /// Creates a hub. It delivers nothing until [`Self::run`] is called.
    #[must_use]
    pub fn new(store: Store, changes: Changes) -> Self {
        let inner = Inner {
            store,
            changes,
            position: watch::Sender::new(None),
            all: broadcast::Sender::new(BUFFER_ALL),
            by_instance: Mutex::new(HashMap::new()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Reads the log and delivers until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.deliver()).await;
    }

    /// Returns the events after `after`, of all instances or of one; without `after`, the events from now on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the position cannot be read from the database.
    pub async fn feed(&self, instance: Option<InstanceId>, after: Option<Cursor>) -> Result<Feed> {
        // Registered before the position is read, so that no event is missed.
        let receiver = self.register(instance);
        let after = match after {
            Some(cursor) => cursor,
            None => self.inner.store.event_head().await?,
        };
        Ok(Feed::new(self.clone(), instance, receiver, after))
    }

    /// The metadata store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The notifications of changes of the metadata.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.inner.changes
    }

    /// The position up to which the hub has read.
    pub(super) fn position(&self) -> Option<Cursor> {
        *self.inner.position.borrow()
    }

    fn register(&self, instance: Option<InstanceId>) -> broadcast::Receiver<HubMessage> {
        match instance {
            None => self.inner.all.subscribe(),
            Some(id) => {
                let mut by_instance = self.inner.by_instance.lock().unwrap_or_else(PoisonError::into_inner);
                by_instance.entry(id).or_insert_with(|| broadcast::Sender::new(BUFFER_ONE)).subscribe()
            }
        }
    }

    async fn deliver(&self) {
        let mut wakes = self.inner.changes.events();
        let mut pause = Duration::from_millis(50);
        let mut has_read = false;
        let mut reader = self.inner.store.for_reader();
        loop {
            wakes.mark_unchanged();
            match self.read(&mut reader).await {
                Ok(()) => {
                    has_read = true;
                    pause = Duration::from_millis(50);
                    // The sender lives in `self.inner.changes`.
                    let _ = wakes.changed().await;
                }
                Err(error) => {
                    // Before the first read the schema may not exist yet, or not all of it, and the migration logs errors of the database.
                    if has_read {
                        tracing::warn!(%error, "the event log could not be read; trying again");
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        }
    }

    /// Reads and delivers everything that is new.
    async fn read(&self, reader: &mut Store) -> Result<()> {
        loop {
            // A batch is delivered without a pause after it was read, so the time-out interrupts only queries.
            match timeout(READ_TIMEOUT, self.read_batch(reader)).await {
                Ok(Ok(true)) => {}
                Ok(outcome) => return outcome.map(drop),
                Err(_) => {
                    // Its only connection may be lost, and stays in use until the kernel gives it up.
                    *reader = self.inner.store.for_reader();
                    return Err(Error::Unavailable("the database does not answer".into()));
                }
            }
        }
    }

    /// Reads and delivers the next events. Returns whether there may be more.
    async fn read_batch(&self, reader: &Store) -> Result<bool> {
        let position = match self.position() {
            Some(position) => position,
            // Feeds may have registered and read the table before the first position was known.
            None => self.jump_to(reader.event_head().await?),
        };
        let events = match reader.events_after(position, None, BATCH).await {
            // The server was disconnected for longer than events are kept, or the database was replaced. Subscribers find out
            // when they continue from their own position.
            Err(Error::MustRefetch) => {
                self.jump_to(reader.event_head().await?);
                return Ok(false);
            }
            other => other?,
        };
        let Some(last) = events.last() else { return Ok(false) };
        let position = last.cursor;
        // A page that is not full contains all events; later commits send another notification.
        let more = i64::try_from(events.len()).is_ok_and(|read| read >= BATCH);
        metrics::counter!("toygres_events_read_total").increment(events.len() as u64);
        let deliveries = load(reader, events, true).await?;
        // The position is updated before the delivery, so that a feed that registers meanwhile knows that it may have missed a
        // part of this batch.
        self.move_to(position);
        for delivery in deliveries {
            self.deliver_one(delivery);
        }
        Ok(more)
    }

    fn deliver_one(&self, delivery: Arc<Delivery>) {
        let lag = chrono::Utc::now() - delivery.event.cursor.at;
        metrics::histogram!("toygres_event_lag_seconds").record(lag.as_seconds_f64().max(0.0));
        let mut by_instance = self.inner.by_instance.lock().unwrap_or_else(PoisonError::into_inner);
        let id = delivery.event.instance;
        if by_instance.get(&id).is_some_and(|watchers| watchers.send(Some(delivery.clone())).is_err()) {
            // The last subscriber of the instance has unsubscribed.
            by_instance.remove(&id);
        }
        drop(by_instance);
        // An error means that there is no subscriber of all instances.
        let _ = self.inner.all.send(Some(delivery));
    }

    /// Continues from a position without delivering all events before it.
    fn jump_to(&self, position: Cursor) -> Cursor {
        // The position is updated first: a feed that registers from now on reads the table.
        self.move_to(position);
        self.inner.by_instance.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, watchers| watchers.send(None).is_ok());
        let _ = self.inner.all.send(None);
        position
    }

    fn move_to(&self, position: Cursor) -> Cursor {
        self.inner.position.send_replace(Some(position));
        position
    }
}

/// Loads the instances and operations of events, with one query for each.
pub(crate) async fn load(store: &Store, events: Vec<Event>, broadcast: bool) -> Result<Vec<Arc<Delivery>>> {
    let mut instances: Vec<InstanceId> = events.iter().map(|event| event.instance).collect();
    instances.sort_unstable();
    instances.dedup();
    let mut operations: Vec<OperationId> = events.iter().filter_map(|event| event.operation.clone()).collect();
    operations.sort_unstable();
    operations.dedup();
    let instances: HashMap<_, _> = store.instances_by_id(&instances).await?.into_iter().map(|instance| (instance.id, Arc::new(instance))).collect();
    let operations: HashMap<_, _> = match operations.is_empty() {
        true => HashMap::new(),
        false => store.operations_by_id(&operations).await?.into_iter().map(|operation| (operation.id.clone(), Arc::new(operation))).collect(),
    };
    Ok(events
        .into_iter()
        .map(|event| {
            let instance = instances.get(&event.instance).cloned();
            let operation = event.operation.as_ref().and_then(|id| operations.get(id).cloned());
            Arc::new(Delivery { event, instance, operation, broadcast })
        })
        .collect())
}
