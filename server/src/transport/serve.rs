//! Accepts connections and serves a router on them.
//!
//! `axum::serve` has no options. Here, header names are sent in title case, because some clients (PyPI `gql`) look up the
//! subprotocol of a socket case-sensitively; buffers are small, because a server has thousands of connections; and a client that
//! does not read is disconnected.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Extensions, Request},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep, sleep},
};
use tokio_openssl::SslStream;
use tokio_util::{
    either::Either,
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use tower::ServiceExt;

use super::{
    connections::{Admitted, Connections},
    proxies::Proxies,
    tls::{self, Certificate},
};

/// What a client is told that speaks HTTP where HTTPS is spoken.
const PLAIN_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 47\r\n\
    Connection: close\r\n\r\nThis server speaks HTTPS: use an https:// URL.\n";

/// How [`serve`] treats connections.
#[derive(Clone)]
pub struct ServeOptions {
    /// Serves HTTPS with this certificate, or HTTP.
    pub certificate: Option<Certificate>,
    /// Proxies before this server.
    pub proxies: Proxies,
    /// How long a client may take to send the head of a request.
    pub head_timeout: Duration,
    /// How long a write may wait for a client that reads nothing. It begins anew whenever the client has read something.
    pub write_timeout: Duration,
    /// How long a shutdown waits for connections to close.
    pub drain: Duration,
    /// The size of a connection's send buffer in the kernel, which bounds the unread data of a slow reader before writes block.
    pub send_buffer: usize,
    /// The maximum size of a request's head in bytes.
    pub head_bytes: usize,
    /// Connections that may be open. More are closed as soon as they are accepted.
    pub connections: usize,
    /// Connections that may be open from one address.
    /// Proxies are not limited, because they have the connections of all their clients.
    pub connections_per_address: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            certificate: None,
            proxies: Proxies::default(),
            head_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(15),
            drain: Duration::from_secs(10),
            send_buffer: 64 * 1024,
            head_bytes: 16 * 1024,
            connections: 20_000,
            connections_per_address: 10_000,
        }
    }
}

/// Serves `router` until `shutdown`, then waits up to [`ServeOptions::drain`] for connections to close, including upgraded ones.
/// Requests have a [`ConnectInfo`] with the client's address, which is the peer's unless that is one of the proxies.
///
/// # Errors
///
/// When the listener's socket cannot be set up.
pub async fn serve(listener: TcpListener, router: Router, options: ServeOptions, shutdown: CancellationToken) -> io::Result<()> {
    // Accepted connections inherit the size.
    socket2::SockRef::from(&listener).set_send_buffer_size(options.send_buffer)?;
    let mut http = http1::Builder::new();
    http.title_case_headers(true).timer(TokioTimer::new()).header_read_timeout(options.head_timeout).max_buf_size(options.head_bytes.max(8 * 1024));
    let connections = TaskTracker::new();
    let limits = Connections::new(options.connections, options.connections_per_address);
    let ServeOptions { certificate, proxies, head_timeout, write_timeout, .. } = options;
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // A connection that failed before it was accepted needs no pause; when the process is out of file descriptors,
                    // a retry after a pause may succeed.
                    if !is_of_connection(&error) {
                        tracing::warn!(%error, "a connection cannot be accepted");
                        sleep(Duration::from_millis(100)).await;
                    }
                    continue;
                }
            },
        };
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let admitted = match limits.admit(peer.ip(), proxies.include(peer.ip())) {
            Ok(admitted) => admitted,
            Err(exceeded) => {
                metrics::counter!("toygres_connections_refused_total", "limit" => exceeded.as_str()).increment(1);
                continue;
            }
        };
        let read_limit = ReadLimit::default();
        let (router, shutdown, http) = (router.clone(), shutdown.clone(), http.clone());
        let (certificate, proxies) = (certificate.clone(), proxies.clone());
        let counted = (connections.token(), admitted);
        tokio::spawn(async move {
            let opened = tokio::select! {
                opened = tokio::time::timeout(head_timeout, open(stream, certificate.as_ref(), write_timeout, &read_limit, counted)) => opened,
                () = shutdown.cancelled() => return,
            };
            let io = match opened {
                Ok(Ok(io)) => io,
                Ok(Err(error)) => return tracing::debug!(%error, %peer, "a TLS handshake failed"),
                Err(_) => return tracing::debug!(%peer, "a TLS handshake took too long"),
            };
            let service = service_fn(move |request: Request<Incoming>| {
                let mut request = request.map(Body::new);
                let client = proxies.client(peer, request.headers());
                request.extensions_mut().insert(ConnectInfo(client));
                request.extensions_mut().insert(read_limit.clone());
                router.clone().oneshot(request)
            });
            let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(io), service).with_upgrades());
            let outcome = tokio::select! {
                outcome = connection.as_mut() => outcome,
                () = shutdown.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = outcome {
                tracing::debug!(%error, %peer, "a connection ended");
            }
        });
    }
    // New connections are refused while the existing ones are drained.
    drop(listener);
    connections.close();
    if tokio::time::timeout(options.drain, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections are closed by the shutdown");
    }
    Ok(())
}

/// A connection as bytes of HTTP: with a certificate, after the handshake of TLS.
async fn open(
    stream: TcpStream,
    certificate: Option<&Certificate>,
    write_timeout: Duration,
    read_limit: &ReadLimit,
    counted: (TaskTrackerToken, Admitted),
) -> io::Result<Either<Watched, SslStream<Watched>>> {
    let Some(certificate) = certificate else {
        return Ok(Either::Left(Watched::new(stream, write_timeout, read_limit.clone(), counted)));
    };
    let is_tls = tls::begins_handshake(&stream).await?;
    let mut io = Watched::new(stream, write_timeout, read_limit.clone(), counted);
    if !is_tls {
        io.write_all(PLAIN_HTTP).await?;
        io.shutdown().await?;
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS"));
    }
    Ok(Either::Right(certificate.accept(io).await?))
}

/// The address of the client that sent a request.
pub(super) fn peer_address(request: &Extensions) -> Option<IpAddr> {
    request.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}

fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A connection whose writes time out if the peer does not read. It is counted as long as it exists, also after an upgrade.
struct Watched {
    stream: TcpStream,
    write_timeout: Duration,
    /// Set while a write is pending.
    deadline: Option<Pin<Box<Sleep>>>,
    read_limit: ReadLimit,
    _counted: (TaskTrackerToken, Admitted),
}

/// How many more bytes may be read from a connection. Requests carry it as an extension. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct ReadLimit(Arc<AtomicUsize>);

/// The value of a [`ReadLimit`] that limits nothing.
const UNLIMITED: usize = usize::MAX;

impl Default for ReadLimit {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(UNLIMITED)))
    }
}

impl ReadLimit {
    /// Fails the reads of the connection once it has read so many bytes.
    pub(super) fn set(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// Removes the limit.
    pub(super) fn lift(&self) {
        self.set(UNLIMITED);
    }

    /// Counts bytes that were read.
    fn read(&self, bytes: usize) -> io::Result<()> {
        let left = self.0.load(Ordering::Relaxed);
        if left == UNLIMITED {
            return Ok(());
        }
        let Some(left) = left.checked_sub(bytes) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the peer sends too much before it is authenticated"));
        };
        self.set(left);
        Ok(())
    }
}

impl Watched {
    fn new(stream: TcpStream, write_timeout: Duration, read_limit: ReadLimit, counted: (TaskTrackerToken, Admitted)) -> Self {
        Self { stream, write_timeout, deadline: None, read_limit, _counted: counted }
    }

    fn bounded<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.deadline = None;
            return outcome;
        }
        let write_timeout = self.write_timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + write_timeout)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        Poll::Ready(self.read_limit.read(buffer.filled().len() - before))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(context, outcome)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.bounded(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
