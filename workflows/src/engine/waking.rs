//! Wakes the engine's slots when there is work for them.
//!
//! duroxide's slots each poll the database, which an idle server pays for and an operation waits for at every step. Most work is
//! enqueued by the process that carries it out: [`Waking`] sees it pass, and wakes a slot at once. What others have enqueued, timers that
//! are due and work of a crashed server are found by polling, by one slot for all of them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use duroxide::{
    Event, SystemStats,
    providers::{
        DispatcherCapabilityFilter, ExecutionMetadata, OrchestrationItem, Provider, ProviderAdmin, ProviderError, ScheduledActivityIdentifier,
        SessionFetchConfig, TagFilter, WorkItem,
    },
};
use tokio::{sync::Semaphore, time::Instant};

type Result<T> = std::result::Result<T, ProviderError>;

/// A provider whose `fetch` methods wait until there is work.
pub(super) struct Waking {
    inner: Arc<dyn Provider>,
    orchestrations: Queue,
    activities: Queue,
}

impl Waking {
    pub(super) fn new(inner: Arc<dyn Provider>) -> Self {
        Self { inner, orchestrations: Queue::default(), activities: Queue::default() }
    }

    /// Polls each queue once per `interval` while nothing else wakes a slot.
    pub(super) fn poll_every(&self, interval: Duration) {
        for queue in [&self.orchestrations, &self.activities] {
            queue.polls().interval = interval;
        }
    }
}

/// The slots of this process that look for work in one queue of the engine.
struct Queue {
    /// How many slots look. The others fetch as soon as they are done, so they need no hint.
    looking: AtomicUsize,
    /// One permit for each item that this process has enqueued while a slot was looking.
    hints: Semaphore,
    /// A permit when a poll has found something: there may be more.
    more: Semaphore,
    polls: Mutex<Polls>,
}

struct Polls {
    interval: Duration,
    last: Instant,
}

/// Why a slot looks into the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The slot has become free, or this process has enqueued something.
    Hint,
    /// Somebody else may have enqueued something.
    Poll,
}

impl Default for Queue {
    fn default() -> Self {
        let polls = Polls { interval: Duration::from_millis(100), last: Instant::now() };
        Self { looking: AtomicUsize::new(0), hints: Semaphore::new(0), more: Semaphore::new(0), polls: Mutex::new(polls) }
    }
}

impl Queue {
    fn polls(&self) -> MutexGuard<'_, Polls> {
        self.polls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called after items were enqueued.
    ///
    /// A slot that begins to look after the counter was read finds the items by itself, because they are in the database already.
    fn announce(&self, items: usize) {
        let looking = self.looking.load(Ordering::SeqCst);
        self.hints.add_permits(items.min(looking.saturating_sub(self.hints.available_permits())));
    }

    /// Fetches until something is found, at the longest for `patience`.
    async fn fetch<T, Fetch: Future<Output = Result<Option<T>>>>(&self, patience: Duration, fetch: impl Fn() -> Fetch) -> Result<Option<T>> {
        let _looking = Looking::start(self);
        let until = Instant::now() + patience;
        let mut cause = Cause::Hint;
        loop {
            self.polls().last = Instant::now();
            if let Some(found) = fetch().await? {
                if cause == Cause::Poll && self.more.available_permits() == 0 {
                    self.more.add_permits(1);
                }
                return Ok(Some(found));
            }
            match self.wait(until).await {
                Some(next) => cause = next,
                None => return Ok(None),
            }
        }
    }

    /// Waits until there is a reason to look into the queue. Returns `None` at `until`.
    async fn wait(&self, until: Instant) -> Option<Cause> {
        loop {
            let poll = {
                let polls = self.polls();
                polls.last + polls.interval
            };
            tokio::select! {
                biased;
                Ok(hint) = self.hints.acquire() => {
                    hint.forget();
                    return Some(Cause::Hint);
                }
                Ok(more) = self.more.acquire() => {
                    more.forget();
                    return Some(Cause::Poll);
                }
                () = tokio::time::sleep_until(poll.min(until)) => {}
            }
            let now = Instant::now();
            if now >= until {
                return None;
            }
            // All slots wake up at this time, and the first one polls for all.
            let mut polls = self.polls();
            if polls.last + polls.interval <= now {
                polls.last = now;
                return Some(Cause::Poll);
            }
        }
    }
}

/// Counts a slot as one that looks until it is dropped.
struct Looking<'a>(&'a Queue);

impl<'a> Looking<'a> {
    fn start(queue: &'a Queue) -> Self {
        queue.looking.fetch_add(1, Ordering::SeqCst);
        Self(queue)
    }
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.looking.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Provider for Waking {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn version(&self) -> &str {
        self.inner.version()
    }

    async fn fetch_orchestration_item(
        &self,
        lock_timeout: Duration,
        poll_timeout: Duration,
        filter: Option<&DispatcherCapabilityFilter>,
    ) -> Result<Option<(OrchestrationItem, String, u32)>> {
        self.orchestrations.fetch(poll_timeout, || self.inner.fetch_orchestration_item(lock_timeout, Duration::ZERO, filter)).await
    }

    async fn ack_orchestration_item(
        &self,
        lock_token: &str,
        execution_id: u64,
        history_delta: Vec<Event>,
        worker_items: Vec<WorkItem>,
        orchestrator_items: Vec<WorkItem>,
        metadata: ExecutionMetadata,
        cancelled_activities: Vec<ScheduledActivityIdentifier>,
    ) -> Result<()> {
        let activities = worker_items.len();
        let orchestrations = orchestrator_items.iter().filter(|item| is_due(item)).count();
        self.inner
            .ack_orchestration_item(lock_token, execution_id, history_delta, worker_items, orchestrator_items, metadata, cancelled_activities)
            .await?;
        self.activities.announce(activities);
        self.orchestrations.announce(orchestrations);
        Ok(())
    }

    async fn abandon_orchestration_item(&self, lock_token: &str, delay: Option<Duration>, ignore_attempt: bool) -> Result<()> {
        self.inner.abandon_orchestration_item(lock_token, delay, ignore_attempt).await
    }

    async fn read(&self, instance: &str) -> Result<Vec<Event>> {
        self.inner.read(instance).await
    }

    async fn read_with_execution(&self, instance: &str, execution_id: u64) -> Result<Vec<Event>> {
        self.inner.read_with_execution(instance, execution_id).await
    }

    async fn append_with_execution(&self, instance: &str, execution_id: u64, new_events: Vec<Event>) -> Result<()> {
        self.inner.append_with_execution(instance, execution_id, new_events).await
    }

    async fn enqueue_for_worker(&self, item: WorkItem) -> Result<()> {
        self.inner.enqueue_for_worker(item).await?;
        self.activities.announce(1);
        Ok(())
    }

    async fn fetch_work_item(
        &self,
        lock_timeout: Duration,
        poll_timeout: Duration,
        session: Option<&SessionFetchConfig>,
        tag_filter: &TagFilter,
    ) -> Result<Option<(WorkItem, String, u32)>> {
        self.activities.fetch(poll_timeout, || self.inner.fetch_work_item(lock_timeout, Duration::ZERO, session, tag_filter)).await
    }

    async fn ack_work_item(&self, token: &str, completion: Option<WorkItem>) -> Result<()> {
        let orchestrations = usize::from(completion.is_some());
        self.inner.ack_work_item(token, completion).await?;
        self.orchestrations.announce(orchestrations);
        Ok(())
    }

    async fn renew_work_item_lock(&self, token: &str, extend_for: Duration) -> Result<()> {
        self.inner.renew_work_item_lock(token, extend_for).await
    }

    async fn renew_session_lock(&self, owner_ids: &[&str], extend_for: Duration, idle_timeout: Duration) -> Result<usize> {
        self.inner.renew_session_lock(owner_ids, extend_for, idle_timeout).await
    }

    async fn cleanup_orphaned_sessions(&self, idle_timeout: Duration) -> Result<usize> {
        self.inner.cleanup_orphaned_sessions(idle_timeout).await
    }

    async fn abandon_work_item(&self, token: &str, delay: Option<Duration>, ignore_attempt: bool) -> Result<()> {
        self.inner.abandon_work_item(token, delay, ignore_attempt).await
    }

    async fn renew_orchestration_item_lock(&self, token: &str, extend_for: Duration) -> Result<()> {
        self.inner.renew_orchestration_item_lock(token, extend_for).await
    }

    async fn enqueue_for_orchestrator(&self, item: WorkItem, delay: Option<Duration>) -> Result<()> {
        let due = delay.is_none() && is_due(&item);
        self.inner.enqueue_for_orchestrator(item, delay).await?;
        self.orchestrations.announce(usize::from(due));
        Ok(())
    }

    fn as_management_capability(&self) -> Option<&dyn ProviderAdmin> {
        self.inner.as_management_capability()
    }

    async fn get_custom_status(&self, instance: &str, last_seen_version: u64) -> Result<Option<(Option<String>, u64)>> {
        self.inner.get_custom_status(instance, last_seen_version).await
    }

    async fn get_kv_value(&self, instance: &str, key: &str) -> Result<Option<String>> {
        self.inner.get_kv_value(instance, key).await
    }

    async fn get_kv_all_values(&self, instance: &str) -> Result<HashMap<String, String>> {
        self.inner.get_kv_all_values(instance).await
    }

    async fn get_instance_stats(&self, instance: &str) -> Result<Option<SystemStats>> {
        self.inner.get_instance_stats(instance).await
    }
}

/// Whether an item can be fetched at once: a timer is enqueued when it is set.
fn is_due(item: &WorkItem) -> bool {
    !matches!(item, WorkItem::TimerFired { .. })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A queue of numbers, in place of the database.
    #[derive(Default)]
    struct Database {
        items: Mutex<VecDeque<usize>>,
        fetches: AtomicUsize,
    }

    impl Database {
        fn enqueue(&self, items: impl IntoIterator<Item = usize>) {
            self.items.lock().unwrap().extend(items);
        }

        async fn fetch(&self) -> Result<Option<usize>> {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            let found = self.items.lock().unwrap().pop_front();
            tokio::task::yield_now().await;
            Ok(found)
        }
    }

    /// Starts slots that send what they find.
    fn slots(count: usize, interval: Duration) -> (Arc<Queue>, Arc<Database>, tokio::sync::mpsc::UnboundedReceiver<usize>) {
        let (queue, database) = (Arc::new(Queue::default()), Arc::new(Database::default()));
        queue.polls().interval = interval;
        let (sender, found) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..count {
            let (queue, database, sender) = (queue.clone(), database.clone(), sender.clone());
            tokio::spawn(async move {
                loop {
                    let item = queue.fetch(Duration::from_secs(30), || database.fetch()).await.unwrap();
                    if item.is_some_and(|item| sender.send(item).is_err()) {
                        return;
                    }
                }
            });
        }
        (queue, database, found)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nothing_that_was_announced_waits_for_a_poll() {
        let (queue, database, mut found) = slots(8, HOUR);
        for producer in 0..4 {
            let (queue, database) = (queue.clone(), database.clone());
            tokio::spawn(async move {
                for item in 0..5_000 {
                    database.enqueue([producer * 5_000 + item]);
                    queue.announce(1);
                    if item % 7 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            });
        }
        let mut all = std::collections::HashSet::new();
        let every = async { while all.len() < 20_000 && all.insert(found.recv().await.unwrap()) {} };
        tokio::time::timeout(Duration::from_secs(60), every).await.expect("nothing is left behind");
        assert_eq!(all.len(), 20_000);
    }

    #[tokio::test]
    async fn idle_slots_poll_together_once_per_interval() {
        let (_queue, database, mut found) = slots(10, Duration::from_millis(100));
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (before, begin) = (database.fetches.load(Ordering::SeqCst), Instant::now());
        tokio::time::sleep(Duration::from_secs(1)).await;
        let polls = database.fetches.load(Ordering::SeqCst) - before;
        let intervals = usize::try_from(begin.elapsed().as_millis() / 100).unwrap();
        assert!(polls <= intervals + 1, "{polls} polls in {intervals} intervals");
        // Nobody announces what another server has enqueued. One poll finds the first, which wakes the others.
        database.enqueue(0..50);
        let before = database.fetches.load(Ordering::SeqCst);
        for _ in 0..50 {
            tokio::time::timeout(Duration::from_secs(30), found.recv()).await.expect("a poll finds it").unwrap();
        }
        let fetches = database.fetches.load(Ordering::SeqCst) - before;
        assert!((51..=75).contains(&fetches), "{fetches} fetches for 50 items");
    }

    #[tokio::test]
    async fn an_announcement_wakes_as_many_slots_as_there_are_items() {
        let (queue, database, mut found) = slots(10, HOUR);
        let settled = async |fetches: usize| {
            let reached = async {
                while database.fetches.load(Ordering::SeqCst) < fetches {
                    tokio::task::yield_now().await
                }
            };
            tokio::time::timeout(Duration::from_secs(30), reached).await.expect("the slots look");
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(database.fetches.load(Ordering::SeqCst), fetches);
        };
        settled(10).await;
        // Each slot that has found something looks once more before it waits.
        for (items, fetches) in [(1, 12), (3, 18)] {
            database.enqueue(0..items);
            queue.announce(items);
            for _ in 0..items {
                tokio::time::timeout(Duration::from_secs(30), found.recv()).await.expect("a slot wakes up").unwrap();
            }
            settled(fetches).await;
        }
        // More hints than slots would be polls for nothing.
        queue.announce(1_000);
        settled(28).await;
    }
}
