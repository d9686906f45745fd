//! Work that occupies a processor for milliseconds: parsing and validating a large document.
//!
//! A task that computes holds up every other task of its thread. Such work therefore runs where tokio can move the others to
//! another thread, and on half of the processors at most, so that small requests are answered meanwhile. Each caller has one
//! piece of work running at a time, so that it does not starve others; a few wait, for a limited time.

use std::{
    collections::HashMap,
    future::poll_fn,
    net::IpAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use futures::{Stream, StreamExt, stream};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// The documents that count as large, in tokens or in fields once their fragments are expanded. Smaller ones take less than a
/// millisecond.
const LARGE: u64 = 1000;
/// The documents that count as large, in bytes.
const LARGE_BYTES: usize = 8 * 1024;

/// Whether a document of this length and size counts as large.
pub(super) fn is_large(bytes: usize, size: u64) -> bool {
    bytes > LARGE_BYTES || size > LARGE
}

/// What identifies a caller among others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum CallerKey {
    /// An authenticated caller.
    Named(Arc<str>),
    /// Callers without an identity, by their address.
    Address(Option<IpAddr>),
}

impl Default for CallerKey {
    fn default() -> Self {
        Self::Address(None)
    }
}

/// The caller has too much work at once, or waited too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// Runs work that is bound by the processor.
#[derive(Clone)]
pub(super) struct CpuBound {
    processors: Arc<Semaphore>,
    callers: Callers,
    per_caller: usize,
    wait: Duration,
}

/// The callers that have work here.
type Callers = Arc<Mutex<HashMap<CallerKey, Caller>>>;

struct Caller {
    /// One permit: it runs one piece of work at a time.
    turn: Arc<Semaphore>,
    /// Pieces of work that run or wait.
    present: usize,
}

/// A place among the work of a caller.
struct Place {
    callers: Callers,
    key: CallerKey,
    turn: Arc<Semaphore>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(caller) = callers.get_mut(&self.key) {
            caller.present -= 1;
            if caller.present == 0 {
                callers.remove(&self.key);
            }
        }
    }
}

/// The permission to run a piece of work.
struct Permit {
    _processor: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
    _place: Place,
}

impl CpuBound {
    /// A caller can have `per_caller` pieces of work that run or wait, each of which waits for `wait` at most.
    pub(super) fn new(per_caller: usize, wait: Duration) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { processors: Arc::new(Semaphore::new((processors / 2).max(1))), callers: Callers::default(), per_caller, wait }
    }

    async fn permit(&self, key: &CallerKey) -> Result<Permit, Busy> {
        let place = self.place(key)?;
        let permits = async {
            // Its own turn first, so that it has one place in the queue for the processors.
            let turn = Arc::clone(&place.turn).acquire_owned().await?;
            Ok::<_, tokio::sync::AcquireError>((turn, Arc::clone(&self.processors).acquire_owned().await?))
        };
        // They are never closed.
        let Ok(Ok((turn, processor))) = timeout(self.wait, permits).await else { return Err(Busy) };
        Ok(Permit { _processor: processor, _turn: turn, _place: place })
    }

    fn place(&self, key: &CallerKey) -> Result<Place, Busy> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = callers.entry(key.clone()).or_insert_with(|| Caller { turn: Arc::new(Semaphore::new(1)), present: 0 });
        if caller.present >= self.per_caller.max(1) {
            return Err(Busy);
        }
        caller.present += 1;
        Ok(Place { callers: Arc::clone(&self.callers), key: key.clone(), turn: Arc::clone(&caller.turn) })
    }

    /// Runs `work`.
    pub(super) async fn run<T>(&self, caller: &CallerKey, work: impl FnOnce() -> T) -> Result<T, Busy> {
        let _permit = self.permit(caller).await?;
        Ok(in_place(work))
    }

    /// Awaits `future`, whose first poll is bound by the processor.
    pub(super) async fn first_poll<F: Future>(&self, caller: &CallerKey, future: F) -> Result<F::Output, Busy> {
        let mut future = pin!(future);
        let permit = self.permit(caller).await?;
        let first = poll_fn(|context| Poll::Ready(in_place(|| future.as_mut().poll(context)))).await;
        drop(permit);
        match first {
            Poll::Ready(output) => Ok(output),
            Poll::Pending => Ok(future.await),
        }
    }

    /// `items`, of which the first poll is bound by the processor.
    pub(super) fn first_poll_of<S: Stream + Send>(self, caller: CallerKey, items: S) -> impl Stream<Item = Result<S::Item, Busy>> + Send
    where
        S::Item: Send,
    {
        let begun = async move {
            let mut items = Box::pin(items.fuse());
            let permit = match self.permit(&caller).await {
                Ok(permit) => permit,
                Err(busy) => return stream::iter([Err(busy)]).left_stream(),
            };
            let first = poll_fn(|context| Poll::Ready(in_place(|| items.as_mut().poll_next(context)))).await;
            drop(permit);
            let first = match first {
                Poll::Ready(item) => item,
                Poll::Pending => None,
            };
            stream::iter(first).chain(items).map(Ok).right_stream()
        };
        stream::once(begun).flatten()
    }
}

/// Runs `work` on this thread, whose other tasks move to another one if the runtime has several.
fn in_place<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cpu_bound() -> CpuBound {
        CpuBound::new(2, Duration::from_secs(60))
    }

    fn caller(name: &str) -> CallerKey {
        CallerKey::Named(name.into())
    }

    /// Blocks the thread, then waits.
    async fn blocks_first() -> u8 {
        std::thread::sleep(Duration::from_millis(300));
        tokio::time::sleep(Duration::from_millis(1)).await;
        7
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn other_tasks_run_meanwhile() {
        let cpu_bound = cpu_bound();
        let (started, at) = tokio::sync::oneshot::channel();
        let large = tokio::spawn(async move {
            let _ = started.send(());
            cpu_bound.first_poll(&caller("a"), blocks_first()).await
        });
        at.await.unwrap();
        // The only thread is blocked, unless the others move.
        let other = tokio::spawn(async { tokio::time::sleep(Duration::from_millis(1)).await });
        tokio::select! {
            biased;
            outcome = other => outcome.unwrap(),
            () = async { large.await.unwrap().unwrap(); } => panic!("the other task waited"),
        }
    }

    #[tokio::test]
    async fn what_comes_out_is_the_same() {
        let cpu_bound = cpu_bound();
        assert_eq!(cpu_bound.run(&caller("a"), || 3).await, Ok(3));
        assert_eq!(cpu_bound.first_poll(&caller("a"), blocks_first()).await, Ok(7));
        let items = stream::iter([1, 2]).chain(stream::once(async {
            tokio::task::yield_now().await;
            3
        }));
        assert_eq!(cpu_bound.clone().first_poll_of(caller("a"), items).collect::<Vec<_>>().await, [1, 2, 3].map(Ok));
        assert_eq!(cpu_bound.clone().first_poll_of(caller("a"), stream::empty::<u8>()).collect::<Vec<_>>().await, [0u8; 0].map(Ok));
        let late = stream::once(async {
            tokio::task::yield_now().await;
            4
        });
        assert_eq!(cpu_bound.first_poll_of(caller("a"), late).collect::<Vec<_>>().await, [Ok(4)]);
    }

    #[tokio::test]
    async fn a_caller_has_one_turn_at_a_time_and_few_that_wait() {
        let mut cpu_bound = cpu_bound();
        cpu_bound.processors = Arc::new(Semaphore::new(2));
        let a = caller("a");
        let first = cpu_bound.permit(&a).await.unwrap();
        let mut second = pin!(cpu_bound.permit(&a));
        assert!(futures::poll!(second.as_mut()).is_pending(), "its first piece of work runs");
        assert_eq!(cpu_bound.permit(&a).await.err(), Some(Busy), "one runs and one waits");
        let other = cpu_bound.permit(&caller("b")).await.unwrap();
        drop(first);
        let second = second.await.unwrap();
        drop((second, other));
        assert!(cpu_bound.callers.lock().unwrap().is_empty(), "nothing is kept of callers without work");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_long() {
        let cpu_bound = CpuBound::new(2, Duration::from_millis(10));
        let _first = cpu_bound.permit(&caller("a")).await.unwrap();
        assert_eq!(cpu_bound.run(&caller("a"), || ()).await, Err(Busy));
        assert_eq!(cpu_bound.first_poll(&caller("a"), async {}).await, Err(Busy));
        let items = cpu_bound.clone().first_poll_of(caller("a"), stream::iter([1]));
        assert_eq!(items.collect::<Vec<_>>().await, [Err(Busy)]);
    }
}
