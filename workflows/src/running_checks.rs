//! Tells the health checks that are in progress in this server what the runtime reports meanwhile.
//!
//! Every server that runs workflows watches the runtime, so each informs its own checks. The loop of the instance is informed by a
//! message, which waits until the check is done.

use std::time::Instant;

use tokio::sync::broadcast::{self, error::RecvError};
use toygres_domain::InstanceId;

/// The changes that a check can fall behind. One that has missed some takes note of a change.
const CAPACITY: usize = 256;

/// Where changes are announced. Clones share the checks.
#[derive(Clone, Debug)]
pub struct RunningChecks {
    announcements: broadcast::Sender<Announcement>,
}

/// What happened to an instance during its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Its server died.
    Death,
    /// Something else changed.
    Other,
}

#[derive(Clone, Debug)]
struct Announcement {
    instance: InstanceId,
    change: Change,
    heard: Instant,
}

/// The changes of one instance since the begin of its check.
#[derive(Debug)]
pub(crate) struct Changes {
    instance: InstanceId,
    began: Instant,
    announcements: broadcast::Receiver<Announcement>,
}

impl Default for RunningChecks {
    fn default() -> Self {
        Self { announcements: broadcast::Sender::new(CAPACITY) }
    }
}

impl RunningChecks {
    /// Announces a change of which the runtime told at the time `heard`.
    pub(crate) fn announce(&self, instance: InstanceId, change: Change, heard: Instant) {
        // An error means that no check is in progress.
        let _ = self.announcements.send(Announcement { instance, change, heard });
    }

    /// The changes of an instance from now on.
    pub(crate) fn changes(&self, instance: InstanceId) -> Changes {
        Changes { instance, began: Instant::now(), announcements: self.announcements.subscribe() }
    }
}

impl Changes {
    /// Waits for the next change. Cancel safe.
    pub(crate) async fn next(&mut self) -> Change {
        loop {
            match self.announcements.recv().await {
                // A check that a message about the change has triggered is not behind it.
                Ok(Announcement { instance, change, heard }) if instance == self.instance && heard > self.began => return change,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Change::Other,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_check_hears_of_its_instance_and_of_what_came_after_its_begin() {
        let (checks, id, before) = (RunningChecks::default(), InstanceId::generate(), Instant::now());
        checks.announce(id, Change::Death, before);
        let mut changes = checks.changes(id);
        checks.announce(InstanceId::generate(), Change::Death, Instant::now());
        checks.announce(id, Change::Death, before);
        assert_eq!(changes.next().now_or_never(), None);
        checks.announce(id, Change::Other, Instant::now());
        checks.announce(id, Change::Death, Instant::now());
        assert_eq!(changes.next().now_or_never(), Some(Change::Other));
        assert_eq!(changes.next().now_or_never(), Some(Change::Death));
        for _ in 0..2 * CAPACITY {
            checks.announce(InstanceId::generate(), Change::Other, Instant::now());
        }
        assert_eq!(changes.next().now_or_never(), Some(Change::Other), "it may have missed one");
    }
}
