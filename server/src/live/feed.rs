//! One subscriber's position in the event log.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};
use toygres_domain::{InstanceId, Result, event::Cursor};

use super::{
    Delivery, Hub,
    hub::{HubMessage, load},
};

/// Events read from the table at once while catching up.
const BATCH: i64 = 200;

/// Every event behind a position, exactly once and in order: from the table until it has caught up with the hub, then from
/// memory.
pub struct Feed {
    hub: Hub,
    instance: Option<InstanceId>,
    receiver: Receiver<HubMessage>,
    position: Cursor,
    /// Events may be missing between `position` and what the receiver holds: read the table first.
    behind: bool,
    ahead: VecDeque<Arc<Delivery>>,
}

impl Feed {
    pub(super) fn new(hub: Hub, instance: Option<InstanceId>, receiver: Receiver<HubMessage>, position: Cursor) -> Self {
        // What the hub reads from now on, the receiver holds. Before the hub's position something may be missing; beyond it the
        // table has to say whether there is such a position at all.
        let behind = hub.position() != Some(position);
        metrics::gauge!("toygres_feeds").increment(1);
        Self { hub, instance, receiver, position, behind, ahead: VecDeque::new() }
    }

    /// The position behind which the next event lies.
    #[must_use]
    pub fn position(&self) -> Cursor {
        self.position
    }

    /// Leaves out everything up to `position`, which a snapshot has shown already.
    pub fn skip_to(&mut self, position: Cursor) {
        self.position = self.position.max(position);
        self.ahead.retain(|delivery| delivery.event.cursor > self.position);
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// [`toygres_domain::Error::MustRefetch`] when the log no longer holds what comes next, `Unavailable` when the database is away.
    pub async fn next(&mut self) -> Result<Arc<Delivery>> {
        loop {
            if let Some(delivery) = self.ahead.pop_front() {
                self.position = delivery.event.cursor;
                return Ok(delivery);
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            match self.receiver.recv().await {
                Ok(Some(delivery)) if delivery.event.cursor > self.position => self.ahead.push_back(delivery),
                Ok(Some(_)) => {}
                Ok(None) => self.fall_behind(),
                Err(RecvError::Lagged(_)) => self.fall_behind(),
                // The hub dropped the channel of an instance that had no subscriber for a moment; the hub lives as long as this feed.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// The next event, if it is there already; lets a slow subscriber skip to the latest state.
    ///
    /// # Errors
    /// As [`Feed::next`].
    pub async fn try_next(&mut self) -> Result<Option<Arc<Delivery>>> {
        loop {
            if let Some(delivery) = self.ahead.pop_front() {
                self.position = delivery.event.cursor;
                return Ok(Some(delivery));
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            match self.receiver.try_recv() {
                Ok(Some(delivery)) if delivery.event.cursor > self.position => self.ahead.push_back(delivery),
                Ok(Some(_)) => {}
                Ok(None) => self.fall_behind(),
                Err(TryRecvError::Lagged(_)) => self.fall_behind(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(None),
            }
        }
    }

    fn fall_behind(&mut self) {
        self.behind = true;
        metrics::counter!("toygres_feed_resyncs_total").increment(1);
    }

    async fn catch_up(&mut self) -> Result<()> {
        let events = self.hub.store().events_after(self.position, self.instance, BATCH).await?;
        let full = i64::try_from(events.len()).is_ok_and(|n| n >= BATCH);
        self.ahead.extend(load(self.hub.store(), events).await?);
        // A page that is not full reaches the end of the log, which is at or past what the receiver begins with.
        self.behind = full;
        Ok(())
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        metrics::gauge!("toygres_feeds").decrement(1);
    }
}
