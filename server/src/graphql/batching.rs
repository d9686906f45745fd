//! When a batch of loads begins.
//!
//! The loader of async-graphql collects keys for a millisecond from the first one on. A long list takes longer than that to
//! ask for what its entries need, and each millisecond of it would become a statement of its own. So here the millisecond
//! begins when the request has nothing left to do but wait.

use std::{
    cell::RefCell,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use async_graphql::{Data, Executor, Request, Response};
use futures::{
    StreamExt,
    future::{BoxFuture, poll_fn},
    stream::{self, BoxStream},
    task::AtomicWaker,
};
use tokio_util::sync::CancellationToken;

/// An executor whose loaders start their batches by [`spawn`].
#[derive(Clone)]
pub(super) struct Batching<E>(pub(super) E);

impl<E: Executor> Executor for Batching<E> {
    async fn execute(&self, request: Request) -> Response {
        let mut execution = pin!(self.0.execute(request));
        let mut turn = Turn::new();
        poll_fn(|context| turn.poll(context, |context| execution.as_mut().poll(context))).await
    }

    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let mut responses = self.0.execute_stream(request, session_data);
        let mut turn = Turn::new();
        stream::poll_fn(move |context| turn.poll(context, |context| responses.poll_next_unpin(context))).boxed()
    }
}

/// Starts a batch: at once, or when the request that is being polled has to wait.
pub(super) fn spawn(batch: BoxFuture<'static, ()>) {
    let waits = CURRENT.with_borrow_mut(|current| current.as_mut().map(|waits| waits.get_or_insert_default().clone()));
    tokio::spawn(async move {
        if let Some(waits) = waits {
            waits.cancelled().await;
        }
        batch.await;
    });
}

thread_local! {
    /// Of the request that this thread polls: the token that says that it waits, once a batch wants to know.
    static CURRENT: RefCell<Option<Option<CancellationToken>>> = const { RefCell::new(None) };
}

/// The polls of one request from one wait to the next. Its fields give way to each other by waking the request while it is
/// polled: then it goes on at once, and is not waiting.
struct Turn {
    wakes: Arc<Wakes>,
    waker: Waker,
    waits: Option<CancellationToken>,
}

#[derive(Default)]
struct Wakes {
    request: AtomicWaker,
    woken: AtomicBool,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.request.wake();
    }
}

impl Turn {
    fn new() -> Self {
        let wakes = Arc::<Wakes>::default();
        Self { waker: Waker::from(wakes.clone()), wakes, waits: None }
    }

    fn poll<T>(&mut self, context: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        self.wakes.request.register(context.waker());
        self.wakes.woken.store(false, Ordering::Release);
        let outer = CURRENT.replace(Some(self.waits.take()));
        let mut restore = Restore { outer, turn: self };
        let outcome = poll(&mut Context::from_waker(&restore.turn.waker.clone()));
        restore.back();
        if outcome.is_ready() || !restore.turn.wakes.woken.load(Ordering::Acquire) {
            restore.turn.end();
        }
        outcome
    }

    fn end(&mut self) {
        if let Some(waits) = self.waits.take() {
            waits.cancel();
        }
    }
}

impl Drop for Turn {
    /// A batch that waited for ever would keep every later key of its kind waiting.
    fn drop(&mut self) {
        self.end();
    }
}

/// Gives the thread back to whoever polls the request, also when the poll panics.
struct Restore<'a> {
    outer: Option<Option<CancellationToken>>,
    turn: &'a mut Turn,
}

impl Restore<'_> {
    fn back(&mut self) {
        if let Some(waits) = CURRENT.replace(self.outer.take()).flatten() {
            self.turn.waits = Some(waits);
        }
    }
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.back();
            self.turn.end();
        }
    }
}
