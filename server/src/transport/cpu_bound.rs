//! Work that occupies a processor for milliseconds: parsing and validating a large document.
//!
//! A task that computes holds up every other task of its thread. Such work therefore runs where tokio can move the others to
//! another thread, and on half of the processors at most, so that small requests are answered meanwhile.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};

use futures::{Stream, StreamExt, stream};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{Semaphore, SemaphorePermit},
};

/// The documents that count as large, in tokens or in fields once their fragments are expanded. Smaller ones take less than a
/// millisecond.
const LARGE: u64 = 1000;

/// Whether a document of this size counts as large.
pub(super) fn is_large(size: u64) -> bool {
    size > LARGE
}

/// Runs work that is bound by the processor.
#[derive(Clone)]
pub(super) struct CpuBound {
    permits: Arc<Semaphore>,
}

impl CpuBound {
    pub(super) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { permits: Arc::new(Semaphore::new((processors / 2).max(1))) }
    }

    async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.permits.acquire().await.ok()
    }

    /// Runs `work`.
    pub(super) async fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _permit = self.permit().await;
        in_place(work)
    }

    /// Awaits `future`, whose first poll is bound by the processor.
    pub(super) async fn first_poll<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let permit = self.permit().await;
        let first = poll_fn(|context| Poll::Ready(in_place(|| future.as_mut().poll(context)))).await;
        drop(permit);
        match first {
            Poll::Ready(output) => output,
            Poll::Pending => future.await,
        }
    }

    /// `items`, of which the first poll is bound by the processor.
    pub(super) fn first_poll_of<S: Stream + Send>(self, items: S) -> impl Stream<Item = S::Item> + Send
    where
        S::Item: Send,
    {
        let begun = async move {
            let mut items = Box::pin(items.fuse());
            let permit = self.permit().await;
            let first = poll_fn(|context| Poll::Ready(in_place(|| items.as_mut().poll_next(context)))).await;
            drop(permit);
            let first = match first {
                Poll::Ready(item) => item,
                Poll::Pending => None,
            };
            stream::iter(first).chain(items)
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

    /// Blocks the thread, then waits.
    async fn blocks_first() -> u8 {
        std::thread::sleep(Duration::from_millis(300));
        tokio::time::sleep(Duration::from_millis(1)).await;
        7
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn other_tasks_run_meanwhile() {
        let cpu_bound = CpuBound::new();
        let (started, at) = tokio::sync::oneshot::channel();
        let large = tokio::spawn(async move {
            let _ = started.send(());
            cpu_bound.first_poll(blocks_first()).await
        });
        at.await.unwrap();
        // The only thread is blocked, unless the others move.
        let other = tokio::spawn(async { tokio::time::sleep(Duration::from_millis(1)).await });
        tokio::select! {
            biased;
            outcome = other => outcome.unwrap(),
            () = async { large.await.unwrap(); } => panic!("the other task waited"),
        }
    }

    #[tokio::test]
    async fn what_comes_out_is_the_same() {
        let cpu_bound = CpuBound::new();
        assert_eq!(cpu_bound.run(|| 3).await, 3);
        assert_eq!(cpu_bound.first_poll(blocks_first()).await, 7);
        let items = stream::iter([1, 2]).chain(stream::once(async {
            tokio::task::yield_now().await;
            3
        }));
        assert_eq!(cpu_bound.clone().first_poll_of(items).collect::<Vec<_>>().await, [1, 2, 3]);
        assert_eq!(cpu_bound.clone().first_poll_of(stream::empty::<u8>()).collect::<Vec<_>>().await, [0u8; 0]);
        let late = stream::once(async {
            tokio::task::yield_now().await;
            4
        });
        assert_eq!(cpu_bound.first_poll_of(late).collect::<Vec<_>>().await, [4]);
    }
}
