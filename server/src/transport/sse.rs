//! Server-Sent Events: graphql-sse in its distinct connections mode, one operation per request.

use std::{convert::Infallible, sync::Arc};

use async_graphql::{Executor, Response as GraphqlResponse, parser::types::OperationType};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use futures::{
    FutureExt, StreamExt,
    future::{self, BoxFuture},
    stream::{self, BoxStream},
};
use tokio::time::{Instant, Interval, interval_at};

use super::{
    Session,
    accept::Media,
    execute::{Operation, Socket, Transport},
    refusal::{self, Refusal},
    sharing::Outgoing,
};

/// A comment: it opens the stream, and later keeps proxies from closing it.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");
/// The last event. It has an empty `data` line because `EventSource` ignores events without one.
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata:\n\n");

/// Opens the stream of one operation. If the operation was rejected, the stream contains the error.
pub(super) fn answer<E: Executor>(
    transport: &Arc<Transport<E>>,
    prepared: Result<Operation, Box<GraphqlResponse>>,
    session: &Session,
) -> Result<Response, Refusal> {
    let permit = transport.socket().ok_or_else(Refusal::too_many_sockets)?;
    let every = transport.limits().ping_interval;
    let ping = interval_at(Instant::now() + every, every);
    let events = match prepared {
        Ok(operation) => {
            let shutdown = match operation.kind {
                OperationType::Subscription => transport.options.shutdown.clone().cancelled_owned().boxed(),
                // A shutdown waits for queries and mutations.
                _ => future::pending().boxed(),
            };
            let (transport, id, ended) = (Arc::clone(transport), operation.id.clone(), session.ended());
            let results = transport.stream(operation).boxed();
            let session_end = async move {
                ended.await;
                transport.finish(refusal::error("UNAUTHENTICATED", "The session has ended."), &id)
            };
            Events { phase: Phase::Opening, results, session_end: session_end.boxed(), shutdown, ping, _permit: permit }
        }
        Err(response) => Events {
            phase: Phase::Opening,
            results: stream::once(future::ready(Outgoing::Own(*response))).boxed(),
            session_end: future::pending().boxed(),
            shutdown: future::pending().boxed(),
            ping,
            _permit: permit,
        },
    };
    let frames = stream::unfold(events, |mut events| async move { events.next().await.map(|frame| (Ok::<_, Infallible>(frame), events)) });
    let mut response = Response::new(Body::from_stream(frames));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, Media::Events.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    // Without this header nginx buffers events.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

/// An open event stream. The next response is requested only when the previous event was sent, so a slow reader only slows its own
/// stream.
struct Events {
    phase: Phase,
    results: BoxStream<'static, Outgoing>,
    /// The error that ends the stream together with its session.
    session_end: BoxFuture<'static, GraphqlResponse>,
    /// Ends the stream without `complete`, so that the client reconnects.
    shutdown: BoxFuture<'static, ()>,
    ping: Interval,
    _permit: Socket,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Open,
    Completing,
    Closed,
}

impl Events {
    async fn next(&mut self) -> Option<Bytes> {
        match self.phase {
            Phase::Opening => {
                self.phase = Phase::Open;
                Some(COMMENT)
            }
            Phase::Open => tokio::select! {
                biased;
                () = &mut self.shutdown => None,
                response = &mut self.session_end => {
                    self.phase = Phase::Completing;
                    Some(frame(&Outgoing::Own(response)))
                }
                result = self.results.next() => match result {
                    Some(result) => Some(frame(&result)),
                    None => {
                        self.phase = Phase::Closed;
                        Some(COMPLETE)
                    }
                },
                _ = self.ping.tick() => Some(COMMENT),
            },
            Phase::Completing => {
                self.phase = Phase::Closed;
                Some(COMPLETE)
            }
            Phase::Closed => None,
        }
    }
}

fn frame(result: &Outgoing) -> Bytes {
    metrics::counter!("toygres_deliveries_total", "transport" => "sse").increment(1);
    // `EventSource` sends the ID back as `Last-Event-ID`. A line break would end the field, and an ID with a NUL is ignored.
    let id = result.cursor().filter(|cursor| !cursor.contains(['\n', '\r', '\0'])).map(|cursor| format!("id: {cursor}\n")).unwrap_or_default();
    Bytes::from(format!("event: next\n{id}data: {}\n\n", result.json()))
}
