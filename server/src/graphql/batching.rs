//! When the batches of the loaders start.
//!
//! `DataLoader` (async-graphql 7.2.1) starts a batch a fixed delay (1 ms) after its first key. A request that resolves a long
//! list takes longer than that to ask for all its keys, so the keys of one list end up in several statements; a longer delay
//! would be paid by every request, however short. Here a batch starts when the request that asked for it has to wait: then all
//! keys of a list are there, and the delay collects only those of other requests.

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use async_graphql::{Data, Executor, Request, Response};
use futures::{
    StreamExt,
    future::{BoxFuture, poll_fn},
    stream::{self, BoxStream},
};
use tokio::runtime::Handle;

/// An executor whose loaders start their batches by [`spawn`].
#[derive(Clone)]
pub(super) struct Batching<E>(pub(super) E);

impl<E: Executor> Executor for Batching<E> {
    async fn execute(&self, request: Request) -> Response {
        let mut execution = pin!(self.0.execute(request));
        let batches = Arc::new(Batches::default());
        poll_fn(|context| batches.start_after(|| execution.as_mut().poll(context))).await
    }

    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let mut responses = self.0.execute_stream(request, session_data);
        let batches = Arc::new(Batches::default());
        stream::poll_fn(move |context| batches.start_after(|| responses.poll_next_unpin(context))).boxed()
    }
}

/// Starts a batch: when the request that is being polled has to wait, or at once.
pub(super) fn spawn(batch: BoxFuture<'static, ()>) {
    match CURRENT.try_with(Arc::clone) {
        Ok(batches) => batches.lock().push(batch),
        Err(_) => drop(tokio::spawn(batch)),
    }
}

tokio::task_local! {
    /// Those of the request that is being polled.
    static CURRENT: Arc<Batches>;
}

/// The batches that a request has asked for. Other requests may wait for them too, so they start even if the request is dropped.
#[derive(Default)]
struct Batches(Mutex<Vec<BoxFuture<'static, ()>>>);

impl Batches {
    /// Polls the request, then starts the batches that it asked for.
    fn start_after<T>(self: &Arc<Self>, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let outcome = CURRENT.sync_scope(Arc::clone(self), poll);
        self.start();
        outcome
    }

    fn start(&self) {
        let batches = std::mem::take(&mut *self.lock());
        // Without a runtime, the whole server is being dropped.
        if let Ok(runtime) = Handle::try_current() {
            batches.into_iter().for_each(|batch| drop(runtime.spawn(batch)));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<BoxFuture<'static, ()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.start();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use async_graphql::{
        Context, EmptyMutation, EmptySubscription, Object, Schema,
        dataloader::{DataLoader, Loader},
    };

    use super::*;

    /// Entries of the list. Resolving them takes much longer than the loader's delay.
    const LIST: i32 = 900;

    #[derive(Clone, Default)]
    struct Statements(Arc<Mutex<Vec<usize>>>);

    impl Loader<i32> for Statements {
        type Value = i32;
        type Error = ();
        async fn load(&self, keys: &[i32]) -> Result<HashMap<i32, i32>, ()> {
            self.0.lock().unwrap().push(keys.len());
            Ok(keys.iter().map(|key| (*key, *key)).collect())
        }
    }

    struct Query;

    #[Object]
    impl Query {
        async fn entries(&self) -> Vec<Entry> {
            (0..LIST).map(Entry).collect()
        }
    }

    struct Entry(i32);

    #[Object]
    impl Entry {
        async fn loaded(&self, ctx: &Context<'_>) -> Option<i32> {
            // What resolving an entry costs.
            let until = std::time::Instant::now() + std::time::Duration::from_micros(20);
            while std::time::Instant::now() < until {}
            ctx.data_unchecked::<DataLoader<Statements>>().load_one(self.0).await.ok().flatten()
        }
    }

    fn schema(statements: &Statements, spawn: fn(BoxFuture<'static, ()>)) -> Schema<Query, EmptyMutation, EmptySubscription> {
        Schema::build(Query, EmptyMutation, EmptySubscription).data(DataLoader::new(statements.clone(), spawn)).finish()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_list_is_loaded_with_one_statement() {
        let statements = Statements::default();
        let response = Batching(schema(&statements, spawn)).execute(Request::new("{ entries { loaded } }")).await;
        assert!(response.is_ok(), "{:?}", response.errors);
        assert_eq!(*statements.0.lock().unwrap(), [LIST as usize]);
    }

    /// When this fails, the library does what this module is for.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_library_alone_needs_several() {
        let statements = Statements::default();
        let plain = schema(&statements, |batch| drop(tokio::spawn(batch)));
        assert!(plain.execute(Request::new("{ entries { loaded } }")).await.is_ok());
        assert!(statements.0.lock().unwrap().len() > 1, "{statements:?}", statements = statements.0);
    }
}
