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

/// The number of events that are read at a time while catching up.
const BATCH: i64 = 200;

/// Every event after a position, exactly once and in order: from the table until it has caught up with the hub, then from memory.
pub struct Feed {
    hub: Hub,
    instance: Option<InstanceId>,
    receiver: Receiver<HubMessage>,
    position: Cursor,
    /// Whether the receiver may lack events after `position`, so that the table must be read first.
    behind: bool,
    ahead: VecDeque<Arc<Delivery>>,
}

impl Feed {
    pub(super) fn new(hub: Hub, instance: Option<InstanceId>, receiver: Receiver<HubMessage>, position: Cursor) -> Self {
        // The receiver gets the events that the hub reads from now on. If `position` is before the hub's, earlier events may be
        // missing; if it is after the hub's, only the table can tell whether the position exists.
        let behind = hub.position() != Some(position);
        metrics::gauge!("toygres_feeds").increment(1);
        Self { hub, instance, receiver, position, behind, ahead: VecDeque::new() }
    }

    /// The position of the last event that was returned; the next one follows it.
    #[must_use]
    pub fn position(&self) -> Cursor {
        self.position
    }

    /// Skips the events up to `position`, which a snapshot already contains.
    pub fn skip_to(&mut self, position: Cursor) {
        self.position = self.position.max(position);
        self.ahead.retain(|delivery| delivery.event.cursor > self.position);
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// [`toygres_domain::Error::MustRefetch`] when the log no longer has the next event, `Unavailable` when the database is
    /// unavailable.
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
                // Cannot happen: the hub exists as long as this feed, and it only removes the channel of an instance without
                // subscribers.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// The next event if it is already available, which lets a slow subscriber skip to the latest state.
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
        self.ahead.extend(load(self.hub.store(), events, false).await?);
        // A page that is not full reaches the end of the log, which is not before the first event of the receiver.
        self.behind = full;
        Ok(())
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        metrics::gauge!("toygres_feeds").decrement(1);
    }
}
