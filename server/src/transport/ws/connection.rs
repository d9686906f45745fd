//! The connection of one socket after the handshake.

use std::{
    collections::VecDeque,
    future::poll_fn,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_graphql::Executor;
use axum::{
    body::Bytes,
    extract::ws::{Message, WebSocket},
    http::HeaderMap,
};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use super::{
    close::{self, CloseReason},
    dialect::{ClientMessage, Dialect},
    handshake::handshake,
    operations::{Frame, Operations},
    pending::PendingSocket,
};
use crate::transport::{execute::Transport, serve::ReadLimit};

/// The number of queued results that are written together.
const TOGETHER: usize = 16;
/// The number of replies of the connection itself (pongs, rejections) that may be queued before reading pauses.
const REPLIES: usize = 4;
/// How long a shutdown waits for the results of queries and mutations.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves a socket until it is closed.
pub(super) async fn run<E: Executor>(
    transport: Arc<Transport<E>>,
    mut socket: WebSocket,
    dialect: Option<Dialect>,
    (headers, address): (HeaderMap, Option<IpAddr>),
    (pending, read_limit): (PendingSocket, ReadLimit),
) {
    let Some(dialect) = dialect else {
        return close::close(&mut socket, CloseReason::SUBPROTOCOL).await;
    };
    let (session, _permit) = match handshake(&transport, &mut socket, dialect, (&headers, address), &pending).await {
        Ok(acknowledged) => acknowledged,
        Err(reason) => return close::close(&mut socket, reason).await,
    };
    drop((headers, pending));
    read_limit.lift();

    let ended = session.ended();
    let (operations, mut frames) = Operations::new(Arc::clone(&transport), session, dialect);
    let (replies, mut answers) = mpsc::channel(REPLIES);
    let heard = AtomicBool::new(true);
    let mut unwritten = VecDeque::new();
    let (mut sink, mut stream) = socket.split();
    let reason = tokio::select! {
        biased;
        () = ended => CloseReason::FORBIDDEN,
        () = drained(&transport, &operations) => CloseReason::RESTART,
        reason = read(&mut stream, dialect, &operations, &replies, &heard) => reason,
        reason = write(&mut sink, dialect, &operations, &mut answers, (&mut frames, &mut unwritten), &heard, &transport) => reason,
    };
    if reason == CloseReason::RESTART {
        // Sends the results that are already queued.
        for _ in 0..frames.len() {
            unwritten.extend(frames.try_recv());
        }
        if feed_all(&mut sink, &operations, &mut unwritten).await.is_err() || sink.flush().await.is_err() {
            return;
        }
    }
    drop(operations);
    if let Ok(mut socket) = sink.reunite(stream) {
        close::close(&mut socket, reason).await;
    }
}

/// Completes after the server has begun to shut down, when queries and mutations have their results or [`DRAIN`] has passed.
async fn drained<E: Executor>(transport: &Transport<E>, operations: &Operations<E>) {
    transport.options.shutdown.cancelled().await;
    let _ = timeout(DRAIN, operations.single_results()).await;
}

async fn read<E: Executor>(
    stream: &mut SplitStream<WebSocket>,
    dialect: Dialect,
    operations: &Operations<E>,
    replies: &mpsc::Sender<String>,
    heard: &AtomicBool,
) -> CloseReason {
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return CloseReason::of(&error),
            None => return CloseReason::Gone,
        };
        heard.store(true, Ordering::Relaxed);
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return CloseReason::invalid("Messages must be texts"),
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => return CloseReason::ByPeer,
        };
        let reply = match dialect.read(&text) {
            Ok(ClientMessage::Init(_)) => return CloseReason::TOO_MANY_INITS,
            Ok(ClientMessage::Subscribe { id, request }) => match operations.begin(id, *request).await {
                Ok(reply) => reply,
                Err(reason) => return reason,
            },
            Ok(ClientMessage::Complete { id }) => {
                operations.end(&id);
                None
            }
            Ok(ClientMessage::Ping(payload)) => Some(Dialect::pong(payload)),
            Ok(ClientMessage::Pong) => None,
            Ok(ClientMessage::Terminate) => return CloseReason::NORMAL,
            Err(why) => return CloseReason::invalid(why),
        };
        if let Some(reply) = reply
            && replies.send(reply).await.is_err()
        {
            return CloseReason::Gone;
        }
    }
}

/// Writes until the connection is lost. A write has no time limit of its own, because a large result may take long:
/// [`crate::transport::ServeOptions::write_timeout`] ends the connection when the peer takes nothing at all. One that reads slowly keeps the
/// socket. What it holds is bounded: the results taken from the queue, those in the queue, and one that each operation waits to queue.
async fn write<E: Executor>(
    sink: &mut SplitSink<WebSocket, Message>,
    dialect: Dialect,
    operations: &Operations<E>,
    answers: &mut mpsc::Receiver<String>,
    (frames, unwritten): (&mut mpsc::Receiver<Frame>, &mut VecDeque<Frame>),
    heard: &AtomicBool,
    transport: &Transport<E>,
) -> CloseReason {
    let every = transport.limits().ping_interval;
    let mut ping = interval_at(Instant::now() + every, every);
    // After a pause, such as a write to a slow peer, the peer has the whole interval again to answer.
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let fed = tokio::select! {
            biased;
            Some(text) = answers.recv() => sink.feed(Message::Text(text.into())).await,
            _ = ping.tick() => {
                if !heard.swap(false, Ordering::Relaxed) {
                    return CloseReason::SILENT;
                }
                match dialect {
                    Dialect::Current => sink.feed(Message::Text(dialect.ping().into())).await,
                    // The keep-alive message of the older protocol has no reply, but every WebSocket implementation answers a ping
                    // frame.
                    Dialect::Older => match sink.feed(Message::Text(dialect.ping().into())).await {
                        Ok(()) => sink.feed(Message::Ping(Bytes::new())).await,
                        gone => gone,
                    },
                }
            }
            Some(frame) = frames.recv() => {
                unwritten.push_back(frame);
                while unwritten.len() < TOGETHER && let Ok(frame) = frames.try_recv() {
                    unwritten.push_back(frame);
                }
                feed_all(sink, operations, unwritten).await
            }
        };
        if fed.is_err() || sink.flush().await.is_err() {
            return CloseReason::Gone;
        }
    }
}

/// Writes these results in their order. If it fails or is dropped, the first that was not written and all after it are left, so that
/// nothing is written after a result that was lost.
async fn feed_all<E: Executor>(
    sink: &mut SplitSink<WebSocket, Message>,
    operations: &Operations<E>,
    results: &mut VecDeque<Frame>,
) -> Result<(), axum::Error> {
    while !results.is_empty() {
        poll_fn(|cx| sink.poll_ready_unpin(cx)).await?;
        if let Some(text) = results.pop_front().and_then(|frame| operations.admit(frame)) {
            sink.start_send_unpin(Message::Text(text))?;
        }
    }
    Ok(())
}
