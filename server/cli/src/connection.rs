//! A byte stream to a server: TCP, with TLS for https URLs. TLS is the system's OpenSSL with the system's certificates.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_native_tls::{TlsConnector, native_tls};
use url::Url;

use crate::failure::{Failure, Kind, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A TCP or TLS stream.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to the server of a URL, with TLS if it is https, in `limit` at most.
pub(crate) async fn connect(url: &Url, limit: Duration) -> Result<Box<dyn Stream>> {
    let limit = limit.min(CONNECT_TIMEOUT);
    match timeout(limit, open(url)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(reason)) => Err(unreachable(url, &reason)),
        Err(_) => Err(unreachable(url, &format!("no connection within {}s", limit.as_secs()))),
    }
}

/// The failure for a server that cannot be reached.
pub(crate) fn unreachable(url: &Url, reason: &str) -> Failure {
    let origin = url.origin().ascii_serialization();
    Failure::new(
        Kind::Unreachable,
        format!("{origin} cannot be reached: {reason}. Start a server with `toygres serve`, or select another with --url, TOYGRES_URL or a context."),
    )
}

async fn open(url: &Url) -> std::result::Result<Box<dyn Stream>, String> {
    // In a URL, an IPv6 address is in brackets.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host, port)).await.map_err(|error| describe(&error))?;
    stream.set_nodelay(true).map_err(|error| describe(&error))?;
    if url.scheme() != "https" {
        return Ok(Box::new(stream));
    }
    let connector = native_tls::TlsConnector::new().map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(connector).connect(host, stream).await.map_err(|error| format!("TLS failed: {error}"))?;
    Ok(Box::new(stream))
}

fn describe(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        _ => error.to_string(),
    }
}
