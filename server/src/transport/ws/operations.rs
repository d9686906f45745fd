//! The operations of one socket.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_graphql::{Executor, Request, ServerError, parser::types::OperationType};
use axum::extract::ws::Utf8Bytes;
use futures::{FutureExt, StreamExt};
use tokio::{sync::mpsc, task::AbortHandle};
use tokio_util::task::TaskTracker;

use super::{close::CloseReason, dialect::Dialect};
use crate::transport::{
    RequestId, Session, encode,
    execute::{Operation, Transport},
    refusal,
    sharing::Outgoing,
};

/// A message of an operation that is queued for the socket.
pub(super) struct Frame {
    text: Utf8Bytes,
    subscriber: Arc<Subscriber>,
    last: bool,
}

/// The state of one operation.
struct Subscriber {
    id: String,
    /// Whether the operation has ended for the client. Frames that are still queued are dropped, because the id may be in use
    /// again.
    over: AtomicBool,
}

/// The operations of one socket. Dropping it aborts them.
pub(super) struct Operations<E> {
    transport: Arc<Transport<E>>,
    session: Session,
    dialect: Dialect,
    frames: mpsc::Sender<Frame>,
    running: Mutex<HashMap<String, (Arc<Subscriber>, AbortHandle)>>,
    single_results: TaskTracker,
}

impl<E: Executor> Operations<E> {
    /// Returns an empty set of operations, and the queue that receives their messages.
    pub(super) fn new(transport: Arc<Transport<E>>, session: Session, dialect: Dialect) -> (Self, mpsc::Receiver<Frame>) {
        let (frames, queue) = mpsc::channel(transport.limits().socket_queue.max(1));
        let running = Mutex::new(HashMap::new());
        let single_results = TaskTracker::new();
        (Self { transport, session, dialect, frames, running, single_results }, queue)
    }

    /// Starts an operation. Returns the error message for the client if the operation was rejected.
    pub(super) async fn begin(&self, id: String, request: Request) -> Result<Option<String>, CloseReason> {
        let limit = self.transport.limits().operations_per_socket;
        let request_id = RequestId::new();
        if self.make_room(&id)? >= limit {
            let message = format!("The socket has {limit} operations running; no more are allowed.");
            let refused = self.transport.finish(refusal::error("TOO_MANY_OPERATIONS", message), &request_id);
            return Ok(Some(self.dialect.error(&id, &refused.errors)));
        }
        // Only the reader of the socket begins operations, one after the other, so the id is still free afterwards.
        let prepared = match self.transport.prepare(request, &self.session, &request_id).await {
            Ok(operation) => operation,
            Err(response) => return Ok(Some(self.dialect.error(&id, &response.errors))),
        };
        let subscriber = Arc::new(Subscriber { id: id.clone(), over: AtomicBool::new(false) });
        let single_result = prepared.kind != OperationType::Subscription;
        let work = operate(
            Arc::clone(&self.transport),
            prepared,
            OperationSink { dialect: self.dialect, frames: self.frames.clone(), subscriber: Arc::clone(&subscriber) },
        );
        let task = if single_result { tokio::spawn(self.single_results.track_future(work)) } else { tokio::spawn(work) };
        self.running().insert(id, (subscriber, task.abort_handle()));
        Ok(None)
    }

    /// Makes sure that the id is free. Returns the number of operations that are running.
    fn make_room(&self, id: &str) -> Result<usize, CloseReason> {
        let mut running = self.running();
        if let Some((subscriber, task)) = running.get(id) {
            match self.dialect {
                Dialect::Current => return Err(CloseReason::already_exists(id)),
                // In the older protocol the new operation replaces the other.
                Dialect::Older => {
                    subscriber.over.store(true, Ordering::Relaxed);
                    task.abort();
                    running.remove(id);
                }
            }
        }
        Ok(running.len())
    }

    /// Stops an operation at the request of the client.
    pub(super) fn end(&self, id: &str) {
        if let Some((subscriber, task)) = self.running().remove(id) {
            subscriber.over.store(true, Ordering::Relaxed);
            task.abort();
        }
    }

    /// The text of a frame that is about to be written; `None` if its operation has ended for the client.
    pub(super) fn admit(&self, frame: Frame) -> Option<Utf8Bytes> {
        let Frame { text, subscriber, last } = frame;
        if subscriber.over.load(Ordering::Relaxed) {
            return None;
        }
        if last {
            subscriber.over.store(true, Ordering::Relaxed);
            self.running().remove(&subscriber.id);
        }
        Some(text)
    }

    /// Waits until every query and mutation has sent its result.
    pub(super) async fn single_results(&self) {
        self.single_results.close();
        self.single_results.wait().await;
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, (Arc<Subscriber>, AbortHandle)>> {
        // No code panics while it holds the lock, so the map is consistent.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Drop for Operations<E> {
    fn drop(&mut self) {
        for (_, task) in self.running.get_mut().unwrap_or_else(PoisonError::into_inner).values() {
            task.abort();
        }
    }
}

/// Sends the messages of one operation.
struct OperationSink {
    dialect: Dialect,
    frames: mpsc::Sender<Frame>,
    subscriber: Arc<Subscriber>,
}

/// The socket is closed.
struct Closed;

impl OperationSink {
    async fn next(&self, result: &Outgoing) -> Result<(), Closed> {
        metrics::counter!("toygres_deliveries_total", "transport" => "websocket").increment(1);
        self.send(self.dialect.next(&self.subscriber.id, result), false).await
    }

    async fn error(&self, errors: &[ServerError]) -> Result<(), Closed> {
        self.send(self.dialect.error(&self.subscriber.id, errors), true).await
    }

    async fn complete(&self) -> Result<(), Closed> {
        self.send(Dialect::complete(&self.subscriber.id), true).await
    }

    async fn send(&self, text: String, last: bool) -> Result<(), Closed> {
        let frame = Frame { text: text.into(), subscriber: Arc::clone(&self.subscriber), last };
        self.frames.send(frame).await.map_err(|_| Closed)
    }
}

/// Runs one operation to completion. A task that polls a stream that is always ready does not yield and so cannot be aborted; it
/// ends when it finds that the socket is closed.
async fn operate<E: Executor>(transport: Arc<Transport<E>>, operation: Operation, sink: OperationSink) -> Result<(), Closed> {
    let kind = operation.kind;
    let mut results = pin!(transport.stream(operation).peekable());
    let mut first = true;
    while let Some(result) = results.next().await {
        // An operation that fails before its first result ends with `error`. The executor reports a subscription whose source
        // stream could not be created only by an error that is also the end of the stream.
        if std::mem::take(&mut first)
            && let Outgoing::Own(response) = &result
            && match kind {
                OperationType::Subscription => encode::has_no_data(response) && matches!(results.as_mut().peek().now_or_never(), Some(None)),
                _ => encode::never_executed(response),
            }
        {
            return sink.error(&response.errors).await;
        }
        sink.next(&result).await?;
    }
    sink.complete().await
}
