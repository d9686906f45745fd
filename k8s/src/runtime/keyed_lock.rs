//! Who may work on an instance, and how often it is looked at.
//!
//! A look is five API calls. Whoever waits for an instance looks again and again, so a look that follows another one closely
//! first waits for news of the watch: many instances on their way would else keep the API server busy with answering that
//! nothing has changed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Notify, OwnedMutexGuard};
use toygres_domain::InstanceId;

/// The longest wait for news: what no watch tells, such as a volume that was given up, is seen after so long.
const PAUSE: Duration = Duration::from_millis(500);

/// After so long without a verb an instance is forgotten.
const MEMORY: Duration = Duration::from_secs(60);

/// The turns of all instances.
#[derive(Default)]
pub(super) struct Turns {
    /// Whether somebody passes the news of the watch on; without them nothing is worth a wait.
    watched: AtomicBool,
    instances: Mutex<HashMap<InstanceId, Turn>>,
}

struct Turn {
    lock: Arc<tokio::sync::Mutex<()>>,
    news: Arc<Notify>,
    /// When it was last seen on its way.
    pending: Option<Instant>,
    used: Instant,
}

impl Turns {
    /// Waits until no other verb of this server is at work on the instance. Other servers are kept off by the workflow
    /// engine, which runs an instance's activities one at a time.
    pub(super) async fn take(&self, id: InstanceId) -> OwnedMutexGuard<()> {
        let lock = self.with(id, |turn| Arc::clone(&turn.lock));
        lock.lock_owned().await
    }

    /// Waits for news of an instance that was seen on its way a moment ago, but not for long.
    pub(super) async fn pause(&self, id: InstanceId) {
        let (news, pending) = self.with(id, |turn| (Arc::clone(&turn.news), turn.pending));
        let pending = pending.filter(|_| self.watched.load(Ordering::Relaxed));
        let rest = pending.map_or(Duration::ZERO, |pending| PAUSE.saturating_sub(pending.elapsed()));
        if !rest.is_zero() {
            let _ = tokio::time::timeout(rest, news.notified()).await;
        }
    }

    /// Notes that news will come.
    pub(super) fn watched(&self) {
        self.watched.store(true, Ordering::Relaxed);
    }

    /// Notes that the instance is on its way.
    pub(super) fn saw_pending(&self, id: InstanceId) {
        self.with(id, |turn| turn.pending = Some(Instant::now()));
    }

    /// Notes that there is news. It is kept for the next who looks: it may have come while the last one looked.
    pub(super) fn wake(&self, id: InstanceId) {
        if let Some(turn) = self.instances().get(&id) {
            turn.news.notify_one();
        }
    }

    fn with<T>(&self, id: InstanceId, look: impl FnOnce(&mut Turn) -> T) -> T {
        let mut instances = self.instances();
        instances.retain(|_, turn| turn.used.elapsed() < MEMORY || Arc::strong_count(&turn.lock) > 1);
        let turn = instances.entry(id).or_insert_with(|| Turn { lock: Arc::default(), news: Arc::default(), pending: None, used: Instant::now() });
        turn.used = Instant::now();
        look(turn)
    }

    fn instances(&self) -> MutexGuard<'_, HashMap<InstanceId, Turn>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_look_waits_for_news_and_not_for_ever() {
        let (turns, id, other) = (Turns::default(), InstanceId::generate(), InstanceId::generate());
        let waited = async |id| {
            let started = Instant::now();
            turns.pause(id).await;
            started.elapsed()
        };
        assert!(waited(id).await < PAUSE / 2, "the first look");
        turns.saw_pending(id);
        assert!(waited(id).await < PAUSE / 2, "nobody would tell");
        turns.watched();
        assert!(waited(other).await < PAUSE / 2, "another instance");
        let long = waited(id).await;
        assert!(long > PAUSE / 2 && long < PAUSE * 4, "nothing is new: {long:?}");
        turns.saw_pending(id);
        turns.wake(id);
        assert!(waited(id).await < PAUSE / 2, "news that came before");
    }

    #[tokio::test]
    async fn one_at_a_time() {
        let (turns, id) = (Turns::default(), InstanceId::generate());
        let first = turns.take(id).await;
        assert!(tokio::time::timeout(Duration::from_millis(20), turns.take(id)).await.is_err());
        drop(first);
        turns.take(id).await;
    }
}
