//! A byte stream to a server: TCP, with TLS (the system's OpenSSL and certificates) where its URL says https.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_native_tls::{TlsConnector, native_tls};
use url::Url;

use super::failure::{Failure, Kind, Result};

/// A server that does not accept a connection for this long is not there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Either kind of stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to the server of a URL.
pub(super) async fn connect(url: &Url) -> Result<Box<dyn Stream>> {
    match timeout(PATIENCE, open(url)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(why)) => Err(unreachable(url, &why)),
        Err(_) => Err(unreachable(url, &format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

/// What to say of a server that cannot be reached.
pub(super) fn unreachable(url: &Url, why: &str) -> Failure {
    let origin = url.origin().ascii_serialization();
    Failure::new(
        Kind::Unreachable,
        format!("{origin} cannot be reached: {why}. Start a server with `toygres serve`, or name another with --url, TOYGRES_URL or a context."),
    )
}

async fn open(url: &Url) -> std::result::Result<Box<dyn Stream>, String> {
    // The brackets of an IPv6 address belong to the URL.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host, port)).await.map_err(|error| plain(&error))?;
    stream.set_nodelay(true).map_err(|error| plain(&error))?;
    if url.scheme() != "https" {
        return Ok(Box::new(stream));
    }
    let connector = native_tls::TlsConnector::new().map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(connector).connect(host, stream).await.map_err(|error| format!("TLS failed: {error}"))?;
    Ok(Box::new(stream))
}

fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
        _ => error.to_string(),
    }
}
